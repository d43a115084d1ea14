package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A gateway that starts with an empty database, given nothing but the ledger's
// blocks and private data, answers every public route as the first one does.
func TestSecondGateway(t *testing.T) {
	first := start(t, t.TempDir())
	busy(first)
	second := start(t, t.TempDir(), "serve", "--config", filepath.Join(first.data, "gateway.yaml"))
	second.caughtUp(first)
	want := first.walk()
	require.Greater(t, len(want), 60, "the walk must have found something to compare")
	got := second.walk()
	require.Equal(t, paths(want), paths(got))
	for _, path := range paths(want) {
		require.Equal(t, want[path], got[path], path)
	}
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
