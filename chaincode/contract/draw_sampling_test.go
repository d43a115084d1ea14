package contract

import (
	"testing"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// A plan that says its rates are a ruleset's is held against it; one that says
// nothing has rates of its own.
func TestDrawSampling(t *testing.T) {
	d := newLedger(t).planDraw(1)
	regulator, notary := d.officer(metrology.RegulatorMSP), d.officer(metrology.NotaryMSP)
	d.must(regulator, "ruleset:Propose", metrology.RuleDocument{
		ID: "ratios", Version: 1, Kind: metrology.RulesetSampling, Region: "440000", Title: "ratios", Mark: metrology.MarkFirm,
		Source: metrology.Source{Title: "source"}, EffectiveFrom: "2020-01-01",
		Body: metrology.RuleBody{Sampling: &metrology.SamplingTable{Rows: []metrology.SamplingRow{{Class: "low", Percent: metrology.MustDecimal("2.5")}}}},
	}, nil)
	next := metrology.DrawID("440300", 2)
	plan := func(rates map[string][]int, version int) metrology.PlanDraw {
		return metrology.PlanDraw{ID: next, Plan: drawPlan(t, pinOf(d.beacon.Chain()), func(p map[string]any) {
			delete(p, "quota")
			p["rates"], p["sampling"] = rates, metrology.RuleReference{ID: "ratios", Version: version}
		})}
	}
	right := map[string][]int{"A": {1, 40}}
	d.refused(t, metrology.CodeInvalid, metrology.RegulatorMSP, "draw:Plan", plan(right, 1), "not in effect")
	d.must(notary, "ruleset:Approve", metrology.DecideRuleset{ID: "ratios", Version: 1}, nil)
	d.refused(t, metrology.CodeNotFound, metrology.RegulatorMSP, "draw:Plan", plan(right, 2), "ratios/2")
	d.refused(t, metrology.CodeInvalid, metrology.RegulatorMSP, "draw:Plan", plan(map[string][]int{"A": {1, 20}}, 1), "no ratio")
	d.must(regulator, "draw:Plan", plan(right, 1), nil)
}
