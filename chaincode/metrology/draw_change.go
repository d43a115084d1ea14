package metrology

import "slices"

// DrawPartChanges holds what was changed after a draw: value DrawChanges.
const DrawPartChanges = "changes"

// DrawChangeKind says what a change replaces.
type DrawChangeKind string

// The kinds of change.
const (
	DrawSubstitution DrawChangeKind = "substitution" // an object by its stratum's next standby
	DrawRecusal      DrawChangeKind = "recusal"      // an inspector by the next in key order
)

// DrawChangeState is the state of a change.
type DrawChangeState string

// The states of a change.
const (
	DrawChangeProposed DrawChangeState = "proposed" // by the regulator
	DrawChangeApproved DrawChangeState = "approved" // by another organisation: in force
	DrawChangeRejected DrawChangeState = "rejected"
)

// DrawChangeCommand is a decision on a change.
type DrawChangeCommand string

// The decisions.
const (
	DrawChangeApprove DrawChangeCommand = "approve-change"
	DrawChangeReject  DrawChangeCommand = "reject-change"
)

// DrawChangeTransitions is the state machine of a change.
var DrawChangeTransitions = Transitions[DrawChangeState, DrawChangeCommand]{
	DrawChangeProposed: {DrawChangeApprove: DrawChangeApproved, DrawChangeReject: DrawChangeRejected},
}

// SubstitutionReason says why an object that was drawn is replaced.
type SubstitutionReason string

// The reasons for a substitution. The reason of a recusal is personal and is
// not on the ledger.
const (
	SubstitutedClosed       SubstitutionReason = "closed"        // found closed for good
	SubstitutedNotFound     SubstitutionReason = "not-found"     // cannot be found at its address
	SubstitutedOutOfScope   SubstitutionReason = "out-of-scope"  // has none of the plan's matters
	SubstitutedForceMajeure SubstitutionReason = "force-majeure" // cannot be reached
)

// DrawChange replaces an object or an inspector after the draw. Nobody chooses
// the replacement: it follows from the draw.
type DrawChange struct {
	Kind       DrawChangeKind     `json:"kind"`
	State      DrawChangeState    `json:"state"`
	Stratum    string             `json:"stratum,omitempty"` // substitution
	Object     string             `json:"object"`            // substitution: what is replaced; recusal: what is inspected
	Inspector  string             `json:"inspector,omitempty"`
	Slot       int                `json:"slot"`       // recusal: of the inspector, from 0
	By         string             `json:"by"`         // what comes instead
	Inspectors []string           `json:"inspectors"` // of the object concerned once the change is in force
	Reason     SubstitutionReason `json:"reason,omitempty"`
	Proposed   int64              `json:"proposed"`
	DecidedBy  string             `json:"decidedBy,omitempty"` // MSP
	Decided    int64              `json:"decided,omitempty"`
}

// DrawChanges lists the changes of a draw in the order they were proposed,
// numbered from 1. One is open at a time, so that each follows from those
// before it.
type DrawChanges struct {
	List []DrawChange `json:"list"`
}

// SubstituteObject asks to replace an object that was drawn.
type SubstituteObject struct {
	ID     string             `json:"id"`
	Object string             `json:"object"`
	Reason SubstitutionReason `json:"reason"`
}

// RecuseInspector asks to replace an inspector at an object.
type RecuseInspector struct {
	ID        string `json:"id"`
	Object    string `json:"object"`
	Inspector string `json:"inspector"`
}

// DecideDrawChange approves or rejects the open change.
type DecideDrawChange struct {
	ID     string `json:"id"`
	Number int    `json:"number"`
}

// The events of changes.
const (
	EventDrawChangeProposed EventType = "draw.change-proposed"
	EventDrawChangeApproved EventType = "draw.change-approved"
	EventDrawChangeRejected EventType = "draw.change-rejected"
)

// CheckChange refuses a change of a draw that has no result, or by anybody but
// the regulator.
func (d Draw) CheckChange(caller Caller) error {
	if err := caller.Require(RoleRegulator); err != nil {
		return err
	}
	if d.Phase != DrawDrawn {
		return Errorf(CodeState, "a draw in state %q has no result to change", d.Phase)
	}
	return nil
}

// Check refuses a reason that is none.
func (c SubstituteObject) Check() error {
	return OneOf("reason", c.Reason, SubstitutedClosed, SubstitutedNotFound, SubstitutedOutOfScope, SubstitutedForceMajeure)
}

// Open returns the number of the change that awaits a decision, 0 if none does.
func (c DrawChanges) Open() int {
	if last := len(c.List); last > 0 && c.List[last-1].State == DrawChangeProposed {
		return last
	}
	return 0
}

// Propose adds a change.
func (c DrawChanges) Propose(change DrawChange) (DrawChanges, error) {
	if open := c.Open(); open != 0 {
		return c, Errorf(CodeState, "change %d awaits its decision first", open)
	}
	change.State = DrawChangeProposed
	c.List = append(slices.Clone(c.List), change)
	return c, nil
}

// Decide ends the open change, by another organisation than the regulator.
func (c DrawChanges) Decide(cmd DecideDrawChange, command DrawChangeCommand, caller Caller, now int64) (DrawChanges, error) {
	if err := requireWitness(caller); err != nil {
		return c, err
	}
	if cmd.Number < 1 || cmd.Number > len(c.List) {
		return c, FieldErrorf(CodeNotFound, "number", "there is no change %d", cmd.Number)
	}
	change := c.List[cmd.Number-1]
	next, err := DrawChangeTransitions.Next("change", change.State, command)
	if err != nil {
		return c, err
	}
	change.State, change.DecidedBy, change.Decided = next, caller.MSP, now
	c.List = slices.Clone(c.List)
	c.List[cmd.Number-1] = change
	return c, nil
}
