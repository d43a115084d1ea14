package fabric

import (
	"context"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/stretchr/testify/require"
)

// told is a block as a peer tells it.
func told(number uint64, codes, commitHash string) *common.Block {
	metadata := make([][]byte, common.BlockMetadataIndex_COMMIT_HASH+1)
	metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = []byte(codes)
	metadata[common.BlockMetadataIndex_COMMIT_HASH] = []byte(commitHash)
	return &common.Block{Header: &common.BlockHeader{Number: number}, Metadata: &common.BlockMetadata{Metadata: metadata}}
}

func TestComparison(t *testing.T) {
	for name, test := range map[string]struct {
		theirs *common.Block
		agreed bool
		err    error
	}{
		"the same":          {told(7, "\x00\x0b", "h"), true, nil},
		"ErrAnotherCode":    {told(7, "\x00\x00", "h"), false, ErrPeersDisagree},
		"ErrAnotherHistory": {told(7, "\x00\x0b", "i"), false, ErrPeersDisagree},
		"before the start":  {told(3, "", ""), false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			seen := newComparison(7)
			require.NoError(t, seen.took(told(7, "\x00\x0b", "h")))
			agreed, err := seen.check(t.Context(), test.theirs)
			require.ErrorIs(t, err, test.err)
			require.Equal(t, test.agreed, agreed)
		})
	}
	t.Run("waits for the followed peer", func(t *testing.T) {
		seen := newComparison(0)
		done := make(chan error, 1)
		go func() {
			_, err := seen.check(t.Context(), told(1, "x", "h"))
			done <- err
		}()
		require.NoError(t, seen.took(told(0, "", "")))
		require.NoError(t, seen.took(told(1, "y", "h")))
		require.ErrorIs(t, <-done, ErrPeersDisagree)
	})
	t.Run("ErrNoWord", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := newComparison(0).check(ctx, told(0, "", ""))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("keeps no more than it needs", func(t *testing.T) {
		seen := newComparison(0)
		for number := range uint64(comparedBlocks + 5) {
			require.NoError(t, seen.took(told(number, "", "")))
		}
		require.Len(t, seen.outcomes, comparedBlocks)
		require.Equal(t, uint64(5), seen.start(0))
		require.Equal(t, uint64(9), seen.start(9))
	})
}
