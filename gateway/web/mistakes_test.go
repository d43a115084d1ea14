package web_test

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/web"
)

// mistake is what a stranger does wrong at a page of a desk. It ends well: in
// words that say what to do, with what was typed, and with nothing written twice.
type mistake struct {
	name string
	make func(t *testing.T, d *desk)
}

// desksOf are roles whose desks the mistakes are made at.
const (
	atRegulator   = "regulator"
	atNotary      = "notary"
	atAssociation = "association"
	atInstitute   = "institute"
	atInspector   = "inspector"
	atMerchant    = "merchant"
)

// told requires a page with words, and no writing.
func (d *desk) told(w *httptest.ResponseRecorder, status int, words string) {
	d.t.Helper()
	require.Equal(d.t, status, w.Code, w.Body)
	checkPage(d.t, w.Body.String())
	require.Contains(d.t, w.Body.String(), words)
	require.Empty(d.t, d.asked)
}

// expired: the session is over when the page is opened; after signing in it is
// there.
func expired(path string) mistake {
	return mistake{"the session is over", func(t *testing.T, d *desk) {
		role := d.role
		d.cookies["desk"] = "of a session that is over"
		w := d.get(path, "en")
		d.told(w, 401, "Sign in")
		again := formOf(w.Body.String())
		again.Set("_secret", "sy_"+role)
		w = d.send("POST", "/desk/sign-in", "en", again)
		require.Equal(t, 303, w.Code)
		require.Equal(t, 200, d.get(w.Header().Get("Location"), "en").Code)
	}}
}

// twice: the link is clicked twice, or the page is opened anew by the way back.
func twice(path string) mistake {
	return mistake{"a double click and the way back", func(t *testing.T, d *desk) {
		first, second := d.get(path, "en"), d.get(path, "en")
		require.Equal(t, 200, first.Code, first.Body)
		require.Equal(t, titleOf(first.Body.String()), titleOf(second.Body.String()))
		require.Empty(t, d.asked)
	}}
}

var heading = regexp.MustCompile(`<h1[^>]*>(.*?)</h1>`)

func titleOf(page string) string { return heading.FindString(page) }

// wrongBox: an address with what belongs elsewhere.
func wrongBox(path string, status int, words string) mistake {
	return mistake{"wrong box " + path, func(_ *testing.T, d *desk) { d.told(d.get(path, "en"), status, words) }}
}

// unreadable: the register cannot be read; later it can.
func unreadable(path string) mistake {
	return mistake{"no connection to the register", func(t *testing.T, d *desk) {
		d.register.broken = true
		d.told(d.get(path, "en"), 503, "<h1>")
		d.register.broken = false
		require.Equal(t, 200, d.get(path, "en").Code)
	}}
}

// otherDesk: the page is asked for at a desk that has none.
func otherDesk(path, role string) mistake {
	return mistake{"at the desk of " + role, func(_ *testing.T, d *desk) {
		d.signIn(role)
		d.told(d.get(path, "en"), 404, "<h1>")
	}}
}

// formSent are the mistakes with a form that has a key of its own.
func formSent(open, path string, fill url.Values) []mistake {
	filled := func(d *desk) url.Values {
		form := formOf(d.get(open, "en").Body.String())
		for name, values := range fill {
			form[name] = values
		}
		return form
	}
	return []mistake{
		{"a double click", func(t *testing.T, d *desk) {
			form := filled(d)
			first, second := d.send("POST", path, "en", form), d.send("POST", path, "en", form)
			require.Equal(t, 303, first.Code, first.Body)
			require.Equal(t, first.Header().Get("Location"), second.Header().Get("Location"))
			d.settle(first)
			for _, o := range d.asked {
				require.Equal(t, []string{d.asked[0].Path, d.asked[0].Key, string(d.asked[0].Body)}, []string{o.Path, o.Key, string(o.Body)}, "the same request under the same key")
			}
		}},
		{"the way back", func(t *testing.T, d *desk) {
			form := filled(d)
			w := d.send("POST", path, "en", form)
			require.Equal(t, 303, w.Code)
			d.settle(w)
			back := d.get(open+joiner(open)+"key="+form.Get("_key"), "en")
			require.Equal(t, 200, back.Code)
			require.Contains(t, back.Body.String(), form.Get("_key"), "sent again it is still the same")
		}},
		{"the session is over", func(t *testing.T, d *desk) {
			role, form := d.role, filled(d)
			d.cookies["desk"] = "of a session that is over"
			w := d.send("POST", path, "en", form)
			d.told(w, 401, "Sign in")
			for name, values := range fill {
				require.Contains(t, formOf(w.Body.String())["kept."+name], values[0], "what was typed is kept")
			}
			again := formOf(w.Body.String())
			again.Set("_secret", "sy_"+role)
			w = d.send("POST", "/desk/sign-in", "en", again)
			require.Less(t, w.Code, 400)
			require.Empty(t, d.asked, "nothing is sent without being asked")
		}},
		{"a form of another session", func(t *testing.T, d *desk) {
			form := filled(d)
			form.Set("_token", "of another")
			w := d.send("POST", path, "en", form)
			require.Equal(t, 200, w.Code)
			checkPage(t, w.Body.String())
			require.Empty(t, d.asked)
		}},
	}
}

// settle waits for the work that an answer leads to, if it does.
func (d *desk) settle(w *httptest.ResponseRecorder) {
	d.t.Helper()
	if to := w.Header().Get("Location"); strings.HasPrefix(to, "/desk/work/") {
		d.awaitWork(to)
	}
}

func joiner(path string) string {
	if strings.Contains(path, "?") {
		return "&"
	}
	return "?"
}

// fileSent are the mistakes with a form that takes a file.
func fileSent(path, control string, fill url.Values) []mistake {
	filled := func(d *desk) url.Values {
		form := d.uploadForm(path)
		for name, values := range fill {
			form[name] = values
		}
		return form
	}
	return []mistake{
		{"no file", func(_ *testing.T, d *desk) {
			d.told(d.sendPart(path, control, "", "", filled(d)), 400, `class="fault"`)
		}},
		{"the session is over", func(_ *testing.T, d *desk) {
			form := filled(d)
			d.cookies["desk"] = "of a session that is over"
			d.told(d.sendPart(path, control, "a.csv", "a,b\n", form), 401, "Sign in")
		}},
		{"a form of another session", func(_ *testing.T, d *desk) {
			form := filled(d)
			form.Set("_token", "of another")
			w := d.sendPart(path, control, "a.csv", "a,b\n", form)
			d.told(w, 200, "Check it and send it again")
		}},
	}
}

// uploadForm is what a page's form with a file sends besides the file.
func (d *desk) uploadForm(path string) url.Values {
	d.t.Helper()
	form := url.Values{}
	_, own, _ := strings.Cut(d.get(path, "en").Body.String(), `enctype="multipart/form-data"`)
	for _, control := range hidden.FindAllStringSubmatch(own, -1) {
		form.Set(control[1], control[2])
	}
	return form
}

// mistakes are those made at each route of the desks.
func mistakes() map[string][]mistake {
	work := "/desk/work/" + strings.Repeat("a", 24)
	suspend := url.Values{"{id}": {"P-1"}, "card": {"yellow"}, "reason": {"penalty"}}
	return map[string][]mistake{
		"GET /desk":                        at(atRegulator, expired("/desk"), twice("/desk"), unreadable("/desk"), wrongBox("/desk/none", 404, "<h1>")),
		"POST /desk/sign-in":               signInMistakes(),
		"GET /desk/sign-in":                at(atRegulator, wayBackTo("/desk/sign-in"), twice("/desk/sign-in"), expired("/desk/sign-in")),
		"POST /desk/sign-out":              signOutMistakes(),
		"GET /desk/sign-out":               at(atRegulator, wayBackTo("/desk/sign-out"), twice("/desk/sign-out"), expired("/desk/sign-out")),
		"GET /desk/do/:job":                at(atRegulator, expired("/desk/do/suspendPledge"), wrongBox("/desk/do/none", 404, "<h1>"), twice("/desk/do/suspendPledge?id=P-1"), otherDesk("/desk/do/suspendPledge", atMerchant), wrongBox("/desk/do/suspendPledge?id=%00&reason=none&_token=x&key=mine", 200, "<h1>")),
		"POST /desk/do/:job":               at(atRegulator, formSent("/desk/do/suspendPledge", "/desk/do/suspendPledge", suspend)...),
		"GET /desk/draws":                  at(atRegulator, expired("/desk/draws"), twice("/desk/draws"), unreadable("/desk/draws")),
		"GET /desk/draws/:id":              at(atRegulator, expired("/desk/draws/310115-000011"), wrongBox("/desk/draws/S-1", 404, "<h1>"), unreadable("/desk/draws/310115-000011"), twice("/desk/draws/310115-000011")),
		"GET /desk/draws/:id/visits/:site": at(atRegulator, expired("/desk/draws/310115-000019/visits/S-2"), wrongBox("/desk/draws/310115-000019/visits/none", 404, "<h1>"), otherDesk("/desk/draws/310115-000019/visits/S-2", atMerchant)),
		"GET /desk/cases":                  at(atRegulator, expired("/desk/cases"), unreadable("/desk/cases"), otherDesk("/desk/cases", atInstitute)),
		"GET /desk/overdue":                at(atRegulator, expired("/desk/overdue"), unreadable("/desk/overdue"), otherDesk("/desk/overdue", atInstitute), twice("/desk/overdue")),
		"GET /desk/windows":                at(atNotary, expired("/desk/windows"), unreadable("/desk/windows"), otherDesk("/desk/windows", atMerchant), twice("/desk/windows")),
		"GET /desk/cases/:id":              at(atRegulator, expired("/desk/cases/V-7"), wrongBox("/desk/cases/P-1", 404, "<h1>"), otherDesk("/desk/cases/V-7", atInstitute), unreadable("/desk/cases/V-7")),
		"GET /desk/cases/:id/print/:form":  at(atRegulator, expired("/desk/cases/V-7/print/notice"), wrongBox("/desk/cases/V-7/print/none", 404, "<h1>"), wrongBox("/desk/cases/none/print/notice", 404, "<h1>"), otherDesk("/desk/cases/V-7/print/notice", atMerchant)),
		"GET /desk/pledges":                at(atAssociation, expired("/desk/pledges"), unreadable("/desk/pledges"), otherDesk("/desk/pledges", atInspector), twice("/desk/pledges")),
		"GET /desk/mine":                   at(atAssociation, expired("/desk/mine?merchant=M-1"), wrongBox("/desk/mine?merchant=S-none", 200, "<h1>"), otherDesk("/desk/mine", atInspector), twice("/desk/mine?merchant=M-1")),
		"GET /desk/drawn":                  at(atMerchant, expired("/desk/drawn?site=S-1"), wrongBox("/desk/drawn?site=M-none", 200, "Why was I drawn"), otherDesk("/desk/drawn", atInspector), twice("/desk/drawn?site=S-1")),
		"GET /desk/stickers":               at(atAssociation, expired("/desk/stickers?site=S-1"), wrongBox("/desk/stickers?site=none", 200, "No instrument"), otherDesk("/desk/stickers", atInspector), twice("/desk/stickers?site=S-1")),
		"GET /desk/round":                  at(atInspector, expired("/desk/round"), unreadable("/desk/round"), otherDesk("/desk/round", atMerchant), wrongBox("/desk/round?as=%3Cscript%3E", 200, "My assignments")),
		"POST /desk/round":                 at(atInspector, append(fileSent("/desk/round", "ticket", nil), wrongFile("/desk/round", "ticket", "not the file of a visit"))...),
		"GET /desk/file/:job":              at(atInstitute, expired("/desk/file/importCertificates"), wrongBox("/desk/file/none", 404, "<h1>"), otherDesk("/desk/file/importCertificates", atMerchant), twice("/desk/file/importCertificates")),
		"POST /desk/file/:job":             at(atInstitute, append(fileSent("/desk/file/importCertificates", "file", url.Values{"issuer": {"N-1"}}), sameFileTwice())...),
		"GET /desk/anchor":                 at(atInstitute, expired("/desk/anchor"), otherDesk("/desk/anchor", atMerchant), twice("/desk/anchor")),
		"POST /desk/anchor":                at(atInstitute, formSent("/desk/anchor", "/desk/anchor", anchored())...),
		"GET /desk/work":                   at(atInstitute, expired("/desk/work"), twice("/desk/work"), wrongBox("/desk/work?cursor=bent", 200, "<h1>")),
		"GET /desk/work/:id":               at(atInstitute, expired("/desk/work"), wrongBox(work, 404, "<h1>"), wrongBox("/desk/work/..%2F..%2Fsecret", 404, "<h1>")),
		"GET /desk/work/:id/result.csv":    at(atInstitute, wrongBox(work+"/result.csv", 404, "<h1>"), wrongBox("/desk/work/day.csv/result.csv", 404, "<h1>"), gone(work+"/result.csv")),
		"GET /desk/work/:id/evidence.zip":  at(atInstitute, wrongBox(work+"/evidence.zip", 404, "<h1>"), wrongBox("/desk/work/day.csv/evidence.zip", 404, "<h1>"), gone(work+"/evidence.zip")),
		"GET /desk/sent":                   at(atRegulator, expired("/desk/sent"), twice("/desk/sent"), wrongBox("/desk/sent?cursor=bent", 200, "<h1>")),
		"GET /desk/sent/:key":              at(atRegulator, wrongBox("/desk/sent/none", 404, "<h1>"), wrongBox("/desk/sent/desk-suspendPledge-"+strings.Repeat("9", 24), 404, "<h1>"), gone("/desk/sent/desk-suspendPledge-"+strings.Repeat("c", 24)), twice("/desk/sent/desk-suspendPledge-"+strings.Repeat("c", 24))),
	}
}

// at makes mistakes at the desk of a role.
func at(role string, list ...mistake) []mistake {
	seated := make([]mistake, len(list))
	for i, m := range list {
		seated[i] = mistake{m.name, func(t *testing.T, d *desk) {
			d.signIn(role)
			m.make(t, d)
		}}
	}
	return seated
}

// gone: what only the post that made it has is asked for after the session.
func gone(path string) mistake {
	return mistake{"the session is over", func(_ *testing.T, d *desk) {
		d.cookies["desk"] = "of a session that is over"
		d.told(d.get(path, "en"), 401, "Sign in")
	}}
}

// wayBackTo: the address of a form that was sent is opened anew.
func wayBackTo(path string) mistake {
	return mistake{"the way back", func(_ *testing.T, d *desk) { d.told(d.get(path, "en"), 200, "Desk: ") }}
}

func signInMistakes() []mistake {
	wrong := func(words string, form url.Values) func(*testing.T, *desk) {
		return func(_ *testing.T, d *desk) { d.told(d.send("POST", "/desk/sign-in", "en", form), 401, words) }
	}
	return []mistake{
		{"a wrong secret", wrong("do not go together", url.Values{"_secret": {"sy-regulator"}})},
		{"the wrong box", wrong("do not go together", url.Values{"_post": {"sy_regulator"}})},
		{"nothing", wrong("do not go together", nil)},
		{"a double click", func(t *testing.T, d *desk) {
			for range 2 {
				d.signIn(atRegulator)
			}
			require.Equal(t, 200, d.get("/desk", "en").Code)
		}},
	}
}

func signOutMistakes() []mistake {
	out := func(d *desk) *httptest.ResponseRecorder {
		d.signIn(atRegulator)
		form := url.Values{"_token": {hidden.FindStringSubmatch(d.get("/desk", "en").Body.String())[2]}}
		d.send("POST", "/desk/sign-out", "en", form)
		return d.send("POST", "/desk/sign-out", "en", form)
	}
	return []mistake{
		{"a double click", func(t *testing.T, d *desk) { require.Less(t, out(d).Code, 500) }},
		{"the way back", func(_ *testing.T, d *desk) { out(d); d.told(d.get("/desk/cases", "en"), 401, "Sign in") }},
		{"a form of another session", func(_ *testing.T, d *desk) {
			d.signIn(atRegulator)
			d.told(d.send("POST", "/desk/sign-out", "en", url.Values{"_token": {"of another"}}), 400, "<h1>")
			require.Equal(d.t, 200, d.get("/desk", "en").Code)
		}},
	}
}

func wrongFile(path, control, words string) mistake {
	return mistake{"another file", func(_ *testing.T, d *desk) {
		d.told(d.sendPart(path, control, "photo.jpg", "\xff\xd8\xff\xe0", d.uploadForm(path)), 400, words)
	}}
}

// sameFileTwice: a double click, and the way back, follow the same work.
func sameFileTwice() mistake {
	return mistake{"a double click", func(t *testing.T, d *desk) {
		d.answer = func(web.Operation) web.Answer { return web.Answer{Status: 200, Body: []byte(partly)} }
		form := formOf(d.get(batch, "en").Body.String())
		form.Set("issuer", "N-1")
		var places []string
		for range 2 {
			places = append(places, d.sendFile(batch, "day.csv", "a,b\n", form).Header().Get("Location"))
		}
		require.Equal(t, places[0], places[1])
		d.awaitWork(places[0])
		require.Len(t, d.asked, 1)
	}}
}

// anchored is a form of one certificate.
func anchored() url.Values {
	return url.Values{"issuer": {"N-1"}, "validUntil": {"2099-12-31"}, "category": {"non-automatic-scale"}, "regulation": {"JJG 539-2016"},
		"kind": {"verification-certificate"}, "issued": {string(today)}, "performed": {string(today)}, "conclusion": {"pass"},
		"certificates[0].number": {"A-1"}, "certificates[0].serial": {"X-1"}, "certificates[0].sha256": {strings.Repeat("0a", 32)}}
}

// TestMistakesAtTheDesks: three mistakes at least at every route of the desks,
// as the router has them.
func TestMistakesAtTheDesks(t *testing.T) {
	table, d := mistakes(), newDesk(t).busy()
	var routes []string
	for _, route := range d.e.Routes() {
		if strings.HasPrefix(route.Path, "/desk") {
			routes = append(routes, route.Method+" "+route.Path)
		}
	}
	require.Greater(t, len(routes), 20)
	for route := range table {
		require.Contains(t, routes, route, "this route is gone")
	}
	for _, route := range routes {
		t.Run(route, func(t *testing.T) {
			require.GreaterOrEqual(t, len(table[route]), 3, "a stranger makes three mistakes at least")
			for _, m := range table[route] {
				t.Run(m.name, func(t *testing.T) {
					d.t, d.asked, d.cookies, d.answer, d.register.broken = t, nil, map[string]string{}, committed, false
					m.make(t, d)
				})
			}
		})
	}
}

// Every form of every desk: opened with nonsense, sent empty, sent by nobody, and
// sent from another session. Nothing of it is written.
func TestMistakesAtEveryForm(t *testing.T) {
	link := regexp.MustCompile(`href="(/desk/do/[A-Za-z]+)"`)
	for _, role := range []string{atRegulator, atAssociation, atInstitute, atInspector, atMerchant, "notary"} {
		d := newDesk(t).busy()
		d.signIn(role)
		var paths []string
		for _, found := range link.FindAllStringSubmatch(d.get("/desk", "en").Body.String(), -1) {
			paths = append(paths, found[1])
		}
		slices.Sort(paths)
		paths = slices.Compact(paths)
		require.NotEmpty(t, paths, role)
		for _, path := range paths {
			t.Run(role+strings.TrimPrefix(path, "/desk/do"), func(t *testing.T) {
				d.t, d.asked = t, nil
				d.answer = problemAnswer(400, "INVALID", "", "is not given")
				nonsense := d.get(path+"?id="+url.QueryEscape(hostile)+"&site=none&from=31.12.2026&merchant=P-1&programme=none&chosen=on", "en")
				d.told(nonsense, 200, "<h1>")
				form := formOf(d.get(path, "en").Body.String())
				for name := range form {
					if !strings.HasPrefix(name, "_") {
						form.Del(name)
					}
				}
				empty := d.send("POST", path, "en", form)
				require.Contains(t, []int{200, 400}, empty.Code, "a form that asks step by step asks again")
				checkPage(t, empty.Body.String())
				d.asked = nil
				form.Set("_token", "of another")
				stale := d.send("POST", path, "en", form)
				d.told(stale, 200, "<h1>")
				session := d.cookies["desk"]
				d.cookies["desk"] = "of a session that is over"
				d.told(d.send("POST", path, "en", form), 401, "Sign in")
				d.cookies["desk"] = session
			})
		}
	}
}
