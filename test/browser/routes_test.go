package browser

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/web"
)

// router has the routes of the public pages and nothing behind them.
func router() *echo.Echo {
	e := echo.New()
	web.New(web.Config{
		Document: api.Document(), Log: slog.New(slog.DiscardHandler), Clock: time.Now, Trust: []byte(`{}`),
		Desks: &web.DeskConfig{Directory: os.TempDir()},
	}).Mount(e)
	return e
}

// allRoutes are the pages as the router has them, such as "GET /m/:id".
func allRoutes(t *testing.T) []string {
	t.Helper()
	var routes []string
	for _, r := range router().Routes() {
		routes = append(routes, r.Method+" "+r.Path)
	}
	slices.Sort(routes)
	require.Greater(t, len(routes), 60)
	return slices.Compact(routes)
}

// publicRoutes are those that nobody signs in for.
func publicRoutes(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(allRoutes(t), func(route string) bool { return strings.Contains(route, " /desk") })
}

// notPages are routes that answer with something else than a page.
var notPages = []string{
	"/m/:id/badge.svg", "/results.csv", "/draws/:id/beacon", "/offline/checker.html", "/offline/trust.json", "/feeds/results.atom", "/feeds/draws.atom", "/draws.ics", "/assets/:version/:name",
}

// allPages are the public pages of the demonstration with those of a draw, one
// whose objects stand in a file, and a transaction.
func allPages(t *testing.T) []string {
	t.Helper()
	id, _ := drawn(t)
	filed := drawnByFile(t)
	return append(slices.Clone(pages), "/draws/"+id, "/draws/"+id+"/directories", "/draws/"+id+"?site=DEMO-S00001", "/draws/"+id+"?site=x+y",
		"/draws/"+filed, "/draws/"+filed+"/directories", "/t/"+transactionOf(t, "/v1/merchants/M-STATION"))
}

// transactionOf is the id of the transaction that changed a record last.
func transactionOf(t *testing.T, path string) string {
	t.Helper()
	record := rest(t, "regulator", http.MethodGet, path, "")
	asOf, _ := record["asOf"].(map[string]any)
	id, _ := asOf["transactionId"].(string)
	require.Len(t, id, 64, record)
	return id
}

// Every route that answers with a page is among those that the tests of layout,
// accessibility and missing scripts go to.
func TestEveryRouteIsVisited(t *testing.T) {
	if site.skip != "" {
		t.Skip(site.skip)
	}
	e, visited := router(), map[string]bool{}
	for _, path := range append(allPages(t), "/d/sha256/"+strings.Repeat("ab", 32)) {
		path, _, _ = strings.Cut(path, "?")
		c := e.NewContext(httptest.NewRequest(http.MethodGet, path, nil), httptest.NewRecorder())
		e.Router().Find(http.MethodGet, path, c)
		visited[c.Path()] = true
	}
	visited["/c/:id"] = true // by /check?q=
	for _, route := range publicRoutes(t) {
		method, path, _ := strings.Cut(route, " ")
		if method == http.MethodGet && !slices.Contains(notPages, path) {
			require.True(t, visited[path], path)
		}
	}
}
