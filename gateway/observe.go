package main

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/observer"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// observeEvery is the time between two looks at the draws.
const observeEvery = 500 * time.Millisecond

// drawOfficers are the roles that act for their organisation in draws.
var drawOfficers = map[string]bool{
	string(metrology.RoleRegulator): true, string(metrology.RoleInstitute): true,
	string(metrology.RoleAssociation): true, string(metrology.RoleNotary): true,
}

// observe takes part in draws for each organisation whose officer the wallet
// holds, until ctx ends.
func (g *gateway) observe(ctx context.Context) error {
	if !g.config.Observes() {
		return nil
	}
	observer.New(g.observing()).Run(ctx)
	return nil
}

func (g *gateway) observing() observer.Config {
	return observer.Config{
		Officers: g.officers(), Register: g.register(), Files: g.files, Submit: g.submitStep, Rounds: g.round,
		Key: g.observerKey(), Clock: time.Now, Every: observeEvery, Logger: g.log,
	}
}

// posts are the principals of the wallet.
func (g *gateway) posts() []api.Principal {
	posts := make([]api.Principal, len(g.identities))
	for i, identity := range g.identities {
		posts[i] = principalOf(identity)
	}
	return posts
}

// sealedLeaves implements api.LeavesOf.
func (g *gateway) sealedLeaves(ctx context.Context, msp, id string, want func(site string, inspectors []string) bool) ([]public.SealedVisit, error) {
	return g.observing().Leaves(ctx, msp, id, want)
}

// observerKey is what the secrets of this gateway's observer follow from.
func (g *gateway) observerKey() [sha256.Size]byte {
	return sha256.Sum256(append([]byte("steelyard observer\x00"), g.secret[:]...))
}

// officers picks one identity of each organisation.
func (g *gateway) officers() []observer.Officer {
	var officers []observer.Officer
	taken := map[string]bool{}
	for _, identity := range g.identities {
		if drawOfficers[identity.Role] && !taken[identity.MSPID] {
			taken[identity.MSPID] = true
			officers = append(officers, observer.Officer{Label: identity.Label, MSP: identity.MSPID})
		}
	}
	return officers
}

// submitStep implements observer.Submit.
func (g *gateway) submitStep(ctx context.Context, label, key, function string, request []byte) error {
	_, err := g.client.Submit(ctx, key, fabric.Call{Identity: label, Function: function, Request: request})
	return err
}
