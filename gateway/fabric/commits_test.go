package fabric

import (
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
