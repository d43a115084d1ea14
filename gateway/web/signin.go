package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/web/session"
)

// deskCookie carries a session. Its path keeps it off the public pages.
const (
	deskCookie = "desk"
	deskPath   = "/desk"
)

// Bounds of what is typed to sign in, in bytes.
const (
	maxPost   = 64
	maxSecret = 512
)

// Prefixes of the controls by which a form is carried through signing in.
const (
	signInTo   = "_to"
	signInPost = "_post"
	signInKey  = "_secret"
	keptPrefix = "kept."
)

// signInPage is the body of the page that asks to sign in.
type signInPage struct {
	To     string // path to go on to
	Post   string // as typed
	Fault  string // key of a message; empty: none
	Kept   []kept // form to go on with
	Signed bool   // there was a session, and it is over
}

func (s *Server) sessionOf(r request) (session.Session, bool) {
	return s.sessionBy(r, s.desks.sessions.Find)
}

// peekSession is sessionOf for what no visitor asked for: it keeps no session
// open.
func (s *Server) peekSession(r request) (session.Session, bool) {
	return s.sessionBy(r, s.desks.sessions.Peek)
}

func (s *Server) sessionBy(r request, find func(string) (session.Session, bool)) (session.Session, bool) {
	cookie, err := r.Cookie(deskCookie)
	if err != nil {
		return session.Session{}, false
	}
	return find(cookie.Value)
}

// askToSignIn asks, and goes on to a path, with a form if one was sent.
func (s *Server) askToSignIn(r request, to string, sent url.Values) reply {
	_, err := r.Cookie(deskCookie)
	return reply{view: "sign-in", title: s.say(r.lang, "sign-in.title"), status: http.StatusUnauthorized, self: to,
		body: signInPage{To: to, Kept: keep(sent), Signed: err == nil}}
}

// signIn begins a session and goes on: to the page that was asked for, or to
// the form that was sent when the session was over, shown for sending again.
func (s *Server) signIn(ctx context.Context, r request) (reply, error) {
	private(r)
	if err := s.desks.guard.Check(r.Request()); err != nil {
		return reply{}, echo.NewHTTPError(http.StatusForbidden)
	}
	if err := r.Request().ParseForm(); err != nil {
		return reply{}, brokenForm(err)
	}
	sent := r.Request().PostForm
	page := signInPage{To: ownPath(sent.Get(signInTo)), Post: strings.TrimSpace(sent.Get(signInPost)), Kept: keptForm(sent)}
	secret := strings.TrimSpace(sent.Get(signInKey))
	who, known := s.recogniseToken(page.Post, secret)
	if !known {
		allowed, err := s.desks.attempts.Allow(r.RealIP())
		if err != nil {
			return reply{}, err
		}
		if !allowed {
			page.Fault = "sign-in.too-many"
			return s.refuseSignIn(r, http.StatusTooManyRequests, page), nil
		}
		who, known = s.recognisePassword(page.Post, secret)
	}
	if !known {
		page.Fault = "sign-in.refused"
		return s.refuseSignIn(r, http.StatusUnauthorized, page), nil
	}
	cookie := s.desks.sessions.Begin(who)
	s.setCookie(r, cookie, 0)
	name, isJob := strings.CutPrefix(page.To, jobPath)
	if len(page.Kept) == 0 || !isJob {
		return reply{to: page.To}, nil
	}
	name, _, _ = strings.Cut(name, "?")
	r.SetParamNames("job")
	r.SetParamValues(name)
	found, _ := s.desks.sessions.Find(cookie)
	answer, err := s.showJob(ctx, visit{request: r, Session: found, sent: formOf(page.Kept), stale: true})
	answer.desk = &found
	return answer, err
}

// recogniseToken knows a post by its token, which nobody guesses.
func (s *Server) recogniseToken(post, secret string) (session.Person, bool) {
	if secret == "" || len(secret) > maxSecret || len(post) > maxPost {
		return session.Person{}, false
	}
	who, known := s.desks.Posts.ByToken(secret)
	return who, known && (post == "" || post == who.Label)
}

// recognisePassword knows a post by its name and password.
func (s *Server) recognisePassword(post, secret string) (session.Person, bool) {
	if secret == "" || len(secret) > maxSecret || post == "" || len(post) > maxPost {
		return session.Person{}, false
	}
	return s.desks.Posts.ByPassword(post, secret)
}

func (s *Server) refuseSignIn(r request, status int, page signInPage) reply {
	return reply{view: "sign-in", title: s.say(r.lang, "sign-in.title"), status: status, self: page.To, body: page}
}

// ownPath is a path of the desks, whatever was sent.
func ownPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || u.Path != deskPath && !strings.HasPrefix(u.Path, deskPath+"/") || strings.Contains(to, `\`) {
		return deskPath
	}
	return u.RequestURI()
}

// keptForm reads the form that the page carried.
func keptForm(sent url.Values) []kept {
	carried := url.Values{}
	for name, values := range sent {
		if own, ok := strings.CutPrefix(name, keptPrefix); ok {
			carried[own] = values
		}
	}
	return keep(carried)
}

func formOf(list []kept) url.Values {
	sent := url.Values{}
	for _, k := range list {
		sent.Add(k.Name, k.Value)
	}
	return sent
}

// signOut ends the session and has the browser forget the pages it kept.
func (s *Server) signOut(_ context.Context, r request) (reply, error) {
	private(r)
	if err := s.desks.guard.Check(r.Request()); err != nil {
		return reply{}, echo.NewHTTPError(http.StatusForbidden)
	}
	found, signedIn := s.sessionOf(r)
	if signedIn && !found.Permits(r.FormValue(formToken)) {
		return reply{}, metrology.Errorf(metrology.CodeInvalid, "the form is not of this session")
	}
	if cookie, err := r.Cookie(deskCookie); err == nil {
		s.desks.sessions.End(cookie.Value)
	}
	s.setCookie(r, "", -1)
	r.Response().Header().Set("Clear-Site-Data", `"cache"`)
	return reply{to: "/"}, nil
}

func (s *Server) setCookie(r request, value string, age int) {
	r.SetCookie(&http.Cookie{
		Name: deskCookie, Value: value, Path: deskPath, MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.desks.Secure || r.IsTLS(),
	})
}
