package observer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/escrow"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// sealedOutcome is what a holder commits to; it is computed once.
type sealedOutcome struct {
	secret     draw.Digest
	root       string
	leaves     int64
	infeasible bool // nobody is to be visited, so nothing is to be kept shut
}

// publishKeys makes the escrow keys known of those holders for whom this
// gateway acts. A key of another gateway of theirs is left alone: it may hold
// secrets that this one cannot open.
func (o *Observer) publishKeys(ctx context.Context) error {
	if o.published {
		return nil
	}
	known, err := o.Register.EscrowKeys(ctx)
	if err != nil {
		return err
	}
	o.published = true
	for _, officer := range o.Officers {
		if !slices.Contains(metrology.DrawHolders, officer.MSP) {
			continue
		}
		key, err := escrow.NewKey(o.Key, officer.MSP)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(known, func(k metrology.EscrowKey) bool { return k.Org == officer.MSP })
		switch {
		case at < 0:
			o.published = false // until the register shows it
			o.submit(ctx, "", officer, "escrow-key/"+key.Public(), step{function: "draw:PublishEscrowKey", request: metrology.PublishEscrowKey{Key: key.Public()}})
		case known[at].Key != key.Public():
			o.Logger.WarnContext(ctx, "another gateway holds the escrow of this organisation's draws", "organization", officer.MSP)
		}
	}
	return nil
}

// Leaves shows those assignments that are wanted of a draw that is still sealed,
// as a holder of its secret computes them. It may be called beside Run.
func (c Config) Leaves(ctx context.Context, msp, id string, want func(site string, inspectors []string) bool) ([]public.SealedVisit, error) {
	if !slices.Contains(metrology.DrawHolders, msp) {
		return nil, metrology.Errorf(metrology.CodeForbidden, "%s does not hold the secrets of sealed draws", msp)
	}
	lists, err := c.Register.DrawDirectories(ctx, id)
	if err != nil {
		return nil, err
	}
	if !lists.Record.Shut() {
		return nil, metrology.Errorf(metrology.CodeState, "draw %q is not sealed, or not drawn yet", id)
	}
	secret, err := c.openBox(lists.Record, msp)
	if err != nil {
		return nil, metrology.Errorf(metrology.CodeState, "this gateway cannot open the escrow of draw %q: %v", id, err)
	}
	outcome, err := lists.Compute(&secret)
	if err != nil {
		return nil, metrology.Errorf(metrology.CodeState, "%v", err)
	}
	leaves := draw.SealedLeaves(secret, outcome.Assignment)
	var shown []public.SealedVisit
	for _, leaf := range leaves {
		if !want(leaf.Object, leaf.Inspectors) {
			continue
		}
		proof, err := draw.ProveSealed(leaves, leaf.Object)
		if err != nil {
			return nil, fmt.Errorf("prove a leaf of draw %s: %w", id, err)
		}
		raw, err := json.Marshal(proof)
		if err != nil {
			return nil, fmt.Errorf("encode a leaf of draw %s: %w", id, err)
		}
		shown = append(shown, public.SealedVisit{Site: leaf.Object, Inspectors: leaf.Inspectors, Leaf: raw})
	}
	return shown, nil
}

// accept lets the notary confirm a secret that it could open.
func (o *Observer) accept(ctx context.Context, r public.DrawRecord, officer Officer) *step {
	if officer.MSP != metrology.NotaryMSP || !r.Sealed() || r.Escrowed != 0 {
		return nil
	}
	if _, err := o.openBox(r, officer.MSP); err != nil {
		o.tell(ctx, r.ID, officer, "draw:AcceptEscrow", err)
		return nil
	}
	return action("draw:AcceptEscrow", r)
}

func (c Config) openBox(r public.DrawRecord, msp string) (draw.Digest, error) {
	key, err := escrow.NewKey(c.Key, msp)
	if err != nil {
		return draw.Digest{}, err
	}
	at := slices.IndexFunc(r.Escrow, func(e metrology.DrawEscrow) bool { return e.Holder == msp })
	if at < 0 {
		return draw.Digest{}, fmt.Errorf("draw %s has no box for %s", r.ID, msp)
	}
	return key.Open(r.ID, r.Terms.Seal, r.Escrow[at])
}

// whileSealed commits to the outcome of a sealed draw and opens it at its time.
func (o *Observer) whileSealed(ctx context.Context, r public.DrawRecord, officer Officer, now int64) *step {
	if !slices.Contains(metrology.DrawHolders, officer.MSP) {
		return nil
	}
	outcome, err := o.outcomeOf(ctx, r, officer)
	if err != nil {
		o.tell(ctx, r.ID, officer, "draw:CommitLeaves", err)
		return nil
	}
	unseal := &step{function: "draw:Unseal", request: metrology.UnsealDraw{ID: r.ID, Secret: outcome.secret.String()}}
	committed := false
	for _, l := range r.Leaves {
		committed = committed || l.Org == officer.MSP
		if l.Org != officer.MSP && (l.Root != outcome.root || l.Leaves != outcome.leaves) {
			o.tell(ctx, r.ID, officer, "check of the leaves", fmt.Errorf("%s committed to leaves that are not those of the outcome", l.Org))
		}
	}
	switch {
	case now >= r.OpenBy && (committed || outcome.infeasible), outcome.infeasible && officer.MSP == metrology.RegulatorMSP:
		return unseal
	case !committed && !outcome.infeasible:
		return &step{function: "draw:CommitLeaves", request: metrology.CommitToLeaves{ID: r.ID, Root: outcome.root, Leaves: outcome.leaves}}
	}
	return nil
}

func (o *Observer) outcomeOf(ctx context.Context, r public.DrawRecord, officer Officer) (sealedOutcome, error) {
	if outcome, done := o.outcomes[r.ID]; done {
		return outcome, nil
	}
	secret, err := o.openBox(r, officer.MSP)
	if err != nil {
		return sealedOutcome{}, err
	}
	lists, err := o.Register.DrawDirectories(ctx, r.ID)
	if err != nil {
		return sealedOutcome{}, err
	}
	outcome := sealedOutcome{secret: secret}
	result, err := lists.Compute(&secret)
	var rule *draw.Error
	switch {
	case errors.As(err, &rule) && rule.Kind == draw.KindInfeasible:
		outcome.infeasible = true
	case err != nil:
		return sealedOutcome{}, err
	default:
		leaves := draw.SealedLeaves(secret, result.Assignment)
		outcome.root, outcome.leaves = draw.SealedRoot(leaves).String(), int64(len(leaves))
	}
	o.outcomes[r.ID] = outcome
	return outcome, nil
}
