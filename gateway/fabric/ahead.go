package fabric

import (
	"context"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"golang.org/x/sync/semaphore"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// A peer sends blocks of the past faster than a database takes them one by one.
// So blocks are read ahead while others are applied, and those that are there
// are applied together. A block that comes alone is applied at once.
const (
	groupBlocks = 64       // at most, applied together
	groupBytes  = 16 << 20 // of blocks as they were sent, roughly; as many again are read ahead
)

// arrival is a block that a peer sent, and what it says; or why nobody can tell.
type arrival struct {
	received *peer.BlockAndPrivateData
	block    ledger.Block
	size     int64 // bytes as it was sent, groupBytes if it is larger
	err      error
}

// readAhead parses the blocks of a stream until it ends, ctx ends or one cannot
// be parsed. Room is taken for each; whoever has applied it gives it back.
func readAhead(ctx context.Context, blocks <-chan *peer.BlockAndPrivateData, room *semaphore.Weighted) <-chan arrival {
	ahead := make(chan arrival, groupBlocks)
	go func() {
		defer close(ahead)
		for {
			var next arrival
			select {
			case received, ok := <-blocks:
				if !ok {
					return
				}
				next.received, next.size = received, int64(min(proto.Size(received), groupBytes))
			case <-ctx.Done():
				return
			}
			if room.Acquire(ctx, next.size) != nil {
				return // ctx has ended
			}
			next.block, next.err = ledger.Parse(next.received.GetBlock(), next.received.GetPrivateDataMap())
			select {
			case ahead <- next:
			case <-ctx.Done():
				return
			}
			if next.err != nil {
				return
			}
		}
	}()
	return ahead
}

// group waits for a block and returns it with those that are there behind it;
// none when nothing more comes.
func group(ahead <-chan arrival) (arrived []arrival, size int64) {
	next, ok := <-ahead
	for ok {
		arrived, size = append(arrived, next), size+next.size
		if len(arrived) == groupBlocks || size >= groupBytes {
			break
		}
		select {
		case next, ok = <-ahead:
		default:
			ok = false
		}
	}
	return arrived, size
}
