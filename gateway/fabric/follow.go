package fabric

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

var errClosing = errors.New("the gateway is closing")

// Stream says how following the ledger goes.
type Stream struct {
	Peer      string          // endpoint that the stream is from; empty while there is none
	Last      ledger.Position // last block applied
	Checks    ledger.Checks   // of that block
	AppliedAt time.Time       // zero before the first block of this run
	Agreed    uint64          // last block of which a peer of another organisation says the same
	AgreedBy  string          // MSP id of that peer; empty before there is one
	Blocks    uint64          // applied, in this run and before
	Newest    uint64          // blocks of the longest ledger that a peer told of
	Current   time.Time       // when no peer that answered had more than is applied; zero before that is known

	awaited uint64    // blocks to apply until the gateway has what peers had when they were asked; 0: none
	asked   time.Time // when that was
}

// Stream returns how following goes now.
func (c *Client) Stream() Stream {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.stream
}

// Apply takes verified blocks, each the one after the other. When it returns
// nil they must be on disk: those who wait for their transactions are woken
// then.
type Apply func(ctx context.Context, blocks ...ledger.Block) error

// Follow reads the ledger after from (nil: from block 0), with the private data
// that the reading identity's organisation may see, verifies every block and
// gives it to apply. It goes on at another peer when a stream breaks and
// returns only when ctx ends, when apply fails, when a block is not the next
// one of the pinned ledger (an error of package ledger), or when a peer of
// another organisation says otherwise of a block (ErrPeersDisagree). It must
// run for Submit to learn of commits.
func (c *Client) Follow(ctx context.Context, from *ledger.Position, apply Apply) error {
	follower := &follower{Client: c, apply: apply, verifier: ledger.NewVerifier(c.config.Trust)}
	if from != nil {
		follower.resume = from
		c.setStream(func(s *Stream) { s.has(from.Number + 1) })
	}
	for round := 0; ; round++ {
		peer := c.order(c.config.Peers[0].MSPID)[round%len(c.peers)]
		err := follower.read(ctx, peer)
		c.setStream(func(s *Stream) { s.Peer = "" })
		var broken *brokenStream
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case c.isClosed():
			return errClosing
		case !errors.As(err, &broken):
			return fmt.Errorf("follow ledger at %s: %w", peer.Endpoint, err)
		}
		c.config.Logger.WarnContext(ctx, "block stream broke", "peer", peer.Endpoint, "error", broken.cause)
		if broken.applied == 0 && !sleep(ctx, c.config.Timeouts.Stream) {
			return ctx.Err()
		}
	}
}

func (c *Client) setStream(change func(*Stream)) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	change(&c.stream)
}

// brokenStream is the end of a stream for no fault of the ledger.
type brokenStream struct {
	applied int // blocks taken from it
	cause   error
}

func (b *brokenStream) Error() string { return b.cause.Error() }

// follower is one Follow at work.
type follower struct {
	*Client
	apply    Apply
	verifier *ledger.Verifier
	resume   *ledger.Position // where to start, until the verifier knows
}

// read takes blocks from one peer until the stream ends.
func (f *follower) read(ctx context.Context, peer *endpoint) (err error) {
	ctx, stop := context.WithCancelCause(ctx)
	cancel := func() { stop(nil) }
	defer cancel()
	gateway, err := f.gateway(f.reader, peer)
	if err != nil {
		return err
	}
	network := gateway.GetNetwork(f.config.Channel)
	if err := f.start(ctx, network); err != nil {
		return err
	}
	next := uint64(0)
	if last := f.verifier.Last(); last != nil {
		next = last.Number + 1
	}
	blocks, err := network.BlockAndPrivateDataEvents(ctx, client.WithStartBlock(next))
	if err != nil {
		return &brokenStream{cause: err}
	}
	defer drain(cancel, blocks)
	f.setStream(func(s *Stream) { s.Peer = peer.Endpoint })
	seen := newComparison(next)
	var comparing sync.WaitGroup
	comparing.Go(func() {
		if err := f.compare(ctx, peer, seen, next); err != nil {
			stop(err)
		}
	})
	defer func() {
		if cause := context.Cause(ctx); errors.Is(cause, ErrPeersDisagree) {
			err = cause
		}
		cancel()
		comparing.Wait()
	}()
	room := semaphore.NewWeighted(2 * groupBytes)
	ahead := readAhead(ctx, blocks, room)
	for applied := 0; ; {
		arrived, size := group(ahead)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case len(arrived) == 0:
			return &brokenStream{applied, errors.New("the peer ended the stream")}
		}
		if err := f.take(ctx, peer, arrived, seen); err != nil {
			return err
		}
		room.Release(size)
		applied += len(arrived)
	}
}

// drain lets the client library's goroutine end, which otherwise blocks on a
// block that nobody takes.
func drain[T any](cancel context.CancelFunc, blocks <-chan T) {
	cancel()
	go func() {
		for range blocks {
		}
	}()
}

// take verifies, applies and announces blocks. One that does not pass holds up
// none of those before it.
func (f *follower) take(ctx context.Context, from *endpoint, arrived []arrival, seen *comparison) error {
	var blocks []ledger.Block
	var checks ledger.Checks
	var fault error
	for _, a := range arrived {
		from.saw(a.received.GetBlock().GetHeader().GetNumber())
		passed, err := ledger.Checks{}, a.err
		if err == nil {
			passed, err = f.verifier.Verify(a.block)
		}
		if fault = err; fault != nil {
			break
		}
		blocks, checks = append(blocks, a.block), passed
	}
	if len(blocks) == 0 {
		return fault
	}
	if err := f.apply(ctx, blocks...); err != nil {
		return fmt.Errorf("apply blocks %d to %d: %w", blocks[0].Number, blocks[len(blocks)-1].Number, err)
	}
	f.setStream(func(s *Stream) {
		s.Last, s.Checks, s.AppliedAt = *f.verifier.Last(), checks, time.Now()
		s.has(s.Last.Number + 1)
	})
	for i, block := range blocks {
		f.commits.announce(block)
		if err := seen.took(arrived[i].received.GetBlock()); err != nil {
			return err
		}
	}
	return fault
}

// start makes sure, before any block is taken from a peer, that it serves the
// pinned ledger: a stream from the height of another, shorter ledger would
// never say anything. On the first peer of a resumed run it also finds out who
// may sign blocks.
func (f *follower) start(ctx context.Context, network *client.Network) error {
	genesis, err := f.block(ctx, network, 0)
	if err != nil {
		return err
	}
	if genesis.Hash != f.config.Trust.Genesis {
		return fmt.Errorf("check block 0: %w: its hash is %s, pinned is %s", ledger.ErrForeignLedger, genesis.Hash, f.config.Trust.Genesis)
	}
	if f.resume == nil {
		return nil
	}
	ordering, err := f.orderingAt(ctx, network, genesis, f.resume)
	if err != nil {
		return err
	}
	f.verifier.Resume(*f.resume, ordering)
	f.resume = nil
	return nil
}

// orderingAt returns the orderers in force after a block taken earlier. From
// that block it goes back from one configuration block to the one before, to
// block 0, which is pinned, and then verifies the way forward: each block by
// the orderers in force before it. Which configuration is in force at a block
// stands beside its header, not in it, so only the signatures vouch for that.
func (f *follower) orderingAt(ctx context.Context, network *client.Network, genesis ledger.Block, at *ledger.Position) (*ledger.Ordering, error) {
	block, err := f.block(ctx, network, at.Number)
	if err != nil {
		return nil, err
	}
	if block.Hash != at.Hash {
		return nil, fmt.Errorf("resume after block %d: %w: its hash is %s, the last block taken had %s", at.Number, ledger.ErrForeignLedger, block.Hash, at.Hash)
	}
	way := []ledger.Block{block} // newest first
	for {
		last, err := block.LastConfig()
		switch {
		case err != nil:
			return nil, err
		case last > block.Number:
			return nil, fmt.Errorf("block %d names block %d as its last configuration", block.Number, last)
		case last == 0:
			return f.forward(way, genesis)
		}
		for _, number := range []uint64{last, last - 1} {
			if block, err = f.block(ctx, network, number); err != nil {
				return nil, err
			}
			way = append(way, block)
		}
	}
}

// forward verifies the blocks of a way, which stand newest first.
func (f *follower) forward(way []ledger.Block, genesis ledger.Block) (*ledger.Ordering, error) {
	ordering, err := ledger.ParseOrdering(genesis)
	if err != nil {
		return nil, err
	}
	for _, block := range slices.Backward(way) {
		if block.Number == ordering.Config {
			continue // taken already
		}
		if _, err := f.verifier.VerifyAlone(block, ordering); err != nil {
			return nil, err
		}
		if block.Configuration() {
			if ordering, err = ledger.ParseOrdering(block); err != nil {
				return nil, err
			}
		}
	}
	return ordering, nil
}

// Block reads one block of the ledger from a peer again, with the private data
// that the peer has now: values that were Missing when the block was followed
// may have arrived since, and others have been purged. It is checked against
// the pinned channel and its own hashes only; whoever followed the ledger
// compares its Hash.
func (c *Client) Block(ctx context.Context, number uint64) (block ledger.Block, err error) {
	verifier := ledger.NewVerifier(c.config.Trust)
	err = c.try(ctx, c.reader, func(gateway *client.Gateway) error {
		received, err := c.readBlock(ctx, gateway.GetNetwork(c.config.Channel), number)
		if err != nil {
			return status.Error(codes.Unavailable, err.Error()) // another peer may have it
		}
		block, err = ledger.Parse(received.GetBlock(), received.GetPrivateDataMap())
		return err
	})
	if err != nil {
		return ledger.Block{}, Decode(err)
	}
	return block, verifier.VerifyContent(block)
}

func (c *Client) readBlock(ctx context.Context, network *client.Network, number uint64) (*peer.BlockAndPrivateData, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeouts.Evaluate)
	defer cancel()
	blocks, err := network.BlockAndPrivateDataEvents(ctx, client.WithStartBlock(number))
	if err != nil {
		return nil, fmt.Errorf("ask for block %d: %w", number, err)
	}
	defer drain(cancel, blocks)
	select {
	case received := <-blocks:
		if received != nil {
			return received, nil
		}
	case <-ctx.Done():
	}
	return nil, fmt.Errorf("the peer did not give block %d", number)
}

// block reads one block of the followed peer's ledger, without what is not on
// the chain. A peer that is behind breaks the stream, and another one is tried.
func (f *follower) block(ctx context.Context, network *client.Network, number uint64) (ledger.Block, error) {
	received, err := f.readBlock(ctx, network, number)
	if err != nil {
		return ledger.Block{}, &brokenStream{cause: err}
	}
	return ledger.Parse(received.GetBlock(), nil)
}
