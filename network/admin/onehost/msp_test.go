package onehost

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/devca"
)

// TestSetMSPLocksNobodyOut: before anything is asked of the network, an MSP is
// held against the organisation's own certificates.
func TestSetMSPLocksNobodyOut(t *testing.T) {
	plan, err := consortium.New(t.TempDir(), consortium.Plan{})
	require.NoError(t, err)
	require.NoError(t, plan.WriteMaterial())
	n := &Network{Plan: plan}
	organization, err := plan.Member("notary")
	require.NoError(t, err)
	msp := n.MSPDir(organization)
	lay := func(name string, content []byte) {
		path := filepath.Join(msp, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, content, 0o600))
	}
	revoke := func(certificates ...[]byte) {
		pair := devca.Pair{Certificate: read(t, plan.Path("ca", "notary", "identity.crt")), Key: read(t, plan.Path("ca", "notary", "identity.key"))}
		ca, err := devca.Load(pair)
		require.NoError(t, err)
		list, err := ca.RevocationList(certificates...)
		require.NoError(t, err)
		lay("crls/list.pem", list)
	}
	_, admin, err := consortium.ReadIdentity(plan.AdminFile(organization))
	require.NoError(t, err)
	refused := func(want string) {
		t.Helper()
		_, err := n.SetMSP(t.Context(), "notary")
		require.ErrorContains(t, err, want)
	}
	revoke(admin.Certificate)
	refused(`it would lock out its own: certificate of "admin.notary.steelyard": it is revoked`)
	revoke(read(t, filepath.Join(n.nodesOf(organization)[1].Dir, "msp", "signcerts", "cert.pem")))
	refused(`certificate of "orderer0.notary.steelyard": it is revoked`)
	revoke()
	root := read(t, filepath.Join(msp, "cacerts", "ca.pem"))
	foreign, err := devca.New("notary", "foreign")
	require.NoError(t, err)
	lay("cacerts/ca.pem", foreign.CertificatePEM())
	refused("by none of the organisation's CAs")
	require.NoError(t, os.RemoveAll(filepath.Join(msp, "crls")))
	refused("unknown authority")
	lay("cacerts/ca.pem", append(root, root...))
	refused("not one PEM certificate")
	_, err = n.SetMSP(t.Context(), "nobody")
	require.Error(t, err)
}

func TestCopyMSP(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	for path, content := range map[string]string{
		filepath.Join(from, "cacerts", "a.pem"): "a", filepath.Join(from, "crls", "a.pem"): "list",
		filepath.Join(to, "cacerts", "old.pem"): "old", filepath.Join(to, "keystore", "key.pem"): "key",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	require.NoError(t, copyMSP(from, to))
	require.Equal(t, "a", string(read(t, filepath.Join(to, "cacerts", "a.pem"))))
	require.Equal(t, "list", string(read(t, filepath.Join(to, "crls", "a.pem"))))
	require.NoFileExists(t, filepath.Join(to, "cacerts", "old.pem"))
	require.Equal(t, "key", string(read(t, filepath.Join(to, "keystore", "key.pem"))))
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}
