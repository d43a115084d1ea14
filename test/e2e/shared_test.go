package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Two gateways share one PostgreSQL database: one projects, both answer alike,
// and a write that either acknowledged can be read at it. The one that projects
// is killed; the other takes over, and a third may join.
func TestSharedReadModel(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, n *network) {
		host := n.start(t, t.TempDir()) // runs the embedded network, with a read model of its own
		sharing := &network{real: n.real, environment: []string{"STEELYARD_READ_MODEL_DRIVER=pgx", "STEELYARD_READ_MODEL_DSN=" + postgres.Schema(t)}}
		join := func(as string) *gateway {
			g := sharing.startWith(t, t.TempDir(), "--config", host.configuration())
			g.caughtUp(host)
			t.Logf("%s projects: %v", as, g.projects())
			return g
		}
		first, second := join("first"), join("second")
		require.True(t, first.projects())
		require.False(t, second.projects())
		for i, g := range []*gateway{first, second, second, first} {
			g.readsItsWrite(fmt.Sprint("shared ", i))
		}
		second.caughtUp(first)
		require.Equal(t, first.walk(), second.walk())

		first.kill()
		begun := time.Now()
		second.readsItsWrite("after the kill")
		t.Logf("the first write after the kill took %s", time.Since(begun).Round(time.Millisecond))
		require.True(t, second.projects())
		third := join("third")
		require.False(t, third.projects())
		third.readsItsWrite("at the third")
		host.caughtUp(third)
		second.caughtUp(third)
		want := host.walk() // of a read model that nobody shares
		require.Greater(t, len(want), 60)
		require.Equal(t, want, second.walk())
		require.Equal(t, want, third.walk())
	})
}

// readsItsWrite registers a merchant and reads it where it was acknowledged.
func (g *gateway) readsItsWrite(name string) {
	g.t.Helper()
	id := g.must("merchant", "POST", "/v1/merchants", `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"`+name+`"}}`)
	g.contains("/v1/merchants/"+id, name)
}

var projectsMetric = regexp.MustCompile(`(?m)^steelyard_projects 1$`)

// projects reports whether the gateway says that it projects the ledger.
func (g *gateway) projects() bool {
	g.t.Helper()
	a := g.request("", http.MethodGet, "/metrics", "")
	require.Equal(g.t, http.StatusOK, a.status)
	return projectsMetric.Match(a.body)
}
