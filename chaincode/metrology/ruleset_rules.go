package metrology

import (
	"fmt"
	"slices"
	"strconv"
)

// maxRuleRows bounds a table.
const maxRuleRows = 500

// indexed is the JSON path of an element.
func indexed(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

// NewRuleset checks a document and returns the record it makes: a draft stays
// a draft, a firm one waits for approval.
func NewRuleset(document RuleDocument, caller Caller, stamp string) (Ruleset, error) {
	if err := caller.Require(RoleRegulator); err != nil {
		return Ruleset{}, err
	}
	if err := document.Validate(); err != nil {
		return Ruleset{}, err
	}
	command := RulesetPropose
	if document.Mark == MarkDraft {
		command = RulesetStore
	}
	state, err := RulesetTransitions.Next("ruleset", "", command)
	return Ruleset{RuleDocument: document, State: state, Proposed: stamp}, err
}

// Decide returns the ruleset after an organisation other than the proposer's
// approved or rejected a proposal or a repeal.
func (r Ruleset) Decide(command RulesetCommand, caller Caller, stamp string) (Ruleset, error) {
	if err := caller.Require(RoleInstitute, RoleAssociation, RoleNotary); err != nil {
		return r, err
	}
	next, err := RulesetTransitions.Next("ruleset", r.State, command)
	if err != nil {
		return r, err
	}
	if next == RulesetRepealed {
		r.EffectiveTo = r.RepealOn
	}
	if r.State == RulesetRepealing && next == RulesetInForce {
		r.RepealOn = ""
	}
	r.State, r.Approver, r.Decided = next, caller.MSP, stamp
	return r, nil
}

// Repeal returns the ruleset after the regulator asked for its end.
func (r Ruleset) Repeal(cmd RepealRuleset, caller Caller) (Ruleset, error) {
	if err := caller.Require(RoleRegulator); err != nil {
		return r, err
	}
	next, err := RulesetTransitions.Next("ruleset", r.State, RulesetRepeal)
	if err != nil {
		return r, err
	}
	if err := CheckDate("until", cmd.Until); err != nil {
		return r, err
	}
	switch {
	case cmd.Until.Before(r.EffectiveFrom):
		return r, FieldErrorf(CodeInvalid, "until", "lies before the rules take effect, %s", r.EffectiveFrom)
	case r.EffectiveTo != "" && r.EffectiveTo.Before(cmd.Until):
		return r, FieldErrorf(CodeInvalid, "until", "lies after their end, %s", r.EffectiveTo)
	}
	r.State, r.RepealOn = next, cmd.Until
	return r, nil
}

// CheckAlone refuses to bring r into force beside an earlier version that is in
// effect on the same days: whoever measures could then choose the milder one.
func (r Ruleset) CheckAlone(earlier Ruleset) error {
	startsAfter := earlier.EffectiveTo != "" && earlier.EffectiveTo.Before(r.EffectiveFrom)
	endsBefore := r.EffectiveTo != "" && r.EffectiveTo.Before(earlier.EffectiveFrom)
	if !earlier.Approved() || startsAfter || endsBefore {
		return nil
	}
	return Errorf(CodeState, "version %d is in effect on the same days: repeal it up to the day before %s first", earlier.Version, r.EffectiveFrom)
}

// Approved reports whether a second organisation's approval stands. What was
// repealed since still answers for days on which it was in effect.
func (r Ruleset) Approved() bool {
	return r.State == RulesetInForce || r.State == RulesetRepealing || r.State == RulesetRepealed
}

// EffectiveOn reports whether an approved ruleset covers the day.
func (r Ruleset) EffectiveOn(day Date) bool {
	return r.Approved() && !day.Before(r.EffectiveFrom) && (r.EffectiveTo == "" || !r.EffectiveTo.Before(day))
}

// AppliesIn reports whether the ruleset covers a division.
func (r Ruleset) AppliesIn(region string) bool { return regionContains(r.Region, region) }

// Reference names this version.
func (r Ruleset) Reference() RuleReference { return RuleReference{ID: r.ID, Version: r.Version} }

// EventID is the id of events about one version of a ruleset.
func (r RuleReference) EventID() string { return r.ID + "/" + strconv.Itoa(r.Version) }

// Check refuses a malformed reference. field is its JSON path, empty when
// the request itself holds id and version.
func (r RuleReference) Check(field string) error {
	if field != "" {
		field += "."
	}
	if err := CheckID(field+"id", r.ID); err != nil {
		return err
	}
	return checkRange(field+"version", r.Version, 1, 9999)
}

// Validate checks the form of a rule document.
func (d RuleDocument) Validate() error {
	if err := CheckID("id", d.ID); err != nil {
		return err
	}
	if err := checkRange("version", d.Version, 1, 9999); err != nil {
		return err
	}
	if err := OneOf("kind", d.Kind, RulesetKinds...); err != nil {
		return err
	}
	if err := CheckRegion("region", d.Region); err != nil {
		return err
	}
	if err := CheckText("title", d.Title, 200); err != nil {
		return err
	}
	if err := OneOf("mark", d.Mark, MarkFirm, MarkDraft); err != nil {
		return err
	}
	if err := d.Source.check("source"); err != nil {
		return err
	}
	if err := CheckDate("effectiveFrom", d.EffectiveFrom); err != nil {
		return err
	}
	if d.EffectiveTo != "" {
		if err := CheckDate("effectiveTo", d.EffectiveTo); err != nil {
			return err
		}
		if d.EffectiveTo.Before(d.EffectiveFrom) {
			return FieldErrorf(CodeInvalid, "effectiveTo", "lies before effectiveFrom")
		}
	}
	return d.Body.check(d.Kind)
}

func (s Source) check(field string) error {
	if err := CheckText(field+".title", s.Title, 300); err != nil {
		return err
	}
	for _, optional := range []struct{ name, text string }{
		{"document", s.Document}, {"clause", s.Clause}, {"url", s.URL}, {"note", s.Note},
	} {
		if optional.text == "" {
			continue
		}
		if err := CheckText(field+"."+optional.name, optional.text, 600); err != nil {
			return err
		}
	}
	return nil
}

// check wants exactly the member that kind names, and that one well formed.
func (b RuleBody) check(kind RulesetKind) error {
	members := map[RulesetKind]interface{ check(string) error }{}
	if b.MPE != nil {
		members[RulesetMPE] = b.MPE
	}
	if b.Cycle != nil {
		members[RulesetCycle] = b.Cycle
	}
	if b.Calendar != nil {
		members[RulesetCalendar] = b.Calendar
	}
	if b.Deadline != nil {
		members[RulesetDeadline] = b.Deadline
	}
	if b.Sampling != nil {
		members[RulesetSampling] = b.Sampling
	}
	if b.Programme != nil {
		members[RulesetProgramme] = b.Programme
	}
	if b.Visits != nil {
		members[RulesetVisits] = b.Visits
	}
	table, ok := members[kind]
	if !ok || len(members) != 1 {
		return FieldErrorf(CodeInvalid, "body", "must hold the member %q and no other", kind)
	}
	return table.check("body." + string(kind))
}

func (t CycleTable) check(field string) error {
	return checkRows(field, t.Rows, func(at string, row CycleRow) (string, error) {
		if row.FirstOnly == (row.Months != 0) {
			return "", FieldErrorf(CodeInvalid, at, "needs either months or firstOnly")
		}
		if !row.FirstOnly {
			if err := checkRange(at+".months", row.Months, 1, 240); err != nil {
				return "", err
			}
		}
		return row.Category, CheckText(at+".category", row.Category, 64)
	})
}

func (t DeadlineTable) check(field string) error {
	return checkRows(field, t.Rows, func(at string, row DeadlineRow) (string, error) {
		if err := checkRange(at+".workingDays", row.WorkingDays, 1, 365); err != nil {
			return "", err
		}
		return string(row.Code), OneOf(at+".code", row.Code, DeadlineCodes...)
	})
}

func (t SamplingTable) check(field string) error {
	return checkRows(field, t.Rows, func(at string, row SamplingRow) (string, error) {
		if row.Percent.IsZero() || row.Percent.Rat().Sign() < 0 || row.Percent.Compare(MustDecimal("100")) > 0 {
			return "", FieldErrorf(CodeInvalid, at+".percent", "must be a number from 0 to 100")
		}
		return row.Class, CheckID(at+".class", row.Class)
	})
}

func (t ProgrammeTable) check(field string) error {
	return checkRows(field, t.Rows, func(at string, row ProgrammeRow) (string, error) {
		if err := checkRange(at+".minMonths", row.MinMonths, 1, maxTermMonths); err != nil {
			return "", err
		}
		if err := checkRange(at+".maxMonths", row.MaxMonths, row.MinMonths, maxTermMonths); err != nil {
			return "", err
		}
		for i, sector := range row.Sectors {
			if err := OneOf(indexed(at+".sectors", i), sector, Sectors...); err != nil {
				return "", err
			}
		}
		for i, code := range row.Required {
			if _, known := code.Rule(); !known {
				return "", FieldErrorf(CodeInvalid, indexed(at+".required", i), "%q is not a commitment", string(code))
			}
		}
		return row.Programme, CheckID(at+".programme", row.Programme)
	})
}

// checkRows bounds a table, checks each row and refuses two rows for one thing.
func checkRows[R any](field string, rows []R, check func(at string, row R) (key string, err error)) error {
	if len(rows) == 0 || len(rows) > maxRuleRows {
		return FieldErrorf(CodeInvalid, field+".rows", "has %d rows, not 1 to %d", len(rows), maxRuleRows)
	}
	keys := make([]string, len(rows))
	for i, row := range rows {
		at := indexed(field+".rows", i)
		key, err := check(at, row)
		if err != nil {
			return err
		}
		if slices.Contains(keys[:i], key) {
			return FieldErrorf(CodeInvalid, at, "is a second row for %q", key)
		}
		keys[i] = key
	}
	return nil
}

func checkRange(field string, n, low, high int) error {
	if n < low || n > high {
		return FieldErrorf(CodeInvalid, field, "%d is not in the range from %d to %d", n, low, high)
	}
	return nil
}

// programmeRow returns the programme's row, or an error that names field.
func (r Ruleset) programmeRow(field, programme string) (ProgrammeRow, error) {
	if r.Kind != RulesetProgramme || r.Body.Programme == nil {
		return ProgrammeRow{}, FieldErrorf(CodeInvalid, field, "ruleset %s is of kind %s, not %s", r.ID, r.Kind, RulesetProgramme)
	}
	for _, row := range r.Body.Programme.Rows {
		if row.Programme == programme {
			return row, nil
		}
	}
	return ProgrammeRow{}, FieldErrorf(CodeInvalid, field, "%s knows no programme %q", fmt.Sprintf("%s/%d", r.ID, r.Version), programme)
}
