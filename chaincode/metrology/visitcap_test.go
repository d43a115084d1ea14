package metrology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVisitCap_Check(t *testing.T) {
	for name, c := range map[string]struct {
		cap   VisitCap
		field string
	}{
		"none exempt":     {VisitCap{PerYear: 1}, ""},
		"some exempt":     {VisitCap{PerYear: 366, Exempt: []BasisKind{BasisComplaint, BasisTransfer}}, ""},
		"ErrNone":         {VisitCap{}, "body.visits.perYear"},
		"ErrTooMany":      {VisitCap{PerYear: 367}, "body.visits.perYear"},
		"ErrExempt":       {VisitCap{PerYear: 1, Exempt: []BasisKind{BasisDraw, "whim"}}, "body.visits.exempt[1]"},
		"ErrExemptsTwice": {VisitCap{PerYear: 1, Exempt: []BasisKind{BasisDraw, BasisDraw}}, "body.visits.exempt[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			err := RuleBody{Visits: &c.cap}.check(RulesetVisits)
			if c.field == "" {
				require.NoError(t, err)
				return
			}
			var broken *Error
			require.ErrorAs(t, err, &broken)
			require.Equal(t, c.field, broken.Field)
		})
	}
	require.Error(t, RuleBody{Visits: &VisitCap{PerYear: 1}}.check(RulesetCycle))
}

func TestVisitCap_Counts(t *testing.T) {
	c := VisitCap{PerYear: 1, Exempt: []BasisKind{BasisComplaint}}
	for _, kind := range BasisKinds {
		require.Equal(t, kind != BasisComplaint, c.Counts(Inspection{State: InspectionEntered, Basis: Basis{Kind: kind}}), kind)
		require.False(t, c.Counts(Inspection{State: InspectionWithdrawn, Basis: Basis{Kind: kind}}), kind)
	}
}

func TestRuleBook_VisitCap(t *testing.T) {
	visits := func(id, region string, perYear int, from, to Date, state RulesetState) Ruleset {
		return Ruleset{State: state, RuleDocument: RuleDocument{ID: id, Version: 1, Kind: RulesetVisits, Region: region,
			EffectiveFrom: from, EffectiveTo: to, Body: RuleBody{Visits: &VisitCap{PerYear: perYear}}}}
	}
	all := []Ruleset{
		visits("province", "440000", 4, "2025-07-01", "", RulesetInForce), visits("city", "440300", 2, "2026-01-01", "2026-12-31", RulesetInForce),
		visits("proposed", "440305", 1, "2025-01-01", "", RulesetProposed), deadline("other", "440305", 1, 1, "2025-01-01"),
	}
	for name, c := range map[string]struct {
		region string
		day    Date
		want   int // 0: no cap
	}{
		"the province's":                      {"440103", "2026-03-02", 4},
		"the city's is nearer":                {"440305", "2026-03-02", 2},
		"before the city's took effect":       {"440305", "2025-12-31", 4},
		"after the city's ended":              {"440305", "2027-01-01", 4},
		"before any took effect":              {"440305", "2025-06-30", 0},
		"another province has published none": {"310115", "2026-03-02", 0},
	} {
		t.Run(name, func(t *testing.T) {
			for range all {
				all = append(all[1:], all[0]) // the order of reading must not matter
				rule, found := NewRuleBook(all).VisitCap(c.region, c.day)
				require.Equal(t, c.want > 0, found)
				if found {
					require.Equal(t, c.want, rule.Body.Visits.PerYear)
				}
			}
		})
	}
}
