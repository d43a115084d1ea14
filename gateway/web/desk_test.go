package web_test

import (
	"context"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web"
	"github.com/steelyard-ledger/steelyard/gateway/web/session"
)

// desk is a gateway with desks whose ledger is played by the test.
type desk struct {
	t        *testing.T
	e        *echo.Echo
	register *register
	cookies  map[string]string
	asked    []web.Operation // that reached the interface
	answer   func(o web.Operation) web.Answer
	journal  map[string]web.Sent
	visits   []public.DrawnVisit // that draws gave
	role     string              // that is signed in
	mu       sync.Mutex
}

func (d *desk) ByToken(token string) (session.Person, bool) {
	role, ok := strings.CutPrefix(token, "sy_")
	return session.Person{Label: role, MSP: metrology.RoleOrganizations[metrology.Role(role)], Role: role, Subject: role + "-1"}, ok
}

func (d *desk) ByPassword(name, password string) (session.Person, bool) {
	who, _ := d.ByToken("sy_" + name)
	return who, password == "long enough password"
}

func (d *desk) Run(_ context.Context, _ session.Person, o web.Operation) (web.Answer, error) {
	d.mu.Lock()
	if o.Method != "GET" {
		d.asked = append(d.asked, o)
	}
	d.mu.Unlock()
	if path, query, _ := strings.Cut(o.Path, "?"); path == "/v1/visits" {
		visits := slices.DeleteFunc(slices.Clone(d.visits), func(v public.DrawnVisit) bool { return query != "" && query != "draw="+v.Draw })
		raw, err := json.Marshal(public.DrawnVisits{Visits: visits})
		return web.Answer{Status: 200, Body: raw}, err
	}
	answer := d.answer(o)
	if _, again := d.journal[o.Key]; o.Key != "" && !again && answer.Status < 300 {
		d.journal[o.Key] = web.Sent{Key: o.Key, State: web.SentCommitted, TransactionID: asOf.TransactionID, Block: 9,
			Created: time.Date(2026, 3, 9, 23, 30, 0, 0, time.UTC), Event: []byte(`{"type":"pledge.suspended","version":1,"id":"P-1"}`)}
	}
	return answer, nil
}

func (d *desk) Find(_ context.Context, _, key string) (web.Sent, bool, error) {
	found, ok := d.journal[key]
	return found, ok, nil
}

func (d *desk) Recent(_ context.Context, _, prefix string, _ int) ([]web.Sent, error) {
	var list []web.Sent
	for _, key := range slices.Sorted(maps.Keys(d.journal)) {
		if strings.HasPrefix(key, prefix) {
			list = append(list, d.journal[key])
		}
	}
	return list, nil
}

func committed(web.Operation) web.Answer { return web.Answer{Status: 201} }

func newDesk(t *testing.T) *desk {
	t.Helper()
	document, err := os.ReadFile("../api/openapi.json")
	require.NoError(t, err)
	d := &desk{t: t, register: full(), cookies: map[string]string{}, answer: committed, journal: map[string]web.Sent{}}
	d.e = serveDesks(t, d.register, document, &web.DeskConfig{Posts: d, Operations: d, Journal: d, Register: d.register, Directory: t.TempDir(),
		Contribution: func(draw, msp string) web.Contribution {
			return web.Contribution{Commitment: draw + "/" + msp, Secret: "secret of " + msp}
		}})
	return d
}

// send makes a request as one browser would.
func (d *desk) send(method, path, language string, form url.Values) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", language)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range d.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	d.e.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		d.cookies[c.Name] = c.Value
	}
	return w
}

// get follows redirects.
func (d *desk) get(path, language string) *httptest.ResponseRecorder {
	d.t.Helper()
	w := d.send("GET", path, language, nil)
	if to := w.Header().Get("Location"); to != "" && w.Code == http.StatusSeeOther {
		return d.get(to, language)
	}
	return w
}

func (d *desk) signIn(role string) {
	d.t.Helper()
	w := d.send("POST", "/desk/sign-in", "en", url.Values{"_to": {"/desk"}, "_secret": {"sy_" + role}})
	require.Equal(d.t, http.StatusSeeOther, w.Code, w.Body)
	d.role = role
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// formOf reads the hidden controls of the page's own form.
func formOf(page string) url.Values {
	form := url.Values{}
	_, own, _ := strings.Cut(page, `<form class="card"`)
	for _, control := range hidden.FindAllStringSubmatch(own, -1) {
		form.Add(html.UnescapeString(control[1]), html.UnescapeString(control[2]))
	}
	return form
}

const suspend = "/desk/do/suspendPledge"

// suspension opens the form and fills it in.
func (d *desk) suspension() url.Values {
	d.t.Helper()
	w := d.get(suspend+"?id=P-1", "en")
	require.Equal(d.t, 200, w.Code)
	form := formOf(w.Body.String())
	form.Set("{id}", "P-1")
	form.Set("card", "yellow")
	form.Set("reason", "penalty")
	return form
}

func TestSignInAndOut(t *testing.T) {
	d := newDesk(t)
	w := d.get("/desk/sent", "en")
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Contains(t, w.Body.String(), `value="/desk/sent"`)

	w = d.send("POST", "/desk/sign-in", "en", url.Values{"_to": {"/desk/sent"}, "_secret": {"wrong"}})
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Contains(t, w.Body.String(), "do not go together")

	w = d.send("POST", "/desk/sign-in", "en", url.Values{"_to": {"/desk/sent"}, "_secret": {" sy_regulator "}})
	require.Equal(t, "/desk/sent", w.Header().Get("Location"))
	cookie := w.Result().Cookies()[0]
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
	require.Equal(t, "/desk", cookie.Path)
	require.False(t, cookie.Secure, "this test does not come by TLS")

	page := d.get("/desk", "en").Body.String()
	require.Contains(t, page, "Suspend a pledge")
	token := regexp.MustCompile(`name="_token" value="([^"]+)"`).FindStringSubmatch(page)[1]
	w = d.send("POST", "/desk/sign-out", "en", url.Values{"_token": {"other"}})
	require.Equal(t, http.StatusBadRequest, w.Code)
	w = d.send("POST", "/desk/sign-out", "en", url.Values{"_token": {token}})
	require.Equal(t, "/", w.Header().Get("Location"))
	d.cookies["desk"] = cookie.Value
	require.Equal(t, http.StatusUnauthorized, d.get("/desk", "en").Code, "the old cookie opens nothing")
}

func TestSignInByPassword(t *testing.T) {
	d := newDesk(t)
	for name, test := range map[string]struct {
		post, secret string
		status       int
	}{
		"post and password":           {"notary", "long enough password", 303},
		"another password":            {"notary", "long enough passwordx", 401},
		"a password without a post":   {"", "long enough password", 401},
		"a token of another post":     {"notary", "sy_regulator", 401},
		"a token and its post":        {"regulator", "sy_regulator", 303},
		"nothing":                     {"", "", 401},
		"a secret beyond all measure": {"notary", strings.Repeat("x", 600), 401},
	} {
		t.Run(name, func(t *testing.T) {
			w := d.send("POST", "/desk/sign-in", "en", url.Values{"_post": {test.post}, "_secret": {test.secret}})
			require.Equal(t, test.status, w.Code)
		})
	}
}

func TestGuessingIsSlow(t *testing.T) {
	d := newDesk(t)
	for range 10 {
		d.send("POST", "/desk/sign-in", "en", url.Values{"_secret": {"wrong"}})
	}
	w := d.send("POST", "/desk/sign-in", "en", url.Values{"_post": {"regulator"}, "_secret": {"wrong"}})
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Contains(t, w.Body.String(), "Too many attempts")
	w = d.send("POST", "/desk/sign-in", "en", url.Values{"_secret": {"sy_regulator"}})
	require.Equal(t, http.StatusSeeOther, w.Code, "nobody guesses a token")
}

func TestOnlyOwnPathsAfterSignIn(t *testing.T) {
	for _, to := range []string{"//evil.example/desk", "https://evil.example/desk", `/desk\..\x`, "/", "/desk2", "javascript:alert(1)", ""} {
		d := newDesk(t)
		w := d.send("POST", "/desk/sign-in", "en", url.Values{"_to": {to}, "_secret": {"sy_regulator"}})
		require.Equal(t, "/desk", w.Header().Get("Location"), to)
	}
}

func TestAJobIsOneWrite(t *testing.T) {
	d := newDesk(t)
	d.signIn("regulator")
	form := d.suspension()
	for range 2 { // a double click
		w := d.send("POST", suspend, "en", form)
		require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
		require.Equal(t, "/desk/sent/"+form.Get("_key"), w.Header().Get("Location"))
	}
	require.Len(t, d.asked, 2)
	require.Equal(t, d.asked[0], d.asked[1], "the same request under the same key")
	require.Equal(t, "/v1/pledges/P-1/suspension", d.asked[0].Path)
	require.JSONEq(t, `{"card":"yellow","reason":"penalty"}`, string(d.asked[0].Body))

	page := d.get("/desk/sent/"+form.Get("_key"), "en").Body.String()
	require.Contains(t, page, "Done")
	require.Contains(t, page, asOf.TransactionID)
	require.Contains(t, d.get("/desk/sent", "en").Body.String(), form.Get("_key"))

	back := d.get(suspend+"?id=P-1&key="+form.Get("_key"), "en").Body.String()
	require.Contains(t, back, "This form was sent already")
	require.Contains(t, back, form.Get("_key"), "the way back keeps the key")
}

func TestFormFromElsewhereDoesNothing(t *testing.T) {
	d := newDesk(t)
	d.signIn("regulator")
	form := d.suspension()
	form.Set("_token", "guessed")
	w := d.send("POST", suspend, "en", form)
	require.Contains(t, w.Body.String(), "Check it and send it again")
	require.Contains(t, w.Body.String(), `<option value="penalty" selected>`)

	r := httptest.NewRequest("POST", suspend, strings.NewReader(d.suspension().Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(&http.Cookie{Name: "desk", Value: d.cookies["desk"]})
	answer := httptest.NewRecorder()
	d.e.ServeHTTP(answer, r)
	require.Equal(t, http.StatusForbidden, answer.Code)
	require.Empty(t, d.asked)
}

// What was typed survives the end of the session.
func TestExpiredSessionKeepsTheForm(t *testing.T) {
	d := newDesk(t)
	d.signIn("regulator")
	form := d.suspension()
	d.cookies["desk"] = "of a session that is over"
	w := d.send("POST", suspend, "en", form)
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Contains(t, w.Body.String(), "What you typed is kept")

	again := formOf(w.Body.String())
	again.Set("_secret", "sy_regulator")
	w = d.send("POST", "/desk/sign-in", "en", again)
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), `<option value="penalty" selected>`)
	require.Contains(t, w.Body.String(), `value="P-1"`)
	require.Empty(t, d.asked, "nothing is sent without being asked")
	mended := formOf(w.Body.String())
	require.Equal(t, form.Get("_key"), mended.Get("_key"), "still the same write")
	require.NotEqual(t, form.Get("_token"), mended.Get("_token"))
	for _, name := range []string{"{id}", "card", "reason"} {
		mended.Set(name, form.Get(name))
	}
	w = d.send("POST", suspend, "en", mended)
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Len(t, d.asked, 1)
}

func problemAnswer(status int, code, field, detail string) func(web.Operation) web.Answer {
	raw, err := json.Marshal(map[string]any{"type": "/problems/x", "title": "T", "status": status, "code": code, "field": field, "detail": detail, "retryable": status >= 500})
	if err != nil {
		panic(err)
	}
	return func(web.Operation) web.Answer { return web.Answer{Status: status, Body: raw} }
}

func TestProblemsStandBesideTheirFields(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(web.Operation) web.Answer
		change url.Values
		status int
		shows  string
	}{
		"of a member":    {problemAnswer(400, "INVALID", "reason", "must be one of those"), nil, 400, `<p class="fault" id="fault:reason">must be one of those</p>`},
		"of the address": {problemAnswer(404, "NOT_FOUND", "id", "there is no pledge"), nil, 404, `<p class="fault" id="fault:{id}">there is no pledge</p>`},
		"of nothing":     {problemAnswer(409, "STATE", "", "the pledge is withdrawn"), nil, 409, `<p dir="auto">the pledge is withdrawn</p>`},
		"hostile":        {problemAnswer(400, "INVALID", "", hostile), nil, 400, "&lt;script&gt;"},
		"may be retried": {problemAnswer(503, "UNAVAILABLE", "", ""), nil, 503, "Try again in a moment"},
		"empty":          {committed, url.Values{"{id}": {" "}}, 400, `<p class="fault" id="fault:{id}">This is needed.</p>`},
		"a way out":      {committed, url.Values{"{id}": {".."}}, 400, "This is needed."},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.signIn("regulator")
			d.answer = test.answer
			form := d.suspension()
			for key, value := range test.change {
				form[key] = value
			}
			w := d.send("POST", suspend, "en", form)
			require.Equal(t, test.status, w.Code)
			checkPage(t, w.Body.String())
			require.Contains(t, w.Body.String(), test.shows)
			require.Contains(t, w.Body.String(), `<option value="penalty" selected>`, "what was chosen stays")
		})
	}
}

// A form that was refused can be mended; one that was done cannot be changed.
func TestKeysAfterRefusalAndSuccess(t *testing.T) {
	d := newDesk(t)
	d.signIn("regulator")
	form := d.suspension()
	d.journal[form.Get("_key")] = web.Sent{Key: form.Get("_key"), State: web.SentRefused, Refusal: &metrology.Error{Code: metrology.CodeState, Message: "no"}}
	d.send("POST", suspend, "en", form)
	require.NotEqual(t, form.Get("_key"), d.asked[0].Key)
	require.True(t, strings.HasPrefix(d.asked[0].Key, "desk-suspendPledge-"))

	d.answer = problemAnswer(422, "OPERATION_REUSED", "", "used")
	d.journal[form.Get("_key")] = web.Sent{Key: form.Get("_key"), State: web.SentCommitted}
	w := d.send("POST", suspend, "en", form)
	require.Contains(t, w.Body.String(), "This form was sent already")
	require.NotEqual(t, form.Get("_key"), formOf(w.Body.String()).Get("_key"))
}

func TestWhatCannotBeUndoneIsConfirmed(t *testing.T) {
	d := newDesk(t)
	d.signIn("regulator")
	const revoke = "/desk/do/revokePledge"
	form := formOf(d.get(revoke, "en").Body.String())
	form.Set("{id}", "P-1")
	form.Set("reason", "penalty")
	require.Equal(t, 400, d.send("POST", revoke, "en", form).Code)
	require.Empty(t, d.asked)
	form.Set("_sure", "on")
	require.Equal(t, 303, d.send("POST", revoke, "en", form).Code)
}

func TestJobsAreOfOnesRole(t *testing.T) {
	d := newDesk(t)
	d.signIn("notary")
	require.Equal(t, 404, d.get(suspend, "en").Code)
	require.Equal(t, 404, d.get("/desk/do/nothing", "en").Code)
	require.Equal(t, 200, d.get("/desk/do/approveDraw", "en").Code)
	require.NotContains(t, d.get("/desk", "en").Body.String(), "Suspend a pledge")
}

func TestOneMoreRow(t *testing.T) {
	d := newDesk(t)
	d.signIn("regulator")
	const page = "/desk/do/registerIssuer"
	form := formOf(d.get(page, "en").Body.String())
	form.Set("grants[0].number", "first")
	form.Set("_more", "grants")
	w := d.send("POST", page, "en", form)
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), `value="first"`)
	require.Contains(t, w.Body.String(), `name="grants[1].number"`)
	require.NotContains(t, w.Body.String(), `name="grants[2].number"`)
	require.Empty(t, d.asked)
}

// An open write is never shown as saved; the register may know it by now.
func TestUnknownIsNotSaved(t *testing.T) {
	d := newDesk(t)
	d.signIn("regulator")
	key := "desk-suspendPledge-" + strings.Repeat("0", 24)
	d.journal[key] = web.Sent{Key: key, State: web.SentUnknown, TransactionID: "abc"}
	page := d.get("/desk/sent/"+key, "en").Body.String()
	require.Contains(t, page, "Look again later")
	require.NotContains(t, page, "Done")
	d.register.transactions = []public.Transaction{{ID: "abc", Block: 12, Valid: true, Event: "merchant.closed", Subject: "M-1"}}
	page = d.get("/desk/sent/"+key, "en").Body.String()
	require.Contains(t, page, "Done")
	require.Contains(t, page, `href="/m/M-1"`)
	require.Equal(t, 404, d.get("/desk/sent/desk-none", "en").Code)
}

// Every job of every role opens, in both languages, and holds what every page owes.
func TestEveryJobOpens(t *testing.T) {
	for role := range metrology.RoleOrganizations {
		d := newDesk(t)
		d.signIn(string(role))
		home := d.get("/desk", "en").Body.String()
		for _, link := range regexp.MustCompile(`href="(/desk/(?:do|file|anchor)[\w/-]*)"`).FindAllStringSubmatch(home, -1) {
			for _, language := range []string{"zh", "en"} {
				w := d.get(link[1], language)
				require.Equal(t, 200, w.Code, link[1])
				checkPage(t, w.Body.String())
			}
		}
	}
}

// Who puts an instrument back into use does not type its certificate: the newest
// verification that stands is filled in, as the ledger takes it.
func TestReverificationIsFilledIn(t *testing.T) {
	d := newDesk(t).busy()
	d.signIn("merchant")
	const path = "/desk/do/reverifyInstrument?id=I-1"
	at := slices.IndexFunc(d.register.instruments, func(i public.Instrument) bool { return i.ID == "I-1" })
	d.register.instruments[at].State = metrology.InstrumentRepaired
	good := d.register.certificates[0]
	good.State, good.Leaf.Kind, good.Leaf.Performed, good.Leaf.ValidUntil = metrology.CertificateAnchored, metrology.KindVerification, "2026-02-02", "2099-12-31"
	good.Leaf.Instruments = []metrology.LeafInstrument{{ID: "I-1", Serial: "SY-D-1", Category: "fuel-dispenser", Conclusion: metrology.ConclusionPass}}
	older, revoked := good, good
	older.Leaf.Performed, older.Leaf.Number = "2026-02-01", "OLDER"
	revoked.State, revoked.Leaf.Performed, revoked.Leaf.Number = metrology.CertificateRevoked, "2026-02-03", "REVOKED"
	filled := func(certificates ...public.Certificate) string {
		d.register.certificates = certificates
		return html.UnescapeString(d.get(path, "en").Body.String())
	}
	leaf, err := good.Leaf.Bytes()
	require.NoError(t, err)
	require.Contains(t, filled(older, good, revoked), string(leaf))
	require.NotContains(t, filled(revoked), "REVOKED", "what was revoked is not offered")
	d.register.instruments[at].Repaired = "2026-02-05"
	require.NotContains(t, filled(good), string(leaf), "the repair came after it")
}
