package onehost

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/devca"
)

// made is a network with keys and settings that was never started.
func made(t *testing.T) *Network {
	t.Helper()
	plan, err := consortium.New(t.TempDir(), consortium.Plan{})
	require.NoError(t, err)
	require.NoError(t, plan.WriteMaterial())
	require.NoError(t, plan.Save())
	n, err := Open(plan.Path())
	require.NoError(t, err)
	return n
}

func TestMakeOrganization(t *testing.T) {
	n := made(t)
	organization, err := n.MakeOrganization("consumers")
	require.NoError(t, err)
	require.Equal(t, "ConsumersMSP", organization.MSPID)
	require.NoError(t, filepath.WalkDir(n.MSPDir(organization), func(path string, entry fs.DirEntry, err error) error {
		require.NotContains(t, path, "key", "what the others get holds no key")
		return err
	}))
	require.FileExists(t, n.Plan.Path("nodes", "peer0.consumers.steelyard", "msp", "keystore", "key.pem"))
	require.NoDirExists(t, n.Plan.Path("nodes", "orderer0.consumers.steelyard"))
	again, err := Open(n.Plan.Path())
	require.NoError(t, err)
	require.Len(t, again.Plan.Members(), 4, "it is no member until the channel has admitted it")

	_, err = n.MakeOrganization("consumers")
	require.ErrorContains(t, err, "exist already")
	_, err = n.MakeOrganization("Consumers")
	require.ErrorContains(t, err, "small letters")
	_, err = n.MakeOrganization("notary")
	require.ErrorContains(t, err, "in the network already")
}

func TestUpdatesNeedTheTools(t *testing.T) {
	n := made(t)
	_, err := n.MakeOrganization("consumers")
	require.NoError(t, err)
	t.Setenv("PATH", t.TempDir())
	_, err = n.ProposeOrganization(t.Context(), "consumers", "regulator")
	require.ErrorIs(t, err, ErrToolMissing)
	require.ErrorIs(t, n.JoinOrganization(t.Context(), "consumers"), ErrToolMissing)
	_, err = n.ProposeOrganization(t.Context(), "nobodymade", "regulator")
	require.ErrorContains(t, err, "must hold a certificate each")
}

func TestCertificates(t *testing.T) {
	n := made(t)
	for _, name := range []string{"peer0.notary.steelyard", "orderer0.notary.steelyard"} {
		t.Run(name, func(t *testing.T) {
			node, err := n.node(name)
			require.NoError(t, err)
			require.ErrorContains(t, n.InstallCertificates(t.Context(), name), "make them first")
			before, err := os.ReadFile(filepath.Join(node.Dir, "msp", "signcerts", "cert.pem"))
			require.NoError(t, err)
			_, err = n.MakeCertificates(name)
			require.NoError(t, err)
			after, err := os.ReadFile(filepath.Join(node.Dir, "msp", "signcerts", "cert.pem"))
			require.NoError(t, err)
			require.Equal(t, before, after, "what is in use is left alone")
			next, err := os.ReadFile(filepath.Join(node.RenewalDir(), "msp", "signcerts", "cert.pem"))
			require.NoError(t, err)
			old, err := devca.ParseCertificate(before)
			require.NoError(t, err)
			renewed, err := devca.ParseCertificate(next)
			require.NoError(t, err)
			require.Equal(t, old.Subject.String(), renewed.Subject.String())
			require.Equal(t, old.Issuer.String(), renewed.Issuer.String())
			require.Equal(t, old.AuthorityKeyId, renewed.AuthorityKeyId, "from the same authority")
			require.NotEqual(t, old.SerialNumber, renewed.SerialNumber)

			require.NoError(t, moveFiles(node.RenewalDir(), node.Dir))
			moved, err := os.ReadFile(filepath.Join(node.Dir, "msp", "signcerts", "cert.pem"))
			require.NoError(t, err)
			require.Equal(t, next, moved)
			require.NoDirExists(t, node.RenewalDir())
		})
	}
	_, err := n.ProposeCertificates(t.Context(), "peer0.notary.steelyard", "notary")
	require.ErrorContains(t, err, "is a peer")
	_, err = n.ProposeCertificates(t.Context(), "orderer0.regulator.steelyard", "notary")
	require.ErrorContains(t, err, "read next certificates")
	_, err = n.MakeCertificates("peer9.notary.steelyard")
	require.ErrorContains(t, err, "no node")
	require.Error(t, n.StopNode(t.Context(), "nobody"))
	require.NoError(t, n.StopNode(t.Context(), "peer0.notary.steelyard"), "one that does not run is stopped already")
}

func TestDeploymentOfFounders(t *testing.T) {
	n := made(t)
	require.Equal(t, consortium.Organizations(), n.members(Deployment{}), "one from before others could join")
	with, err := n.Plan.With("consumers")
	require.NoError(t, err)
	n.Plan = with
	var names []string
	for _, member := range n.members(Deployment{Organizations: []string{"regulator", "consumers"}}) {
		names = append(names, member.Name)
	}
	require.Equal(t, "regulator consumers", strings.Join(names, " "))
}
