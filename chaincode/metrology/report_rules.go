package metrology

import "slices"

const (
	maxReportItems  = 50
	maxMeasurements = 500
	maxEvidence     = 50
	maxRemarkBytes  = 2000
)

// Validate checks the form of a report.
func (r InspectionReport) Validate() error {
	if err := CheckSalt("salt", r.Salt); err != nil {
		return err
	}
	if err := OneOf("outcome", r.Outcome, VisitDone, VisitClosed, VisitRefused, VisitNoCard, VisitNotFound); err != nil {
		return err
	}
	for _, optional := range []struct{ field, id string }{{"merchant", r.Merchant}, {"institution", r.Institution}} {
		if optional.id == "" {
			continue
		}
		if err := CheckID(optional.field, optional.id); err != nil {
			return err
		}
	}
	if r.Remark != "" {
		if err := CheckText("remark", r.Remark, maxRemarkBytes); err != nil {
			return err
		}
	}
	if err := r.checkOutcome(); err != nil {
		return err
	}
	for i, item := range r.Items {
		if err := item.check(indexed("items", i)); err != nil {
			return err
		}
	}
	return nil
}

// checkOutcome holds the items against how the visit went.
func (r InspectionReport) checkOutcome() error {
	measurements := len(r.Measurements())
	switch {
	case len(r.Items) > maxReportItems:
		return FieldErrorf(CodeInvalid, "items", "has %d entries, more than %d", len(r.Items), maxReportItems)
	case measurements > maxMeasurements:
		return FieldErrorf(CodeInvalid, "items", "hold %d measurements, more than %d", measurements, maxMeasurements)
	case r.Outcome == VisitDone && len(r.Items) == 0:
		return FieldErrorf(CodeInvalid, "items", "is required for a visit that was done")
	case r.Outcome == VisitNoCard && len(r.Items) > 0:
		return FieldErrorf(CodeInvalid, "items", "must be empty: who shows no card finds nothing")
	case r.Outcome != VisitDone && measurements > 0:
		return FieldErrorf(CodeInvalid, "items", "hold measurements of a visit that was not done")
	}
	return nil
}

// Measurements lists all measurements of the report in order.
func (r InspectionReport) Measurements() []Measurement {
	var all []Measurement
	for _, item := range r.Items {
		all = append(all, item.Measurements...)
	}
	return all
}

func (item ReportItem) check(at string) error {
	if err := OneOf(at+".matter", item.Matter, MatterInstruments, MatterUnits, MatterRetail, MatterNetContent,
		MatterPledge, MatterOrganiser, MatterOther); err != nil {
		return err
	}
	if err := checkResults(at+".results", item.Results); err != nil {
		return err
	}
	for i, m := range item.Measurements {
		if err := m.Check(indexed(at+".measurements", i)); err != nil {
			return err
		}
	}
	if len(item.Evidence) > maxEvidence {
		return FieldErrorf(CodeInvalid, at+".evidence", "has %d entries, more than %d", len(item.Evidence), maxEvidence)
	}
	for i, e := range item.Evidence {
		field := indexed(at+".evidence", i)
		if err := OneOf(field+".kind", e.Kind, EvidenceRecord, EvidencePhoto, EvidenceFilm, EvidenceSample, EvidenceTest); err != nil {
			return err
		}
		if err := checkHex(field+".digest", e.Digest, 32); err != nil {
			return err
		}
	}
	return nil
}

func checkResults(field string, results []ResultCode) error {
	if len(results) == 0 {
		return FieldErrorf(CodeInvalid, field, "needs a result code")
	}
	for i, code := range results {
		at := indexed(field, i)
		if _, known := code.Meaning(); !known {
			return FieldErrorf(CodeInvalid, at, "%q is not a result code", shorten(string(code)))
		}
		if slices.Contains(results[:i], code) {
			return FieldErrorf(CodeInvalid, at, "%q stands twice", string(code))
		}
	}
	if len(results) > 1 && slices.Contains(results, ResultNoneFound) {
		return FieldErrorf(CodeInvalid, field, "%q stands alone or not at all", string(ResultNoneFound))
	}
	return nil
}

// Evaluate computes errors and verdicts and returns the body to keep. rules
// holds the rulesets that exist of those the measurements name; day and region
// are those of the visit. "None found" beside an error beyond tolerance is
// refused: one of the two is wrong.
func (r InspectionReport) Evaluate(rules map[RuleReference]Ruleset, day Date, region string) (InspectionBody, error) {
	body := InspectionBody{Salt: r.Salt, Merchant: r.Merchant, Outcome: r.Outcome, Institution: r.Institution, Remark: r.Remark}
	for i, item := range r.Items {
		out := BodyItem{Matter: item.Matter, Results: item.Results, Evidence: item.Evidence}
		for j, m := range item.Measurements {
			var rule *Ruleset
			if named, ok := rules[m.Rule]; ok {
				rule = &named
			}
			result := m.Evaluate(rule, day, region)
			if result.Verdict == VerdictFail && slices.Contains(item.Results, ResultNoneFound) {
				return body, FieldErrorf(CodeInvalid, indexed(indexed("items", i)+".measurements", j),
					"an error of %s %s is beyond tolerance, but the result says none found", result.Error, m.Unit)
			}
			out.Measurements = append(out.Measurements, result)
		}
		body.Items = append(body.Items, out)
	}
	return body, nil
}

// Has reports whether any matter got the code.
func (b InspectionBody) Has(code ResultCode) bool {
	return slices.ContainsFunc(b.Items, func(item BodyItem) bool { return slices.Contains(item.Results, code) })
}

// CheckAgainst refuses a correction or a retest, which one person brings, that
// speaks against the merchant in a way the reviewed body did not. What is new
// against the merchant takes an inspection of its own, with its review.
func (b InspectionBody) CheckAgainst(reviewed InspectionBody) error {
	for i, item := range b.Items {
		for _, code := range item.Results {
			if meaning, _ := code.Meaning(); meaning.Brands && !reviewed.Has(code) {
				return FieldErrorf(CodeInvalid, indexed("items", i)+".results",
					"%q is new against the merchant: enter an inspection of its own", string(code))
			}
		}
	}
	if b.Merchant != reviewed.Merchant {
		return FieldErrorf(CodeInvalid, "merchant", "differs from the inspection's: withdraw it instead")
	}
	return nil
}

// CheckRetest refuses a retest by nobody, or by the institution that tested
// first (山东省计量条例 Art. 30).
func (b InspectionBody) CheckRetest(first InspectionBody) error {
	switch {
	case b.Institution == "":
		return FieldErrorf(CodeInvalid, "institution", "is required for a retest")
	case b.Institution == first.Institution:
		return FieldErrorf(CodeInvalid, "institution", "a retest is for another institution than the first")
	}
	return b.CheckAgainst(first)
}

// CheckInstrument refuses a measurement of an instrument or part that is not
// registered; instrument is nil when the ledger does not have it.
func (m Measurement) CheckInstrument(field string, instrument *Instrument) error {
	if instrument == nil {
		return FieldErrorf(CodeNotFound, field+".instrument", "instrument %q is not registered", m.Instrument)
	}
	known := m.Part == "" || slices.ContainsFunc(instrument.Parts, func(p Part) bool { return p.ID == m.Part })
	if !known {
		return FieldErrorf(CodeNotFound, field+".part", "instrument %q has no part %q", m.Instrument, m.Part)
	}
	return nil
}
