package conformance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/steelyard-ledger/steelyard/network/devca"
)

// authorities lays a further CA of an organisation and its revocation list
// before the network; nil takes either away.
type authorities func(t *testing.T, mspID string, root, list []byte)

// layFiles writes them into an MSP directory.
func layFiles(t *testing.T, dir string, root, list []byte) {
	t.Helper()
	for name, content := range map[string][]byte{"cacerts/further.pem": root, "crls/further.pem": list} {
		path := filepath.Join(dir, name)
		if content == nil {
			require.NoError(t, os.RemoveAll(path))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, content, 0o600))
	}
}

// testRevocation follows a client of a CA that its organisation adds, until
// its certificate is revoked.
func testRevocation(t *testing.T, n *testnet) {
	const own = "NotaryMSP"
	ca, err := devca.New("notary", "further-ca")
	require.NoError(t, err)
	pair, err := ca.User(map[string]string{"role": "tester"})
	require.NoError(t, err)
	m := n.connectAs(t, own, pair, own)
	refusedWith := func(message string) {
		t.Helper()
		_, err := newRawProposal(t, m, "echo", "x").evaluate(t, m)
		n.requireFailure(t, failure{
			code: codes.FailedPrecondition, message: "evaluate call to endorser returned error: " + message, details: []detail{{own, message}},
		}, err)
		_, err = newRawProposal(t, m, "echo", "x").endorse(t, m)
		n.requireFailure(t, failure{
			code: codes.Aborted, message: "failed to endorse transaction, see attached details for more info", details: []detail{{own, message}},
		}, err)
		_, err = m.gatewayClient().CommitStatus(deadline(t), statusRequest(t, m, "00"))
		n.requireFailure(t, failure{code: codes.PermissionDenied, message: ""}, err)
	}
	malformed := "error validating proposal: access denied: channel [steelyard] creator org unknown, creator is malformed"
	refusedWith(malformed)
	t.Cleanup(func() { n.authorities(t, own, nil, nil) })

	n.authorities(t, own, ca.CertificatePEM(), nil)
	require.Equal(t, "x", m.submit(t, "echo", "x"))
	elsewhere := n.connectAs(t, "RegulatorMSP", pair, "RegulatorMSP")
	_, err = newRawProposal(t, elsewhere, "echo", "x").evaluate(t, elsewhere)
	n.requireFailure(t, failure{code: codes.FailedPrecondition, message: malformed, details: []detail{{"RegulatorMSP", malformed}}}, err)

	late := m.endorse(t, "put", newKey(), "1")
	list, err := ca.RevocationList(pair.Certificate)
	require.NoError(t, err)
	n.authorities(t, own, ca.CertificatePEM(), list)
	refusedWith("error validating proposal: access denied: channel [steelyard] creator org [NotaryMSP]")
	if _, err := late.SubmitWithContext(deadline(t)); err != nil {
		require.ErrorContains(t, describe(err), "FORBIDDEN")
	} else { // by an ordering node that had not seen the revocation yet
		require.Equal(t, peer.TxValidationCode_BAD_CREATOR_SIGNATURE.String(), n.connect(t, own).status(t, late.TransactionID()).Code.String())
	}
	require.Equal(t, "x", n.connect(t, own).submit(t, "echo", "x"), "the organisation's others go on")
}
