package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Draw is the contract family "draw": draws by the definition DR-1 whose
// result the contract recomputes itself.
//
// Every step reads the draw's phase key and most write it, so that a step that
// was endorsed early and comes late is invalid by MVCC. Steps that are a
// decision of the regulator need its peer and that of a witness; those that
// anybody may take need a witness's only, since else the regulator's peer could
// refuse an unwelcome draw. A sealed draw is the same up to its beacon; then its
// holders commit to the result, and one of them opens it (draw_sealed.go).
type Draw struct{ contractapi.Contract }

// NewDraw makes the family.
func NewDraw() *Draw {
	return &Draw{Contract: contractapi.Contract{Name: "draw", TransactionContextHandler: new(Context)}}
}

// Plan files a draw under its authority's next number.
func (*Draw) Plan(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, planDraw)
}

// Approve is another organisation's consent to the plan.
func (*Draw) Approve(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, approveDraw)
}

// Directory files one chunk of the directories.
func (*Draw) Directory(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, fileDrawDirectory)
}

// Freeze freezes the directories and fixes the beacon's round.
func (*Draw) Freeze(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, freezeDraw)
}

// ApproveFreeze is another organisation's consent to the freeze; two put it in
// force.
func (*Draw) ApproveFreeze(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, approveDrawFreeze)
}

// Commit records the caller's organisation's commitment.
func (*Draw) Commit(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, commitToDraw)
}

// Open begins the reveals.
func (*Draw) Open(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, openDraw)
}

// Reveal opens the caller's organisation's commitment.
func (*Draw) Reveal(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, revealToDraw)
}

// Close ends the contributions and writes what they come to.
func (*Draw) Close(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, closeDraw)
}

// Observe records that the caller's organisation has seen the close.
func (*Draw) Observe(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, observeDraw)
}

// Beacon records the round's signature, whoever brings it.
func (*Draw) Beacon(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, seedDraw)
}

// Result computes the outcome and records it.
func (*Draw) Result(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, postDraw)
}

// Cancel ends a draw before reveals open.
func (*Draw) Cancel(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, cancelDraw)
}

// Void ends a draw that has missed its round.
func (*Draw) Void(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, voidDraw)
}

func planDraw(t *transaction, cmd metrology.PlanDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawPlanned, cmd.ID)
	if err := t.Caller.Require(metrology.RoleRegulator); err != nil {
		return event, err
	}
	plan, terms, err := readPlan(cmd.Plan)
	if err != nil {
		return event, err
	}
	if err := t.checkSampling(plan, terms); err != nil {
		return event, err
	}
	number := metrology.Key(metrology.KindDrawCount, terms.Authority)
	count, _, err := worldstate.Get[metrology.DrawCount](t.Space, number)
	if err != nil {
		return event, err
	}
	d, err := metrology.NewDraw(cmd, terms, plan.Hash.String(), count.Filed, t.Caller, t.Now.Unix())
	if err != nil {
		return event, err
	}
	count.Filed++
	if err := t.Put(number, count); err != nil {
		return event, err
	}
	if err := t.Put(metrology.DrawKey(d.ID, metrology.DrawPartPlan), rawJSON(plan.Canonical)); err != nil {
		return event, err
	}
	if err := t.putEscrow(cmd, terms); err != nil {
		return event, err
	}
	if err := t.prepareObservations(d.ID); err != nil {
		return event, err
	}
	return event, t.decide(d)
}

// prepareObservations makes the keys that only a peer of the observing
// organisation can change. A key's policy does not govern its first write, so
// they must stand before there is anything to observe.
func (t *transaction) prepareObservations(id string) error {
	for _, org := range metrology.DrawWitnesses {
		policy, err := peerOfAny([]string{org})
		if err != nil {
			return err
		}
		key := metrology.Key(metrology.KindObservation, id, org)
		if err := t.Put(key, metrology.DrawObservation{Draw: id, Org: org}); err != nil {
			return err
		}
		if err := t.SetPolicy(key, policy); err != nil {
			return err
		}
	}
	return nil
}

// decide saves the phase after a decision of the regulator.
func (t *transaction) decide(d metrology.Draw) error {
	if err := t.passGate(metrology.GateRegulator); err != nil {
		return err
	}
	return t.proceed(d)
}

// proceed saves the phase after a step that needs a witness's peer.
func (t *transaction) proceed(d metrology.Draw) error {
	if err := t.passGate(metrology.GateWitness); err != nil {
		return err
	}
	return t.putDraw(d)
}

func (t *transaction) putDraw(d metrology.Draw) error {
	return t.Put(metrology.DrawKey(d.ID, metrology.DrawPartPhase), d)
}

// draw loads the phase record.
func (t *transaction) draw(id string) (metrology.Draw, error) {
	if err := metrology.CheckID("id", id); err != nil {
		return metrology.Draw{}, err
	}
	return worldstate.Require[metrology.Draw](t.Space, metrology.DrawKey(id, metrology.DrawPartPhase), "draw", id)
}

func approveDraw(t *transaction, cmd metrology.ApproveDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawApproved, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	if d, err = d.Approve(cmd, t.Caller, t.Now.Unix()); err != nil {
		return event, err
	}
	return event, t.putDraw(d)
}

func approveDrawFreeze(t *transaction, cmd metrology.ApproveDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawFreezeApproved, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	if d, err = d.ApproveFreeze(cmd, t.Caller, t.Now.Unix()); err != nil {
		return event, err
	}
	return event, t.putDraw(d)
}

func commitToDraw(t *transaction, cmd metrology.CommitToDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawCommitted, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	commitment, err := d.Commit(cmd, t.Caller, t.Now.Unix())
	if err != nil {
		return event, err
	}
	key := metrology.DrawKey(d.ID, metrology.DrawPartCommitment, t.Caller.MSP)
	if err := t.refuseTaken(key, "id", d.ID+" by "+t.Caller.MSP); err != nil {
		return event, err
	}
	return event, t.Put(key, commitment)
}

func openDraw(t *transaction, cmd metrology.DrawAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawOpened, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	shares, err := t.shares(d)
	if err != nil {
		return event, err
	}
	if d, err = d.Open(len(shares), t.Caller, t.Now.Unix()); err != nil {
		return event, err
	}
	return event, t.proceed(d)
}

func revealToDraw(t *transaction, cmd metrology.RevealToDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawRevealed, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	reveal, err := d.Reveal(cmd, t.Caller, t.Now.Unix())
	if err != nil {
		return event, err
	}
	commitment, err := worldstate.Require[metrology.DrawCommitment](t.Space,
		metrology.DrawKey(d.ID, metrology.DrawPartCommitment, t.Caller.MSP), "commitment of", t.Caller.MSP)
	if err != nil {
		return event, err
	}
	secret, err := draw.ParseDigest(cmd.Secret)
	if err != nil {
		return event, drawError(err)
	}
	if draw.Commitment(d.ID, t.Caller.MSP, secret).String() != commitment.Commitment {
		return event, metrology.FieldErrorf(metrology.CodeInvalid, "secret", "does not open the commitment of %s", t.Caller.MSP)
	}
	key := metrology.DrawKey(d.ID, metrology.DrawPartReveal, t.Caller.MSP)
	if err := t.refuseTaken(key, "id", d.ID+" by "+t.Caller.MSP); err != nil {
		return event, err
	}
	return event, t.Put(key, reveal)
}

func cancelDraw(t *transaction, cmd metrology.CancelDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawCancelled, cmd.ID)
	event.Reason = string(cmd.Reason)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	if d, err = d.Cancel(cmd, t.Caller, t.Now.Unix()); err != nil {
		return event, err
	}
	return event, t.decide(d)
}
