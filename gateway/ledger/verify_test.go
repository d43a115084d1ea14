package ledger_test

import (
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/ledger/ledgertest"
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
			chain := ledgertest.New(t, c.consensus, c.orderers)
			genesis := chain.ConfigBlock()
			verifier := ledger.NewVerifier(chain.Trust(genesis))

			checks, err := verifier.Verify(parsed(t, genesis))
			require.NoError(t, err)
			require.Equal(t, ledger.Checks{Genesis: true}, checks)

			second := parsed(t, chain.Block(chain.Transaction("tx1", ledgertest.PublicWrite(t, "k", "v"))))
			checks, err = verifier.Verify(second)
			require.NoError(t, err)
			require.Len(t, checks.Signers, c.signs)
			require.Equal(t, c.quorum, checks.Quorum)
			require.Equal(t, ledger.Position{Number: 1, Hash: second.Hash}, *verifier.Last())
		})
	}
}

func TestVerifyQuorum(t *testing.T) {
	chain := ledgertest.New(t, "BFT", 4)
	genesis := chain.ConfigBlock()
	verifier := ledger.NewVerifier(chain.Trust(genesis))
	_, err := verifier.Verify(parsed(t, genesis))
	require.NoError(t, err)

	raw := chain.Block(chain.Transaction("tx1"))
	chain.SignBlock(raw, 2)
	_, err = verifier.Verify(parsed(t, raw))
	require.ErrorIs(t, err, ledger.ErrUnsigned, "two of four")

	// One orderer's signature sent thrice is one signature.
	var signatures common.Metadata
	require.NoError(t, proto.Unmarshal(raw.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES], &signatures))
	signatures.Signatures = append(signatures.Signatures, signatures.Signatures[0], signatures.Signatures[0])
	raw.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES] = ledgertest.Marshal(t, &signatures)
	_, err = verifier.Verify(parsed(t, raw))
	require.ErrorIs(t, err, ledger.ErrUnsigned, "repeated")

	chain.SignBlock(raw, 3)
	checks, err := verifier.Verify(parsed(t, raw))
	require.NoError(t, err, "three of four, after two refusals that must not have moved the verifier")
	require.Len(t, checks.Signers, 3)
}

func TestVerifyRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
		make func(t *testing.T, chain *ledgertest.Chain) *common.Block
	}{
		{"ErrGap", ledger.ErrGap, func(t *testing.T, chain *ledgertest.Chain) *common.Block {
			chain.Block(chain.Transaction("skipped"))
			return chain.Block(chain.Transaction("tx"))
		}},
		{"ErrForeignLedger/other predecessor", ledger.ErrForeignLedger, func(t *testing.T, chain *ledgertest.Chain) *common.Block {
			block := chain.Block(chain.Transaction("tx"))
			block.Header.PreviousHash[0] ^= 1
			chain.SignBlock(block, 4)
			return block
		}},
		{"ErrForged/changed data", ledger.ErrForged, func(t *testing.T, chain *ledgertest.Chain) *common.Block {
			block := chain.Block(chain.Transaction("tx", ledgertest.PublicWrite(t, "k", "v")))
			block.Data.Data[0] = chain.Transaction("tx", ledgertest.PublicWrite(t, "k", "w"))
			return block
		}},
		{"ErrForged/moved seam", ledger.ErrForged, func(t *testing.T, chain *ledgertest.Chain) *common.Block {
			block := chain.Block(chain.Transaction("hidden"), chain.Transaction("tx"))
			block.Data.Data = [][]byte{append(block.Data.Data[0], block.Data.Data[1]...)}
			block.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = []byte{0}
			return block
		}},
		{"ErrUnsigned/changed header", ledger.ErrUnsigned, func(t *testing.T, chain *ledgertest.Chain) *common.Block {
			block := chain.Block(chain.Transaction("tx"))
			block.Data.Data = [][]byte{chain.Transaction("other")}
			hash := ledger.DataHash(block.Data)
			block.Header.DataHash = hash[:]
			return block
		}},
		{"ErrUnsigned/no signatures", ledger.ErrUnsigned, func(t *testing.T, chain *ledgertest.Chain) *common.Block {
			block := chain.Block(chain.Transaction("tx"))
			block.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES] = nil
			return block
		}},
		{"ErrUnsigned/signed by clients of the same authority", ledger.ErrUnsigned, func(t *testing.T, chain *ledgertest.Chain) *common.Block {
			for i := range chain.Consenters {
				chain.Consenters[i] = chain.User
			}
			return chain.Block(chain.Transaction("tx"))
		}},
		{"ErrUnsigned/signed under another authority", ledger.ErrUnsigned, func(t *testing.T, chain *ledgertest.Chain) *common.Block {
			chain.Consenters = ledgertest.New(t, chain.Consensus, 4).Consenters
			return chain.Block(chain.Transaction("tx"))
		}},
	} {
		for _, consensus := range []string{"BFT", "etcdraft"} {
			t.Run(consensus+"/"+c.name, func(t *testing.T) {
				chain := ledgertest.New(t, consensus, 4)
				genesis := chain.ConfigBlock()
				verifier := ledger.NewVerifier(chain.Trust(genesis))
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
	one, other := ledgertest.New(t, "BFT", 4), ledgertest.New(t, "BFT", 4)
	verifier := ledger.NewVerifier(one.Trust(one.ConfigBlock()))
	_, err := verifier.Verify(parsed(t, other.ConfigBlock()))
	require.ErrorIs(t, err, ledger.ErrForeignLedger)

	_, err = verifier.Verify(parsed(t, one.Block(one.Transaction("tx"))))
	require.ErrorIs(t, err, ledger.ErrGap, "the first block must be block 0")
}

func TestVerifyFollowsConfiguration(t *testing.T) {
	chain := ledgertest.New(t, "BFT", 4)
	genesis := chain.ConfigBlock()
	verifier := ledger.NewVerifier(chain.Trust(genesis))
	_, err := verifier.Verify(parsed(t, genesis))
	require.NoError(t, err)

	// The old orderers sign the block that replaces them.
	old := chain.Consenters
	next := []ledgertest.Node{chain.Node("n0", "orderer"), chain.Node("n1", "orderer"), chain.Node("n2", "orderer"), chain.Node("n3", "orderer")}
	chain.Consenters = next
	change := chain.ConfigBlock()
	chain.Consenters = old
	chain.SignBlock(change, 4)
	_, err = verifier.Verify(parsed(t, change))
	require.NoError(t, err)
	require.Equal(t, uint64(1), verifier.Ordering().Config)

	late := chain.Block(chain.Transaction("tx"))
	_, err = verifier.Verify(parsed(t, late))
	require.ErrorIs(t, err, ledger.ErrUnsigned, "signed by the orderers of before")

	chain.Consenters = next
	chain.SignBlock(late, 4)
	_, err = verifier.Verify(parsed(t, late))
	require.NoError(t, err)
	at, err := parsed(t, late).LastConfig()
	require.NoError(t, err)
	require.Equal(t, uint64(1), at)
}

func TestVerifyResumes(t *testing.T) {
	chain := ledgertest.New(t, "BFT", 4)
	genesis := parsed(t, chain.ConfigBlock())
	last := parsed(t, chain.Block(chain.Transaction("tx1")))
	ordering, err := ledger.ParseOrdering(genesis)
	require.NoError(t, err)

	verifier := ledger.NewVerifier(chain.Trust(genesis.Raw))
	verifier.Resume(ledger.Position{Number: last.Number, Hash: last.Hash}, ordering)
	_, err = verifier.Verify(parsed(t, chain.Block(chain.Transaction("tx2"))))
	require.NoError(t, err)
}
