package contract

import (
	"encoding/json"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Substitute proposes to replace an object by its stratum's next standby.
func (*Draw) Substitute(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, substituteObject)
}

// Recuse proposes to replace an inspector by the next in key order.
func (*Draw) Recuse(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, recuseInspector)
}

// ApproveChange puts the open change in force, as another organisation.
func (*Draw) ApproveChange(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, decideDrawChange(metrology.DrawChangeApprove, metrology.EventDrawChangeApproved))
}

// RejectChange drops the open change, as another organisation.
func (*Draw) RejectChange(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, decideDrawChange(metrology.DrawChangeReject, metrology.EventDrawChangeRejected))
}

// standing is a draw as it stands after its changes.
type standing struct {
	draw.Replacement
	changes  metrology.DrawChanges
	strata   map[string]string   // object → stratum, of all that is drawn now
	assigned map[string][]string // object → inspectors
	standby  map[string][]string // stratum → objects, next first
}

// standingOf loads a draw's result and applies the changes in force.
func (t *transaction) standingOf(id string) (metrology.Draw, *standing, error) {
	d, err := t.draw(id)
	if err != nil {
		return d, nil, err
	}
	if err := d.CheckChange(t.Caller); err != nil {
		return d, nil, err
	}
	s, err := t.standsAs(d)
	return d, s, err
}

// standsAs is the draw as it stands after its changes.
func (t *transaction) standsAs(d metrology.Draw) (*standing, error) {
	s, err := t.drawnAs(d)
	if err != nil {
		return nil, err
	}
	s.changes, _, err = worldstate.Get[metrology.DrawChanges](t.Space, metrology.DrawKey(d.ID, metrology.DrawPartChanges))
	for _, change := range s.changes.List {
		if change.State == metrology.DrawChangeApproved {
			s.apply(change)
		}
	}
	return s, err
}

// drawnAs is the draw as its result left it.
func (t *transaction) drawnAs(d metrology.Draw) (*standing, error) {
	result, err := worldstate.Require[metrology.DrawResult](t.Space, metrology.DrawKey(d.ID, metrology.DrawPartResult), "result of draw", d.ID)
	if err != nil {
		return nil, err
	}
	frozen, err := worldstate.Require[metrology.DrawFreeze](t.Space, metrology.DrawKey(d.ID, metrology.DrawPartFreeze), "freeze of draw", d.ID)
	if err != nil {
		return nil, err
	}
	if frozen.Strata != nil {
		return nil, metrology.Errorf(metrology.CodeState, "the result of this draw was posted by roots; the ledger does not hold its assignments")
	}
	plan, err := t.drawPlan(d.ID)
	if err != nil {
		return nil, err
	}
	lists, err := t.drawLists(d.ID, frozen.Chunks)
	if err != nil {
		return nil, err
	}
	var outcome struct {
		Seed        draw.Digest         `json:"seed"`
		SealedSeed  *draw.Digest        `json:"sealedSeed"`
		CapPlus     uint32              `json:"capPlus"`
		Assignments map[string][]string `json:"assignments"`
	}
	if err := json.Unmarshal(result.Result, &outcome); err != nil {
		return nil, metrology.Errorf(metrology.CodeInternal, "the result of draw %s cannot be read: %v", d.ID, err)
	}
	if outcome.SealedSeed != nil {
		outcome.Seed = *outcome.SealedSeed
	}
	s := &standing{
		strata: map[string]string{}, assigned: outcome.Assignments, standby: map[string][]string{},
		Replacement: draw.Replacement{
			Seed: outcome.Seed, Plan: plan, Inspectors: lists.inspectors, Ineligible: lists.ineligible,
			CapPlus: outcome.CapPlus, Loads: map[string]uint32{},
		},
	}
	for _, o := range lists.objects {
		if _, drawn := s.assigned[o.ID]; drawn {
			s.strata[o.ID] = o.Stratum
		}
	}
	for _, standby := range result.Standby {
		s.standby[standby.Stratum] = standby.Objects
	}
	for _, inspectors := range s.assigned {
		s.count(inspectors, 1)
	}
	return s, nil
}

// count adds to the loads of inspectors; by is 1 or, in two's complement, -1.
func (s *standing) count(inspectors []string, by uint32) {
	for _, inspector := range inspectors {
		s.Loads[inspector] += by
	}
}

// release takes an object's inspectors off it.
func (s *standing) release(object string) {
	s.count(s.assigned[object], ^uint32(0))
	delete(s.assigned, object)
}

func (s *standing) apply(change metrology.DrawChange) {
	s.release(change.Object)
	object := change.Object
	if change.Kind == metrology.DrawSubstitution {
		object = change.By
		delete(s.strata, change.Object)
		s.strata[object] = change.Stratum
		s.standby[change.Stratum] = s.standby[change.Stratum][1:]
	}
	s.assigned[object] = change.Inspectors
	s.count(change.Inspectors, 1)
}

// substituteObject lets the inspectors of the object that is replaced go to the
// one that replaces it; where one may not, the next in key order does.
func substituteObject(t *transaction, cmd metrology.SubstituteObject) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawChangeProposed, cmd.ID)
	event.Reason = string(cmd.Reason)
	d, s, err := t.standingOf(cmd.ID)
	if err != nil {
		return event, err
	}
	if err := cmd.Check(); err != nil {
		return event, err
	}
	stratum, drawn := s.strata[cmd.Object]
	if !drawn {
		return event, metrology.FieldErrorf(metrology.CodeInvalid, "object", "is not among those drawn, or was replaced before")
	}
	if len(s.standby[stratum]) == 0 {
		return event, metrology.Errorf(metrology.CodeState, "stratum %q has no standby left", stratum)
	}
	change := metrology.DrawChange{
		Kind: metrology.DrawSubstitution, Stratum: stratum, Object: cmd.Object, By: s.standby[stratum][0], Reason: cmd.Reason, Proposed: t.Now.Unix(),
	}
	former := s.assigned[cmd.Object]
	s.release(cmd.Object)
	if change.Inspectors, err = s.sendTo(change.By, former); err != nil {
		return event, err
	}
	return event, t.propose(d, s, change)
}

// sendTo finds inspectors for an object, from those of another as far as they
// may.
func (s *standing) sendTo(object string, former []string) ([]string, error) {
	chosen := slices.Clone(former)
	for slot, inspector := range former {
		if s.Eligible(inspector, object) {
			continue
		}
		next := s.Next(object, slot, chosen)
		if next == "" {
			return nil, metrology.Errorf(metrology.CodeState, "no inspector is left for slot %d of %s", slot, object)
		}
		chosen[slot] = next
	}
	return chosen, nil
}

func recuseInspector(t *transaction, cmd metrology.RecuseInspector) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawChangeProposed, cmd.ID)
	d, s, err := t.standingOf(cmd.ID)
	if err != nil {
		return event, err
	}
	slot := slices.Index(s.assigned[cmd.Object], cmd.Inspector)
	if slot < 0 {
		return event, metrology.FieldErrorf(metrology.CodeInvalid, "inspector", "is not assigned to this object")
	}
	next := s.Next(cmd.Object, slot, append(s.recused(cmd.Object), s.assigned[cmd.Object]...))
	if next == "" {
		return event, metrology.Errorf(metrology.CodeState, "no inspector is left for slot %d of %s", slot, cmd.Object)
	}
	change := metrology.DrawChange{
		Kind: metrology.DrawRecusal, Object: cmd.Object, Inspector: cmd.Inspector, Slot: slot, By: next,
		Inspectors: slices.Clone(s.assigned[cmd.Object]), Proposed: t.Now.Unix(),
	}
	change.Inspectors[slot] = next
	return event, t.propose(d, s, change)
}

// recused are those who were taken off an object before; they do not come back.
func (s *standing) recused(object string) []string {
	var off []string
	for _, change := range s.changes.List {
		if change.Kind == metrology.DrawRecusal && change.Object == object && change.State == metrology.DrawChangeApproved {
			off = append(off, change.Inspector)
		}
	}
	return off
}

// propose saves a change. It is a decision of the regulator.
func (t *transaction) propose(d metrology.Draw, s *standing, change metrology.DrawChange) error {
	changes, err := s.changes.Propose(change)
	if err != nil {
		return err
	}
	for _, gate := range []string{metrology.GateRegulator, metrology.GateWitness} {
		if err := t.passGate(gate); err != nil {
			return err
		}
	}
	return t.Put(metrology.DrawKey(d.ID, metrology.DrawPartChanges), changes)
}

func decideDrawChange(command metrology.DrawChangeCommand, done metrology.EventType) func(*transaction, metrology.DecideDrawChange) (metrology.Event, error) {
	return func(t *transaction, cmd metrology.DecideDrawChange) (metrology.Event, error) {
		event := metrology.NewEvent(done, cmd.ID)
		d, err := t.draw(cmd.ID)
		if err != nil {
			return event, err
		}
		key := metrology.DrawKey(d.ID, metrology.DrawPartChanges)
		changes, _, err := worldstate.Get[metrology.DrawChanges](t.Space, key)
		if err != nil {
			return event, err
		}
		if changes, err = changes.Decide(cmd, command, t.Caller, t.Now.Unix()); err != nil {
			return event, err
		}
		return event, t.Put(key, changes)
	}
}
