package evidence_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/chaincode/contract"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/gateway/evidence"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/embedded"
)

// running is the embedded network with the real contract.
type running struct {
	t       *testing.T
	network *embedded.Network
}

func startNetwork(t *testing.T) running {
	metrologyContract, err := contract.New()
	require.NoError(t, err)
	collections, err := consortium.Collections()
	require.NoError(t, err)
	network, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Chaincodes: []embedded.Chaincode{
		{Name: "metrology", Contract: metrologyContract, Collections: collections},
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	return running{t, network}
}

// connect opens a gateway as a new identity with a role and a subject.
func (r running) connect(mspID, role, subject string) *client.Network {
	pair, err := r.network.Enroll(mspID, map[string]string{"role": role, "subject": subject})
	require.NoError(r.t, err)
	certificate, err := identity.CertificateFromPEM(pair.Certificate)
	require.NoError(r.t, err)
	id, err := identity.NewX509Identity(mspID, certificate)
	require.NoError(r.t, err)
	key, err := identity.PrivateKeyFromPEM(pair.Key)
	require.NoError(r.t, err)
	sign, err := identity.NewPrivateKeySign(key)
	require.NoError(r.t, err)
	var connection *grpc.ClientConn
	for _, peer := range r.network.Peers() {
		if peer.MSPID == mspID {
			roots := x509.NewCertPool()
			require.True(r.t, roots.AppendCertsFromPEM(peer.TLSRootsPEM))
			connection, err = grpc.NewClient(peer.Endpoint, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, peer.ServerName)))
			require.NoError(r.t, err)
			r.t.Cleanup(func() { _ = connection.Close() })
		}
	}
	gateway, err := client.Connect(id, client.WithSign(sign), client.WithHash(hash.SHA256), client.WithClientConnection(connection))
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = gateway.Close() })
	return gateway.GetNetwork("steelyard")
}

// submit runs one writing transaction and returns the block it stands in.
func (r running) submit(as *client.Network, function string, request any, transient map[string][]byte) uint64 {
	encoded, err := json.Marshal(request)
	require.NoError(r.t, err)
	proposal, err := as.GetContract("metrology").NewProposal(function,
		client.WithArguments(string(encoded), function[len(function)-4:]+"-"+time.Now().Format("150405.000000000")), client.WithTransient(transient))
	require.NoError(r.t, err)
	transaction, err := proposal.Endorse()
	require.NoError(r.t, err, function)
	commit, err := transaction.Submit()
	require.NoError(r.t, err, function)
	status, err := commit.Status()
	require.NoError(r.t, err, function)
	require.True(r.t, status.Successful, status.Code)
	return status.BlockNumber
}

// block reads one block as a peer gives it.
func (r running) block(from *client.Network, number uint64) ledger.Block {
	blocks, err := from.BlockEvents(r.t.Context(), client.WithStartBlock(number))
	require.NoError(r.t, err)
	parsed, err := ledger.Parse(<-blocks, nil)
	require.NoError(r.t, err)
	return parsed
}

// Evidence out of blocks that a network made, not this package's tests.
func TestEmbeddedNetwork(t *testing.T) {
	r := startNetwork(t)
	regulator, institute := r.connect("RegulatorMSP", "regulator", "reg"), r.connect("InstituteMSP", "institute", "officer")
	signer, err := signature.GenerateSM2()
	require.NoError(t, err)
	today := metrology.DateOf(time.Now())
	profile, err := json.Marshal(metrology.Profile{Salt: hex.EncodeToString(make([]byte, 32)), Name: "检定机构"})
	require.NoError(t, err)
	r.submit(regulator, "operation:Bootstrap", metrology.Bootstrap{}, nil)
	r.submit(regulator, "issuer:Register", metrology.RegisterIssuer{ID: "INST-001", Region: "440300", Grants: []metrology.Grant{{
		Authority: metrology.AuthorityAuthorized, Number: "A-1", From: "2024-01-01", Until: today.AddDays(1000),
		Scope: []metrology.ScopeItem{{Category: "24-2", Regulation: "JJG 443-2023"}},
	}}}, map[string][]byte{"profile": profile})
	r.submit(regulator, "issuer:AddKey", metrology.AddIssuerKey{ID: "INST-001", SPKI: signer.Key().SPKI(), From: today, Until: today.AddDays(300)}, nil)
	r.submit(regulator, "issuer:Appoint", metrology.AppointAgent{ID: "INST-001", Subject: "officer"}, nil)

	request := signedBatch(t, signer, today, 5)
	number := r.submit(institute, "certificate:AnchorBatch", request, nil)
	trust, err := ledger.ParseTrust(r.network.Trust())
	require.NoError(t, err)
	from := evidence.Anchoring{
		Block: r.block(institute, number), Configurations: []ledger.Block{r.block(institute, 0)}, IssuerKey: signer.Key().SPKI(),
		Reading: r.reading(institute, request.Leaves[3]),
	}
	bundle, err := evidence.Build(trust, from, "JL-3")
	require.NoError(t, err)
	result, err := evidence.Verify(bundle, trust, []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: digestOf(3)}})
	require.NoError(t, err)
	require.Equal(t, number, result.Block)
	require.Contains(t, result.Endorsers, "InstituteMSP")
	require.GreaterOrEqual(t, len(result.Endorsers), 3)
	require.GreaterOrEqual(t, len(result.Readers), 2)
	encoded, err := bundle.Encode()
	require.NoError(t, err)
	t.Logf("evidence of %d bytes, endorsed by %v, read by %v", len(encoded), result.Endorsers, result.Readers)

	// Once revoked, the certificate can no longer be read at that version.
	r.submit(institute, "certificate:Revoke", metrology.RevokeCertificate{Issuer: "INST-001", Number: "JL-3", Reason: metrology.RevokedMistake}, nil)
	from.Reading = r.reading(institute, request.Leaves[3])
	_, err = evidence.Build(trust, from, "JL-3")
	require.ErrorIs(t, err, evidence.ErrNotProven)
}

// reading asks peers to endorse, without submitting anything.
func (r running) reading(as *client.Network, leaf []byte) *evidence.Reading {
	function, request, err := evidence.ReadingCall(leaf)
	require.NoError(r.t, err)
	proposal, err := as.GetContract("metrology").NewProposal(function, client.WithArguments(string(request)))
	require.NoError(r.t, err)
	transaction, err := proposal.Endorse()
	require.NoError(r.t, err)
	encoded, err := transaction.Bytes()
	require.NoError(r.t, err)
	var prepared gateway.PreparedTransaction
	require.NoError(r.t, proto.Unmarshal(encoded, &prepared))
	envelope, err := proto.Marshal(prepared.GetEnvelope())
	require.NoError(r.t, err)
	reading, err := evidence.ReadingOf(envelope)
	require.NoError(r.t, err)
	return reading
}

func digestOf(n int) string { return hex.EncodeToString(append(make([]byte, 31), byte(n))) }

func signedBatch(t *testing.T, signer *signature.Signer, today metrology.Date, count int) metrology.AnchorBatch {
	request := metrology.AnchorBatch{Issuer: "INST-001", Key: signer.Key().ID()}
	var leaves [][]byte
	for n := range count {
		encoded, err := metrology.Leaf{
			Issuer: "INST-001", Number: "JL-" + string(rune('0'+n)), Kind: metrology.KindVerification, Regulation: "JJG 443-2023",
			Performed: today, Issued: today, ValidUntil: today.AddDays(180),
			Instruments: []metrology.LeafInstrument{{Serial: "S-1", Category: "24-2", Conclusion: metrology.ConclusionPass}},
			Digests:     []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: digestOf(n)}},
		}.Bytes()
		require.NoError(t, err)
		leaves, request.Leaves = append(leaves, encoded), append(request.Leaves, encoded)
	}
	root, _, err := evidence.Tree(leaves)
	require.NoError(t, err)
	request.Root = hex.EncodeToString(root[:])
	request.Signature, err = signer.Sign(metrology.BatchMessage("INST-001", root, uint64(count)))
	require.NoError(t, err)
	return request
}
