package ledger_test

import (
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

func parsed(t testing.TB, raw *common.Block) ledger.Block {
	block, err := ledger.Parse(raw, nil)
	require.NoError(t, err)
	return block
}

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		consensus       string
		orderers, signs int // signs: how many orderers sign a block in that mode
		quorum          int
	}{{"BFT", 4, 4, 3}, {"BFT", 7, 7, 5}, {"etcdraft", 3, 1, 1}} {
		t.Run(c.consensus, func(t *testing.T) {
			chain := newChain(t, c.consensus, c.orderers)
			genesis := chain.configBlock()
			verifier := ledger.NewVerifier(chain.trust(genesis))

			checks, err := verifier.Verify(parsed(t, genesis))
			require.NoError(t, err)
			require.Equal(t, ledger.Checks{Genesis: true}, checks)

			second := parsed(t, chain.block(chain.transaction("tx1", publicWrite(t, "k", "v"))))
			checks, err = verifier.Verify(second)
			require.NoError(t, err)
			require.Len(t, checks.Signers, c.signs)
			require.Equal(t, c.quorum, checks.Quorum)
			require.Equal(t, ledger.Position{Number: 1, Hash: second.Hash}, *verifier.Last())
		})
	}
}

func TestVerifyQuorum(t *testing.T) {
	chain := newChain(t, "BFT", 4)
	genesis := chain.configBlock()
	verifier := ledger.NewVerifier(chain.trust(genesis))
	_, err := verifier.Verify(parsed(t, genesis))
	require.NoError(t, err)

	raw := chain.block(chain.transaction("tx1"))
	chain.signBlock(raw, 2)
	_, err = verifier.Verify(parsed(t, raw))
	require.ErrorIs(t, err, ledger.ErrUnsigned, "two of four")

	// One orderer's signature sent thrice is one signature.
	var signatures common.Metadata
	require.NoError(t, proto.Unmarshal(raw.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES], &signatures))
	signatures.Signatures = append(signatures.Signatures, signatures.Signatures[0], signatures.Signatures[0])
	raw.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES] = marshal(t, &signatures)
	_, err = verifier.Verify(parsed(t, raw))
	require.ErrorIs(t, err, ledger.ErrUnsigned, "repeated")

	chain.signBlock(raw, 3)
	checks, err := verifier.Verify(parsed(t, raw))
	require.NoError(t, err, "three of four, after two refusals that must not have moved the verifier")
	require.Len(t, checks.Signers, 3)
}

func TestVerifyRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
		make func(t *testing.T, chain *chain) *common.Block
	}{
		{"ErrGap", ledger.ErrGap, func(t *testing.T, chain *chain) *common.Block {
			chain.block(chain.transaction("skipped"))
			return chain.block(chain.transaction("tx"))
		}},
		{"ErrForeignLedger/other predecessor", ledger.ErrForeignLedger, func(t *testing.T, chain *chain) *common.Block {
			block := chain.block(chain.transaction("tx"))
			block.Header.PreviousHash[0] ^= 1
			chain.signBlock(block, 4)
			return block
		}},
		{"ErrForged/changed data", ledger.ErrForged, func(t *testing.T, chain *chain) *common.Block {
			block := chain.block(chain.transaction("tx", publicWrite(t, "k", "v")))
			block.Data.Data[0] = chain.transaction("tx", publicWrite(t, "k", "w"))
			return block
		}},
		{"ErrForged/moved seam", ledger.ErrForged, func(t *testing.T, chain *chain) *common.Block {
			block := chain.block(chain.transaction("hidden"), chain.transaction("tx"))
			block.Data.Data = [][]byte{append(block.Data.Data[0], block.Data.Data[1]...)}
			block.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = []byte{0}
			return block
		}},
		{"ErrUnsigned/changed header", ledger.ErrUnsigned, func(t *testing.T, chain *chain) *common.Block {
			block := chain.block(chain.transaction("tx"))
			block.Data.Data = [][]byte{chain.transaction("other")}
			hash := ledger.DataHash(block.Data)
			block.Header.DataHash = hash[:]
			return block
		}},
		{"ErrUnsigned/no signatures", ledger.ErrUnsigned, func(t *testing.T, chain *chain) *common.Block {
			block := chain.block(chain.transaction("tx"))
			block.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES] = nil
			return block
		}},
		{"ErrUnsigned/signed by clients of the same authority", ledger.ErrUnsigned, func(t *testing.T, chain *chain) *common.Block {
			for i := range chain.consenters {
				chain.consenters[i] = chain.user
			}
			return chain.block(chain.transaction("tx"))
		}},
		{"ErrUnsigned/signed under another authority", ledger.ErrUnsigned, func(t *testing.T, chain *chain) *common.Block {
			chain.consenters = newChain(t, chain.consensus, 4).consenters
			return chain.block(chain.transaction("tx"))
		}},
	} {
		for _, consensus := range []string{"BFT", "etcdraft"} {
			t.Run(consensus+"/"+c.name, func(t *testing.T) {
				chain := newChain(t, consensus, 4)
				genesis := chain.configBlock()
				verifier := ledger.NewVerifier(chain.trust(genesis))
				_, err := verifier.Verify(parsed(t, genesis))
				require.NoError(t, err)
				before := *verifier.Last()
				_, err = verifier.Verify(parsed(t, c.make(t, chain)))
				require.ErrorIs(t, err, c.want)
				require.Equal(t, before, *verifier.Last())
			})
		}
	}
}

func TestVerifyGenesis(t *testing.T) {
	one, other := newChain(t, "BFT", 4), newChain(t, "BFT", 4)
	verifier := ledger.NewVerifier(one.trust(one.configBlock()))
	_, err := verifier.Verify(parsed(t, other.configBlock()))
	require.ErrorIs(t, err, ledger.ErrForeignLedger)

	_, err = verifier.Verify(parsed(t, one.block(one.transaction("tx"))))
	require.ErrorIs(t, err, ledger.ErrGap, "the first block must be block 0")
}

func TestVerifyFollowsConfiguration(t *testing.T) {
	chain := newChain(t, "BFT", 4)
	genesis := chain.configBlock()
	verifier := ledger.NewVerifier(chain.trust(genesis))
	_, err := verifier.Verify(parsed(t, genesis))
	require.NoError(t, err)

	// The old orderers sign the block that replaces them.
	old := chain.consenters
	next := []node{chain.node("n0", "orderer"), chain.node("n1", "orderer"), chain.node("n2", "orderer"), chain.node("n3", "orderer")}
	chain.consenters = next
	change := chain.configBlock()
	chain.consenters = old
	chain.signBlock(change, 4)
	_, err = verifier.Verify(parsed(t, change))
	require.NoError(t, err)
	require.Equal(t, uint64(1), verifier.Ordering().Config)

	late := chain.block(chain.transaction("tx"))
	_, err = verifier.Verify(parsed(t, late))
	require.ErrorIs(t, err, ledger.ErrUnsigned, "signed by the orderers of before")

	chain.consenters = next
	chain.signBlock(late, 4)
	_, err = verifier.Verify(parsed(t, late))
	require.NoError(t, err)
	at, err := parsed(t, late).LastConfig()
	require.NoError(t, err)
	require.Equal(t, uint64(1), at)
}

func TestVerifyResumes(t *testing.T) {
	chain := newChain(t, "BFT", 4)
	genesis := parsed(t, chain.configBlock())
	last := parsed(t, chain.block(chain.transaction("tx1")))
	ordering, err := ledger.ParseOrdering(genesis)
	require.NoError(t, err)

	verifier := ledger.NewVerifier(chain.trust(genesis.Raw))
	verifier.Resume(ledger.Position{Number: last.Number, Hash: last.Hash}, ordering)
	_, err = verifier.Verify(parsed(t, chain.block(chain.transaction("tx2"))))
	require.NoError(t, err)
}
