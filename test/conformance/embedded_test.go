package conformance

import (
	"path/filepath"
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
	dir := t.TempDir()
	n, err := embedded.Start(t.Context(), embedded.Config{
		Dir:           dir,
		Listen:        "127.0.0.1:0",
		Channel:       consortium.Channel,
		Organizations: organizations,
		Chaincodes:    []embedded.Chaincode{{Name: chaincodeName, Contract: contract.New(), Collections: collections(t)}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	result := &testnet{peers: map[string]endpoint{}, enroll: n.Enroll}
	result.authorities = func(t *testing.T, mspID string, root, list []byte) {
		layFiles(t, filepath.Join(dir, "msp", mspID), root, list)
		require.NoError(t, n.Reload())
	}
	for _, peer := range n.Peers() {
		result.peers[peer.MSPID] = endpoint{address: peer.Endpoint, serverName: peer.ServerName, tlsRoots: peer.TLSRootsPEM}
	}
	return result
}
