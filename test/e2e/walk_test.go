package e2e

import (
	"net/http"
	"net/url"
	"sort"
	"time"

	"github.com/stretchr/testify/require"
)

// lists are the public lists, with the route of one item below each.
var lists = map[string][]string{
	"/v1/merchants":           {"/v1/merchants/{id}", "/v1/merchants/{id}/pledges", "/v1/merchants/{id}/instruments", "/v1/merchants/{id}/inspections"},
	"/v1/sites":               {"/v1/sites/{id}"},
	"/v1/instruments":         {"/v1/instruments/{id}"},
	"/v1/issuers":             {"/v1/issuers/{id}"},
	"/v1/certificates":        {"/v1/certificates/{id}"},
	"/v1/inspections":         {"/v1/inspections/{id}"},
	"/v1/inspections/overdue": nil,
	"/v1/rulesets":            {"/v1/rulesets/{id}/{version}"},
}

// walk reads every public route there is something under, all pages, and
// returns the bodies by path.
func (g *gateway) walk() map[string]string {
	g.t.Helper()
	bodies := map[string]string{}
	fetch := func(path string) answer {
		a := g.request("", http.MethodGet, path, "")
		require.Equal(g.t, http.StatusOK, a.status, "%s: %s", path, a.body)
		bodies[path] = string(a.body)
		return a
	}
	for list, below := range lists {
		next := list + "?limit=3"
		for next != "" {
			var page struct {
				Items []struct {
					ID      string
					Version int
					AsOf    struct{ TransactionID string }
				}
				Next string
			}
			fetch(next).decode(g.t, &page)
			for _, item := range page.Items {
				for _, route := range below {
					fetch(fill(route, item.ID, item.Version))
				}
				if item.AsOf.TransactionID != "" {
					fetch("/v1/transactions/" + item.AsOf.TransactionID)
				}
			}
			next = ""
			if page.Next != "" {
				next = list + "?limit=3&cursor=" + url.QueryEscape(page.Next)
			}
		}
	}
	return bodies
}

// caughtUp waits until g shows as many blocks as other.
func (g *gateway) caughtUp(other *gateway) {
	g.t.Helper()
	require.Eventually(g.t, func() bool { return g.height() == other.height() }, startTimeout, 100*time.Millisecond)
}

// tip is how far a gateway's answers go.
type tip struct {
	Height    uint64
	BlockHash string
}

func (g *gateway) height() (status tip) {
	g.t.Helper()
	g.read("/v1/status", &status)
	return status
}

func paths(bodies map[string]string) []string {
	all := make([]string, 0, len(bodies))
	for path := range bodies {
		all = append(all, path)
	}
	sort.Strings(all)
	return all
}
