package metrology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSamplingRates(t *testing.T) {
	table := &SamplingTable{Rows: []SamplingRow{{"high", MustDecimal("100")}, {"low", MustDecimal("2.5")}, {"mid", MustDecimal("30")}}}
	for class, want := range map[string][2]int64{"high": {1, 1}, "low": {1, 40}, "mid": {3, 10}} {
		numerator, denominator, known := table.Rate(class)
		require.True(t, known)
		require.Equal(t, want, [2]int64{numerator, denominator}, class)
	}
	_, _, known := table.Rate("none")
	require.False(t, known)

	r := Ruleset{RuleDocument: RuleDocument{ID: "s", Version: 1, Kind: RulesetSampling, EffectiveFrom: "2026-01-01", Body: RuleBody{Sampling: table}}, State: RulesetInForce}
	require.NoError(t, r.CheckRate("K1", 6, 20, "2026-06-01"), "a fraction counts by its value")
	for _, c := range []struct {
		name                   string
		numerator, denominator int64
		day                    Date
		change                 func(*Ruleset)
		says                   string
	}{
		{"OtherRate", 1, 20, "2026-06-01", nil, "no ratio"},
		{"Quota", 0, 0, "2026-06-01", nil, "not with a quota"},
		{"TooEarly", 1, 1, "2025-12-31", nil, "not in effect"},
		{"Proposed", 1, 1, "2026-06-01", func(r *Ruleset) { r.State = RulesetProposed }, "not in effect"},
		{"OtherKind", 1, 1, "2026-06-01", func(r *Ruleset) { r.Kind, r.Body = RulesetCycle, RuleBody{} }, "of kind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := r
			if c.change != nil {
				c.change(&changed)
			}
			require.ErrorContains(t, changed.CheckRate("K1", c.numerator, c.denominator, c.day), c.says)
		})
	}
}
