package fabric

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"
)

// A stream that brings no block says nothing: there may be none, the peer may
// be cut off from the others, or this gateway may be far behind. So the peers
// are asked for their heights. What one of them has and is not applied yet is
// what the gateway is behind by; the moment at which it was last known to miss
// nothing is how old its data is.

// AskHeights asks the peers for their heights until ctx ends, again and again
// after Timeouts.Height. Stream tells what came of it.
func (c *Client) AskHeights(ctx context.Context) {
	for silent := false; ; {
		err := c.askHeights(ctx)
		if err != nil && !silent && ctx.Err() == nil {
			c.config.Logger.WarnContext(ctx, "no peer tells its height", "error", err)
		}
		silent = err != nil
		if !sleep(ctx, c.config.Timeouts.Height) {
			return
		}
	}
}

// askHeights asks every peer at once. An error means that none answered.
func (c *Client) askHeights(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeouts.Height)
	defer cancel()
	asked := time.Now()
	failed := make([]error, len(c.peers))
	var all sync.WaitGroup
	for i, peer := range c.peers {
		all.Go(func() {
			blocks, err := c.heightOf(ctx, peer)
			if failed[i] = err; err == nil {
				c.setStream(func(s *Stream) { s.told(blocks, asked) })
			}
		})
	}
	all.Wait()
	for _, err := range failed {
		if err == nil {
			return nil
		}
	}
	return errors.Join(failed...)
}

// heightOf is the number of blocks that a peer, or one that it knows, has.
func (c *Client) heightOf(ctx context.Context, peer *endpoint) (uint64, error) {
	gateway, err := c.gateway(c.reader, peer)
	if err != nil {
		return 0, err
	}
	contract := gateway.GetNetwork(c.config.Channel).GetContract(qscc)
	data, err := contract.EvaluateWithContext(ctx, "GetChainInfo", client.WithArguments(c.config.Channel))
	if err != nil {
		return 0, fmt.Errorf("ask %s for its height: %w", peer.Endpoint, err)
	}
	var info common.BlockchainInfo
	if err := proto.Unmarshal(data, &info); err != nil {
		return 0, fmt.Errorf("decode height of %s: %w", peer.Endpoint, err)
	}
	return info.GetHeight(), nil
}

// told records that a peer, asked at that moment, had so many blocks.
func (s *Stream) told(blocks uint64, asked time.Time) {
	s.Newest = max(s.Newest, blocks)
	switch {
	case s.Blocks >= s.Newest:
		s.Current = asked
	case s.awaited == 0:
		s.awaited, s.asked = s.Newest, asked
	}
}

// has records that so many blocks are applied.
func (s *Stream) has(blocks uint64) {
	s.Blocks = blocks
	if s.awaited > 0 && blocks >= s.awaited {
		s.Current, s.awaited = s.asked, 0
	}
}

// Behind is how many blocks a peer has that are not applied.
func (s Stream) Behind() uint64 {
	if s.Newest <= s.Blocks {
		return 0
	}
	return s.Newest - s.Blocks
}
