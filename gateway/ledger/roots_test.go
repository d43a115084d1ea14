package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/ledger/ledgertest"
	"github.com/steelyard-ledger/steelyard/network/devca"
)

// TestFurtherRoot: an organisation may certify some of its nodes by a further
// CA, if the trust file names that one too.
func TestFurtherRoot(t *testing.T) {
	chain := ledgertest.New(t, "BFT", 4)
	further, err := devca.New("Regulator", "fabric-ca.regulator")
	require.NoError(t, err)
	first := chain.CA
	chain.CA = further
	for i := range 2 {
		chain.Consenters[i] = chain.Node("renewed", "orderer")
	}
	chain.CA = first
	genesis := chain.ConfigBlock()
	block := parsed(t, chain.Block(chain.Transaction("tx1", ledgertest.PublicWrite(t, "k", "v"))))

	trust := chain.Trust(genesis)
	verifier := ledger.NewVerifier(trust)
	_, err = verifier.Verify(parsed(t, genesis))
	require.NoError(t, err)
	_, err = verifier.Verify(block)
	require.ErrorIs(t, err, ledger.ErrUnsigned, "the signatures of two of four count")

	authority := trust.Orderers["RegulatorMSP"]
	authority.Roots = append(authority.Roots, further.Certificate)
	trust.Orderers["RegulatorMSP"] = authority
	verifier = ledger.NewVerifier(trust)
	_, err = verifier.Verify(parsed(t, genesis))
	require.NoError(t, err)
	checks, err := verifier.Verify(block)
	require.NoError(t, err)
	require.Len(t, checks.Signers, 4)
}
