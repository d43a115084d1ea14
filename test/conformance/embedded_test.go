package conformance

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/embedded"
	"github.com/steelyard-ledger/steelyard/test/conformance/chaincode/contract"
)

func openEmbedded(t testing.TB) *testnet {
	t.Helper()
	var organizations []string
	for _, organization := range consortium.Organizations() {
		organizations = append(organizations, organization.MSPID)
	}
	n, err := embedded.Start(t.Context(), embedded.Config{
		Dir:           t.TempDir(),
		Listen:        "127.0.0.1:0",
		Channel:       consortium.Channel,
		Organizations: organizations,
		Chaincodes:    []embedded.Chaincode{{Name: chaincodeName, Contract: contract.New(), Collections: collections(t)}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	result := &testnet{peers: map[string]endpoint{}, enroll: n.Enroll}
	for _, peer := range n.Peers() {
		result.peers[peer.MSPID] = endpoint{address: peer.Endpoint, serverName: peer.ServerName, tlsRoots: peer.TLSRootsPEM}
	}
	return result
}
