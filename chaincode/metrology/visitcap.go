package metrology

import "slices"

// VisitCap is how often one site may be inspected in a calendar year
// (Asia/Shanghai). 国办发〔2024〕54号 has each region publish its own number;
// there is no national one.
type VisitCap struct {
	PerYear int         `json:"perYear"`
	Exempt  []BasisKind `json:"exempt,omitempty"` // inspections on these grounds do not count
}

// maxVisits bounds a cap: one visit a day caps nothing.
const maxVisits = 366

func (c VisitCap) check(field string) error {
	if err := checkRange(field+".perYear", c.PerYear, 1, maxVisits); err != nil {
		return err
	}
	for i, kind := range c.Exempt {
		at := indexed(field+".exempt", i)
		if err := OneOf(at, kind, BasisKinds...); err != nil {
			return err
		}
		if slices.Contains(c.Exempt[:i], kind) {
			return FieldErrorf(CodeInvalid, at, "%q stands twice", string(kind))
		}
	}
	return nil
}

// Counts reports whether an inspection is held against the cap.
func (c VisitCap) Counts(i Inspection) bool {
	return i.State != InspectionWithdrawn && !c.Exempts(i.Basis.Kind)
}

// Exempts reports whether inspections on a ground do not count.
func (c VisitCap) Exempts(kind BasisKind) bool { return slices.Contains(c.Exempt, kind) }

// VisitCap returns the ruleset that caps the visits to a site of a region on a
// day. found is false when no approved rule does: then there is no cap.
func (b RuleBook) VisitCap(region string, day Date) (best Ruleset, found bool) {
	for _, r := range b.rulesets {
		if r.Kind != RulesetVisits || !r.EffectiveOn(day) || !regionContains(r.Region, region) {
			continue
		}
		if !found || nearer(r, best) {
			best, found = r, true
		}
	}
	return best, found
}
