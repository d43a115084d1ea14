package evidence

import (
	"context"
	"fmt"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// kept blocks by number.
type blockList map[uint64]ledger.Block

func (l blockList) Block(_ context.Context, number uint64) (ledger.Block, error) {
	block, found := l[number]
	if !found {
		return block, fmt.Errorf("no block %d", number)
	}
	return block, nil
}

func TestCollect(t *testing.T) {
	c := newConsortium(t, "BFT")
	blocks := blockList{0: parse(t, c.genesis)}
	add := func(block *common.Block) uint64 {
		blocks[block.Header.Number] = parse(t, block)
		return block.Header.Number
	}
	rubbish := c.envelope(common.HeaderType_MESSAGE, []byte("rubbish"))
	add(c.block(rubbish))
	// As Fabric does, the second configuration block names itself, and the
	// third follows it at once.
	c.config = 2
	second := c.configBlock()
	add(second)
	c.config = 3
	add(c.configBlock())
	add(c.block(rubbish))
	a := c.anchoring(leaf(1), leaf(2))
	number := add(c.block(rubbish, c.transaction(a.call)))
	id := blocks[number].Transactions[1].ID

	from, err := Collect(t.Context(), blocks, number, id)
	require.NoError(t, err)
	require.Equal(t, 1, from.Transaction)
	var numbers []uint64
	for _, configuration := range from.Configurations {
		numbers = append(numbers, configuration.Number)
	}
	require.Equal(t, []uint64{0, 2, 3}, numbers)
	from.IssuerKey = a.spki
	bundle, err := Build(c.trust(), from, "JL2026-0002")
	require.NoError(t, err)
	require.Len(t, bundle.Configurations, 3)

	t.Run("a transaction that is not there", func(t *testing.T) {
		_, err := Collect(t.Context(), blocks, number, "00")
		require.ErrorContains(t, err, "no valid transaction")
	})
	t.Run("a block that is not there", func(t *testing.T) {
		_, err := Collect(t.Context(), blocks, 99, id)
		require.ErrorContains(t, err, "no block 99")
		delete(blocks, 2)
		_, err = Collect(t.Context(), blocks, number, id)
		require.ErrorContains(t, err, "no block 2")
	})
}
