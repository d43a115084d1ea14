package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/config"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
)

// writer is the ledger as the API sees it.
type writer struct{ client *fabric.Client }

// Submit implements api.Writer.
func (w writer) Submit(ctx context.Context, who api.Principal, key string, call api.Call) (api.Receipt, error) {
	receipt, err := w.client.Submit(ctx, key, fabric.Call{
		Identity: who.Label, Function: call.Function, Request: call.Request, Transient: call.Transient,
		Aside: func() func() { return api.StepAside(ctx) },
	})
	var fault *fabric.Fault
	if errors.As(err, &fault) && fault.Kind == fabric.Unknown {
		return api.Receipt{TransactionID: fault.TransactionID}, nil
	}
	if err != nil {
		return api.Receipt{}, translate(err)
	}
	return api.Receipt{
		TransactionID: receipt.TransactionID, Committed: true, BlockNumber: receipt.BlockNumber,
		Timestamp: receipt.Timestamp, Result: receipt.Result,
	}, nil
}

// Evaluate implements api.Writer.
func (w writer) Evaluate(ctx context.Context, who api.Principal, function string, request []byte) ([]byte, error) {
	result, err := w.client.Evaluate(ctx, who.Label, function, request)
	return result, translate(err)
}

// translate turns a fault of the network into one of the API.
func translate(err error) error {
	var fault *fabric.Fault
	if !errors.As(err, &fault) {
		return err
	}
	switch fault.Kind {
	case fabric.Overloaded, fabric.Contended:
		return &api.Fault{Kind: api.FaultOverloaded, RetryAfter: time.Second, Err: err}
	case fabric.Unavailable, fabric.Disagreement:
		return &api.Fault{Kind: api.FaultUnavailable, RetryAfter: 2 * time.Second, Err: err}
	case fabric.Unauthenticated:
		return metrology.Errorf(metrology.CodeForbidden, "the network does not accept this identity: its certificate is revoked, expired, or of an authority that the network does not know")
	}
	return err
}

// configured reads what a configuration says of a network.
func configured(n *config.Network) (*link, error) {
	trust, err := os.ReadFile(n.Trust)
	if err != nil {
		return nil, fmt.Errorf("network.trust: %w", err)
	}
	l := &link{
		channel: n.Channel, chaincode: n.Chaincode, wallet: n.Wallet, trust: trust,
		failed: func() error { return nil }, close: func() error { return nil },
	}
	for i, peer := range n.Peers {
		roots, err := os.ReadFile(peer.TLSRoots)
		if err != nil {
			return nil, fmt.Errorf("network.peers[%d].tlsRoots: %w", i, err)
		}
		l.peers = append(l.peers, fabric.Peer{MSPID: peer.MSPID, Endpoint: peer.Endpoint, ServerName: peer.ServerName, TLSRoots: roots})
	}
	return l, nil
}

func joinClose(err error, closers ...func() error) error {
	for _, c := range closers {
		err = errors.Join(err, c())
	}
	return err
}
