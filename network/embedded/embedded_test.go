package embedded_test

import (
	"context"
	"crypto/x509"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/steelyard-ledger/steelyard/network/devca"
	"github.com/steelyard-ledger/steelyard/network/embedded"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

const chaincodeName = "test"

// collection makes a collection of the organisations' members.
func collection(t testing.TB, name string, organizations ...string) *pb.StaticCollectionConfig {
	t.Helper()
	var policy cb.SignaturePolicyEnvelope
	var rules []*cb.SignaturePolicy
	for i, organization := range organizations {
		one, err := msp.AnyRole(organization, []mb.MSPRole_MSPRoleType{mb.MSPRole_MEMBER})
		require.NoError(t, err)
		policy.Identities = append(policy.Identities, one.GetIdentities()...)
		rules = append(rules, &cb.SignaturePolicy{Type: &cb.SignaturePolicy_SignedBy{SignedBy: int32(i)}})
	}
	policy.Rule = &cb.SignaturePolicy{Type: &cb.SignaturePolicy_NOutOf_{NOutOf: &cb.SignaturePolicy_NOutOf{N: 1, Rules: rules}}}
	return &pb.StaticCollectionConfig{
		Name: name, MemberOnlyRead: true,
		MemberOrgsPolicy: &pb.CollectionPolicyConfig{
			Payload: &pb.CollectionPolicyConfig_SignaturePolicy{SignaturePolicy: &policy},
		},
	}
}

var everybody = []string{"RegulatorMSP", "InstituteMSP", "AssociationMSP", "NotaryMSP"}

func config(t testing.TB, dir string) embedded.Config {
	t.Helper()
	return embedded.Config{Dir: dir, Chaincodes: []embedded.Chaincode{{
		Name: chaincodeName, Contract: testChaincode{},
		Collections: []*pb.StaticCollectionConfig{
			collection(t, "disclosed", everybody...),
			collection(t, "restricted", "RegulatorMSP", "NotaryMSP"),
		},
	}}}
}

func start(t testing.TB, cfg embedded.Config) *embedded.Network {
	t.Helper()
	network, err := embedded.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	return network
}

// dial connects to the organisation's peer.
func dial(t testing.TB, network *embedded.Network, mspID string) *grpc.ClientConn {
	t.Helper()
	for _, info := range network.Peers() {
		if info.MSPID != mspID {
			continue
		}
		roots := x509.NewCertPool()
		require.True(t, roots.AppendCertsFromPEM(info.TLSRootsPEM))
		connection, err := grpc.NewClient(info.Endpoint,
			grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, info.ServerName)))
		require.NoError(t, err)
		t.Cleanup(func() { _ = connection.Close() })
		return connection
	}
	require.FailNow(t, "no such organisation", mspID)
	return nil
}

// user is a client identity with its key.
type user struct {
	id   *identity.X509Identity
	sign identity.Sign
}

func enroll(t testing.TB, network *embedded.Network, mspID string) user {
	t.Helper()
	pair, err := network.Enroll(mspID, map[string]string{"role": "tester"})
	require.NoError(t, err)
	return userOf(t, mspID, pair)
}

func userOf(t testing.TB, mspID string, pair devca.Pair) user {
	t.Helper()
	certificate, err := identity.CertificateFromPEM(pair.Certificate)
	require.NoError(t, err)
	id, err := identity.NewX509Identity(mspID, certificate)
	require.NoError(t, err)
	key, err := identity.PrivateKeyFromPEM(pair.Key)
	require.NoError(t, err)
	sign, err := identity.NewPrivateKeySign(key)
	require.NoError(t, err)
	return user{id, sign}
}

// connect opens a gateway to the organisation's peer as one of its users.
func connect(t testing.TB, network *embedded.Network, mspID string) *client.Gateway {
	t.Helper()
	return connectAs(t, network, mspID, enroll(t, network, mspID))
}

func connectAs(t testing.TB, network *embedded.Network, mspID string, who user) *client.Gateway {
	t.Helper()
	gateway, err := client.Connect(who.id, client.WithSign(who.sign), client.WithHash(hash.SHA256),
		client.WithClientConnection(dial(t, network, mspID)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = gateway.Close() })
	return gateway
}

func contract(gateway *client.Gateway) *client.Contract {
	return gateway.GetNetwork("steelyard").GetContract(chaincodeName)
}

func TestSubmitAndEvaluate(t *testing.T) {
	network := start(t, config(t, t.TempDir()))
	c := contract(connect(t, network, "RegulatorMSP"))

	result, err := c.SubmitTransaction("put", "a", "1")
	require.NoError(t, err)
	require.Equal(t, "1", string(result))
	result, err = c.EvaluateTransaction("get", "a")
	require.NoError(t, err)
	require.Equal(t, "1", string(result))
}

func TestOwnWritesAreNotRead(t *testing.T) {
	network := start(t, config(t, t.TempDir()))
	c := contract(connect(t, network, "RegulatorMSP"))
	_, err := c.SubmitTransaction("put", "a", "old")
	require.NoError(t, err)
	result, err := c.SubmitTransaction("update", "a", "new")
	require.NoError(t, err)
	require.Equal(t, "old", string(result))
}

func TestPrivateData(t *testing.T) {
	network := start(t, config(t, t.TempDir()))
	c := contract(connect(t, network, "RegulatorMSP"))
	_, err := c.Submit("putPrivate", client.WithArguments("disclosed", "k"),
		client.WithTransient(map[string][]byte{"value": []byte("secret")}))
	require.NoError(t, err)
	value, err := c.EvaluateTransaction("getPrivate", "disclosed", "k")
	require.NoError(t, err)
	require.Equal(t, "secret", string(value))
}

func TestRestartContinues(t *testing.T) {
	cfg := config(t, t.TempDir())
	network := start(t, cfg)
	who := enroll(t, network, "NotaryMSP")
	_, err := contract(connectAs(t, network, "NotaryMSP", who)).SubmitTransaction("put", "a", "1")
	require.NoError(t, err)
	trust := network.Trust()
	require.NoError(t, network.Close())

	network = start(t, cfg)
	require.Equal(t, string(trust), string(network.Trust()))
	c := contract(connectAs(t, network, "NotaryMSP", who))
	value, err := c.EvaluateTransaction("get", "a")
	require.NoError(t, err)
	require.Equal(t, "1", string(value))
	_, err = c.SubmitTransaction("put", "a", "2")
	require.NoError(t, err)
}

func TestBlockEvents(t *testing.T) {
	network := start(t, config(t, t.TempDir()))
	gateway := connect(t, network, "InstituteMSP")
	c := contract(gateway)
	_, err := c.Submit("putPrivate", client.WithArguments("disclosed", "k"),
		client.WithTransient(map[string][]byte{"value": []byte("secret")}))
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	blocks, err := gateway.GetNetwork("steelyard").BlockEvents(ctx, client.WithStartBlock(0))
	require.NoError(t, err)
	require.EqualValues(t, 0, (<-blocks).GetHeader().GetNumber())
	require.EqualValues(t, 1, (<-blocks).GetHeader().GetNumber())
	filtered, err := gateway.GetNetwork("steelyard").FilteredBlockEvents(ctx, client.WithStartBlock(1))
	require.NoError(t, err)
	require.Equal(t, pb.TxValidationCode_VALID, (<-filtered).GetFilteredTransactions()[0].GetTxValidationCode())
	private, err := gateway.GetNetwork("steelyard").BlockAndPrivateDataEvents(ctx, client.WithStartBlock(1))
	require.NoError(t, err)
	require.Contains(t, (<-private).GetPrivateDataMap()[0].String(), "secret")
}
