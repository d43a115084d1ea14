package conformance

import (
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/devca"
)

func testIdentity(t *testing.T, n *testnet) {
	const own = "RegulatorMSP"
	m := n.connect(t, own)
	stranger := strangerOf(t, n, own)
	denied := "error validating proposal: access denied: channel [steelyard] creator org [RegulatorMSP]"
	malformed := "error validating proposal: access denied: channel [steelyard] creator org unknown, creator is malformed"
	refused := func(message string) failure {
		return failure{
			code: codes.FailedPrecondition, message: "evaluate call to endorser returned error: " + message,
			details: []detail{{own, message}},
		}
	}
	// A wrong clock might be this peer's, so the gateway asks others too.
	mistimed := failure{
		code: codes.Unavailable, message: "failed to evaluate transaction, see attached details for more info",
		details: []detail{{own, "request unauthorized due to incorrect timestamp"}}, others: true,
	}
	cases := []struct {
		name  string
		spoil func(*rawProposal)
		want  failure
	}{
		{
			"SignatureOfAnotherKey",
			func(p *rawProposal) { p.sign = func(b []byte) []byte { return stranger.signature(t, b) } },
			refused(denied),
		},
		{
			"CertificateOfAnotherRoot",
			func(p *rawProposal) {
				p.creator = serialized(t, stranger)
				p.sign = func(b []byte) []byte { return stranger.signature(t, b) }
			},
			refused(malformed),
		},
		{"NoSignature", func(p *rawProposal) { p.sign = func([]byte) []byte { return nil } }, refused("error validating proposal: empty signature bytes")},
		{"NoCreator", func(p *rawProposal) { p.creator = nil }, refused("error validating proposal: creator is empty")},
		{"NoNonce", func(p *rawProposal) { p.nonce = nil }, refused("error validating proposal: nonce is empty")},
		{"TransactionIDOfAnotherNonce", func(p *rawProposal) { p.txID = "00" }, refused("error validating proposal: incorrectly computed txid '00' -- expected '")},
		{"Epoch", func(p *rawProposal) { p.epoch = 1 }, refused("error validating proposal: epoch is non-zero")},
		{"WrongHeaderType", func(p *rawProposal) { p.kind = common.HeaderType_MESSAGE }, refused("error validating proposal: invalid header type MESSAGE")},
		{"ClockAnHourBehind", func(p *rawProposal) { p.timestamp = time.Now().Add(-time.Hour) }, mistimed},
		{"ClockAnHourAhead", func(p *rawProposal) { p.timestamp = time.Now().Add(time.Hour) }, mistimed},
	}
	for _, c := range cases {
		t.Run("Evaluate/"+c.name, func(t *testing.T) {
			p := newRawProposal(t, m, "echo", "x")
			c.spoil(p)
			_, err := p.evaluate(t, m)
			n.requireFailure(t, c.want, err)
		})
		t.Run("Endorse/"+c.name, func(t *testing.T) {
			p := newRawProposal(t, m, "echo", "x")
			c.spoil(p)
			_, err := p.endorse(t, m)
			n.requireFailure(t, failure{
				code: codes.Aborted, message: "failed to endorse transaction, see attached details for more info", details: c.want.details,
			}, err)
		})
	}
	t.Run("AnUnspoiledProposalIsAnswered", func(t *testing.T) {
		response, err := newRawProposal(t, m, "echo", "x").evaluate(t, m)
		require.NoError(t, describe(err))
		require.Equal(t, "x", string(response.GetResult().GetPayload()))
	})
	t.Run("ClientOfOneOrganizationAtAnothersPeer", func(t *testing.T) {
		guest := n.connectVia(t, "NotaryMSP", own)
		require.Equal(t, "x", guest.submit(t, "echo", "x"))
	})
	t.Run("ServerOfAnotherRootIsRefused", func(t *testing.T) { testServerRoot(t, n) })
	t.Run("CommitStatusNeedsTheIdentitysSignature", func(t *testing.T) {
		request := statusRequest(t, m, "00")
		request.Signature = stranger.signature(t, request.GetRequest())
		_, err := m.gatewayClient().CommitStatus(deadline(t), request)
		n.requireFailure(t, failure{code: codes.PermissionDenied, message: ""}, err)
	})
	t.Run("CommitStatusNeedsAMember", func(t *testing.T) {
		_, err := m.gatewayClient().CommitStatus(deadline(t), statusRequest(t, stranger, "00"))
		n.requireFailure(t, failure{code: codes.PermissionDenied, message: ""}, err)
	})
	t.Run("BlockEventsNeedAMember", func(t *testing.T) {
		events, err := stranger.network.BlockEvents(deadline(t), client.WithStartBlock(0))
		if err == nil {
			_, open := <-events
			require.False(t, open)
		}
	})
}

// strangerOf claims to be of the organisation, with a certificate of a root
// that only bears its name.
func strangerOf(t *testing.T, n *testnet, mspID string) *member {
	t.Helper()
	ca, err := devca.New("regulator.steelyard", "ca.regulator.steelyard")
	require.NoError(t, err)
	pair, err := ca.User(map[string]string{"role": "regulator"})
	require.NoError(t, err)
	return n.connectAs(t, mspID, pair, mspID)
}

func testServerRoot(t *testing.T, n *testnet) {
	regulator, notary := n.peers["RegulatorMSP"], n.peers["NotaryMSP"]
	mixed := &testnet{enroll: n.enroll, peers: map[string]endpoint{
		"RegulatorMSP": {address: regulator.address, serverName: regulator.serverName, tlsRoots: notary.tlsRoots},
	}}
	m := mixed.connect(t, "RegulatorMSP")
	_, err := m.network.GetContract(chaincodeName).EvaluateWithContext(deadline(t), "echo", client.WithArguments("x"))
	n.requireFailure(t, failure{code: codes.Unavailable, message: "certificate signed by unknown authority"}, err)
	require.Equal(t, consortium.Channel, m.network.Name())
}
