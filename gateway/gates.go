package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
)

// gatesRetry is the pause before the gates are asked for again on a network
// that does not answer yet.
const gatesRetry = 5 * time.Second

// putUpGates makes sure that the gates of the ledger stand. It belongs here and
// not in the network's tools, which know nothing of this contract: any gateway
// that holds a regulator's identity asks at its start, and the contract says
// when they stand already. A gateway without one leaves it to the others.
func (g *gateway) putUpGates(ctx context.Context) error {
	for _, identity := range g.identities {
		if identity.Role == string(metrology.RoleRegulator) && identity.MSPID == metrology.RoleOrganizations[metrology.RoleRegulator] {
			return bootstrap(ctx, g.client, identity.Label)
		}
	}
	return nil
}

func bootstrap(ctx context.Context, client *fabric.Client, label string) error {
	request, err := json.Marshal(metrology.Bootstrap{})
	if err != nil {
		return fmt.Errorf("encode bootstrap: %w", err)
	}
	_, err = client.Submit(ctx, "bootstrap", fabric.Call{Identity: label, Function: "operation:Bootstrap", Request: request})
	if code := metrology.ErrorCode(err); err == nil || code == metrology.CodeState || code == metrology.CodeConflict {
		return nil
	}
	return fmt.Errorf("put up the gates: %w", err)
}

// awaitGates goes on asking until the gates stand, so that a gateway can serve
// what it knows while its network is still coming up.
func (g *gateway) awaitGates(ctx context.Context) error {
	for {
		err := g.putUpGates(ctx)
		var fault *fabric.Fault
		if err == nil || !errors.As(err, &fault) {
			return err
		}
		g.log.WarnContext(ctx, "the gates are not known to stand", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(gatesRetry):
		}
	}
}
