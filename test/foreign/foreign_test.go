// Package foreign shows that a Fabric Gateway client in another language needs
// nothing but what gateway.yaml names.
package foreign

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/contract"
	"github.com/steelyard-ledger/steelyard/gateway/wallet"
	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/embedded"
)

func TestNodeClient(t *testing.T) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not on PATH: the client in another language is not tested", tool)
		}
	}
	directory := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "client.js"} {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(directory, name), content, 0o600))
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = directory
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("npm could not install the client library, so the client in another language is not tested: %s", out)
	}
	client := exec.CommandContext(t.Context(), "node", "client.js", settings(t))
	client.Dir = directory
	out, err := client.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
}

// settings starts a network and writes what the client needs to know of it.
func settings(t *testing.T) string {
	chaincode, err := contract.New()
	require.NoError(t, err)
	collections, err := consortium.Collections()
	require.NoError(t, err)
	data := t.TempDir()
	network, err := embedded.Start(t.Context(), embedded.Config{
		Dir:        filepath.Join(data, "network"),
		Chaincodes: []embedded.Chaincode{{Name: "metrology", Contract: chaincode, Collections: collections}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	pair, err := network.Enroll("AssociationMSP", map[string]string{"role": "merchant", "subject": "p-foreign"})
	require.NoError(t, err)
	require.NoError(t, wallet.Put(data, "merchant", "AssociationMSP", pair.Certificate, pair.Key))
	peer := network.Peers()[0]
	roots := filepath.Join(data, "roots.pem")
	require.NoError(t, os.WriteFile(roots, peer.TLSRootsPEM, 0o600))
	encoded, err := json.Marshal(map[string]string{
		"endpoint": peer.Endpoint, "serverName": peer.ServerName, "tlsRoots": roots, "channel": "steelyard", "chaincode": "metrology",
		"identity": filepath.Join(data, "merchant.id"),
	})
	require.NoError(t, err)
	path := filepath.Join(data, "settings.json")
	require.NoError(t, os.WriteFile(path, encoded, 0o600))
	return path
}
