package fabric

import (
	"context"
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-gateway/pkg/client"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Peers commit a block one after the other. What one peer has shown, and this
// gateway has told its callers, another one may not know yet: its answers are
// then of the past, such as "not registered" about what was acknowledged a
// moment ago. So a refusal, or a reading, counts only from a peer that has the
// last block shown before the call began.

// known is the number of the last block shown; 0 before the first.
func (c *Client) known() uint64 { return c.Stream().Last.Number }

// saw records that the peer has committed a block.
func (e *endpoint) saw(number uint64) {
	for {
		seen := e.seen.Load()
		if number <= seen || e.seen.CompareAndSwap(seen, number) {
			return
		}
	}
}

// catchUp waits until a peer has the block. waited is false if it was known to
// have it already. A peer that does not get it in time is as good as none.
func (c *Client) catchUp(ctx context.Context, label string, peer *endpoint, number uint64) (waited bool, err error) {
	if peer.seen.Load() >= number {
		return false, nil
	}
	gateway, err := c.gateway(label, peer)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeouts.Evaluate)
	defer cancel()
	blocks, err := gateway.GetNetwork(c.config.Channel).FilteredBlockEvents(ctx, client.WithStartBlock(number))
	if err != nil {
		return false, err
	}
	defer drain(cancel, blocks)
	select {
	case block := <-blocks:
		if block != nil {
			peer.saw(number)
			return true, nil
		}
	case <-ctx.Done():
	}
	return false, &Fault{Kind: Unavailable, Err: fmt.Errorf("peer %s has no block %d yet", peer.Endpoint, number)}
}

// outdated reports whether err is a refusal by a peer that was behind and no
// longer is, so that asking again can help.
func (c *Client) outdated(ctx context.Context, label string, peer *endpoint, number uint64, err error) (bool, error) {
	var rule *metrology.Error
	if peer == nil || !errors.As(Decode(err), &rule) {
		return false, nil
	}
	return c.catchUp(ctx, label, peer, number)
}
