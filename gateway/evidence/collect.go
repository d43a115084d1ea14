package evidence

import (
	"context"
	"fmt"
	"slices"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// Blocks gives blocks by their number, with the validation codes of the peer
// they come from. Nothing else of them is trusted: Build verifies.
type Blocks interface {
	Block(ctx context.Context, number uint64) (ledger.Block, error)
}

// Collect gathers what a bundle is made of from a ledger: the block of a
// transaction and the configuration blocks it rests on. The caller adds the
// issuer's key and, if it can get one, a reading.
func Collect(ctx context.Context, blocks Blocks, number uint64, transactionID string) (Anchoring, error) {
	block, err := blocks.Block(ctx, number)
	if err != nil {
		return Anchoring{}, fmt.Errorf("collect evidence: %w", err)
	}
	index := slices.IndexFunc(block.Transactions, func(t ledger.Transaction) bool { return t.ID == transactionID && t.Valid() })
	if index < 0 {
		return Anchoring{}, fmt.Errorf("collect evidence: block %d has no valid transaction %s", number, transactionID)
	}
	configurations, err := configurations(ctx, blocks, block)
	if err != nil {
		return Anchoring{}, fmt.Errorf("collect evidence: %w", err)
	}
	return Anchoring{Block: block, Transaction: index, Configurations: configurations}, nil
}

// configurations walks back from a block to block 0 along the configurations in
// force and returns them in rising order.
func configurations(ctx context.Context, blocks Blocks, block ledger.Block) ([]ledger.Block, error) {
	var list []ledger.Block
	for block.Number > 0 {
		if len(list) == maxConfigurations {
			return nil, fmt.Errorf("more than %d configuration blocks", maxConfigurations)
		}
		number, err := inForce(ctx, blocks, block)
		if err != nil {
			return nil, err
		}
		if block, err = blocks.Block(ctx, number); err != nil {
			return nil, err
		}
		list = append(list, block)
	}
	slices.Reverse(list)
	return list, nil
}

// inForce is the number of the configuration block under which a block was
// cut. A configuration block names itself, so the block before it is asked.
func inForce(ctx context.Context, blocks Blocks, block ledger.Block) (uint64, error) {
	number, err := block.LastConfig()
	if err != nil || number < block.Number {
		return number, err
	}
	before, err := blocks.Block(ctx, block.Number-1)
	if err != nil {
		return 0, err
	}
	if before.Configuration() {
		return before.Number, nil
	}
	number, err = before.LastConfig()
	if err == nil && number >= block.Number {
		return 0, fmt.Errorf("block %d names block %d for its configuration", before.Number, number)
	}
	return number, err
}
