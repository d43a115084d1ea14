package metrology

import (
	"math/big"
)

// unit is a unit of measurement as a multiple of its dimension's base unit.
type unit struct {
	dimension string
	factor    string
}

// units lists the units that measurements and tables may use. A table in grams
// answers a measurement in kilograms.
var units = map[string]unit{
	"mg": {"mass", "0.001"}, "g": {"mass", "1"}, "kg": {"mass", "1000"}, "t": {"mass", "1000000"},
	"mL": {"volume", "0.001"}, "L": {"volume", "1"}, "m3": {"volume", "1000"},
	"mm": {"length", "0.001"}, "cm": {"length", "0.01"}, "m": {"length", "1"}, "km": {"length", "1000"},
	"kWh": {"energy", "1"}, "MWh": {"energy", "1000"},
	"s": {"time", "1"}, "min": {"time", "60"}, "h": {"time", "3600"},
	"D": {"vergence", "1"}, "mmHg": {"pressure", "1"}, "pc": {"count", "1"},
}

// UnitScale is a unit as a multiple of its dimension's base unit.
type UnitScale struct {
	Dimension string  `json:"dimension"`
	Factor    Decimal `json:"factor"`
}

// UnitScales lists the units that measurements may use, for programs that
// compute errors elsewhere.
func UnitScales() map[string]UnitScale {
	scales := make(map[string]UnitScale, len(units))
	for symbol, u := range units {
		scales[symbol] = UnitScale{u.dimension, MustDecimal(u.factor)}
	}
	return scales
}

// intervalUnit is the unit of rows that count in verification scale intervals.
const intervalUnit = "e"

// CheckUnit refuses a unit that is not in the list.
func CheckUnit(field, symbol string) error {
	if _, known := units[symbol]; !known {
		return FieldErrorf(CodeInvalid, field, "%q is not a unit that is known here", shorten(symbol))
	}
	return nil
}

// convert gives value in another unit of the same dimension.
func convert(value *big.Rat, from, to string) (*big.Rat, bool) {
	f, t := units[from], units[to]
	if f.dimension == "" || f.dimension != t.dimension {
		return nil, false
	}
	factor := new(big.Rat).Quo(MustDecimal(f.factor).Rat(), MustDecimal(t.factor).Rat())
	return factor.Mul(factor, value), true
}

// Check refuses a malformed measurement.
func (m Measurement) Check(field string) error {
	for _, optional := range []struct{ name, id string }{{"instrument", m.Instrument}, {"part", m.Part}} {
		if optional.id == "" {
			continue
		}
		if err := CheckID(field+"."+optional.name, optional.id); err != nil {
			return err
		}
	}
	if m.Part != "" && m.Instrument == "" {
		return FieldErrorf(CodeInvalid, field+".part", "names a part of no instrument")
	}
	if err := CheckText(field+".category", m.Category, 64); err != nil {
		return err
	}
	if m.Class != "" {
		if err := CheckText(field+".class", m.Class, 32); err != nil {
			return err
		}
	}
	if err := OneOf(field+".occasion", m.Occasion, OccasionInitial, OccasionInService); err != nil {
		return err
	}
	if err := CheckUnit(field+".unit", m.Unit); err != nil {
		return err
	}
	switch {
	case m.Indication.IsZero():
		return FieldErrorf(CodeInvalid, field+".indication", "is required")
	case m.Reference.IsZero():
		return FieldErrorf(CodeInvalid, field+".reference", "is required")
	case !m.Interval.IsZero() && m.Interval.Rat().Sign() <= 0:
		return FieldErrorf(CodeInvalid, field+".interval", "must be greater than 0")
	case m.Rule == RuleReference{}:
		return nil
	}
	return m.Rule.Check(field + ".rule")
}

// Evaluate computes the signed error of a measurement and, where rule is
// approved and answers, the verdict. rule is nil when the ledger does not have
// the one the measurement names. day and region are those of the visit.
func (m Measurement) Evaluate(rule *Ruleset, day Date, region string) MeasurementResult {
	result := MeasurementResult{Measurement: m, Error: m.Indication.Sub(m.Reference), Verdict: VerdictNone}
	if percent, ok := m.percent(); ok {
		result.Percent = roundDecimal(percent, 3)
	}
	if result.Reason = m.refusal(rule, day, region); result.Reason != "" {
		return result
	}
	row, reason := m.row(rule.Body.MPE)
	if reason != "" {
		result.Reason = reason
		return result
	}
	deviation, ok := m.deviation(row)
	if !ok {
		result.Reason = NoVerdictZero
		return result
	}
	result.Lower, result.Upper, result.Limit, result.Verdict = row.Lower, row.Upper, row.Limit, VerdictPass
	if row.Limit == LimitAbsolute {
		result.LimitUnit = row.Unit
	}
	below := !row.Lower.IsZero() && deviation.Cmp(row.Lower.Rat()) < 0
	above := !row.Upper.IsZero() && deviation.Cmp(row.Upper.Rat()) > 0
	if below || above {
		result.Verdict = VerdictFail
	}
	return result
}

// refusal says why a rule gives no verdict on this day in this region, or "".
func (m Measurement) refusal(rule *Ruleset, day Date, region string) NoVerdictReason {
	switch {
	case m.Rule == RuleReference{}:
		return NoVerdictUnnamed
	case rule == nil || rule.Kind != RulesetMPE || rule.Body.MPE == nil:
		return NoVerdictUnknown
	case !rule.Approved():
		return NoVerdictDraft
	case !rule.EffectiveOn(day):
		return NoVerdictDate
	case !regionContains(rule.Region, region):
		return NoVerdictRegion
	}
	return ""
}

// row finds the row for the measurement.
func (m Measurement) row(table *MPETable) (MPERow, NoVerdictReason) {
	reason := NoVerdictRow
	for _, row := range table.Rows {
		if row.Category != m.Category || row.Class != "" && row.Class != m.Class || row.Occasion != "" && row.Occasion != m.Occasion {
			continue
		}
		indication, ok := m.inUnit(m.Indication.Rat(), row)
		if !ok {
			if row.Limit == LimitInterval && m.Interval.IsZero() {
				reason = NoVerdictInterval
			}
			continue
		}
		if row.covers(indication) {
			return row, ""
		}
	}
	return MPERow{}, reason
}

// covers reports whether the row's range holds the absolute indication.
func (r MPERow) covers(indication *big.Rat) bool {
	x := new(big.Rat).Abs(indication)
	over := r.Over.IsZero() || x.Cmp(r.Over.Rat()) > 0
	return over && (r.UpTo.IsZero() || x.Cmp(r.UpTo.Rat()) <= 0)
}

// inUnit gives a value of the measurement in the row's unit.
func (m Measurement) inUnit(value *big.Rat, row MPERow) (*big.Rat, bool) {
	if row.Unit != intervalUnit {
		return convert(value, m.Unit, row.Unit)
	}
	if m.Interval.IsZero() {
		return nil, false
	}
	return new(big.Rat).Quo(value, m.Interval.Rat()), true
}

// deviation is the error in what the row's limits count.
func (m Measurement) deviation(row MPERow) (*big.Rat, bool) {
	if row.Limit == LimitPercent {
		return m.percent()
	}
	return m.inUnit(m.error(), row)
}

func (m Measurement) error() *big.Rat { return new(big.Rat).Sub(m.Indication.Rat(), m.Reference.Rat()) }

// percent is the error in per cent of the reference; none when that is 0.
func (m Measurement) percent() (*big.Rat, bool) {
	if m.Reference.Rat().Sign() == 0 {
		return nil, false
	}
	quotient := new(big.Rat).Quo(m.error(), m.Reference.Rat())
	return quotient.Mul(quotient, big.NewRat(100, 1)), true
}

// MeanPercent is the mean of the relative errors, in per cent with three
// decimals, and how many it is made of. A mean away from zero hints at
// adjustment to one side of the tolerance; it is an indicator and never a
// violation.
func MeanPercent(results []MeasurementResult) (mean Decimal, count int) {
	sum := new(big.Rat)
	for _, result := range results {
		if percent, ok := result.percent(); ok {
			sum.Add(sum, percent)
			count++
		}
	}
	if count == 0 {
		return Decimal{}, 0
	}
	return roundDecimal(sum.Quo(sum, big.NewRat(int64(count), 1)), 3), count
}

// check refuses rows without limits, in unknown units, or two for one value.
func (t MPETable) check(field string) error {
	if len(t.Rows) == 0 || len(t.Rows) > maxRuleRows {
		return FieldErrorf(CodeInvalid, field+".rows", "has %d rows, not 1 to %d", len(t.Rows), maxRuleRows)
	}
	for i, row := range t.Rows {
		at := indexed(field+".rows", i)
		if err := row.check(at); err != nil {
			return err
		}
		for j, other := range t.Rows[:i] {
			if row.overlaps(other) {
				return FieldErrorf(CodeInvalid, at, "overlaps row %d", j)
			}
		}
	}
	return nil
}

func (r MPERow) check(at string) error {
	if err := CheckText(at+".category", r.Category, 64); err != nil {
		return err
	}
	if r.Class != "" {
		if err := CheckText(at+".class", r.Class, 32); err != nil {
			return err
		}
	}
	if r.Occasion != "" {
		if err := OneOf(at+".occasion", r.Occasion, OccasionInitial, OccasionInService); err != nil {
			return err
		}
	}
	if err := OneOf(at+".limit", r.Limit, LimitAbsolute, LimitPercent, LimitInterval); err != nil {
		return err
	}
	if r.Limit == LimitInterval && r.Unit != intervalUnit {
		return FieldErrorf(CodeInvalid, at+".unit", "must be %q when limits count in intervals", intervalUnit)
	}
	if r.Limit != LimitInterval {
		if err := CheckUnit(at+".unit", r.Unit); err != nil {
			return err
		}
	}
	return r.checkBounds(at)
}

func (r MPERow) checkBounds(at string) error {
	switch {
	case r.Lower.IsZero() && r.Upper.IsZero():
		return FieldErrorf(CodeInvalid, at, "has no limit")
	case !r.Lower.IsZero() && !r.Upper.IsZero() && r.Lower.Compare(r.Upper) > 0:
		return FieldErrorf(CodeInvalid, at+".lower", "is greater than upper")
	case r.Over.Rat().Sign() < 0:
		return FieldErrorf(CodeInvalid, at+".over", "is negative")
	case !r.UpTo.IsZero() && r.Over.Compare(r.UpTo) >= 0:
		return FieldErrorf(CodeInvalid, at+".upTo", "is not greater than over")
	}
	return nil
}

// overlaps reports whether some measurement would find both rows.
func (r MPERow) overlaps(other MPERow) bool {
	meets := func(a, b string) bool { return a == b || a == "" || b == "" }
	if r.Category != other.Category || !meets(r.Class, other.Class) || !meets(string(r.Occasion), string(other.Occasion)) {
		return false
	}
	if r.Unit == intervalUnit || other.Unit == intervalUnit {
		return r.Unit != other.Unit || r.rangeMeets(other, big.NewRat(1, 1))
	}
	factor, same := convert(big.NewRat(1, 1), other.Unit, r.Unit)
	return same && r.rangeMeets(other, factor)
}

// rangeMeets compares ranges; factor turns other's unit into the row's.
func (r MPERow) rangeMeets(other MPERow, factor *big.Rat) bool {
	scaled := func(d Decimal) *big.Rat { return new(big.Rat).Mul(d.Rat(), factor) }
	startsAfter := !other.UpTo.IsZero() && r.Over.Rat().Cmp(scaled(other.UpTo)) >= 0
	endsBefore := !r.UpTo.IsZero() && scaled(other.Over).Cmp(r.UpTo.Rat()) >= 0
	return !startsAfter && !endsBefore
}
