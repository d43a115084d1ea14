package metrology

import (
	"fmt"
	"slices"
	"strings"
)

// Bounds of an instrument's record. They are limits of this format.
const (
	maxParts       = 64
	maxExternalIDs = 16
)

// instrumentReasons says which reasons fit which command.
var instrumentReasons = map[InstrumentCommand][]InstrumentReason{
	InstrumentRepair:      {RepairAdjusted, RepairPart, RepairSealBroken},
	InstrumentOpenDispute: {DisputeMediation, DisputeArbitrate},
	InstrumentSeal:        {SealEvidence, SealFailed, SealTampered},
	InstrumentRelease:     {OutcomeConforms, OutcomeDeviates, OutcomeWithdrawn},
	InstrumentRetire:      {RetireScrapped, RetireSold, RetireLost, RetireRotated, RetireMistake},
}

// Reasons lists the reasons that a command may give.
func (c InstrumentCommand) Reasons() []InstrumentReason { return slices.Clone(instrumentReasons[c]) }

// NewInstrument checks a registration and returns the record it makes.
// cycleMonths comes from the cycle rule named, 0 if none is.
func NewInstrument(cmd RegisterInstrument, cycleMonths int, stamp string) (Instrument, error) {
	if err := checkNewID("id", cmd.ID); err != nil {
		return Instrument{}, err
	}
	if err := cmd.Nameplate.check(); err != nil {
		return Instrument{}, err
	}
	if err := cmd.InstrumentDescription.check(); err != nil {
		return Instrument{}, err
	}
	if err := checkParts(cmd.Parts); err != nil {
		return Instrument{}, err
	}
	return Instrument{
		ID: cmd.ID, Nameplate: cmd.Nameplate, InstrumentDescription: cmd.InstrumentDescription, Parts: cmd.Parts,
		CycleMonths: cycleMonths, State: InstrumentRegistered, Registered: stamp,
	}, nil
}

func (d InstrumentDescription) check() error {
	for _, text := range []struct {
		field, value string
		required     bool
	}{
		{"name", d.Name, true}, {"category", d.Category, true}, {"range", d.Range, false},
		{"accuracy", d.Accuracy, false}, {"origin", d.Origin, false},
	} {
		if err := checkText(text.field, text.value, text.required); err != nil {
			return err
		}
		if err := CheckImpersonal(text.field, text.value); err != nil {
			return err
		}
	}
	if err := d.checkDuty(); err != nil {
		return err
	}
	if err := CheckRegion("region", d.Region); err != nil {
		return err
	}
	if d.Site != "" {
		if err := CheckID("site", d.Site); err != nil {
			return err
		}
	}
	if err := CheckID("owner", d.Owner); err != nil {
		return err
	}
	if err := CheckID("user", d.User); err != nil {
		return err
	}
	return checkExternalIDs(d.ExternalIDs)
}

// checkDuty checks use, mode and cycle against each other: only an instrument
// used for one of the four purposes can be under compulsory verification.
func (d InstrumentDescription) checkDuty() error {
	if err := OneOf("use", d.Use, UseTrade, UseSafety, UseMedical, UseEnvironment, UseOther); err != nil {
		return err
	}
	if err := OneOf("mode", d.Mode, ModePeriodic, ModeFirstUntilBad, ModeFirstRotation, ModeNone); err != nil {
		return err
	}
	if err := OneOf("delivery", d.Delivery, DeliveryOnSite, DeliverySent); err != nil {
		return err
	}
	if d.Mode != ModeNone && !d.Use.Compulsory() {
		return FieldErrorf(CodeInvalid, "mode", "use %q is not under compulsory verification, so the mode is %q", d.Use, ModeNone)
	}
	if d.CycleRule == nil {
		return nil
	}
	if d.Mode != ModePeriodic {
		return FieldErrorf(CodeInvalid, "cycleRule", "mode %q has no cycle", d.Mode)
	}
	return d.CycleRule.Check("cycleRule")
}

// CycleMonths returns the cycle that rule, the version the description names,
// gives for its category. The rule must be in force today and for the region.
func (d InstrumentDescription) CycleMonths(rule Ruleset, today Date) (int, error) {
	switch {
	case rule.Kind != RulesetCycle || rule.Body.Cycle == nil:
		return 0, FieldErrorf(CodeInvalid, "cycleRule", "ruleset %s is of kind %q, want %q", rule.ID, rule.Kind, RulesetCycle)
	case !rule.EffectiveOn(today):
		return 0, FieldErrorf(CodeState, "cycleRule", "ruleset %s version %d is not in force on %s", rule.ID, rule.Version, today)
	case !regionContains(rule.Region, d.Region):
		return 0, FieldErrorf(CodeInvalid, "cycleRule", "ruleset %s is for region %s, not %s", rule.ID, rule.Region, d.Region)
	}
	for _, row := range rule.Body.Cycle.Rows {
		if row.Category == d.Category && !row.FirstOnly {
			return row.Months, nil
		}
	}
	return 0, FieldErrorf(CodeInvalid, "cycleRule", "ruleset %s has no cycle for category %q", rule.ID, d.Category)
}

// regionContains reports whether the division outer is, or contains, inner.
// A province ends in four zeros, a city in two (GB/T 2260).
func regionContains(outer, inner string) bool {
	prefix := outer
	for len(prefix) > 2 && strings.HasSuffix(prefix, "00") {
		prefix = prefix[:len(prefix)-2]
	}
	return outer == RegionNational || strings.HasPrefix(inner, prefix)
}

func checkParts(parts []Part) error {
	if len(parts) > maxParts {
		return FieldErrorf(CodeInvalid, "parts", "%d parts, more than %d", len(parts), maxParts)
	}
	seen := make(map[string]bool, len(parts))
	for i, part := range parts {
		field := fmt.Sprintf("parts[%d]", i)
		if err := CheckID(field+".id", part.ID); err != nil {
			return err
		}
		if err := OneOf(field+".kind", part.Kind, PartNozzle, PartSeal, PartMainboard, PartOther); err != nil {
			return err
		}
		if err := checkText(field+".serial", part.Serial, false); err != nil {
			return err
		}
		if seen[part.ID] {
			return FieldErrorf(CodeInvalid, field+".id", "%q stands twice", part.ID)
		}
		seen[part.ID] = true
	}
	return nil
}

func checkExternalIDs(ids []ExternalID) error {
	if len(ids) > maxExternalIDs {
		return FieldErrorf(CodeInvalid, "externalIds", "%d codes, more than %d", len(ids), maxExternalIDs)
	}
	seen := make(map[ExternalID]bool, len(ids))
	for i, id := range ids {
		field := fmt.Sprintf("externalIds[%d]", i)
		if err := CheckID(field+".scheme", id.Scheme); err != nil {
			return err
		}
		if err := checkText(field+".value", id.Value, true); err != nil {
			return err
		}
		if seen[id] {
			return FieldErrorf(CodeInvalid, field, "stands twice")
		}
		seen[id] = true
	}
	return nil
}

// Apply returns the instrument after a command that needs no more than a state
// change. Who may is decided by the contract, which knows the bindings.
func (i Instrument) Apply(command InstrumentCommand) (Instrument, error) {
	next, err := InstrumentTransitions.Next("instrument", i.State, command)
	i.State = next
	return i, err
}

// Amend returns the instrument with its description replaced. Only the
// regulator loosens a duty: who owes a verification does not excuse itself.
func (i Instrument) Amend(cmd AmendInstrument, cycleMonths int, caller Caller) (Instrument, error) {
	i, err := i.Apply(InstrumentAmend)
	if err != nil {
		return i, err
	}
	if err := cmd.InstrumentDescription.check(); err != nil {
		return i, err
	}
	if err := i.checkLoosened(cmd, cycleMonths); err != nil && caller.Role != RoleRegulator {
		return i, err
	}
	i.InstrumentDescription, i.CycleMonths = cmd.InstrumentDescription, cycleMonths
	return i, nil
}

// checkLoosened refuses a description that takes an instrument under compulsory
// verification out of it, or lets it be verified later.
func (i Instrument) checkLoosened(cmd AmendInstrument, cycleMonths int) error {
	const refusal = "only the regulator changes this of an instrument under compulsory verification"
	switch {
	case !i.UnderDuty():
		return nil
	case !cmd.Use.Compulsory():
		return FieldErrorf(CodeForbidden, "use", refusal)
	case cmd.Mode != i.Mode:
		return FieldErrorf(CodeForbidden, "mode", refusal)
	case cmd.Category != i.Category:
		return FieldErrorf(CodeForbidden, "category", refusal)
	case i.CycleMonths > 0 && (cycleMonths == 0 || cycleMonths > i.CycleMonths):
		return FieldErrorf(CodeForbidden, "cycleRule", refusal)
	}
	return nil
}

// Replace returns the instrument with another list of parts.
func (i Instrument) Replace(cmd ReplaceParts) (Instrument, error) {
	i, err := i.Apply(InstrumentReplace)
	if err != nil {
		return i, err
	}
	i.Parts = cmd.Parts
	return i, checkParts(cmd.Parts)
}

// Repair returns the instrument after a repair. It may not be used before it
// is verified again (山东省计量条例 Art. 18).
func (i Instrument) Repair(cmd RepairInstrument, today Date) (Instrument, error) {
	i, err := i.Apply(InstrumentRepair)
	if err != nil {
		return i, err
	}
	if err := OneOf("reason", cmd.Reason, instrumentReasons[InstrumentRepair]...); err != nil {
		return i, err
	}
	if err := CheckDate("on", cmd.On); err != nil {
		return i, err
	}
	if today.Before(cmd.On) {
		return i, FieldErrorf(CodeInvalid, "on", "%s is after today, %s", cmd.On, today)
	}
	if err := checkParts(cmd.Parts); err != nil {
		return i, err
	}
	if cmd.Parts != nil {
		i.Parts = cmd.Parts
	}
	if i.Repaired.Before(cmd.On) { // an earlier repair entered late does not weaken the last one
		i.Repaired = cmd.On
	}
	i.Reason = cmd.Reason
	return i, nil
}

// Reverify returns the instrument to use. leaf is that of certificate, which
// the contract has compared with the ledger.
func (i Instrument) Reverify(leaf Leaf, certificate Certificate, today Date) (Instrument, error) {
	i, err := i.Apply(InstrumentReverify)
	if err != nil {
		return i, err
	}
	switch {
	case certificate.State != CertificateAnchored:
		return i, FieldErrorf(CodeState, "leaf", "the certificate is %s", certificate.State)
	case !leaf.Kind.Verification():
		return i, FieldErrorf(CodeInvalid, "leaf.kind", "a %s is no verification", leaf.Kind)
	case leaf.Performed.Before(i.Repaired):
		return i, FieldErrorf(CodeInvalid, "leaf.performed", "verified on %s, before the repair of %s", leaf.Performed, i.Repaired)
	case leaf.ValidUntil != "" && leaf.ValidUntil.Before(today):
		return i, FieldErrorf(CodeInvalid, "leaf.validUntil", "expired on %s", leaf.ValidUntil)
	}
	for _, verified := range leaf.Instruments {
		if verified.ID != i.ID {
			continue
		}
		if verified.Conclusion != ConclusionPass && verified.Conclusion != ConclusionClass {
			return i, FieldErrorf(CodeInvalid, "leaf.instruments", "the conclusion for %s is %q", i.ID, verified.Conclusion)
		}
		i.Reason, i.Before = "", ""
		return i, nil
	}
	return i, FieldErrorf(CodeInvalid, "leaf.instruments", "the certificate does not name instrument %s", i.ID)
}

// Freeze returns the instrument in dispute or sealed. command is
// InstrumentOpenDispute or InstrumentSeal.
func (i Instrument) Freeze(command InstrumentCommand, reason InstrumentReason) (Instrument, error) {
	before := i.State
	i, err := i.Apply(command)
	if err != nil {
		return i, err
	}
	i.Before, i.Reason = before, reason
	return i, OneOf("reason", reason, instrumentReasons[command]...)
}

// CloseDispute returns the instrument after a dispute was decided: right or
// withdrawn, back to where it was; wrong, sealed.
func (i Instrument) CloseDispute(outcome InstrumentReason) (Instrument, error) {
	if i.State != InstrumentInDispute {
		return i, Errorf(CodeState, "an instrument in state %q has no dispute to close", i.State)
	}
	if outcome != OutcomeDeviates {
		return i.release(outcome)
	}
	i, err := i.Apply(InstrumentCondemn)
	i.Reason, i.Before = outcome, InstrumentRepaired // unsealed, it needs verification
	return i, err
}

// Unseal returns a sealed instrument. Only one that was in use before, and was
// not found wrong, may be used again without a new verification.
func (i Instrument) Unseal(outcome InstrumentReason) (Instrument, error) {
	if i.State != InstrumentSealed {
		return i, Errorf(CodeState, "an instrument in state %q is not sealed", i.State)
	}
	return i.release(outcome)
}

func (i Instrument) release(outcome InstrumentReason) (Instrument, error) {
	if err := OneOf("reason", outcome, instrumentReasons[InstrumentRelease]...); err != nil {
		return i, err
	}
	command := InstrumentReleaseTest
	if i.Before == InstrumentInUse && outcome != OutcomeDeviates {
		command = InstrumentRelease
	}
	i, err := i.Apply(command)
	i.Reason, i.Before = outcome, ""
	return i, err
}

// Retire returns the instrument after it was taken out of use for good.
func (i Instrument) Retire(reason InstrumentReason) (Instrument, error) {
	i, err := i.Apply(InstrumentRetire)
	if err != nil {
		return i, err
	}
	i.Reason = reason
	return i, OneOf("reason", reason, instrumentReasons[InstrumentRetire]...)
}
