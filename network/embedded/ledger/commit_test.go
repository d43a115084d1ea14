package ledger_test

import (
	"bytes"
	"testing"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
)

const (
	valid     = pb.TxValidationCode_VALID
	mvcc      = pb.TxValidationCode_MVCC_READ_CONFLICT
	phantom   = pb.TxValidationCode_PHANTOM_READ_CONFLICT
	policy    = pb.TxValidationCode_ENDORSEMENT_POLICY_FAILURE
	duplicate = pb.TxValidationCode_DUPLICATE_TXID
)

// TestOneBlock puts transactions that were all simulated on the same state into
// one block: order decides.
func TestOneBlock(t *testing.T) {
	cases := map[string]struct {
		before func(*bench)
		block  func(*bench) [][]byte
		want   []pb.TxValidationCode
		state  map[string]string
	}{
		"TwoBlindWrites/LastWins": {
			block: func(b *bench) [][]byte {
				return [][]byte{b.transaction("AB", b.put("k", "1")), b.transaction("AB", b.put("k", "2"))}
			},
			want: []pb.TxValidationCode{valid, valid}, state: map[string]string{"k": "2"},
		},
		"TwoReadersAndWriters/MVCC_READ_CONFLICT": {
			block: func(b *bench) [][]byte {
				return [][]byte{b.transaction("AB", b.exchange("k", "1")), b.transaction("AB", b.exchange("k", "2"))}
			},
			want: []pb.TxValidationCode{valid, mvcc}, state: map[string]string{"k": "1"},
		},
		"AnInvalidWriterDoesNotConflict": {
			block: func(b *bench) [][]byte {
				return [][]byte{b.transaction("A", b.exchange("k", "1")), b.transaction("AB", b.exchange("k", "2"))}
			},
			want: []pb.TxValidationCode{policy, valid}, state: map[string]string{"k": "2"},
		},
		"RangeReadThenKeyAppears/PHANTOM_READ_CONFLICT": {
			block: func(b *bench) [][]byte {
				return [][]byte{b.transaction("AB", b.put("a1", "x")), b.transaction("AB", b.count("a", "b", "n"))}
			},
			want: []pb.TxValidationCode{valid, phantom}, state: map[string]string{"a1": "x", "n": ""},
		},
		"RangeReadBeforeKeyAppears": {
			block: func(b *bench) [][]byte {
				return [][]byte{b.transaction("AB", b.count("a", "b", "n")), b.transaction("AB", b.put("a1", "x"))}
			},
			want: []pb.TxValidationCode{valid, valid}, state: map[string]string{"n": "0"},
		},
		"PolicySetThenWritten/ENDORSEMENT_POLICY_FAILURE": {
			before: func(b *bench) { b.commit(b.transaction("AB", b.put("k", "0"))) },
			block: func(b *bench) [][]byte {
				return [][]byte{
					b.transaction("AB", b.policy("k", "C")), b.transaction("ABC", b.put("k", "1")), b.transaction("AB", b.put("other", "1")),
				}
			},
			want: []pb.TxValidationCode{valid, policy, valid}, state: map[string]string{"k": "0", "other": "1"},
		},
		"SameEnvelopeTwice/DUPLICATE_TXID": {
			block: func(b *bench) [][]byte {
				envelope := b.transaction("AB", b.put("k", "1"))
				return [][]byte{envelope, envelope}
			},
			want: []pb.TxValidationCode{valid, duplicate}, state: map[string]string{"k": "1"},
		},
		"EnvelopeOfAnEarlierBlock/DUPLICATE_TXID": {
			before: func(b *bench) { b.kept = b.transaction("AB", b.put("k", "1")); b.commit(b.kept) },
			block:  func(b *bench) [][]byte { return [][]byte{b.transaction("AB", b.put("k", "2")), b.kept} },
			want:   []pb.TxValidationCode{valid, duplicate}, state: map[string]string{"k": "2"},
		},
		"NoEnvelope/BAD_PAYLOAD": {
			block: func(*bench) [][]byte { return [][]byte{{0xff}, {}} },
			want:  []pb.TxValidationCode{pb.TxValidationCode_INVALID_OTHER_REASON, pb.TxValidationCode_BAD_COMMON_HEADER},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if c.before != nil {
				c.before(b)
			}
			require.Equal(t, c.want, b.commit(c.block(b)...))
			for key, value := range c.state {
				require.Equal(t, value, b.get(key), key)
			}
		})
	}
}

// TestKeyPolicy: a key's own policy replaces the chaincode's, from the
// transaction after the one that set it.
func TestKeyPolicy(t *testing.T) {
	b := newBench(t)
	require.Equal(t, []pb.TxValidationCode{valid}, b.commit(b.transaction("AB", func(s *ledger.Simulator) {
		b.put("k", "first")(s)
		b.policy("k", "C")(s) // the first write is under the chaincode's policy
	})))
	steps := []struct {
		name, endorsers string
		do              func(*ledger.Simulator)
		want            pb.TxValidationCode
	}{
		{"WithoutTheOrganization", "AB", b.put("k", "1"), policy},
		{"WithItAlone", "C", b.put("k", "2"), valid},
		{"OtherKeyNeedsTheMajority", "C", b.put("other", "1"), policy},
		{"BothKeysNeedBothPolicies", "C", func(s *ledger.Simulator) { b.put("k", "3")(s); b.put("other", "1")(s) }, policy},
		{"BothPoliciesSatisfied", "AC", func(s *ledger.Simulator) { b.put("k", "4")(s); b.put("other", "1")(s) }, valid},
		{"PolicyItselfNeedsTheOldPolicy", "AB", b.policy("k", "A"), policy},
		{"PolicyChanged", "C", b.policy("k", "A"), valid},
		{"NewPolicyHolds", "A", b.put("k", "5"), valid},
		{"Deleted", "A", b.put("k", ""), valid},
		{"PolicyGoesWithTheKey", "A", b.put("k", "6"), policy},
	}
	for _, step := range steps {
		require.Equal(t, []pb.TxValidationCode{step.want}, b.commit(b.transaction(step.endorsers, step.do)), step.name)
	}
}

// TestTamperedEnvelope changes every byte of a transaction in turn: it must
// never commit a different value.
func TestTamperedEnvelope(t *testing.T) {
	b := newBench(t)
	envelope := b.transaction("AB", b.put("k", "value"))
	for i := range envelope {
		changed := bytes.Clone(envelope)
		changed[i] ^= 1
		codes := b.commit(changed)
		if codes[0] != valid {
			require.Empty(t, b.get("k"), "byte %d", i)
			continue
		}
		// A byte outside every signature (an encoding detail) may be anything,
		// but the transaction is then the same.
		require.Equal(t, "value", b.get("k"), "byte %d", i)
		require.Equal(t, []pb.TxValidationCode{valid}, b.commit(b.transaction("AB", b.put("k", ""))))
		return
	}
}

func TestPrivateDataIsKeptOnlyIfItsHashFits(t *testing.T) {
	b := newBench(t)
	secret := func(s *ledger.Simulator) {
		require.NoError(t, s.SetPrivateData(chaincode, "private", "k", []byte("secret")))
	}
	require.Equal(t, []pb.TxValidationCode{valid}, b.commit(b.transaction("AB", secret)))
	require.Equal(t, "secret", b.getPrivate(t, "A"))
	require.Equal(t, "error", b.getPrivate(t, "B"), "a peer outside the collection has the hash only")
	sets, err := b.ledger.PrivateData(1)
	require.NoError(t, err)
	require.Contains(t, sets[0].String(), "secret")

	require.Equal(t, []pb.TxValidationCode{valid}, b.commit(b.transaction("AB", func(s *ledger.Simulator) {
		require.NoError(t, s.PurgePrivateData(chaincode, "private", "k"))
	})))
	require.Empty(t, b.getPrivate(t, "A"))
	sets, err = b.ledger.PrivateData(1)
	require.NoError(t, err)
	require.NotContains(t, sets[0].String(), "secret")
}

func (b *bench) getPrivate(t *testing.T, peer string) string {
	t.Helper()
	simulator, err := b.ledger.NewSimulator("get", peer)
	require.NoError(t, err)
	defer func() { require.NoError(t, simulator.Close()) }()
	value, err := simulator.GetPrivateData(chaincode, "private", "k")
	if err != nil {
		return "error"
	}
	return string(value)
}

// TestCommitHash follows the definition: flags, updates and the hash before.
func TestCommitHash(t *testing.T) {
	b := newBench(t)
	hashAt := func(number uint64) []byte {
		block, err := b.ledger.Block(number)
		require.NoError(t, err)
		var metadata cb.Metadata
		require.NoError(t, proto.Unmarshal(block.GetMetadata().GetMetadata()[cb.BlockMetadataIndex_COMMIT_HASH], &metadata))
		return metadata.GetValue()
	}
	require.Empty(t, hashAt(0))
	b.commit(b.transaction("AB", b.put("k", "v")))
	// One flag (0), then field 1 of the updates: namespace "cc", key "k",
	// value "v", version block 1 (one byte), transaction 0 (no byte).
	message := []byte{1, 0, 0x0a, 13, 0x0a, 2, 'c', 'c', 0x1a, 1, 'k', 0x2a, 1, 'v', 0x32, 3, 1, 1, 0}
	message[3] = byte(len(message) - 4)
	require.Equal(t, sha(message), hashAt(1))
	b.commit()
	require.Equal(t, sha(append([]byte{0}, hashAt(1)...)), hashAt(2))
}

// TestDamagedRecordStopsTheLedger: what cannot be read must not be judged; the
// block is refused and nothing of it is kept.
func TestDamagedRecordStopsTheLedger(t *testing.T) {
	for name, steps := range map[string]func(*bench) func(*ledger.Simulator){
		"Written": func(b *bench) func(*ledger.Simulator) { return b.put("k", "2") },
		"Read":    func(b *bench) func(*ledger.Simulator) { return b.exchange("k", "2") },
		"Ranged":  func(b *bench) func(*ledger.Simulator) { return b.count("k", "l", "n") },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.commit(b.transaction("AB", b.put("k", "1")))
			envelope := b.transaction("AB", steps(b))
			require.NoError(t, b.ledger.Spoil(chaincode, "k"))
			height, previous := b.ledger.Tip()
			require.ErrorContains(t, b.ledger.Commit(ledger.NewBlock(height, previous, [][]byte{envelope})), "damaged")
			require.Equal(t, height, b.ledger.Height())
			_, err := b.ledger.Block(height)
			require.ErrorContains(t, err, "no such block")
		})
	}
}
