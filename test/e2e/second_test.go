package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/steelyard-ledger/steelyard/gateway/config"
)

// A gateway that starts with an empty database, given nothing but the ledger's
// blocks and private data, answers every public route as the first one does.
// On a real network it reads from another organisation's peer.
func TestSecondGateway(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, n *network) {
		first := n.start(t, t.TempDir())
		busy(first)
		second := n.startWith(t, t.TempDir(), "--config", first.elsewhere())
		second.caughtUp(first)
		want := first.walk()
		require.Greater(t, len(want), 60, "the walk must have found something to compare")
		got := second.walk()
		require.Equal(t, paths(want), paths(got))
		for _, path := range paths(want) {
			require.Equal(t, want[path], got[path], path)
		}
	})
}

// elsewhere writes a configuration that turns to g's last peer first.
func (g *gateway) elsewhere() string {
	g.t.Helper()
	c := config.Default()
	require.NoError(g.t, c.Load(g.configuration()))
	slices.Reverse(c.Network.Peers)
	content, err := yaml.Marshal(map[string]any{"network": c.Network})
	require.NoError(g.t, err)
	file := filepath.Join(g.t.TempDir(), "gateway.yaml")
	require.NoError(g.t, os.WriteFile(file, content, 0o600))
	return file
}

// busy adds a merchant whose profile is deleted again and an inspection that
// is withdrawn again, on top of the demonstration content.
func busy(g *gateway) (merchant, inspection string) {
	g.t.Helper()
	merchant = g.must("merchant", "POST", "/v1/merchants", `{"kind":"sole-trader","sector":"catering","region":"310115",
		"profile":{"name":"`+secretName+`","phone":"`+secretPhone+`","code":"`+secretCode+`"}}`)
	site := g.must("merchant", "POST", "/v1/sites", `{"kind":"restaurant","region":"310115","owner":"`+merchant+`","occupant":"`+merchant+`","from":"2026-01-01",
		"profile":{"name":"`+secretName+`","address":"`+secretAddress+`"}}`)
	g.must("merchant", "POST", "/v1/merchants/"+merchant+"/amendment", `{"sector":"shop","region":"310115","profile":{"name":"`+secretName+`","phone":"`+secretPhone+`"}}`)
	inspectors := g.subjects()
	inspection = g.must("inspector", "POST", "/v1/inspections", `{"site":"`+site+`","basis":{"kind":"campaign"},"visited":"`+g.today()+`","post":"`+inspectors["regulator"]+`",
		"inspectors":["`+inspectors["inspector"]+`","`+inspectors["inspector2"]+`"],
		"inspection":{"merchant":"`+merchant+`","outcome":"done","remark":"`+secretRemark+`","items":[{"matter":"units","results":["none-found"]}]}}`)
	g.must("regulator", "POST", "/v1/inspections/"+inspection+"/review", "")
	g.must("regulator", "POST", "/v1/inspections/"+inspection+"/publication", "")
	g.contains("/v1/inspections/"+inspection, secretRemark)
	g.contains("/v1/merchants/"+merchant, secretName)
	g.must("regulator", "POST", "/v1/inspections/"+inspection+"/withdrawal", `{"reason":"wrong-subject"}`)
	g.must("merchant", "DELETE", "/v1/merchants/"+merchant+"/profile", "")
	g.must("merchant", "DELETE", "/v1/sites/"+site+"/profile", "")
	return merchant, inspection
}
