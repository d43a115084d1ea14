package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/steelyard-ledger/steelyard/gateway/evidence"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

// prover makes offline evidence from the register, the peers' blocks and a
// reading that peers endorse.
type prover struct {
	store  *readmodel.Store
	client *fabric.Client
	trust  ledger.Trust
	reader string // wallet label
}

// Bundle implements api.Evidence. A certificate that has changed since it was
// anchored cannot be read at its first version any more; its evidence then
// goes without a reading.
func (p prover) Bundle(ctx context.Context, id string) ([]byte, error) {
	certificate, err := p.store.Certificate(ctx, id, today())
	if err != nil {
		return nil, err
	}
	issuer, err := p.store.Issuer(ctx, certificate.Leaf.Issuer)
	if err != nil {
		return nil, err
	}
	from, err := evidence.Collect(ctx, p.client, certificate.Anchored.Block, certificate.Anchored.TransactionID)
	if err != nil {
		return nil, translate(err)
	}
	for _, key := range issuer.Keys {
		if key.ID == certificate.Batch.Key {
			from.IssuerKey = key.SPKI
		}
	}
	leaf, err := certificate.Leaf.Bytes()
	if err != nil {
		return nil, err
	}
	if from.Reading, err = p.reading(ctx, leaf); err != nil {
		return nil, err
	}
	bundle, err := evidence.Build(p.trust, from, certificate.Leaf.Number)
	if errors.Is(err, evidence.ErrNotProven) && from.Reading != nil {
		from.Reading = nil
		bundle, err = evidence.Build(p.trust, from, certificate.Leaf.Number)
	}
	if err != nil {
		return nil, err
	}
	return bundle.Encode()
}

// reading asks peers what they have under the certificate's key.
func (p prover) reading(ctx context.Context, leaf []byte) (*evidence.Reading, error) {
	function, request, err := evidence.ReadingCall(leaf)
	if err != nil {
		return nil, err
	}
	envelope, err := p.client.Witness(ctx, p.reader, function, request)
	if err != nil {
		return nil, translate(fmt.Errorf("ask for a reading: %w", err))
	}
	return evidence.ReadingOf(envelope)
}
