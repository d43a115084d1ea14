package ledger_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/ledger/ledgertest"
)

func TestParse(t *testing.T) {
	chain := ledgertest.New(t, "BFT", 4)
	genesis := parsed(t, chain.ConfigBlock())
	require.True(t, genesis.Configuration())
	require.True(t, genesis.PreviousHash.Zero())

	block := parsed(t, chain.Block(chain.Transaction("tx1", ledgertest.PublicWrite(t, "pledge/p1", "v"))))
	require.False(t, block.Configuration())
	require.Equal(t, uint64(1), block.Number)
	require.Equal(t, genesis.Hash, block.PreviousHash)
	require.Equal(t, ledger.DataHash(block.Raw.Data), block.DataHash)

	got := block.Transactions[0]
	require.NotEmpty(t, got.Creator.Certificate)
	got.Creator.Certificate = nil
	require.Equal(t, ledger.Transaction{
		ID: "tx1", Code: peer.TxValidationCode_VALID, Type: common.HeaderType_ENDORSER_TRANSACTION,
		Channel: ledgertest.Channel, Chaincode: "metrology", Function: "pledge:Sign", Args: [][]byte{[]byte(`{}`), []byte("op-1")},
		Creator:   ledger.Creator{MSPID: "RegulatorMSP", Role: "inspector", Subject: "post-7"},
		Timestamp: time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC),
		Event:     &ledger.Event{Name: "pledge.signed", Payload: []byte(`{"id":"p1"}`)},
		Writes:    []ledger.Write{{Namespace: "metrology", Key: "pledge/p1", Value: []byte("v")}},
		Result:    []byte(`{"ok":true}`), Endorsers: []string{"RegulatorMSP"},
	}, got)
}

func TestParseKeepsUnreadableInvalid(t *testing.T) {
	chain := ledgertest.New(t, "BFT", 4)
	chain.ConfigBlock()
	raw := chain.Block([]byte("\xff no protobuf"), chain.Transaction("tx1"))
	_, err := ledger.Parse(raw, nil)
	require.ErrorContains(t, err, "transaction 0", "VALID and unreadable")

	raw.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER][0] = byte(peer.TxValidationCode_BAD_PAYLOAD)
	block := parsed(t, raw)
	require.Equal(t, ledger.Transaction{Code: peer.TxValidationCode_BAD_PAYLOAD}, block.Transactions[0])
	require.Equal(t, "tx1", block.Transactions[1].ID)
}

func TestParseRefuses(t *testing.T) {
	chain := ledgertest.New(t, "BFT", 4)
	chain.ConfigBlock()
	raw := chain.Block(chain.Transaction("tx1"))

	_, err := ledger.Parse(&common.Block{}, nil)
	require.ErrorContains(t, err, "no header")

	_, err = ledger.Parse(raw, map[uint64]*rwset.TxPvtReadWriteSet{1: {}})
	require.ErrorContains(t, err, "private data for transaction 1 of 1")

	raw.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = []byte{0, 0}
	_, err = ledger.Parse(raw, nil)
	require.ErrorContains(t, err, "2 codes for 1 transactions")

	raw.Header.PreviousHash = []byte("short")
	_, err = ledger.Parse(raw, nil)
	require.ErrorContains(t, err, "previous hash: 5 bytes")
}

// hashed is a write set of collection "disclosed" as it stands on chain.
func hashed(t testing.TB, writes ...*kvrwset.KVWriteHash) *rwset.NsReadWriteSet {
	return &rwset.NsReadWriteSet{Namespace: "metrology", CollectionHashedRwset: []*rwset.CollectionHashedReadWriteSet{{
		CollectionName: "disclosed", HashedRwset: ledgertest.Marshal(t, &kvrwset.HashedRWSet{HashedWrites: writes}),
	}}}
}

// delivered is the same collection as a peer delivers it beside transaction 0.
func delivered(t testing.TB, writes ...*kvrwset.KVWrite) map[uint64]*rwset.TxPvtReadWriteSet {
	return map[uint64]*rwset.TxPvtReadWriteSet{0: {NsPvtRwset: []*rwset.NsPvtReadWriteSet{{
		Namespace: "metrology", CollectionPvtRwset: []*rwset.CollectionPvtReadWriteSet{{
			CollectionName: "disclosed", Rwset: ledgertest.Marshal(t, &kvrwset.KVRWSet{Writes: writes}),
		}},
	}}}}
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func TestParsePrivate(t *testing.T) {
	set := &kvrwset.KVWriteHash{KeyHash: digest("profile"), ValueHash: digest("salted")}
	deletion := &kvrwset.KVWriteHash{KeyHash: digest("old"), IsDelete: true}
	purge := &kvrwset.KVWriteHash{KeyHash: digest("wrong"), IsDelete: true, IsPurge: true}
	written := ledger.PrivateWrite{Namespace: "metrology", Collection: "disclosed", KeyHash: digest("profile"), ValueHash: digest("salted")}
	for _, c := range []struct {
		name      string
		onChain   []*kvrwset.KVWriteHash
		delivered []*kvrwset.KVWrite
		want      func() []ledger.PrivateWrite
		err       string
	}{
		{name: "delivered", onChain: []*kvrwset.KVWriteHash{set, deletion},
			delivered: []*kvrwset.KVWrite{{Key: "profile", Value: []byte("salted")}, {Key: "old", IsDelete: true}},
			want: func() []ledger.PrivateWrite {
				w := written
				w.Key, w.Value = "profile", []byte("salted")
				return []ledger.PrivateWrite{w, {Namespace: "metrology", Collection: "disclosed", KeyHash: digest("old"), Key: "old", Delete: true}}
			}},
		{name: "missing", onChain: []*kvrwset.KVWriteHash{set, purge}, want: func() []ledger.PrivateWrite {
			w := written
			w.Missing = true
			return []ledger.PrivateWrite{w, {Namespace: "metrology", Collection: "disclosed", KeyHash: digest("wrong"), Delete: true, Purge: true, Missing: true}}
		}},
		{name: "other value", onChain: []*kvrwset.KVWriteHash{set},
			delivered: []*kvrwset.KVWrite{{Key: "profile", Value: []byte("forged")}}, err: "does not have the hash on chain"},
		{name: "delete for a value", onChain: []*kvrwset.KVWriteHash{set},
			delivered: []*kvrwset.KVWrite{{Key: "profile", IsDelete: true}}, err: "delivered as delete true"},
		{name: "key unknown to the chain", onChain: []*kvrwset.KVWriteHash{set},
			delivered: []*kvrwset.KVWrite{{Key: "other", Value: []byte("x")}}, err: "no hash on chain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := ledgertest.New(t, "BFT", 1)
			chain.ConfigBlock()
			raw := chain.Block(chain.Transaction("tx1", hashed(t, c.onChain...)))
			var private map[uint64]*rwset.TxPvtReadWriteSet
			if c.delivered != nil {
				private = delivered(t, c.delivered...)
			}
			block, err := ledger.Parse(raw, private)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want(), block.Transactions[0].Private)
		})
	}
}

// FuzzParse: no block, however made, may end the process, and what parses has
// the hash of its header.
func FuzzParse(f *testing.F) {
	chain := ledgertest.New(f, "BFT", 1)
	private := ledgertest.Marshal(f, delivered(f, &kvrwset.KVWrite{Key: "profile", Value: []byte("salted")})[0])
	f.Add(ledgertest.Marshal(f, chain.ConfigBlock()), []byte{})
	f.Add(ledgertest.Marshal(f, chain.Block(chain.Transaction("tx1", hashed(f, &kvrwset.KVWriteHash{
		KeyHash: digest("profile"), ValueHash: digest("salted"),
	})))), private)
	f.Fuzz(func(t *testing.T, data, privateData []byte) {
		var raw common.Block
		var set rwset.TxPvtReadWriteSet
		if proto.Unmarshal(data, &raw) != nil || proto.Unmarshal(privateData, &set) != nil {
			return
		}
		block, err := ledger.Parse(&raw, map[uint64]*rwset.TxPvtReadWriteSet{0: &set})
		if err != nil {
			return
		}
		hash, err := ledger.HeaderHash(raw.Header)
		require.NoError(t, err)
		require.Equal(t, hash, block.Hash)
		_, _ = ledger.ParseOrdering(block)
	})
}
