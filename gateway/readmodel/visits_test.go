package readmodel_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

func capsVisits(perYear int, region string, state metrology.RulesetState, exempt ...metrology.BasisKind) ledger.Transaction {
	return act(metrology.EventRulesetProposed, "visits-"+region+"/1", ruleWrite(metrology.Ruleset{State: state, RuleDocument: metrology.RuleDocument{
		ID: "visits-" + region, Version: 1, Kind: metrology.RulesetVisits, Region: region, EffectiveFrom: "2025-07-01",
		Body: metrology.RuleBody{Visits: &metrology.VisitCap{PerYear: perYear, Exempt: exempt}},
	}}))
}

// draws puts a draw with its result on the ledger; no places: the lists stand
// in a file, and roots alone are posted.
func draws(id string, phase metrology.DrawPhase, plan string, changes []metrology.DrawChange, places ...string) ledger.Transaction {
	key := func(part string) string { return metrology.DrawKey(id, part) }
	result := metrology.DrawResult{Time: 1767196800} // the first second of 2026 in Shanghai; in UTC it is 2025
	if len(places) > 0 {
		result.Result = json.RawMessage(`{"assignments":{"` + strings.Join(places, `":["a","b"],"`) + `":["a","b"]}}`)
	} else {
		result.Posting = json.RawMessage(`{}`)
	}
	return act(metrology.EventDrawDrawn, id, put(key(metrology.DrawPartPhase), drawIn(id, phase)), put(key(metrology.DrawPartPlan), json.RawMessage(plan)),
		put(key(metrology.DrawPartResult), result), put(key(metrology.DrawPartChanges), metrology.DrawChanges{List: changes}))
}

// TestVisits: what is recorded and what draws have reserved, for one year.
func TestVisits(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		ctx := t.Context()
		both := func(day metrology.Date) (known, counted public.SiteVisits) {
			sites := []public.Site{{Site: site("s1")}, {Site: site("s2")}, {Site: metrology.Site{ID: "far", Region: "440305"}}}
			visits, err := r.Visits(ctx, sites, day)
			require.NoError(t, err)
			counts, err := r.CountVisits(ctx, sites, day)
			require.NoError(t, err)
			require.NotContains(t, counts, "far", "no rule of its region")
			return visits["s1"], counts["s1"]
		}
		known, counted := both(today)
		require.Zero(t, known, "no rule, no cap")
		require.Zero(t, counted)
		r.apply(capsVisits(2, "310000", metrology.RulesetProposed))
		_, counted = both(today)
		require.Zero(t, counted, "nobody has approved the rule")
		r.apply(capsVisits(2, "310000", metrology.RulesetInForce, metrology.BasisComplaint))

		visit := func(id string, state metrology.InspectionState, change func(*metrology.Inspection)) ledger.Transaction {
			i := inspection(id, state)
			change(&i)
			return enters(i, "")
		}
		same := func(*metrology.Inspection) {}
		expect := func(day metrology.Date, published, recorded, reserved int, why string) {
			t.Helper()
			known, counted := both(day)
			want := public.SiteVisits{Year: day.Year(), Recorded: recorded, Reserved: reserved, Cap: 2, Rule: metrology.RuleReference{ID: "visits-310000", Version: 1}, Region: "310000"}
			require.Equal(t, want, counted, why)
			require.Equal(t, published, known.Recorded, why)
		}
		expect(today, 0, 0, 0, "none yet")
		r.apply(visit("v-published", metrology.InspectionPublished, same), visit("v-entered", metrology.InspectionEntered, same),
			visit("v-withdrawn", metrology.InspectionWithdrawn, same),
			visit("v-complaint", metrology.InspectionPublished, func(i *metrology.Inspection) { i.Basis.Kind = metrology.BasisComplaint }),
			visit("v-elsewhere", metrology.InspectionPublished, func(i *metrology.Inspection) { i.Site = "s2" }),
			visit("v-earlier", metrology.InspectionPublished, func(i *metrology.Inspection) { i.Visited = "2025-12-31" }))
		expect(today, 1, 2, 0, "neither withdrawn, nor exempt, nor of another site or year")
		expect("2025-12-31", 1, 1, 0, "the year before")

		const plain, next = `{"quota":{}}`, `{"visits":{"from":"2027-01-04","to":"2027-01-29"}}`
		swap := metrology.DrawChange{Kind: metrology.DrawSubstitution, State: metrology.DrawChangeApproved, Object: "s9", By: "s1", Inspectors: []string{"a", "b"}}
		away := swap
		away.Object, away.By = "s1", "s9"
		r.apply(draws("310115-000001", metrology.DrawDrawn, plain, nil, "s1", "s2"), draws("310115-000002", metrology.DrawDrawn, next, nil, "s1"),
			draws("310115-000003", metrology.DrawDrawn, plain, []metrology.DrawChange{swap}, "s9"),
			draws("310115-000004", metrology.DrawDrawn, plain, []metrology.DrawChange{away}, "s1"),
			draws("310115-000005", metrology.DrawSeeded, plain, nil, "s1"), draws("310115-000006", metrology.DrawDrawn, plain, nil))
		expect(today, 1, 2, 2, "drawn, and put in another's place; not replaced, voided or in a file")
		expect("2027-06-01", 0, 0, 1, "the plan says when")
		r.apply(visit("v-drawn", metrology.InspectionEntered, func(i *metrology.Inspection) {
			i.Basis = metrology.Basis{Kind: metrology.BasisDraw, Draw: "310115-000001", Rank: 1}
		}))
		expect(today, 1, 3, 1, "a visit that was reserved is recorded")
		known, counted = both(today)
		require.Equal(t, 2, known.Reserved, "to the public it is reserved until it is published")
		require.True(t, counted.Full())
		require.False(t, public.SiteVisits{Recorded: 1, Cap: 2}.Full())

		r.apply(capsVisits(2, "310000", metrology.RulesetInForce, metrology.BasisDraw))
		expect(today, 2, 3, 0, "an exempt draw reserves nothing")
	})
}
