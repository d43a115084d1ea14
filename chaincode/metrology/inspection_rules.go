package metrology

import "slices"

const (
	minInspectors = 2 // 行政处罚法 Art. 42: not less than two
	maxInspectors = 10
	maxRevisions  = 20
)

// NewInspection checks an entry and returns the record it makes. today bounds
// the day of the visit.
func NewInspection(cmd EnterInspection, caller Caller, today Date, stamp string) (Inspection, error) {
	if err := caller.Require(RoleInspector); err != nil {
		return Inspection{}, err
	}
	if err := cmd.check(today); err != nil {
		return Inspection{}, err
	}
	if !slices.Contains(cmd.Inspectors, caller.Subject) {
		return Inspection{}, FieldErrorf(CodeForbidden, "inspectors", "only an inspector who was there enters a result")
	}
	state, err := InspectionTransitions.Next("inspection", "", InspectionEnter)
	return Inspection{
		ID: cmd.ID, Site: cmd.Site, Basis: cmd.Basis, State: state, Post: cmd.Post, Inspectors: cmd.Inspectors,
		Visited: cmd.Visited, Entered: stamp, EnteredBy: caller.Subject, Changed: stamp, Follows: cmd.Follows,
		Revisions: []InspectionRevision{{Number: 1, Kind: RevisionOriginal, Stamp: stamp, By: caller.Subject}},
	}, err
}

func (cmd EnterInspection) check(today Date) error {
	if err := checkNewID("id", cmd.ID); err != nil {
		return err
	}
	for _, named := range []struct{ field, id string }{{"site", cmd.Site}, {"post", cmd.Post}} {
		if err := CheckID(named.field, named.id); err != nil {
			return err
		}
	}
	if err := cmd.Basis.check("basis"); err != nil {
		return err
	}
	if err := cmd.checkAssigned(); err != nil {
		return err
	}
	if cmd.Follows != "" {
		if err := CheckID("follows", cmd.Follows); err != nil {
			return err
		}
	}
	if err := CheckDate("visited", cmd.Visited); err != nil {
		return err
	}
	switch {
	case today.Before(cmd.Visited):
		return FieldErrorf(CodeInvalid, "visited", "%s is still to come", cmd.Visited)
	case (cmd.Basis.Kind == BasisFollowUp) && cmd.Follows == "":
		return FieldErrorf(CodeInvalid, "follows", "is required for a follow-up")
	case cmd.Follows == cmd.ID:
		return FieldErrorf(CodeInvalid, "follows", "an inspection does not follow itself")
	case len(cmd.Inspectors) < minInspectors || len(cmd.Inspectors) > maxInspectors:
		return FieldErrorf(CodeInvalid, "inspectors", "names %d inspectors, not %d to %d", len(cmd.Inspectors), minInspectors, maxInspectors)
	}
	for i, subject := range cmd.Inspectors {
		if err := CheckID(indexed("inspectors", i), subject); err != nil {
			return err
		}
		if slices.Contains(cmd.Inspectors[:i], subject) {
			return FieldErrorf(CodeInvalid, indexed("inspectors", i), "%q stands twice", subject)
		}
	}
	return nil
}

// checkAssigned refuses an entry under a draw that does not say who of its
// inspectors was there, and any other entry that does.
func (cmd EnterInspection) checkAssigned() error {
	if cmd.Basis.Kind != BasisDraw {
		if len(cmd.Assigned) > 0 || len(cmd.Leaf) > 0 {
			return FieldErrorf(CodeInvalid, "assigned", "belongs to an inspection under a draw; the ground is %s", cmd.Basis.Kind)
		}
		return nil
	}
	if len(cmd.Assigned) != len(cmd.Inspectors) {
		return FieldErrorf(CodeInvalid, "assigned", "has %d entries, one for each of %d inspectors is needed", len(cmd.Assigned), len(cmd.Inspectors))
	}
	for i, a := range cmd.Assigned {
		if err := checkHex(indexed("assigned", i)+".salt", a.Salt, 32); err != nil {
			return err
		}
	}
	return nil
}

func (b Basis) check(field string) error {
	if err := OneOf(field+".kind", b.Kind, BasisDraw, BasisComplaint, BasisTransfer, BasisMonitoring, BasisCampaign,
		BasisKeySector, BasisFollowUp, BasisPledge); err != nil {
		return err
	}
	if b.Kind != BasisDraw {
		if b.Draw != "" || b.Rank != 0 {
			return FieldErrorf(CodeInvalid, field, "names a draw, but the ground is %s", b.Kind)
		}
		return nil
	}
	if err := CheckID(field+".draw", b.Draw); err != nil {
		return err
	}
	return checkRange(field+".rank", b.Rank, 0, 100_000_000)
}

// apply returns the record after a command.
func (i Inspection) apply(command InspectionCommand, stamp string) (Inspection, error) {
	next, err := InspectionTransitions.Next("inspection", i.State, command)
	if err != nil {
		return i, err
	}
	i.State, i.Changed = next, stamp
	return i, nil
}

// RequirePost refuses a regulator who is not in charge of the case. A post
// outlives its holder; who takes over another post's case hands it over first.
func (i Inspection) RequirePost(caller Caller) error {
	if err := caller.Require(RoleRegulator); err != nil {
		return err
	}
	if caller.Subject != i.Post {
		return Errorf(CodeForbidden, "another post is in charge of inspection %q", i.ID)
	}
	return nil
}

// Revise returns the record after its inspectors replaced the report.
func (i Inspection) Revise(caller Caller, stamp string) (Inspection, error) {
	if err := caller.Require(RoleInspector); err != nil {
		return i, err
	}
	if !slices.Contains(i.Inspectors, caller.Subject) {
		return i, Errorf(CodeForbidden, "only an inspector who was there changes the report")
	}
	i, err := i.apply(InspectionRevise, stamp)
	if err != nil {
		return i, err
	}
	i.Revisions = []InspectionRevision{{Number: 1, Kind: RevisionOriginal, Stamp: stamp, By: caller.Subject}}
	return i, nil
}

// Review returns the record after somebody who was not there looked at it.
func (i Inspection) Review(caller Caller, stamp string) (Inspection, error) {
	if err := caller.Require(RoleRegulator); err != nil {
		return i, err
	}
	if caller.Subject == i.EnteredBy || slices.Contains(i.Inspectors, caller.Subject) {
		return i, Errorf(CodeForbidden, "who was there or entered the result does not review it")
	}
	i, err := i.apply(InspectionReview, stamp)
	if err != nil {
		return i, err
	}
	i.Reviewed, i.Reviewer, i.Reason = stamp, caller.Subject, ""
	return i, nil
}

// Publish returns the record as public.
func (i Inspection) Publish(caller Caller, stamp string) (Inspection, error) {
	if err := i.RequirePost(caller); err != nil {
		return i, err
	}
	i, err := i.apply(InspectionPublish, stamp)
	if err == nil {
		i.Published = stamp
	}
	return i, err
}

// Object returns the record after the merchant objected to what counts now.
// That the caller acts for the merchant is for the contract, which knows the
// bindings. Whether the objection is in time is computed on reading.
func (i Inspection) Object(cmd ObjectToInspection, stamp string) (Inspection, error) {
	i, err := i.apply(InspectionObject, stamp)
	if err != nil {
		return i, err
	}
	if err := OneOf("ground", cmd.Ground, GroundMeasurement, GroundFacts, GroundIdentity, GroundProcedure); err != nil {
		return i, err
	}
	if cmd.Document != "" {
		if err := checkHex("document", cmd.Document, 32); err != nil {
			return i, err
		}
	}
	i.Objections = append(slices.Clone(i.Objections),
		Objection{Ground: cmd.Ground, Revision: i.Current(), Document: cmd.Document, Stamp: stamp})
	return i, nil
}

// Retest returns the record with a second test beside the first.
func (i Inspection) Retest(caller Caller, stamp string) (Inspection, error) {
	if err := caller.Require(RoleInspector, RoleRegulator); err != nil {
		return i, err
	}
	i, err := i.apply(InspectionRetest, stamp)
	if err != nil {
		return i, err
	}
	return i.revision(RevisionRetest, caller, stamp)
}

// inspectionReasons lists the reasons each command may give.
var inspectionReasons = map[InspectionCommand][]InspectionReason{
	InspectionReturn:  {ReturnIncomplete, ReturnInconsistent, ReturnEvidence},
	InspectionCorrect: {CorrectEntryError, CorrectObjection, CorrectRetest, CorrectDecision},
	InspectionWithdraw: {WithdrawWrongSubject, WithdrawProcedure, WithdrawAnnulled, WithdrawDuplicate, WithdrawRepaired,
		WithdrawExpired},
}

// Reasons lists the reasons that a command may give.
func (c InspectionCommand) Reasons() []InspectionReason { return slices.Clone(inspectionReasons[c]) }

// Decide returns the record after the post in charge returned, corrected or
// withdrew it for a reason, or upheld it (without one).
func (i Inspection) Decide(command InspectionCommand, reason InspectionReason, caller Caller, stamp string) (Inspection, error) {
	if err := i.RequirePost(caller); err != nil {
		return i, err
	}
	i, err := i.apply(command, stamp)
	if err != nil {
		return i, err
	}
	reasons, needed := inspectionReasons[command]
	if needed {
		if err := OneOf("reason", reason, reasons...); err != nil {
			return i, err
		}
	}
	i.Reason = reason
	switch command {
	case InspectionReturn:
		i.Reviewed, i.Reviewer = "", ""
	case InspectionCorrect:
		return i.revision(RevisionCorrection, caller, stamp)
	}
	return i, nil
}

// HandOver returns the record with another post in charge.
func (i Inspection) HandOver(cmd HandOverInspection, caller Caller, stamp string) (Inspection, error) {
	if err := caller.Require(RoleRegulator); err != nil {
		return i, err
	}
	if err := CheckID("to", cmd.To); err != nil {
		return i, err
	}
	i, err := i.apply(InspectionHandOver, stamp)
	if err != nil {
		return i, err
	}
	if cmd.To == i.Post {
		return i, FieldErrorf(CodeInvalid, "to", "that post is in charge already")
	}
	i.Post = cmd.To
	return i, nil
}

// Settle returns the earlier record after a later inspection was published
// that settles its pending matter.
func (i Inspection) Settle(later, stamp string) (Inspection, error) {
	i, err := i.apply(InspectionSettle, stamp)
	if err != nil {
		return i, err
	}
	if i.SettledBy != "" && i.SettledBy != later {
		return i, FieldErrorf(CodeState, "follows", "inspection %q is settled by %q already", i.ID, i.SettledBy)
	}
	i.SettledBy = later
	return i, nil
}

// Unsettle returns the earlier record with its matter open again.
func (i Inspection) Unsettle(stamp string) (Inspection, error) {
	i, err := i.apply(InspectionUnsettle, stamp)
	i.SettledBy = ""
	return i, err
}

func (i Inspection) revision(kind RevisionKind, caller Caller, stamp string) (Inspection, error) {
	if len(i.Revisions) >= maxRevisions {
		return i, Errorf(CodeState, "inspection %q has %d revisions", i.ID, len(i.Revisions))
	}
	number := i.Revisions[len(i.Revisions)-1].Number + 1
	i.Revisions = append(slices.Clone(i.Revisions), InspectionRevision{Number: number, Kind: kind, Stamp: stamp, By: caller.Subject})
	return i, nil
}

// Current is the number of the revision that counts: the last correction, or
// the original. A retest stands beside it until it leads to a correction.
func (i Inspection) Current() int {
	current := 0
	for _, r := range i.Revisions {
		if r.Kind != RevisionRetest {
			current = r.Number
		}
	}
	return current
}

// Latest is the number of the last revision of any kind.
func (i Inspection) Latest() int { return i.Revisions[len(i.Revisions)-1].Number }
