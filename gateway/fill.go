package main

import (
	"context"
	"errors"
	"time"

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
