package command

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/escrow"
)

// sealPlan makes the secret of a sealed draw and encrypts it to its holders.
// This program keeps nothing of it.
func (r *drawRunning) sealPlan(ctx context.Context) ([]metrology.DrawEscrow, error) {
	published, err := r.escrowKeys(ctx)
	if err != nil {
		return nil, err
	}
	var secret draw.Digest
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	boxes, err := escrow.Boxes(r.id, secret, published)
	if err != nil {
		return nil, err
	}
	r.seal = draw.Seal(r.id, secret)
	r.say("sealed by %s; the secret is encrypted to regulator and notary", r.seal)
	return boxes, nil
}

// escrowKeys waits for the keys of both holders, which their observers publish
// when they first start.
func (r *drawRunning) escrowKeys(ctx context.Context) ([]metrology.EscrowKey, error) {
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	for {
		var published struct {
			Items []metrology.EscrowKey `json:"items"`
		}
		if err := r.get(ctx, "/v1/escrow-keys", &published); err != nil {
			return nil, fmt.Errorf("find escrow keys: %w", err)
		}
		if len(published.Items) >= len(metrology.DrawHolders) {
			return published.Items, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the holders of sealed draws have not published their escrow keys: %w", ctx.Err())
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// awaitEscrow waits until the notary has confirmed the secret of a sealed draw.
func (r *drawRunning) awaitEscrow(ctx context.Context) error {
	if !r.sealed {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	for {
		var state metrology.Draw
		if err := r.get(ctx, r.path(""), &state); err != nil {
			return fmt.Errorf("watch the escrow of draw %s: %w", r.id, err)
		}
		if state.Escrowed != 0 {
			r.say("the notary holds the secret in escrow")
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the notary has not accepted the secret of draw %s: %w", r.id, ctx.Err())
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// askWhileSealed asks for the ticket of every hundredth site: all must have the
// same answer.
func (r *drawRunning) askWhileSealed(ctx context.Context) error {
	asked := 0
	for i := 0; i < r.sites; i += 100 {
		var ticket struct {
			Answer string `json:"answer"`
			Ticket string `json:"ticket"`
		}
		if err := r.get(ctx, r.path("/tickets/"+siteID(i)), &ticket); err != nil {
			return fmt.Errorf("ask for a ticket of draw %s: %w", r.id, err)
		}
		if ticket.Answer == "sealed" && ticket.Ticket == "" {
			asked++
			continue
		}
		var now metrology.Draw // it may have been opened meanwhile
		if err := r.get(ctx, r.path(""), &now); err != nil || now.Phase == metrology.DrawSealed {
			return fmt.Errorf("draw %s is sealed, and the ticket of %s answers %q", r.id, siteID(i), ticket.Answer)
		}
		break
	}
	r.say("asked for %d tickets while sealed: each answers “sealed”", asked)
	return nil
}
