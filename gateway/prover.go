package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/steelyard-ledger/steelyard/gateway/evidence"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/public"
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

// Steps implements api.Evidence.
func (p prover) Steps(ctx context.Context, steps []public.Transaction) ([]byte, error) {
	places := make([]evidence.Place, len(steps))
	for i, step := range steps {
		places[i] = evidence.Place{Block: step.Block, Index: step.Index}
	}
	carried, err := evidence.CollectSteps(ctx, p.trust, p.client, places)
	if err != nil {
		return nil, translate(err)
	}
	raw, err := json.Marshal(carried)
	if err != nil {
		return nil, fmt.Errorf("encode steps: %w", err)
	}
	return raw, nil
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
