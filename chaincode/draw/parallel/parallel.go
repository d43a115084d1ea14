// Package parallel spreads the two walks of a draw over several processors.
// It is for the command line and the gateway; a contract computes serially.
// Its results are those of package draw, whatever the number of shards.
package parallel

import (
	"golang.org/x/sync/errgroup"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// Passes walk a directory in memory with several shards at once; it satisfies
// draw.Passes.
type Passes struct {
	objects draw.Objects
	shards  int
}

// New returns the passes over objects, which must be in id order.
func New(objects draw.Objects, shards int) Passes {
	return Passes{objects: objects, shards: max(shards, 1)}
}

// tile is what package draw hashes at once; shards begin at multiples of it
// for speed alone.
const tile = 256

// bounds is where shard i begins; shard i+1 begins where it ends.
func (p Passes) bounds(i int) int {
	if i == p.shards {
		return len(p.objects)
	}
	return int(int64(len(p.objects))*int64(i)/int64(p.shards)) / tile * tile
}

// Survey reads all objects.
func (p Passes) Survey() (*draw.Survey, error) {
	whole := draw.NewSurvey()
	parts := make([]*draw.Survey, p.shards)
	var group errgroup.Group
	for i := range parts {
		from, to := p.bounds(i), p.bounds(i+1)
		parts[i] = whole.Shard(uint64(from))
		group.Go(func() error { return parts[i].AddAll(p.objects[from:to]) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, part := range parts {
		if err := whole.Merge(part); err != nil {
			return nil, err
		}
	}
	return whole, nil
}

// Select reads them again into the selector.
func (p Passes) Select(whole *draw.Selector) error {
	parts := make([]*draw.Selector, p.shards)
	parts[0] = whole
	for i := 1; i < p.shards; i++ {
		parts[i] = whole.Shard()
	}
	var group errgroup.Group
	for i := range parts {
		from, to := p.bounds(i), p.bounds(i+1)
		group.Go(func() error { return parts[i].AddAll(p.objects[from:to]) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, part := range parts[1:] {
		whole.Merge(part)
	}
	return nil
}
