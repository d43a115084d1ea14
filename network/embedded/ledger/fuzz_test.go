package ledger

import (
	"bytes"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// FuzzRecord: a damaged record is an error, and a good one survives.
func FuzzRecord(f *testing.F) {
	good, err := (&record{version: Height{3, 4}, metadata: policyEntries([]byte("p")), value: []byte("v")}).encode()
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte{})
	f.Add(append(make([]byte, heightLength), 0xff, 0xff, 0xff, 0xff, 0x0f))
	f.Fuzz(func(t *testing.T, stored []byte) {
		first, err := decodeRecord(stored)
		if err != nil || first == nil {
			return
		}
		encoded, err := first.encode()
		require.NoError(t, err)
		again, err := decodeRecord(encoded)
		require.NoError(t, err)
		require.Equal(t, first.version, again.version)
		require.True(t, bytes.Equal(first.value, again.value))
		require.Equal(t, first.policy(), again.policy())
	})
}

// FuzzReadWriteSet: whatever a client puts where the set should be, parsing
// ends with sets or an error.
func FuzzReadWriteSet(f *testing.F) {
	kv, err := proto.Marshal(&kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "k", Value: []byte("v")}}})
	require.NoError(f, err)
	good, err := proto.Marshal(&rwset.TxReadWriteSet{NsRwset: []*rwset.NsReadWriteSet{{
		Namespace: "n", Rwset: kv, CollectionHashedRwset: []*rwset.CollectionHashedReadWriteSet{{CollectionName: "c"}},
	}}})
	require.NoError(f, err)
	f.Add(good)
	f.Fuzz(func(t *testing.T, serialized []byte) {
		var set rwset.TxReadWriteSet
		if proto.Unmarshal(serialized, &set) != nil {
			return
		}
		parsed, err := parseSets(&set)
		if err != nil {
			return
		}
		for i := range parsed {
			names := writtenKeys(&parsed[i])
			require.Equal(t, len(names) > 0, parsed[i].writes())
		}
	})
}

func TestKeysDoNotCollide(t *testing.T) {
	require.NotEqual(t, historyPrefix("n", "a"), historyPrefix("n", "ab")[:len(historyPrefix("n", "a"))])
	require.NotEqual(t, join("n", "c", "k"), join("n", "ck"))
	require.Equal(t, Height{7, 9}, heightFrom(Height{7, 9}.bytes()))
	for number, want := range map[uint64][]byte{0: {0}, 1: {1, 1}, 256: {2, 1, 0}} {
		require.Equal(t, want, compactNumber(number))
	}
}
