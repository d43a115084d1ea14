package evidence_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
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
	"gopkg.in/yaml.v3"

	"github.com/steelyard-ledger/steelyard/chaincode/contract"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/gateway/evidence"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/embedded"
)

// running is a network with the real contract: the embedded one, or the one
// whose directory of network/admin STEELYARD_NETWORK_DIR names.
type running struct {
	t      *testing.T
	peers  map[string]peerAddress          // by MSP id
	enroll func(mspID, role string) person // an identity of that role
	trust  []byte
}

type peerAddress struct {
	endpoint, serverName string
	tlsRoots             []byte
}

// person is a wallet's entry.
type person struct {
	certificate, key []byte // PEM
}

func startNetwork(t *testing.T) running {
	if directory := os.Getenv("STEELYARD_NETWORK_DIR"); directory != "" {
		return realNetwork(t, directory)
	}
	metrologyContract, err := contract.New()
	require.NoError(t, err)
	collections, err := consortium.Collections()
	require.NoError(t, err)
	network, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Chaincodes: []embedded.Chaincode{
		{Name: "metrology", Contract: metrologyContract, Collections: collections},
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	r := running{t: t, peers: map[string]peerAddress{}, trust: network.Trust(), enroll: func(mspID, role string) person {
		pair, err := network.Enroll(mspID, map[string]string{"role": role, "subject": role + "-1"})
		require.NoError(t, err)
		return person{pair.Certificate, pair.Key}
	}}
	for _, peer := range network.Peers() {
		r.peers[peer.MSPID] = peerAddress{peer.Endpoint, peer.ServerName, peer.TLSRootsPEM}
	}
	return r
}

func realNetwork(t *testing.T, directory string) running {
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(directory, name))
		require.NoError(t, err)
		return content
	}
	var config struct {
		Network struct {
			Peers []struct {
				MSPID      string `yaml:"mspId"`
				Endpoint   string `yaml:"endpoint"`
				ServerName string `yaml:"serverName"`
				TLSRoots   string `yaml:"tlsRoots"`
			} `yaml:"peers"`
		} `yaml:"network"`
	}
	require.NoError(t, yaml.Unmarshal(read("gateway.yaml"), &config))
	r := running{t: t, peers: map[string]peerAddress{}, trust: read("trust.json"), enroll: func(_, role string) person {
		var entry struct {
			Credentials struct{ Certificate, PrivateKey string }
		}
		require.NoError(t, json.Unmarshal(read("wallet/"+role+".id"), &entry))
		return person{[]byte(entry.Credentials.Certificate), []byte(entry.Credentials.PrivateKey)}
	}}
	for _, peer := range config.Network.Peers {
		r.peers[peer.MSPID] = peerAddress{peer.Endpoint, peer.ServerName, read(peer.TLSRoots)}
	}
	return r
}

// connect opens a gateway as an identity of the role and tells its subject.
func (r running) connect(mspID, role string) (network *client.Network, subject string) {
	who := r.enroll(mspID, role)
	certificate, err := identity.CertificateFromPEM(who.certificate)
	require.NoError(r.t, err)
	attributes, err := ledger.Attributes(certificate)
	require.NoError(r.t, err)
	id, err := identity.NewX509Identity(mspID, certificate)
	require.NoError(r.t, err)
	key, err := identity.PrivateKeyFromPEM(who.key)
	require.NoError(r.t, err)
	sign, err := identity.NewPrivateKeySign(key)
	require.NoError(r.t, err)
	peer := r.peers[mspID]
	roots := x509.NewCertPool()
	require.True(r.t, roots.AppendCertsFromPEM(peer.tlsRoots))
	connection, err := grpc.NewClient(peer.endpoint, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, peer.serverName)))
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = connection.Close() })
	gateway, err := client.Connect(id, client.WithSign(sign), client.WithHash(hash.SHA256), client.WithClientConnection(connection))
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = gateway.Close() })
	return gateway.GetNetwork("steelyard"), attributes["subject"]
}

// submit runs one writing transaction and returns its id and the block it stands in.
func (r running) submit(as *client.Network, function string, request any, transient map[string][]byte) (id string, block uint64) {
	encoded, err := json.Marshal(request)
	require.NoError(r.t, err)
	_, commit, err := as.GetContract("metrology").SubmitAsync(function,
		client.WithArguments(string(encoded), "op-"+rand.Text()), client.WithTransient(transient))
	require.NoError(r.t, err, function)
	status, err := commit.Status()
	require.NoError(r.t, err, function)
	require.True(r.t, status.Successful, status.Code)
	return status.TransactionID, status.BlockNumber
}

// blocksOf reads blocks as a peer gives them.
type blocksOf struct{ network *client.Network }

func (b blocksOf) Block(ctx context.Context, number uint64) (ledger.Block, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	blocks, err := b.network.BlockEvents(ctx, client.WithStartBlock(number))
	if err != nil {
		return ledger.Block{}, err
	}
	return ledger.Parse(<-blocks, nil)
}

// Evidence out of blocks that a network made, not this package's tests.
func TestNetwork(t *testing.T) {
	r := startNetwork(t)
	regulator, _ := r.connect("RegulatorMSP", "regulator")
	institute, officer := r.connect("InstituteMSP", "institute")
	signer, err := signature.GenerateSM2()
	require.NoError(t, err)
	issuer, today := "INST-"+rand.Text(), metrology.DateOf(time.Now())
	profile, err := json.Marshal(metrology.Profile{Salt: hex.EncodeToString(make([]byte, 32)), Name: "检定机构"})
	require.NoError(t, err)
	_, err = regulator.GetContract("metrology").Submit("operation:Bootstrap", client.WithArguments("{}", "op-"+rand.Text()))
	if err != nil {
		t.Logf("the gates stood already: %v", err)
	}
	r.submit(regulator, "issuer:Register", metrology.RegisterIssuer{ID: issuer, Region: "440300", Grants: []metrology.Grant{{
		Authority: metrology.AuthorityAuthorized, Number: "A-1", From: "2024-01-01", Until: today.AddDays(1000),
		Scope: []metrology.ScopeItem{{Category: "24-2", Regulation: "JJG 443-2023"}},
	}}}, map[string][]byte{"profile": profile})
	r.submit(regulator, "issuer:AddKey", metrology.AddIssuerKey{ID: issuer, SPKI: signer.Key().SPKI(), From: today, Until: today.AddDays(300)}, nil)
	r.submit(regulator, "issuer:Appoint", metrology.AppointAgent{ID: issuer, Subject: officer}, nil)

	request := signedBatch(t, issuer, signer, today, 5)
	id, number := r.submit(institute, "certificate:AnchorBatch", request, nil)
	trust, err := ledger.ParseTrust(r.trust)
	require.NoError(t, err)
	from, err := evidence.Collect(t.Context(), blocksOf{institute}, number, id)
	require.NoError(t, err)
	from.IssuerKey, from.Reading = signer.Key().SPKI(), r.reading(institute, request.Leaves[3])
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
	t.Logf("evidence of %d bytes, endorsed by %v, ordered by %v, read by %v", len(encoded), result.Endorsers, result.Orderers, result.Readers)

	// Once revoked, the certificate can no longer be read at that version.
	r.submit(institute, "certificate:Revoke", metrology.RevokeCertificate{Issuer: issuer, Number: "JL-3", Reason: metrology.RevokedMistake}, nil)
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

func signedBatch(t *testing.T, issuer string, signer *signature.Signer, today metrology.Date, count int) metrology.AnchorBatch {
	request := metrology.AnchorBatch{Issuer: issuer, Key: signer.Key().ID()}
	var leaves [][]byte
	for n := range count {
		encoded, err := metrology.Leaf{
			Issuer: issuer, Number: "JL-" + string(rune('0'+n)), Kind: metrology.KindVerification, Regulation: "JJG 443-2023",
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
	request.Signature, err = signer.Sign(metrology.BatchMessage(issuer, root, uint64(count)))
	require.NoError(t, err)
	return request
}
