package fabric_test

import (
	"context"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/ledger/ledgertest"
)

// longChain is a ledger that was there before anybody followed it.
func longChain(t *testing.T, length int) (*ledgertest.Chain, []*common.Block) {
	chain := ledgertest.New(t, "BFT", 4)
	blocks := []*common.Block{chain.ConfigBlock()}
	for len(blocks) < length {
		blocks = append(blocks, chain.Block(chain.Transaction("tx")))
	}
	return chain, blocks
}

// TestFollowInGroups: blocks that came while others were applied are applied
// together, in order and each once, and no group is without bounds.
func TestFollowInGroups(t *testing.T) {
	chain, blocks := longChain(t, 150)
	client := serveChain(t, chain, blocks)
	ctx, cancel := context.WithCancel(t.Context())
	var next uint64
	most := 0
	err := client.Follow(ctx, nil, func(_ context.Context, group ...ledger.Block) error {
		most = max(most, len(group))
		for _, block := range group {
			require.Equal(t, next, block.Number)
			next++
		}
		if int(next) == len(blocks) {
			cancel()
		} else {
			require.Less(t, client.Stream().Last.Number, next)
			time.Sleep(200 * time.Millisecond) // a slow database
		}
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.EqualValues(t, len(blocks), next)
	require.Greater(t, most, 1)
	require.LessOrEqual(t, most, 64)
}

// TestFollowTakesWhatStandsBeforeAFault: a block that is not of the ledger ends
// it, and none before it is lost, wherever in a group it stands.
func TestFollowTakesWhatStandsBeforeAFault(t *testing.T) {
	chain, blocks := longChain(t, 40)
	for name, spoil := range map[string]func(*common.Block){
		"forged":     func(block *common.Block) { block.Data.Data[0] = append(block.Data.Data[0], 0) },
		"unreadable": func(block *common.Block) { block.Metadata = nil },
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := cloneBlocks(blocks)
			spoil(spoilt[30])
			taken := 0
			err := serveChain(t, chain, spoilt).Follow(t.Context(), nil, func(_ context.Context, group ...ledger.Block) error {
				taken += len(group)
				time.Sleep(50 * time.Millisecond)
				return nil
			})
			require.Error(t, err)
			require.NotErrorIs(t, err, context.Canceled)
			require.Equal(t, 30, taken)
		})
	}
}

func cloneBlocks(blocks []*common.Block) []*common.Block {
	clones := make([]*common.Block, len(blocks))
	for i, block := range blocks {
		clones[i] = proto.CloneOf(block)
	}
	return clones
}
