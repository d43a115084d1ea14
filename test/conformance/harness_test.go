// Package conformance holds what a network must answer to a Fabric Gateway
// client, whoever runs it. The same tests run against the embedded network
// (the default) and against real Fabric (STEELYARD_NETWORK=real); every
// expected code and text is stated once, as real Fabric answered it.
//
// STEELYARD_NETWORK_DIR names a network that fabric-up.sh made, to be used
// instead of a new one; STEELYARD_ORDERER=etcdraft chooses the ordering
// service of a new one.
package conformance

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/devca"
)

const chaincodeName = "conformance"

// testnet is the network under test.
type testnet struct {
	real   bool
	host   *onehost.Network    // nil for the embedded network
	peers  map[string]endpoint // by MSP ID
	enroll func(mspID string, attributes map[string]string) (devca.Pair, error)

	authorities authorities
}

// endpoint is what a client must know of a peer.
type endpoint struct {
	address, serverName string
	tlsRoots            []byte
}

// open starts the network that the environment names, or skips with a word.
func open(t testing.TB) *testnet {
	t.Helper()
	switch kind := os.Getenv("STEELYARD_NETWORK"); kind {
	case "real":
		return openReal(t)
	case "", "embedded":
		return openEmbedded(t)
	default:
		t.Fatalf("STEELYARD_NETWORK=%s: want embedded or real", kind)
		return nil
	}
}

func openReal(t testing.TB) *testnet {
	t.Helper()
	dir, wish := os.Getenv("STEELYARD_NETWORK_DIR"), consortium.Plan{}
	if dir == "" {
		dir, wish = t.TempDir(), consortium.Plan{Port: onehost.FreePort(), Orderer: os.Getenv("STEELYARD_ORDERER")}
	}
	return openRealIn(t, dir, wish)
}

func openRealIn(t testing.TB, dir string, wish consortium.Plan) *testnet {
	t.Helper()
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	t.Cleanup(stop)
	n, err := onehost.Up(ctx, dir, wish)
	if errors.Is(err, onehost.ErrToolMissing) {
		t.Skip("real Fabric not tested:", err)
	}
	require.NoError(t, err)
	if wish.Port != 0 {
		t.Cleanup(func() { require.NoError(t, n.Down(context.Background())) })
	}
	deployReal(t, ctx, n)
	result := &testnet{real: true, host: n, peers: map[string]endpoint{}, enroll: n.Plan.Enroll}
	result.authorities = func(t *testing.T, mspID string, root, list []byte) {
		for _, organization := range n.Plan.Members() {
			if organization.MSPID == mspID {
				layFiles(t, n.MSPDir(organization), root, list)
				ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute) // in a cleanup too
				defer cancel()
				_, err := n.SetMSP(ctx, organization.Name)
				require.NoError(t, err)
			}
		}
	}
	for _, node := range n.Plan.Peers() {
		roots, err := os.ReadFile(n.Plan.TLSRoot(node.Organization))
		require.NoError(t, err)
		result.peers[node.MSPID] = endpoint{address: node.Endpoint, serverName: node.Name, tlsRoots: roots}
	}
	return result
}

func deployReal(t testing.TB, ctx context.Context, n *onehost.Network) {
	t.Helper()
	deployments, err := n.Deployments()
	require.NoError(t, err)
	for _, d := range deployments {
		if d.Name == chaincodeName {
			return
		}
	}
	_, err = n.Deploy(ctx, onehost.Contract{Name: chaincodeName, Source: "./chaincode", Collections: collections(t)})
	require.NoError(t, err)
}

// collections are those of the metrology chaincode.
func collections(t testing.TB) []*peer.StaticCollectionConfig {
	t.Helper()
	configs, err := consortium.Collections()
	require.NoError(t, err)
	return configs
}

// member is a connected client with an identity of its own.
type member struct {
	id         *identity.X509Identity
	sign       identity.Sign
	connection *grpc.ClientConn
	gateway    *client.Gateway
	network    *client.Network
	contract   *client.Contract

	misled atomic.Int64 // submissions told UNAVAILABLE although ordered
}

// connect enrolls a new client of the organisation at its own peer.
func (n *testnet) connect(t testing.TB, mspID string) *member {
	t.Helper()
	return n.connectVia(t, mspID, mspID)
}

// connectVia enrolls with one organisation and talks to another's peer.
func (n *testnet) connectVia(t testing.TB, mspID, peerMSPID string) *member {
	t.Helper()
	pair, err := n.enroll(mspID, map[string]string{"role": "tester"})
	require.NoError(t, err)
	return n.connectAs(t, mspID, pair, peerMSPID)
}

func (n *testnet) connectAs(t testing.TB, mspID string, pair devca.Pair, peerMSPID string) *member {
	t.Helper()
	certificate, err := identity.CertificateFromPEM(pair.Certificate)
	require.NoError(t, err)
	key, err := identity.PrivateKeyFromPEM(pair.Key)
	require.NoError(t, err)
	m := &member{}
	m.id, err = identity.NewX509Identity(mspID, certificate)
	require.NoError(t, err)
	m.sign, err = identity.NewPrivateKeySign(key)
	require.NoError(t, err)
	server := n.peers[peerMSPID]
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(server.tlsRoots))
	m.connection, err = grpc.NewClient("passthrough:///"+server.address,
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, server.serverName)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(100<<20), grpc.MaxCallSendMsgSize(100<<20)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.connection.Close() })
	m.gateway, err = client.Connect(m.id, client.WithSign(m.sign), client.WithHash(hash.SHA256), client.WithClientConnection(m.connection))
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.gateway.Close() })
	m.network = m.gateway.GetNetwork(consortium.Channel)
	m.contract = m.network.GetContract(chaincodeName)
	return m
}

// deadline bounds a test that waits for the network.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// newKey returns a key that no other test, and no earlier run, has used.
func newKey() string { return "k" + rand.Text() }

// submit commits and returns the result.
func (m *member) submit(t testing.TB, name string, args ...string) string {
	t.Helper()
	transaction := m.endorse(t, name, args...)
	require.Equal(t, peer.TxValidationCode_VALID.String(), m.commit(t, transaction).Code.String())
	return string(transaction.Result())
}

func (m *member) evaluate(t testing.TB, name string, args ...string) string {
	t.Helper()
	result, err := m.contract.EvaluateWithContext(deadline(t), name, client.WithArguments(args...))
	require.NoError(t, describe(err))
	return string(result)
}

// endorse prepares a transaction without sending it to the orderers.
func (m *member) endorse(t testing.TB, name string, args ...string) *client.Transaction {
	t.Helper()
	transaction, err := m.tryEndorse(t, name, client.WithArguments(args...))
	require.NoError(t, describe(err))
	return transaction
}

// tryEndorse returns the error of the endorsement. Peers that are a block
// apart answer differently, and a young network loses sight of a peer now and
// then; both pass, so both are tried again.
func (m *member) tryEndorse(t testing.TB, name string, options ...client.ProposalOption) (*client.Transaction, error) {
	t.Helper()
	for attempt := 0; ; attempt++ {
		proposal, err := m.contract.NewProposal(name, options...)
		require.NoError(t, err)
		transaction, err := proposal.EndorseWithContext(deadline(t))
		if attempt == 20 || err == nil || !passing(err) {
			return transaction, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func passing(err error) bool {
	text := describe(err).Error()
	return strings.Contains(text, "ProposalResponsePayloads do not match") ||
		strings.Contains(text, "failed to find any endorsing peers") && !strings.Contains(text, "NobodyMSP")
}

// trySubmit endorses and commits, and returns what went wrong in either.
func (m *member) trySubmit(t testing.TB, name string, options ...client.ProposalOption) (peer.TxValidationCode, error) {
	t.Helper()
	transaction, err := m.tryEndorse(t, name, options...)
	if err != nil {
		return 0, err
	}
	return m.commit(t, transaction).Code, nil
}

// commit sends an endorsed transaction and returns how it was validated. The
// peer sends it to every BFT ordering node; those that learn of it from the
// others first answer "request already processed", and the peer then reports
// UNAVAILABLE although the transaction is ordered. So that error means
// unknown, and the transaction is asked for by its ID.
func (m *member) commit(t testing.TB, transaction *client.Transaction) *client.Status {
	t.Helper()
	sent, err := transaction.SubmitWithContext(deadline(t))
	if alreadyProcessed(err) {
		t.Log("ordered, though the submission said UNAVAILABLE")
		return m.status(t, transaction.TransactionID())
	}
	require.NoError(t, describe(err))
	result, err := sent.StatusWithContext(deadline(t))
	require.NoError(t, describe(err))
	return result
}

// status asks how a transaction was validated, waiting until it is.
func (m *member) status(t testing.TB, txID string) *client.Status {
	t.Helper()
	answer, err := m.gatewayClient().CommitStatus(deadline(t), statusRequest(t, m, txID))
	require.NoError(t, describe(err))
	return &client.Status{
		TransactionID: txID,
		Code:          answer.GetResult(),
		BlockNumber:   answer.GetBlockNumber(),
		Successful:    answer.GetResult() == peer.TxValidationCode_VALID,
	}
}

func alreadyProcessed(err error) bool {
	return err != nil && status.Code(err) == codes.Unavailable && strings.Contains(describe(err).Error(), "request already processed")
}

// failure is what an error must say: the gRPC code, a part of its message,
// and who said what in its details, in any order.
type failure struct {
	code    codes.Code
	message string
	details []detail
	others  bool // more details may follow, from peers that chance picks
}

type detail struct{ mspID, message string }

func (n *testnet) requireFailure(t testing.TB, want failure, err error) {
	t.Helper()
	require.Error(t, err)
	found := status.Convert(err)
	require.Equal(t, want.code.String(), found.Code().String(), "%v", describe(err))
	require.Contains(t, found.Message(), want.message)
	got := map[string]*gateway.ErrorDetail{}
	for _, one := range found.Details() {
		d, ok := one.(*gateway.ErrorDetail)
		require.True(t, ok, "detail is %T", one)
		got[d.GetMspId()] = d
	}
	if !want.others {
		require.Len(t, got, len(want.details), "%v", describe(err))
	}
	for _, wanted := range want.details {
		require.Contains(t, got, wanted.mspID, "%v", describe(err))
		require.Contains(t, got[wanted.mspID].GetMessage(), wanted.message)
		require.Equal(t, n.peers[wanted.mspID].address, got[wanted.mspID].GetAddress())
	}
}

// describe adds the details that gRPC errors do not print.
func describe(err error) error {
	if err == nil {
		return nil
	}
	for _, d := range status.Convert(err).Details() {
		if ed, ok := d.(*gateway.ErrorDetail); ok {
			err = errors.Join(err, errors.New(ed.GetMspId()+" "+ed.GetAddress()+": "+ed.GetMessage()))
		}
	}
	return err
}
