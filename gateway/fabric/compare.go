package fabric

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// ErrPeersDisagree says that peers of two organisations have one block with
// different outcomes. Orderers sign what is in a block; which of it is valid,
// each peer says for itself, so one that lies is found out only by another.
var ErrPeersDisagree = errors.New("peers of two organisations disagree on what a block did")

// comparedBlocks bounds how many blocks wait to be compared. Commit hashes are
// chained: one that agrees vouches for all blocks before it, so a peer that is
// further behind misses nothing.
const comparedBlocks = 512

// outcomeDigest is a digest of what a peer says a block did: validation codes and the
// commit hash, which runs over codes and written values of all blocks so far.
func outcomeDigest(block *common.Block) ([32]byte, error) {
	hash, err := ledger.HeaderHash(block.GetHeader())
	if err != nil {
		return [32]byte{}, err
	}
	digest := sha256.New()
	digest.Write(hash[:])
	for _, index := range []common.BlockMetadataIndex{common.BlockMetadataIndex_TRANSACTIONS_FILTER, common.BlockMetadataIndex_COMMIT_HASH} {
		var part []byte
		if metadata := block.GetMetadata().GetMetadata(); int(index) < len(metadata) {
			part = metadata[index]
		}
		fmt.Fprintf(digest, "%d:%s", len(part), part)
	}
	return [32]byte(digest.Sum(nil)), nil
}

// comparison holds the followed peer's word on its latest blocks against
// another peer's.
type comparison struct {
	mutex    sync.Mutex
	outcomes map[uint64][32]byte // of the followed peer, by block number
	next     uint64              // block that the followed peer gives next
	more     chan struct{}       // closed when next rises
}

func newComparison(next uint64) *comparison {
	return &comparison{outcomes: map[uint64][32]byte{}, next: next, more: make(chan struct{})}
}

// took records a block that the followed peer gave.
func (c *comparison) took(block *common.Block) error {
	outcome, err := outcomeDigest(block)
	if err != nil {
		return err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	number := block.GetHeader().GetNumber()
	c.outcomes[number] = outcome
	if number >= comparedBlocks {
		delete(c.outcomes, number-comparedBlocks)
	}
	c.next = number + 1
	close(c.more)
	c.more = make(chan struct{})
	return nil
}

// start is the first block from the given one on that is still worth asking
// another peer for.
func (c *comparison) start(from uint64) uint64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.next > from+comparedBlocks {
		return c.next - comparedBlocks
	}
	return from
}

// check compares another peer's block, once the followed peer has given its
// own. agreed is false for a block too old to be compared.
func (c *comparison) check(ctx context.Context, block *common.Block) (agreed bool, err error) {
	theirs, err := outcomeDigest(block)
	if err != nil {
		return false, err
	}
	number := block.GetHeader().GetNumber()
	for {
		c.mutex.Lock()
		ours, kept := c.outcomes[number]
		behind, more := number >= c.next, c.more
		c.mutex.Unlock()
		switch {
		case kept && ours != theirs:
			return false, fmt.Errorf("compare block %d: %w", number, ErrPeersDisagree)
		case !behind:
			return kept, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// compare reads the ledger from peers of organisations other than the followed
// peer's and checks that they saw the same. A peer that cannot be asked holds
// nothing up. It returns when ctx ends, or ErrPeersDisagree.
func (f *follower) compare(ctx context.Context, followed *endpoint, seen *comparison, from uint64) error {
	var others []*endpoint
	for _, peer := range f.peers {
		if peer.MSPID != followed.MSPID {
			others = append(others, peer)
		}
	}
	for round := 0; len(others) > 0 && ctx.Err() == nil; round++ {
		peer := others[round%len(others)]
		err := f.compareWith(ctx, peer, seen, &from)
		if errors.Is(err, ErrPeersDisagree) {
			return fmt.Errorf("%s and %s: %w", followed.Endpoint, peer.Endpoint, err)
		}
		if ctx.Err() == nil {
			f.config.Logger.WarnContext(ctx, "blocks are not compared", "peer", peer.Endpoint, "organization", peer.MSPID, "error", err)
		}
		sleep(ctx, f.config.Timeouts.Stream)
	}
	return nil
}

// compareWith compares with one peer until its stream ends, and moves from on.
func (f *follower) compareWith(ctx context.Context, peer *endpoint, seen *comparison, from *uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	gateway, err := f.gateway(f.reader, peer)
	if err != nil {
		return err
	}
	*from = seen.start(*from)
	blocks, err := gateway.GetNetwork(f.config.Channel).BlockEvents(ctx, client.WithStartBlock(*from))
	if err != nil {
		return fmt.Errorf("ask for blocks: %w", err)
	}
	defer drain(cancel, blocks)
	for {
		select {
		case block, ok := <-blocks:
			if !ok {
				return errors.New("the peer ended the stream")
			}
			agreed, err := seen.check(ctx, block)
			if err != nil {
				return err
			}
			number := block.GetHeader().GetNumber()
			if agreed {
				f.setStream(func(s *Stream) { s.Agreed, s.AgreedBy = number, peer.MSPID })
			}
			*from = number + 1
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
