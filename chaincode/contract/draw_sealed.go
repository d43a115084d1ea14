package contract

import (
	"errors"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// PublishEscrowKey makes the key known to which secrets of sealed draws are
// encrypted for the caller's organisation.
func (*Draw) PublishEscrowKey(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, publishEscrowKey)
}

// AcceptEscrow records that the notary holds the secret of a sealed draw.
func (*Draw) AcceptEscrow(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, acceptEscrow)
}

// CommitLeaves records the caller's root over a sealed result.
func (*Draw) CommitLeaves(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, commitLeaves)
}

// Unseal opens a sealed draw: the contract recomputes and records its result.
func (*Draw) Unseal(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, unsealDraw)
}

func publishEscrowKey(t *transaction, cmd metrology.PublishEscrowKey) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawEscrowKeyPublished, t.Caller.MSP)
	at := metrology.Key(metrology.KindEscrowKey, t.Caller.MSP)
	inForce, _, err := worldstate.Get[metrology.EscrowKey](t.Space, at)
	if err != nil {
		return event, err
	}
	key, err := metrology.NewEscrowKey(cmd, inForce.Key, t.Caller, t.Now.Unix())
	if err != nil {
		return event, err
	}
	return event, t.Put(at, key)
}

// putEscrow checks and saves the boxes of a sealed plan.
func (t *transaction) putEscrow(cmd metrology.PlanDraw, terms metrology.DrawTerms) error {
	var published []*metrology.EscrowKey
	if terms.Seal != "" {
		keys := make([]string, len(metrology.DrawHolders))
		for i, holder := range metrology.DrawHolders {
			keys[i] = metrology.Key(metrology.KindEscrowKey, holder)
		}
		var err error
		if published, err = worldstate.GetAll[metrology.EscrowKey](t.Space, keys); err != nil {
			return err
		}
	}
	if err := cmd.CheckEscrow(terms, published); err != nil {
		return err
	}
	for _, box := range cmd.Escrow {
		if err := t.Put(metrology.DrawKey(cmd.ID, metrology.DrawPartEscrow, box.Holder), box); err != nil {
			return err
		}
	}
	return nil
}

func acceptEscrow(t *transaction, cmd metrology.DrawAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawEscrowAccepted, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	if d, err = d.AcceptEscrow(t.Caller, t.Now.Unix()); err != nil {
		return event, err
	}
	return event, t.putDraw(d)
}

func commitLeaves(t *transaction, cmd metrology.CommitToLeaves) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawSealed, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	d, leaves, err := d.CommitLeaves(cmd, t.Caller, t.Now.Unix())
	if err != nil {
		return event, err
	}
	key := metrology.DrawKey(d.ID, metrology.DrawPartLeaves, t.Caller.MSP)
	if err := t.refuseTaken(key, "id", d.ID+" by "+t.Caller.MSP); err != nil {
		return event, err
	}
	if err := t.Put(key, leaves); err != nil {
		return event, err
	}
	return event, t.proceed(d)
}

// committedLeaves loads what the holders have committed to, in the order of
// metrology.DrawHolders; nil where one has not.
func (t *transaction) committedLeaves(id string) ([]*metrology.DrawLeaves, error) {
	keys := make([]string, len(metrology.DrawHolders))
	for i, holder := range metrology.DrawHolders {
		keys[i] = metrology.DrawKey(id, metrology.DrawPartLeaves, holder)
	}
	return worldstate.GetAll[metrology.DrawLeaves](t.Space, keys)
}

// unsealDraw does for a sealed draw what postDraw does for an open one, with
// the secret.
func unsealDraw(t *transaction, cmd metrology.UnsealDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawUnsealed, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	if err := d.CheckUnseal(cmd, t.Caller, t.Now.Unix()); err != nil {
		return event, err
	}
	secret, err := draw.ParseDigest(cmd.Secret)
	if err != nil {
		return event, drawError(err)
	}
	if draw.Seal(d.ID, secret).String() != d.Terms.Seal {
		return event, metrology.FieldErrorf(metrology.CodeInvalid, "secret", "does not open the seal of this draw")
	}
	committed, err := t.committedLeaves(d.ID)
	if err != nil {
		return event, err
	}
	result, leaves, err := t.computeSealed(d, secret)
	if err != nil {
		return event, err
	}
	opening := metrology.NewDrawOpening(cmd, committed, draw.SealedRoot(leaves).String(), int64(len(leaves)), t.Caller, result.Time)
	if d, err = d.Post(result, result.Time); err != nil {
		return event, err
	}
	if err := t.Put(metrology.DrawKey(d.ID, metrology.DrawPartOpening), opening); err != nil {
		return event, err
	}
	if err := t.Put(metrology.DrawKey(d.ID, metrology.DrawPartResult), result); err != nil {
		return event, err
	}
	return event, t.proceed(d)
}

// computeSealed is the draw with its secret, and the leaves that its holders
// should have committed to; none where it cannot be assigned.
func (t *transaction) computeSealed(d metrology.Draw, secret draw.Digest) (metrology.DrawResult, []draw.SealedLeaf, error) {
	none := metrology.DrawResult{Time: t.Now.Unix()}
	in, objects, err := t.drawInput(d)
	if err != nil {
		return none, nil, err
	}
	in.SealedSecret = &secret
	outcome, err := draw.ComputeFrom(in, objects, draw.StandbyRanks)
	var rule *draw.Error
	if errors.As(err, &rule) && rule.Kind == draw.KindInfeasible {
		none.Infeasible = rule.Error()
		return none, nil, nil
	}
	if err != nil {
		return none, nil, drawError(err)
	}
	result, err := resultOf(outcome, none.Time)
	return result, draw.SealedLeaves(secret, outcome.Assignment), err
}
