package fabric_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

func TestFollow(t *testing.T) {
	n := startNetwork(t)
	g := startGateway(t, n, nil)
	for _, key := range []string{"a", "b", "c"} {
		_, err := g.Submit(t.Context(), key, add(key))
		require.NoError(t, err)
	}
	blocks := g.shown(t)
	at := func(i int) *ledger.Position { return &ledger.Position{Number: blocks[i].Number, Hash: blocks[i].Hash} }
	client := connect(t, n.config(t, openOutbox(t, filepath.Join(t.TempDir(), "o.db"))))

	t.Run("after a position", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var numbers []uint64
		err := client.Follow(ctx, at(1), func(_ context.Context, group ...ledger.Block) error {
			for _, block := range group {
				numbers = append(numbers, block.Number)
				if block.Number == blocks[len(blocks)-1].Number {
					cancel()
				}
			}
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, uint64(2), numbers[0])
		require.Len(t, numbers, len(blocks)-2)
	})
	t.Run("ErrForeignLedger/other position", func(t *testing.T) {
		position := at(1)
		position.Hash[0] ^= 1
		err := client.Follow(t.Context(), position, nil)
		require.ErrorIs(t, err, ledger.ErrForeignLedger)
	})
	t.Run("ErrForeignLedger/other genesis", func(t *testing.T) {
		config := n.config(t, openOutbox(t, filepath.Join(t.TempDir(), "o.db")))
		config.Trust.Genesis[0] ^= 1
		err := connect(t, config).Follow(t.Context(), nil, nil)
		require.ErrorIs(t, err, ledger.ErrForeignLedger)
	})
	t.Run("ErrUnsigned/orderers of another authority", func(t *testing.T) {
		other := startNetwork(t)
		config := n.config(t, openOutbox(t, filepath.Join(t.TempDir(), "o.db")))
		config.Trust.Orderers = other.trust.Orderers
		err := connect(t, config).Follow(t.Context(), nil, func(context.Context, ...ledger.Block) error { return nil })
		require.ErrorIs(t, err, ledger.ErrUnsigned)
	})
	t.Run("apply fails", func(t *testing.T) {
		err := client.Follow(t.Context(), nil, func(context.Context, ...ledger.Block) error { return errInjected })
		require.ErrorIs(t, err, errInjected)
	})
	t.Run("a position that no peer has reached", func(t *testing.T) {
		config := n.config(t, openOutbox(t, filepath.Join(t.TempDir(), "o.db")))
		config.Timeouts.Evaluate = 50 * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		err := connect(t, config).Follow(ctx, &ledger.Position{Number: 1000}, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded, "it waits for peers to catch up")
	})
}
