package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

// Pauses between two rounds of asking for private values that did not come
// with their blocks. While nothing comes, they grow.
const (
	fillPause    = 2 * time.Second
	maxFillPause = 30 * time.Second
)

// fill asks again for missing private values until ctx ends. Peers give them
// to each other after a block, so a block can be here before its values are at
// the peer that is followed.
func (g *gateway) fill(ctx context.Context) error {
	pause := fillPause
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		missing, filled, err := g.fillOnce(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			g.log.WarnContext(ctx, "private values are missing", "error", err)
			pause = min(2*pause, maxFillPause)
		case missing == 0 || filled > 0:
			pause = fillPause
		default:
			pause = min(2*pause, maxFillPause)
		}
	}
}

// fillOnce reads each block with missing values once more.
func (g *gateway) fillOnce(ctx context.Context) (missing, filled int, err error) {
	numbers, err := g.store.Missing(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, number := range numbers {
		block, err := g.client.Block(ctx, number)
		if err != nil {
			return len(numbers), filled, err
		}
		if err := g.disclosed(ctx, block); err != nil {
			return len(numbers), filled, err
		}
		taken, err := g.store.Fill(ctx, block)
		if errors.Is(err, readmodel.ErrNotProjecting) {
			return len(numbers), filled, nil // the gateway that projects fills too
		}
		if err != nil {
			return len(numbers), filled, err
		}
		filled += taken
	}
	return len(numbers), filled, nil
}

// disclosed completes a block with the private values that the peer holds and
// does not give with it: Fabric gives them to those only who were members of the
// collection at that block, not to an organisation that joined later. What
// counts is that the value has the hash on the ledger.
func (g *gateway) disclosed(ctx context.Context, block ledger.Block) error {
	for _, t := range block.Transactions {
		keys := map[string]string{} // by hash
		for i := range t.Private {
			w := &t.Private[i]
			if !w.Missing || w.Namespace != g.link.chaincode || w.Collection != metrology.CollectionDisclosed {
				continue
			}
			if len(keys) == 0 {
				for _, key := range readmodel.PrivateKeys(t) {
					hash := sha256.Sum256([]byte(key))
					keys[string(hash[:])] = key
				}
			}
			key, known := keys[string(w.KeyHash)]
			if !known {
				continue
			}
			value, err := g.readDisclosed(ctx, key)
			if err != nil {
				return err
			}
			if hash := sha256.Sum256(value); bytes.Equal(hash[:], w.ValueHash) {
				w.Key, w.Value, w.Missing = key, value, false
			}
		}
	}
	return nil
}

// readDisclosed reads a private value; nil if the peer has none.
func (g *gateway) readDisclosed(ctx context.Context, key string) ([]byte, error) {
	request, err := json.Marshal(metrology.ReadDisclosed{Key: key})
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	answer, err := g.client.Read(ctx, "operation:Disclosed", request)
	if metrology.ErrorCode(err) == metrology.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a private value: %w", err)
	}
	var found metrology.Disclosed
	if err := json.Unmarshal(answer, &found); err != nil {
		return nil, fmt.Errorf("decode a private value: %w", err)
	}
	return found.Value, nil
}
