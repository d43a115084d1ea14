package conformance

import (
	"testing"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// testOfflineSigning drives a transaction whose key the client does not hold.
func testOfflineSigning(t *testing.T, n *testnet) {
	signer := n.connect(t, "AssociationMSP")
	bare, err := client.Connect(signer.id, client.WithHash(hash.SHA256), client.WithClientConnection(signer.connection))
	require.NoError(t, err)
	t.Cleanup(func() { _ = bare.Close() })
	contract := bare.GetNetwork(consortium.Channel).GetContract(chaincodeName)

	t.Run("WithoutSignatureNothingIsSent", func(t *testing.T) {
		_, err := contract.EvaluateWithContext(deadline(t), "echo", client.WithArguments("conga"))
		require.Error(t, err)
		_, err = contract.SubmitWithContext(deadline(t), "put", client.WithArguments(newKey(), "conga"))
		require.Error(t, err)
	})
	t.Run("EvaluateWithSignatureFromElsewhere", func(t *testing.T) {
		unsigned, err := contract.NewProposal("echo", client.WithArguments("conga"))
		require.NoError(t, err)
		result, err := resign(t, bare, signer, unsigned).EvaluateWithContext(deadline(t))
		require.NoError(t, describe(err))
		require.Equal(t, "conga", string(result))
	})
	t.Run("SubmitWithSignaturesFromElsewhere", func(t *testing.T) {
		key := newKey()
		unsigned, err := contract.NewProposal("put", client.WithArguments(key, "conga"))
		require.NoError(t, err)
		endorsed, err := resign(t, bare, signer, unsigned).EndorseWithContext(deadline(t))
		require.NoError(t, describe(err))
		encoded, err := endorsed.Bytes()
		require.NoError(t, err)
		transaction, err := bare.NewSignedTransaction(encoded, signer.signature2(t, endorsed.Digest()))
		require.NoError(t, err)
		sent, err := transaction.SubmitWithContext(deadline(t))
		require.NoError(t, describe(err))
		encoded, err = sent.Bytes()
		require.NoError(t, err)
		signed, err := bare.NewSignedCommit(encoded, signer.signature2(t, sent.Digest()))
		require.NoError(t, err)
		result, err := signed.StatusWithContext(deadline(t))
		require.NoError(t, describe(err))
		require.True(t, result.Successful)
		require.Equal(t, "conga", signer.evaluate(t, "get", key))
	})
	t.Run("EnvelopeWithAnothersSignatureIsRefused", func(t *testing.T) {
		unsigned, err := contract.NewProposal("put", client.WithArguments(newKey(), "conga"))
		require.NoError(t, err)
		endorsed, err := resign(t, bare, signer, unsigned).EndorseWithContext(deadline(t))
		require.NoError(t, describe(err))
		encoded, err := endorsed.Bytes()
		require.NoError(t, err)
		other := n.connect(t, "AssociationMSP")
		transaction, err := bare.NewSignedTransaction(encoded, other.signature2(t, endorsed.Digest()))
		require.NoError(t, err)
		_, err = transaction.SubmitWithContext(deadline(t))
		// BFT answers UNAVAILABLE with each node's refusal, etcdraft ABORTED.
		require.Contains(t, []codes.Code{codes.Unavailable, codes.Aborted}, statusCode(err), "%v", describe(err))
		require.Contains(t, describe(err).Error(), "received unsuccessful response from orderer: status=FORBIDDEN")
	})
}

func resign(t *testing.T, gateway *client.Gateway, signer *member, unsigned *client.Proposal) *client.Proposal {
	t.Helper()
	encoded, err := unsigned.Bytes()
	require.NoError(t, err)
	signed, err := gateway.NewSignedProposal(encoded, signer.signature2(t, unsigned.Digest()))
	require.NoError(t, err)
	return signed
}
