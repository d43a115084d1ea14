package browser

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// job is what somebody does in a browser, from its beginning to its end.
type job struct {
	name string
	run  func(t *testing.T, v *visitor)
}

// jobs are all of them. Each is done on a phone by touch and on a desktop by
// keyboard alone, in Chinese and in English. The first form that a desk's job
// sends is sent twice, sent again after going back, sent when the session is
// over, and sent without a connection: in each manner another of these.
var jobs = []job{
	// The public pages.
	{"verify a file, as far as its evidence", verifyFile},
	{"verify by digest, number, merchant's name and code", verifyByBox},
	{"verify by a photograph; the scale here is another", verifyPhotograph},
	{"check evidence without a network", checkOffline},
	{"look at a merchant, its badge and its print sheet", merchantPage},
	{"look at a draw, ask for a place, recompute", publicDraw},
	{"find, filter and export results; charts", results},
	{"feeds, the interface's reference, status", feedsAndStatus},
	// The desks.
	{"everybody: sign in and out", signInAndOut},
	{"organiser: stalls and scales from spreadsheets, stickers", organiserSpreadsheets},
	{"association: publish a pledge", publishPledge},
	{"merchant: sign, renew and withdraw a pledge", merchantPledges},
	{"merchant: register, put in use, what is due, retire", merchantInstruments},
	{"merchant: why was I drawn, object", merchantDrawn},
	{"institute: anchor files", instituteFiles},
	{"institute: a file of certificates, left and found again", instituteSpreadsheet},
	{"institute: revoke, supersede, add a rendition", instituteCertificates},
	{"regulator and institute: keys", issuerKeys},
	{"regulator: review, publish, correct, hand over, withdraw; documents", regulatorInspection},
	{"regulator: what is overdue", overdueLists},
	{"regulator and association: rules", regulatorRules},
	{"regulator: suspend, restore, revoke a pledge", regulatorPledge},
	{"inspector: errors, verdict, evidence", inspectorVisit},
	{"inspector: without a connection", inspectorOffline},
	{"inspector: reload without a connection", inspectorReloads},
	// What has to wait for a draw's round stands last: of parallel tests the last begins first.
	{"association and notary: commit, reveal, observe; bring a round", drawByHand},
	{"regulator and inspector: a sealed draw and its visits", sealedDraw},
	{"regulator: plan, freeze and follow a draw", drawOverTheDesks},
}

// trace is what jobs asked the gateway for, by manner.
type trace struct {
	mu    sync.Mutex
	asked map[string]map[string]bool // manner → method and path
	done  map[string]int             // manner → jobs
}

// add notes what a visitor asked for.
func (c *trace) add(v *visitor) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done[v.manner.name]++
	for _, r := range v.requests {
		if at, err := url.Parse(r.URL); err == nil && strings.HasPrefix(r.URL, v.at.url) {
			c.asked[v.manner.name][r.Method+" "+at.Path] = true
		}
	}
}

// TestJobs does every job in every manner, and then looks whether a page or a
// form was left out in any of them.
func TestJobs(t *testing.T) {
	covered := trace{asked: map[string]map[string]bool{}, done: map[string]int{}}
	for _, m := range append(slices.Clone(manners), once) {
		covered.asked[m.name] = map[string]bool{}
	}
	t.Run("all", func(t *testing.T) {
		for i, j := range jobs {
			for k, m := range manners {
				t.Run(j.name+"/"+m.name, func(t *testing.T) {
					t.Parallel()
					v := arrive(t, m)
					v.mishap = mishaps[(i+k)%len(mishaps)]
					j.run(t, v)
					v.onlyOurs()
					covered.add(v)
				})
			}
		}
		for _, f := range formsOnce {
			t.Run(f.name+"/"+once.name, func(t *testing.T) {
				t.Parallel()
				v := arrive(t, once)
				f.run(t, v)
				v.onlyOurs()
				covered.add(v)
			})
		}
	})
	for _, m := range manners {
		if covered.done[m.name] < len(jobs) {
			continue // by a filter
		}
		require.Empty(t, missingPages(t, covered.asked[m.name]), m.name)
		require.Empty(t, missingForms(t, covered.asked[m.name]), m.name)
	}
	if covered.done[once.name] == len(formsOnce) {
		for _, operation := range sentOnce() {
			require.True(t, covered.asked[once.name]["POST "+do(operation)], operation)
		}
	}
}

// otherwise are routes that no job takes, with what does.
var otherwise = map[string]string{
	"POST /":                    "a file of somebody without scripts: TestWithoutScripts",
	"GET /d/:algorithm/:digest": "an address in the interface's answers: TestAccessibilityChecker",
	"GET /n/:id":                "TestAccessibilityChecker",
	"GET /draws/:id/beacon":     "an address to come back to: TestMistakesAtEveryPage",
}

// missingPages are the routes of the pages that were not asked for.
func missingPages(t *testing.T, asked map[string]bool) []string {
	t.Helper()
	e, taken := router(), map[string]bool{}
	for request := range asked {
		method, path, _ := strings.Cut(request, " ")
		c := e.NewContext(httptest.NewRequest(method, "/", nil), httptest.NewRecorder())
		e.Router().Find(method, path, c)
		taken[method+" "+c.Path()] = true
	}
	var missing []string
	for _, route := range allRoutes(t) {
		if !taken[route] && otherwise[route] == "" {
			missing = append(missing, route)
		}
	}
	return missing
}

// missingForms are the forms that a desk offers and that were not sent, but for
// those that one manner is enough for.
func missingForms(t *testing.T, asked map[string]bool) []string {
	t.Helper()
	v := arrive(t, manners[3])
	offered := map[string]bool{}
	for _, post := range []string{"regulator", "association", "notary", "institute", "inspector", "merchant"} {
		v.signIn(post)
		for _, link := range measure[[]string](v, `[...document.querySelectorAll('.jobs a')].map((a) => a.getAttribute('href'))`) {
			offered[link] = true
		}
	}
	require.Greater(t, len(offered), 50)
	var missing []string
	for _, link := range slices.Sorted(maps.Keys(offered)) {
		if !asked[http.MethodPost+" "+link] && !slices.Contains(sentOnce(), strings.TrimPrefix(link, do(""))) {
			missing = append(missing, link)
		}
	}
	return missing
}
