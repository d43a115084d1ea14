package embedded_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/network/devca"
	"github.com/steelyard-ledger/steelyard/network/embedded"
)

// lay puts a file where the network looks for an organisation's authorities.
func lay(t *testing.T, cfg embedded.Config, mspID, name string, content []byte) {
	t.Helper()
	path := filepath.Join(cfg.Dir, "msp", mspID, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path+".new", content, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// TestFurtherAuthority: a member of a CA that the operator adds may write, in
// its own organisation only; once revoked it is refused at every door.
func TestFurtherAuthority(t *testing.T) {
	cfg := config(t, t.TempDir())
	network := start(t, cfg)
	const mspID = "AssociationMSP"
	ca, err := devca.New("association", "fabric-ca")
	require.NoError(t, err)
	pair, err := ca.User(map[string]string{"role": "tester"})
	require.NoError(t, err)
	c := contract(connectAs(t, network, mspID, userOf(t, mspID, pair)))
	_, err = c.SubmitTransaction("put", "a", "0")
	require.Equal(t, codes.Aborted, status.Code(err))
	require.Contains(t, details(err)[0], "creator org unknown, creator is malformed")

	lay(t, cfg, mspID, "cacerts/fabric-ca.pem", ca.CertificatePEM())
	require.NoError(t, network.Reload())
	_, err = c.SubmitTransaction("put", "a", "1")
	require.NoError(t, err)
	elsewhere := contract(connectAs(t, network, "NotaryMSP", userOf(t, "NotaryMSP", pair)))
	_, err = elsewhere.EvaluateTransaction("get", "a")
	require.ErrorContains(t, err, "creator is malformed", "it is the association's CA and nobody else's")

	proposal, err := c.NewProposal("put", client.WithArguments("a", "2"))
	require.NoError(t, err)
	endorsed, err := proposal.Endorse()
	require.NoError(t, err)
	list, err := ca.RevocationList(pair.Certificate)
	require.NoError(t, err)
	lay(t, cfg, mspID, "crls/fabric-ca.pem", list)
	require.NoError(t, network.Reload())
	_, err = endorsed.Submit()
	require.Equal(t, codes.Unavailable, status.Code(err))
	require.Contains(t, details(err)[0], "FORBIDDEN")
	requireRefused(t, c)

	require.NoError(t, network.Close())
	network = start(t, cfg)
	requireRefused(t, contract(connectAs(t, network, mspID, userOf(t, mspID, pair))))
	kept, err := contract(connect(t, network, mspID)).EvaluateTransaction("get", "a")
	require.NoError(t, err)
	require.Equal(t, "1", string(kept), "what it wrote before stands")
	var trust struct {
		Organizations map[string]struct {
			Roots []string `json:"roots"`
		} `json:"organizations"`
	}
	require.NoError(t, json.Unmarshal(network.Trust(), &trust))
	require.Len(t, trust.Organizations["NotaryMSP"].Roots, 1)
	require.Len(t, trust.Organizations[mspID].Roots, 2)
	require.Equal(t, string(ca.CertificatePEM()), trust.Organizations[mspID].Roots[1])
}

func requireRefused(t *testing.T, c *client.Contract) {
	t.Helper()
	_, err := c.SubmitTransaction("put", "a", "3")
	require.Equal(t, codes.Aborted, status.Code(err))
	require.Contains(t, details(err)[0], "access denied: channel [steelyard] creator org [AssociationMSP]")
	_, err = c.EvaluateTransaction("get", "a")
	require.ErrorContains(t, err, "access denied")
}

// TestReloadByItself: nobody has to tell the network, and a file that cannot
// be read changes nothing.
func TestReloadByItself(t *testing.T) {
	cfg := config(t, t.TempDir())
	network := start(t, cfg)
	const mspID = "NotaryMSP"
	ca, err := devca.New("notary", "fabric-ca")
	require.NoError(t, err)
	pair, err := ca.User(nil)
	require.NoError(t, err)
	c := contract(connectAs(t, network, mspID, userOf(t, mspID, pair)))
	lay(t, cfg, mspID, "cacerts/fabric-ca.pem", ca.CertificatePEM())
	require.Eventually(t, func() bool {
		_, err := c.SubmitTransaction("put", "a", "1")
		return err == nil
	}, 20*time.Second, 100*time.Millisecond)

	lay(t, cfg, mspID, "crls/torn.pem", []byte("-----BEGIN X509 CRL-----\n"))
	require.ErrorContains(t, network.Reload(), "not one PEM revocation list")
	_, err = c.SubmitTransaction("put", "a", "2")
	require.NoError(t, err)
	require.NoError(t, network.Close())
	_, err = embedded.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "read revocation list of NotaryMSP", "a start on it would undo a revocation")
}
