package observer

import (
	"context"
	"encoding/hex"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// step is a transaction to submit.
type step struct {
	function string
	request  any
	again    string // tells a step from the same one taken before
}

func action(function string, r public.DrawRecord) *step {
	return &step{function: function, request: metrology.DrawAction{ID: r.ID}}
}

// next decides what an organisation does now; nil is nothing. Whether the time
// is right the contract decides; asking it too early only costs a refusal.
func (o *Observer) next(ctx context.Context, r public.DrawRecord, officer Officer) *step {
	now := o.Clock().Unix()
	if missed := now >= r.RoundTime; missed && slices.Contains([]metrology.DrawPhase{
		metrology.DrawFrozen, metrology.DrawCommitting, metrology.DrawRevealing}, r.Phase) {
		return action("draw:Void", r)
	}
	switch r.Phase {
	case metrology.DrawPlanned, metrology.DrawApproved:
		return o.accept(ctx, r, officer)
	case metrology.DrawCommitting:
		return o.whileCommitting(ctx, r, officer)
	case metrology.DrawRevealing:
		return o.whileRevealing(r, officer, now)
	case metrology.DrawClosed:
		return o.whenClosed(r, officer, now)
	case metrology.DrawSealed:
		return o.whileSealed(ctx, r, officer, now)
	case metrology.DrawSeeded:
		switch {
		case r.Sealed():
			return o.whileSealed(ctx, r, officer, now)
		case r.ByFile:
			return o.postLarge(ctx, r)
		}
		return action("draw:Result", r)
	case metrology.DrawDrawn, metrology.DrawInfeasible:
		return o.checkLarge(ctx, r)
	}
	return nil
}

func (o *Observer) whileCommitting(ctx context.Context, r public.DrawRecord, officer Officer) *step {
	committed := slices.ContainsFunc(r.Commitments, func(c metrology.DrawCommitment) bool { return c.Org == officer.MSP })
	switch {
	case committed && len(r.Commitments) >= len(metrology.DrawOrganizations)-1:
		if len(r.Commitments) < len(metrology.DrawOrganizations) && o.Clock().Unix() < r.RoundTime-3*r.Terms.Margin {
			return nil // the last one still has time
		}
		return action("draw:Open", r)
	case committed || !o.sound(ctx, r):
		return nil
	}
	commitment := draw.Commitment(r.ID, officer.MSP, o.secret(r.ID, officer.MSP))
	return &step{function: "draw:Commit", request: metrology.CommitToDraw{ID: r.ID, Commitment: commitment.String()}}
}

// sound recomputes a freeze from its plan and lists, once. An organisation
// does not contribute to a draw that is not what it says.
func (o *Observer) sound(ctx context.Context, r public.DrawRecord) bool {
	if sound, done := o.checked[r.ID]; done {
		return sound
	}
	lists, err := o.lists(ctx, r)
	if err != nil {
		o.grumble(ctx, r.ID, "read directories of draw", err)
		return false
	}
	frozen, err := lists.Recompute()
	if err != nil {
		o.Logger.ErrorContext(ctx, "recompute the freeze of draw", "draw", r.ID, "error", err)
	}
	sound := err == nil && frozen.String() == r.Freeze
	if sound && r.ByFile {
		if err := lists.CheckFile(); err != nil {
			o.Logger.ErrorContext(ctx, "hold the freeze of draw against its file", "draw", r.ID, "error", err)
			sound = false
		}
	}
	if !sound {
		o.Logger.ErrorContext(ctx, "the freeze does not follow from plan and lists; this organisation does not contribute", "draw", r.ID)
	}
	o.checked[r.ID] = sound
	return sound
}

func (o *Observer) whileRevealing(r public.DrawRecord, officer Officer, now int64) *step {
	secret := o.secret(r.ID, officer.MSP)
	own := draw.Commitment(r.ID, officer.MSP, secret).String()
	mine := slices.ContainsFunc(r.Commitments, func(c metrology.DrawCommitment) bool { return c.Org == officer.MSP && c.Commitment == own })
	revealed := slices.ContainsFunc(r.Reveals, func(v metrology.DrawReveal) bool { return v.Org == officer.MSP })
	switch {
	case mine && !revealed:
		return &step{function: "draw:Reveal", request: metrology.RevealToDraw{ID: r.ID, Secret: secret.String()}}
	case len(r.Reveals) == len(r.Commitments) || now >= r.RoundTime-2*r.Terms.Margin:
		return action("draw:Close", r)
	}
	return nil
}

func (o *Observer) whenClosed(r public.DrawRecord, officer Officer, now int64) *step {
	observed := slices.ContainsFunc(r.Observations, func(v metrology.DrawObservation) bool { return v.Org == officer.MSP })
	if now < r.Deadline() {
		if observed || r.Close == nil || !slices.Contains(metrology.DrawWitnesses, officer.MSP) {
			return nil
		}
		return &step{function: "draw:Observe", request: metrology.ObserveDraw{ID: r.ID, Contribution: r.Close.Contribution}}
	}
	if now < r.RoundTime {
		return nil
	}
	if len(r.Observations) < r.Terms.Observations {
		return action("draw:Void", r)
	}
	if o.Rounds == nil {
		return nil
	}
	signature, known := o.Rounds(r.Terms.Beacon, uint64(r.Round))
	if !known {
		return nil
	}
	return &step{function: "draw:Beacon", request: metrology.SeedDraw{ID: r.ID, Signature: hex.EncodeToString(signature)}}
}
