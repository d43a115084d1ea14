package metrology

import "math/big"

// Rate returns a class's ratio as a fraction in lowest terms, such as 1/40 for
// 2.5 %. known is false for a class that the table does not have.
func (t SamplingTable) Rate(class string) (numerator, denominator int64, known bool) {
	for _, row := range t.Rows {
		if row.Class == class {
			rate := new(big.Rat).Quo(row.Percent.Rat(), big.NewRat(100, 1))
			return rate.Num().Int64(), rate.Denom().Int64(), rate.Num().IsInt64() && rate.Denom().IsInt64()
		}
	}
	return 0, 0, false
}

// has says whether a class of the table has this ratio.
func (t SamplingTable) has(numerator, denominator int64) bool {
	asked := big.NewRat(numerator, denominator)
	for _, row := range t.Rows {
		if new(big.Rat).Quo(row.Percent.Rat(), big.NewRat(100, 1)).Cmp(asked) == 0 {
			return true
		}
	}
	return false
}

// CheckRate refuses a draw's rate that is none of the ruleset's, or a ruleset
// that gives no ratios on the day. Which class a stratum is, the plan does not
// say: strata are opaque.
func (r Ruleset) CheckRate(stratum string, numerator, denominator int64, day Date) error {
	switch {
	case r.Kind != RulesetSampling || r.Body.Sampling == nil:
		return FieldErrorf(CodeInvalid, "plan.sampling", "ruleset %s is of kind %s, not %s", r.Reference().EventID(), r.Kind, RulesetSampling)
	case !r.EffectiveOn(day):
		return FieldErrorf(CodeInvalid, "plan.sampling", "ruleset %s is not in effect on %s", r.Reference().EventID(), day)
	case denominator < 1:
		return FieldErrorf(CodeInvalid, "plan.sampling", "goes with rates, not with a quota")
	case !r.Body.Sampling.has(numerator, denominator):
		return FieldErrorf(CodeInvalid, "plan.rates", "%d/%d of stratum %s is no ratio of ruleset %s", numerator, denominator, stratum, r.Reference().EventID())
	}
	return nil
}
