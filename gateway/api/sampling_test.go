package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

func (l *drawLedger) Ruleset(_ context.Context, id string, version int) (public.Ruleset, error) {
	if id != "ratios" || version != 1 {
		return public.Ruleset{}, metrology.Errorf(metrology.CodeNotFound, "there is no ruleset %s", id)
	}
	return public.Ruleset{Ruleset: metrology.Ruleset{State: metrology.RulesetInForce, RuleDocument: metrology.RuleDocument{
		ID: "ratios", Version: 1, Kind: metrology.RulesetSampling, EffectiveFrom: "2026-01-01",
		Body: metrology.RuleBody{Sampling: &metrology.SamplingTable{Rows: []metrology.SamplingRow{
			{Class: "high", Percent: metrology.MustDecimal("30")}, {Class: "low", Percent: metrology.MustDecimal("2.5")},
		}}},
	}}}, nil
}

// TestFillRates: a plan names a ruleset, the gateway fills in its ratios, and
// which class a stratum is stays off the ledger.
func TestFillRates(t *testing.T) {
	b, l := newDrawBench(t)
	post := func(sampling, plan string) int {
		return b.ask(http.MethodPost, "/v1/draws?sampling="+url.QueryEscape(sampling), "regulator", `{"id":"310115-000002","plan":`+plan+`}`).Code
	}
	const ask = `{"rule":{"id":"ratios","version":1},"classes":{"K1":"high","K2":"low"}}`
	require.Equal(t, http.StatusCreated, post(ask, `{"assign":[[],[]]}`))
	require.Len(t, l.order, 1)
	var filed metrology.PlanDraw
	require.NoError(t, json.Unmarshal(l.order[0].Request, &filed))
	require.JSONEq(t, `{"assign":[[],[]],"rates":{"K1":[3,10],"K2":[1,40]},"sampling":{"id":"ratios","version":1}}`, string(filed.Plan))
	require.NotContains(t, string(filed.Plan), "high")
	for name, bad := range map[string][2]string{
		"OwnRates":     {ask, `{"rates":{"K1":[1,1]}}`},
		"Quota":        {ask, `{"quota":{"K1":1}}`},
		"UnknownClass": {`{"rule":{"id":"ratios","version":1},"classes":{"K1":"D"}}`, `{}`},
		"NoClasses":    {`{"rule":{"id":"ratios","version":1}}`, `{}`},
		"NotJSON":      {`high`, `{}`},
		"PlanNoObject": {ask, `[]`},
	} {
		require.Equal(t, http.StatusBadRequest, post(bad[0], bad[1]), name)
	}
	require.Equal(t, http.StatusNotFound, post(`{"rule":{"id":"none","version":1},"classes":{"K1":"high"}}`, `{}`))
	require.Len(t, l.order, 1)
}
