package fabric

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
)

func TestAnnounce(t *testing.T) {
	waiting := newCommits()
	one, forgetOne := waiting.expect("tx1")
	again, forgetAgain := waiting.expect("tx1")
	other, forgetOther := waiting.expect("tx2")

	waiting.announce(ledger.Block{Number: 3, Transactions: []ledger.Transaction{
		{ID: "tx1", Code: peer.TxValidationCode_DUPLICATE_TXID},
	}})
	require.Empty(t, one, "a second copy says nothing about the first")

	waiting.announce(ledger.Block{Number: 4, Transactions: []ledger.Transaction{
		{ID: "tx1", Result: []byte("r")},
		{ID: "tx2", Code: peer.TxValidationCode_MVCC_READ_CONFLICT, Result: []byte("of a transaction without effect")},
		{ID: "nobody waits"},
	}})
	want := outbox.Outcome{BlockNumber: 4, Result: []byte("r")}
	require.Equal(t, want, <-one)
	require.Equal(t, want, <-again)
	require.Equal(t, outbox.Outcome{BlockNumber: 4, Code: peer.TxValidationCode_MVCC_READ_CONFLICT}, <-other)

	waiting.announce(ledger.Block{Transactions: []ledger.Transaction{{ID: "tx1"}, {ID: "tx1"}}}) // must not block
	forgetOne()
	forgetAgain()
	forgetOther()
	require.Empty(t, waiting.waiting)
}

func TestKeysAreHeldByOne(t *testing.T) {
	held := newKeys()
	var inside, most atomic.Int32
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			release, err := held.acquire(t.Context(), "caller", "key")
			if err != nil {
				return
			}
			most.Store(max(most.Load(), inside.Add(1)))
			inside.Add(-1)
			release()
		})
	}
	group.Wait()
	require.Equal(t, int32(1), most.Load())
	require.Empty(t, held.held)

	release, err := held.acquire(t.Context(), "caller", "key")
	require.NoError(t, err)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = held.acquire(ctx, "caller", "key")
	require.ErrorIs(t, err, context.Canceled)
	free, err := held.acquire(ctx, "other", "key")
	require.NoError(t, err)
	free()
}
