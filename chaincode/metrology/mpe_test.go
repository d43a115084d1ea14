package metrology

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// scales is a table in intervals, by class and occasion.
func scales() Ruleset {
	row := func(class string, occasion Occasion, over, upTo, limit string) MPERow {
		r := MPERow{Category: "scale", Class: class, Occasion: occasion, Unit: "e", UpTo: MustDecimal(upTo), Limit: LimitInterval,
			Lower: MustDecimal("-" + limit), Upper: MustDecimal(limit)}
		if over != "" {
			r.Over = MustDecimal(over)
		}
		return r
	}
	return Ruleset{State: RulesetInForce, RuleDocument: RuleDocument{
		ID: "scales", Version: 1, Kind: RulesetMPE, Region: "440000", EffectiveFrom: "2026-01-01", EffectiveTo: "2026-12-31",
		Body: RuleBody{MPE: &MPETable{Rows: []MPERow{
			row("III", OccasionInitial, "", "500", "0.5"), row("III", OccasionInitial, "500", "2000", "1.0"),
			row("III", OccasionInService, "", "500", "1.0"), row("III", OccasionInService, "500", "2000", "2.0"),
			row("IIII", "", "", "50", "0.5"),
		}}},
	}}
}

func TestEvaluate(t *testing.T) {
	base := Measurement{
		Category: "scale", Class: "III", Occasion: OccasionInitial, Unit: "kg", Interval: MustDecimal("0.005"),
		Indication: MustDecimal("2.500"), Reference: MustDecimal("2.500"), Rule: RuleReference{ID: "scales", Version: 1},
	}
	for name, c := range map[string]struct {
		measured func(*Measurement)
		rule     func(*Ruleset)
		day      Date
		region   string
		verdict  Verdict
		reason   NoVerdictReason
	}{
		"no error":                  {verdict: VerdictPass},
		"half an interval at 500 e": {measured: func(m *Measurement) { m.Reference = MustDecimal("2.4975") }, verdict: VerdictPass},
		"more than half":            {measured: func(m *Measurement) { m.Reference = MustDecimal("2.4974") }, verdict: VerdictFail},
		"one interval above 500 e":  {measured: func(m *Measurement) { m.Indication, m.Reference = MustDecimal("2.505"), MustDecimal("2.510") }, verdict: VerdictPass},
		"in service twice as much":  {measured: func(m *Measurement) { m.Occasion, m.Reference = OccasionInService, MustDecimal("2.505") }, verdict: VerdictPass},
		"any occasion": {measured: func(m *Measurement) {
			m.Class, m.Indication, m.Reference = "IIII", MustDecimal("0.100"), MustDecimal("0.1")
		}, verdict: VerdictPass},
		"beyond the last row":         {measured: func(m *Measurement) { m.Indication = MustDecimal("10.005") }, verdict: VerdictNone, reason: NoVerdictRow},
		"other category":              {measured: func(m *Measurement) { m.Category = "clock" }, verdict: VerdictNone, reason: NoVerdictRow},
		"no class":                    {measured: func(m *Measurement) { m.Class = "" }, verdict: VerdictNone, reason: NoVerdictRow},
		"no interval":                 {measured: func(m *Measurement) { m.Interval = Decimal{} }, verdict: VerdictNone, reason: NoVerdictInterval},
		"no rule named":               {measured: func(m *Measurement) { m.Rule = RuleReference{} }, verdict: VerdictNone, reason: NoVerdictUnnamed},
		"only proposed":               {rule: func(r *Ruleset) { r.State = RulesetProposed }, verdict: VerdictNone, reason: NoVerdictDraft},
		"a draft":                     {rule: func(r *Ruleset) { r.State = RulesetDraft }, verdict: VerdictNone, reason: NoVerdictDraft},
		"repealed later":              {rule: func(r *Ruleset) { r.State = RulesetRepealed }, verdict: VerdictPass},
		"not yet in effect":           {day: "2025-12-31", verdict: VerdictNone, reason: NoVerdictDate},
		"no longer in effect":         {day: "2027-01-01", verdict: VerdictNone, reason: NoVerdictDate},
		"of another province":         {region: "110101", verdict: VerdictNone, reason: NoVerdictRegion},
		"a calendar gives no verdict": {rule: func(r *Ruleset) { r.Kind = RulesetCalendar }, verdict: VerdictNone, reason: NoVerdictUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			measured, rule, day, region := base, scales(), Date("2026-06-01"), "440305"
			if c.measured != nil {
				c.measured(&measured)
			}
			if c.rule != nil {
				c.rule(&rule)
			}
			if c.day != "" {
				day = c.day
			}
			if c.region != "" {
				region = c.region
			}
			result := measured.Evaluate(&rule, day, region)
			require.Equal(t, c.verdict, result.Verdict)
			require.Equal(t, c.reason, result.Reason)
			require.Equal(t, measured.Indication.Sub(measured.Reference), result.Error, "the error is shown in any case")
		})
	}
	require.Equal(t, NoVerdictUnknown, base.Evaluate(nil, "2026-06-01", "440305").Reason)
}

func TestEvaluate_PercentOfNothing(t *testing.T) {
	rule := Ruleset{State: RulesetInForce, RuleDocument: RuleDocument{Kind: RulesetMPE, Region: RegionNational, EffectiveFrom: "2026-01-01",
		Body: RuleBody{MPE: &MPETable{Rows: []MPERow{{Category: "c", Unit: "L", Upper: MustDecimal("1"), Limit: LimitPercent}}}}}}
	result := Measurement{Category: "c", Unit: "L", Indication: MustDecimal("1"), Reference: MustDecimal("0"), Rule: RuleReference{ID: "r", Version: 1}}.
		Evaluate(&rule, "2026-06-01", "440305")
	require.Equal(t, NoVerdictZero, result.Reason)
	require.True(t, result.Percent.IsZero())
}

func TestMPETable_Check(t *testing.T) {
	for name, change := range map[string]func(*MPETable){
		"ErrEmpty":         func(m *MPETable) { m.Rows = nil },
		"ErrNoLimit":       func(m *MPETable) { m.Rows[0].Lower, m.Rows[0].Upper = Decimal{}, Decimal{} },
		"ErrLimitsCrossed": func(m *MPETable) { m.Rows[0].Lower = MustDecimal("3") },
		"ErrOverlap":       func(m *MPETable) { m.Rows[1].Over = MustDecimal("499") },
		"ErrOverlapAny":    func(m *MPETable) { m.Rows[4].Class = "" },
		"ErrRangeEmpty":    func(m *MPETable) { m.Rows[1].UpTo = MustDecimal("500") },
		"ErrRangeNegative": func(m *MPETable) { m.Rows[0].Over = MustDecimal("-1") },
		"ErrIntervalUnit":  func(m *MPETable) { m.Rows[0].Unit = "g" },
		"ErrUnit":          func(m *MPETable) { m.Rows[0].Unit, m.Rows[0].Limit = "斤", LimitAbsolute },
		"ErrOccasion":      func(m *MPETable) { m.Rows[0].Occasion = "daily" },
	} {
		t.Run(name, func(t *testing.T) {
			table := scales().Body.MPE
			change(table)
			require.Equal(t, CodeInvalid, ErrorCode(table.check("body.mpe")))
		})
	}
	require.NoError(t, scales().Body.MPE.check("body.mpe"))
}

func TestMeanPercent(t *testing.T) {
	nozzle := func(indication, reference string) MeasurementResult {
		return MeasurementResult{Measurement: Measurement{Indication: MustDecimal(indication), Reference: MustDecimal(reference)}}
	}
	mean, count := MeanPercent([]MeasurementResult{nozzle("20.050", "20.000"), nozzle("20.030", "20.000"), nozzle("1", "0")})
	require.Equal(t, "0.200", mean.String(), "every nozzle within ±0.30 %, all to one side")
	require.Equal(t, 2, count)
	mean, count = MeanPercent(nil)
	require.True(t, mean.IsZero())
	require.Zero(t, count)
}

// A verdict does not depend on the unit the inspector wrote.
func TestEvaluate_SameInEveryUnit(t *testing.T) {
	rule := scales()
	rapid.Check(t, func(t *rapid.T) {
		grams := func(name string) *big.Rat { return big.NewRat(rapid.Int64Range(0, 12_000).Draw(t, name), 1) }
		indication, reference := grams("indication"), grams("reference")
		in := func(unit string, per int64, decimals int) MeasurementResult {
			scaled := func(v *big.Rat) Decimal { return roundDecimal(new(big.Rat).Quo(v, big.NewRat(per, 1)), decimals) }
			return Measurement{Category: "scale", Class: "III", Occasion: OccasionInService, Unit: unit, Interval: scaled(big.NewRat(5, 1)),
				Indication: scaled(indication), Reference: scaled(reference), Rule: RuleReference{ID: "scales", Version: 1}}.Evaluate(&rule, "2026-06-01", "440305")
		}
		require.Equal(t, in("g", 1, 0).Verdict, in("kg", 1000, 3).Verdict)
	})
}
