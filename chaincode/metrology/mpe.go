package metrology

// Occasion says when an instrument is tested; tolerances differ.
type Occasion string

// The occasions.
const (
	OccasionInitial   Occasion = "initial"    // initial verification, and after repair
	OccasionInService Occasion = "in-service" // subsequent verification and inspection in use
)

// LimitUnit says what the limits of a row are counted in.
type LimitUnit string

// The limit units.
const (
	LimitAbsolute LimitUnit = "absolute" // in the row's Unit
	LimitPercent  LimitUnit = "percent"  // of the reference value
	LimitInterval LimitUnit = "interval" // in verification scale intervals e; the range is counted in e, too
)

// MPETable gives maximum permissible errors of indication, where error =
// indication − reference. Sources that state a deviation of the goods
// (reference − indication) are entered with the sign turned, so that a positive
// error always is to the customer's disadvantage.
type MPETable struct {
	Rows []MPERow `json:"rows"`
}

// MPERow is the tolerance of one category in one range. The range is of the
// absolute indication: Over < indication ≤ UpTo. Without Over it begins at 0,
// without UpTo it has no end.
type MPERow struct {
	Category string    `json:"category"`        // instrument category, or a class of goods
	Class    string    `json:"class,omitempty"` // accuracy class; empty: any
	Occasion Occasion  `json:"occasion,omitempty"`
	Unit     string    `json:"unit"` // unit of indication, reference and absolute limits, such as g or L
	Over     Decimal   `json:"over,omitzero"`
	UpTo     Decimal   `json:"upTo,omitzero"`
	Lower    Decimal   `json:"lower,omitzero"` // least error allowed; absent: no lower limit
	Upper    Decimal   `json:"upper,omitzero"` // greatest error allowed; absent: no upper limit
	Limit    LimitUnit `json:"limit"`
}

// Measurement is one comparison of an indication with a reference value.
type Measurement struct {
	Instrument string        `json:"instrument,omitempty"` // id on the ledger
	Part       string        `json:"part,omitempty"`       // such as a nozzle, as the instrument's record names it
	Category   string        `json:"category"`             // row of the rule table
	Class      string        `json:"class,omitempty"`      // accuracy class, where the table has classes
	Occasion   Occasion      `json:"occasion"`
	Indication Decimal       `json:"indication"`        // what the instrument, the seller or the package states
	Reference  Decimal       `json:"reference"`         // what the standard, the check scale or the prover gives
	Interval   Decimal       `json:"interval,omitzero"` // verification scale interval e, in Unit
	Unit       string        `json:"unit"`
	Rule       RuleReference `json:"rule,omitzero"` // absent: the error is shown without a verdict
}

// Verdict is the outcome of a measurement under a rule.
type Verdict string

// The verdicts.
const (
	VerdictPass Verdict = "pass"
	VerdictFail Verdict = "fail"
	VerdictNone Verdict = "none" // no approved rule answers; the error stands alone
)

// NoVerdictReason says why there is no verdict.
type NoVerdictReason string

// The reasons.
const (
	NoVerdictUnnamed  NoVerdictReason = "no-rule-named"
	NoVerdictUnknown  NoVerdictReason = "rule-unknown"
	NoVerdictDraft    NoVerdictReason = "rule-not-in-force"  // a draft, or waiting for approval
	NoVerdictDate     NoVerdictReason = "rule-not-effective" // on the day of the visit
	NoVerdictRegion   NoVerdictReason = "rule-of-other-region"
	NoVerdictRow      NoVerdictReason = "no-row"           // the table says nothing of this category, class, occasion or range
	NoVerdictInterval NoVerdictReason = "interval-missing" // the row counts in e and no e was given
	NoVerdictZero     NoVerdictReason = "reference-zero"   // a percentage of nothing
)

// MeasurementResult is a measurement with what the contract computed from it.
type MeasurementResult struct {
	Measurement
	Error     Decimal         `json:"error"`            // indication − reference, in Unit
	Percent   Decimal         `json:"percent,omitzero"` // error in per cent of the reference, three decimals
	Lower     Decimal         `json:"lower,omitzero"`   // the limits applied, as the row gives them
	Upper     Decimal         `json:"upper,omitzero"`
	Limit     LimitUnit       `json:"limit,omitempty"`
	LimitUnit string          `json:"limitUnit,omitempty"` // unit of absolute limits
	Verdict   Verdict         `json:"verdict"`
	Reason    NoVerdictReason `json:"reason,omitempty"`
}
