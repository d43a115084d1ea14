package web

import (
	"context"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/web/form"
	"github.com/steelyard-ledger/steelyard/gateway/web/session"
	"github.com/steelyard-ledger/steelyard/gateway/web/work"
)

// Posts knows who may sit at a desk.
type Posts interface {
	// ByToken finds the post of a bearer token.
	ByToken(token string) (session.Person, bool)
	// ByPassword finds the post of this name, if the password is its own.
	ByPassword(name, password string) (session.Person, bool)
}

// Operation is one request to the REST interface.
type Operation struct {
	Method string
	Path   string // with its query
	Key    string // Idempotency-Key; empty: none
	Media  string // of the body
	Body   []byte
	// Progress is told how far long work is, and lifts the bound on its time;
	// nil: the request is answered in a moment.
	Progress func(done, total int)
}

// Answer is what the interface said.
type Answer struct {
	Status int
	Body   []byte
}

// Operations runs operations of the REST interface as a post, just as a client
// with that post's token would.
type Operations interface {
	Run(ctx context.Context, who session.Person, o Operation) (Answer, error)
}

// DeskConfig gives the desks what they need.
type DeskConfig struct {
	Posts      Posts
	Operations Operations
	Journal    Journal
	Register   DeskRegister
	Beacons    []Beacon
	// Contribution makes an organisation's part of a draw's seed.
	Contribution func(draw, msp string) Contribution
	// Seal makes the secret of a sealed draw and encrypts it to its holders; the
	// gateway keeps nothing of it. Unseal gives it to a holder.
	Seal      func(ctx context.Context, draw string) (seal string, boxes []metrology.DrawEscrow, err error)
	Unseal    func(d metrology.Draw, boxes []metrology.DrawEscrow, msp string) (secret string, err error)
	Observes  bool   // the gateway takes part in draws by itself
	Directory string // where long work is remembered
	Secure    bool   // visitors come by TLS, though this program may not see it
}

// desks are the pages of those who are signed in.
type desks struct {
	DeskConfig
	sessions *session.Store
	attempts *middleware.RateLimiterMemoryStore // to sign in, by client address
	guard    *http.CrossOriginProtection
	forms    map[string]form.Operation
	work     *work.Store
}

// Attempts to sign in from one address without a right token, which has 160
// random bits: so many at once, then one in so many seconds.
const (
	attemptBurst   = 10
	attemptsPerSec = 0.2
)

func newDesks(c DeskConfig, clock func() time.Time, document []byte) (*desks, error) {
	operations, err := form.Read(document)
	if err != nil {
		return nil, err
	}
	return &desks{
		DeskConfig: c, sessions: session.NewStore(clock), guard: http.NewCrossOriginProtection(), forms: operations,
		work:     work.NewStore(c.Directory, clock),
		attempts: middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{Rate: attemptsPerSec, Burst: attemptBurst}),
	}, nil
}

// visit is one request for a page of a desk.
type visit struct {
	request
	session.Session
	sent  url.Values // form that was sent; nil: none
	stale bool       // a form was sent that was not made for this session; nothing is done with it
}

// deskHandler answers a request for a page of a desk.
type deskHandler func(ctx context.Context, v visit) (reply, error)

// mountDesks registers the desks.
func (s *Server) mountDesks(e *echo.Echo) {
	e.GET("/desk", s.desk(s.deskHome))
	e.POST("/desk/sign-in", s.page(s.signIn))
	e.POST("/desk/sign-out", s.page(s.signOut))
	// Where those forms were sent, opened anew: there is no page of its own.
	e.GET("/desk/sign-in", s.page(toDesk))
	e.GET("/desk/sign-out", s.page(toDesk))
	e.GET("/desk/do/:job", s.desk(s.showJob))
	e.POST("/desk/do/:job", s.deskForm(s.showJob, s.doJob))
	e.GET("/desk/draws", s.desk(s.deskDraws))
	e.GET("/desk/windows", s.page(s.deskWindows))
	e.GET("/desk/draws/:id", s.desk(s.deskDraw))
	e.GET("/desk/draws/:id/visits/:site", s.sendTicket)
	e.GET("/desk/cases", s.desk(s.deskCases))
	e.GET("/desk/overdue", s.desk(s.deskOverdue))
	e.GET("/desk/cases/:id", s.desk(s.deskCase))
	e.GET("/desk/cases/:id/print/:form", s.desk(s.printSheet))
	e.GET("/desk/pledges", s.desk(s.deskPledges))
	e.GET("/desk/mine", s.desk(s.mine))
	e.GET("/desk/drawn", s.desk(s.drawn))
	e.GET("/desk/stickers", s.desk(s.stickers))
	e.GET("/desk/round", s.desk(s.round))
	e.POST("/desk/round", s.deskForm(s.round, s.openTicket))
	e.GET("/desk/file/:job", s.desk(s.showFileJob))
	e.POST("/desk/file/:job", s.deskForm(s.showFileJob, s.doFileJob))
	e.GET("/desk/anchor", s.desk(s.showAnchor))
	e.POST("/desk/anchor", s.deskForm(s.showAnchor, s.doAnchor))
	e.GET("/desk/work", s.desk(s.listWork))
	e.GET("/desk/work/:id", s.desk(s.showWork))
	e.GET("/desk/work/:id/result.csv", s.deskDownload(s.workTable))
	e.GET("/desk/work/:id/evidence.zip", s.deskDownload(s.workEvidence))
	e.GET("/desk/sent", s.desk(s.listSent))
	e.GET("/desk/sent/:key", s.desk(s.showSent))
}

// toDesk leads to the desk's first page.
func toDesk(context.Context, request) (reply, error) { return reply{to: deskPath}, nil }

// desk makes a route of a page that only those who are signed in see. Others
// are asked to sign in and come back here.
func (s *Server) desk(show deskHandler) echo.HandlerFunc {
	return s.page(func(ctx context.Context, r request) (reply, error) {
		private(r)
		found, signedIn := s.sessionOf(r)
		if !signedIn {
			return s.askToSignIn(r, r.Request().URL.RequestURI(), nil), nil
		}
		v := visit{request: r, Session: found}
		answer, err := show(ctx, v)
		return s.remind(ctx, v, answer), err
	})
}

// deskForm makes a route of a form. do is reached only by a form that was made
// for this session; one that was not is shown again, with what was typed.
// Without a session the form is kept on the page that asks to sign in.
func (s *Server) deskForm(show, do deskHandler) echo.HandlerFunc {
	return s.page(func(ctx context.Context, r request) (reply, error) {
		private(r)
		if err := s.desks.guard.Check(r.Request()); err != nil {
			return reply{}, echo.NewHTTPError(http.StatusForbidden)
		}
		sent, err := sentForm(r)
		if err != nil {
			return reply{}, err
		}
		found, signedIn := s.sessionOf(r)
		if !signedIn {
			return s.askToSignIn(r, r.Request().URL.RequestURI(), sent), nil
		}
		v := visit{request: r, Session: found, sent: sent}
		handle := do
		if v.stale = !found.Permits(sent.Get(formToken)); v.stale {
			handle = show
		}
		answer, err := handle(ctx, v)
		return s.remind(ctx, v, answer), err
	})
}

// formMemory is how much of a form with a file is held in memory; the rest
// waits in a temporary file.
const formMemory = 8 << 20

// sentForm reads a form, with files or without.
func sentForm(r request) (url.Values, error) {
	if media, _, err := mime.ParseMediaType(r.Request().Header.Get(echo.HeaderContentType)); err != nil || media != echo.MIMEMultipartForm {
		if err := r.Request().ParseForm(); err != nil {
			return nil, brokenForm(err)
		}
		return r.Request().PostForm, nil
	}
	if err := r.Request().ParseMultipartForm(formMemory); err != nil {
		return nil, brokenForm(err)
	}
	return r.Request().MultipartForm.Value, nil
}

// private keeps pages of the desks out of shared caches. A browser may keep them
// for going back.
func private(r request) { r.Response().Header().Set(echo.HeaderCacheControl, "private") }

// Names of controls that are not members of a body.
const (
	formToken = "_token" // of the session
	formKey   = "_key"   // Idempotency-Key of what the form asks for
	formMore  = "_more"  // list that is to have one more row
	formSure  = "_sure"  // that nothing undoes it is understood
)

// deskPage is the body of a desk's first page.
type deskPage struct {
	Person session.Person
	Token  string
	Tasks  []task
	Cases  bool // there is a list of open inspections for this role
	Late   int  // inspections and draws that are overdue
	Trade  bool // it looks after merchants
	Field  bool // it visits places
	Timed  bool // it takes part in draws
	List   bool // it puts pledges on the public list
	Groups []jobGroup
	Recent []sent
}

// jobGroup is one heading with its jobs.
type jobGroup struct {
	Key    string
	Jobs   []job
	Files  []fileJob
	Anchor bool // files are anchored by their digests
}

// Count is how many jobs there are.
func (g jobGroup) Count() int {
	count := len(g.Jobs) + len(g.Files)
	if g.Anchor {
		count++
	}
	return count
}

// Title is the message that names the group.
func (g jobGroup) Title() string { return "group." + g.Key }

// recentShown is how many of the last writes the first page shows.
const recentShown = 5

func (s *Server) deskHome(ctx context.Context, v visit) (reply, error) {
	body := deskPage{Person: v.Person, Token: v.Token, Groups: jobsOf(v.Person.Role), Cases: authority(v) == nil,
		Trade: tradesman(v) == nil, Field: inspecting(v) == nil, List: hasJob(v.Person.Role, operationPublish), Timed: reminds(v.Person.Role)}
	var err error
	if body.Tasks, err = s.tasks(ctx, v); err != nil {
		return reply{}, err
	}
	if body.Cases {
		late, _, err := s.lateCases(ctx, v)
		if err != nil {
			return reply{}, err
		}
		draws, err := s.lateDraws(ctx)
		if err != nil {
			return reply{}, err
		}
		body.Late = len(late) + len(draws)
	}
	recent, err := s.desks.Journal.Recent(ctx, v.Person.Label, deskKeys, recentShown)
	if err != nil {
		return reply{}, fmt.Errorf("list what was sent: %w", err)
	}
	for _, entry := range recent {
		body.Recent = append(body.Recent, s.describe(ctx, entry))
	}
	return reply{view: "desk", title: s.say(v.lang, "desk.title", s.term(v.lang, "role", v.Person.Role)), body: body}, nil
}

// term says the words of a code.
func (s *Server) term(l language, group, code string) string {
	return s.views[l].words.term(group, code)
}

// jobsOf lists the jobs of a role under their headings, as the table has them.
func jobsOf(role string) []jobGroup {
	var groups []jobGroup
	for _, j := range jobs {
		if !j.For(role) {
			continue
		}
		i := slices.IndexFunc(groups, func(g jobGroup) bool { return g.Key == j.Group })
		if i < 0 {
			groups, i = append(groups, jobGroup{Key: j.Group}), len(groups)
		}
		groups[i].Jobs = append(groups[i].Jobs, j)
	}
	for i, g := range groups {
		groups[i].Files = fileJobsOf(role, g.Key)
		groups[i].Anchor = g.Key == "certificates" && anchors(role)
	}
	return groups
}

// kept is a form that is carried over to after signing in.
type kept struct{ Name, Value string }

// keep lists what a form sent, without what belongs to a session.
func keep(sent url.Values) []kept {
	var list []kept
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if name == formToken || name == formSure {
			continue
		}
		for _, value := range sent[name] {
			list = append(list, kept{name, value})
		}
	}
	return list
}
