package ledger_test

import (
	"fmt"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
)

// fill writes n keys with a common prefix in one transaction.
func (b *bench) fill(prefix string, n int) {
	b.t.Helper()
	require.Equal(b.t, []pb.TxValidationCode{valid}, b.commit(b.transaction("AB", func(s *ledger.Simulator) {
		for i := range n {
			b.put(fmt.Sprintf("%s%06d", prefix, i), "x")(s)
		}
	})))
}

// TestLargeRangeIsSummarised: above 50 results the read set holds hashes, and
// a change anywhere in the range is still noticed.
func TestLargeRangeIsSummarised(t *testing.T) {
	for _, n := range []int{0, 1, 50, 51, 52, 102, 2600, 2601, 2700} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			b := newBench(t)
			b.fill("k", n)
			_, results := b.simulate(b.count("k", "l", "n"))
			info := rangeInfo(t, results)
			require.True(t, info.GetItrExhausted())
			if n > 50 {
				require.LessOrEqual(t, len(info.GetReadsMerkleHashes().GetMaxLevelHashes()), 50)
				require.NotEmpty(t, info.GetReadsMerkleHashes().GetMaxLevelHashes())
			} else {
				require.Len(t, info.GetRawReads().GetKvReads(), n)
			}
			same := b.transaction("AB", b.count("k", "l", "n"))
			require.Equal(t, []pb.TxValidationCode{valid}, b.commit(same))
			late := b.transaction("AB", b.count("k", "l", "n"))
			require.Equal(t, []pb.TxValidationCode{valid, phantom},
				b.commit(b.transaction("AB", b.put(fmt.Sprintf("k%06d", n/2), "y")), late))
		})
	}
}

func rangeInfo(t *testing.T, results []byte) *kvrwset.RangeQueryInfo {
	t.Helper()
	var set rwset.TxReadWriteSet
	require.NoError(t, proto.Unmarshal(results, &set))
	var kv kvrwset.KVRWSet
	require.NoError(t, proto.Unmarshal(set.GetNsRwset()[0].GetRwset(), &kv))
	require.Len(t, kv.GetRangeQueriesInfo(), 1)
	return kv.GetRangeQueriesInfo()[0]
}

// TestSerializable: whatever is simulated on one state and put into one block,
// the valid transactions, run one after the other, give the same state.
func TestSerializable(t *testing.T) {
	b := newBench(t)
	keys := rapid.SampledFrom([]string{"a", "b", "c", "d"})
	rapid.Check(t, func(t *rapid.T) {
		model := map[string]string{}
		for _, key := range []string{"a", "b", "c", "d"} {
			model[key] = b.get(key)
		}
		// Each transaction appends the values it reads to the key it writes.
		type operation struct {
			reads []string
			write string
			tag   string
		}
		var operations []operation
		var envelopes [][]byte
		for i := range rapid.IntRange(1, 5).Draw(t, "transactions") {
			o := operation{rapid.SliceOfN(keys, 0, 2).Draw(t, "reads"), keys.Draw(t, "write"), fmt.Sprint(i)}
			operations = append(operations, o)
			envelopes = append(envelopes, b.transaction("AB", func(s *ledger.Simulator) {
				value := o.tag
				for _, key := range o.reads {
					read, err := s.GetState(chaincode, key)
					require.NoError(b.t, err)
					value += "(" + shorten(string(read)) + ")"
				}
				b.put(o.write, value)(s)
			}))
		}
		for i, code := range b.commit(envelopes...) {
			if code != valid {
				continue
			}
			o := operations[i]
			value := o.tag
			for _, key := range o.reads {
				value += "(" + shorten(model[key]) + ")"
			}
			model[o.write] = value
		}
		for key, value := range model {
			if got := b.get(key); got != value {
				t.Fatalf("%s is %q, one after the other gives %q", key, got, value)
			}
		}
	})
}

func shorten(value string) string { return value[:min(len(value), 8)] }
