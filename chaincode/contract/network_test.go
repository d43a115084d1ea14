package contract_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/steelyard-ledger/steelyard/chaincode/contract"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/embedded"
)

// laboratory is an institution on an embedded network.
type laboratory struct {
	t       *testing.T
	officer *client.Contract
	signer  *signature.Signer
	today   metrology.Date
}

// connect opens the contract as an identity of the role.
func connect(t *testing.T, network *embedded.Network, role metrology.Role) *client.Contract {
	t.Helper()
	organization := metrology.RoleOrganizations[role]
	pair, err := network.Enroll(organization, map[string]string{"role": string(role), "subject": string(role) + "-1"})
	require.NoError(t, err)
	certificate, err := identity.CertificateFromPEM(pair.Certificate)
	require.NoError(t, err)
	key, err := identity.PrivateKeyFromPEM(pair.Key)
	require.NoError(t, err)
	id, err := identity.NewX509Identity(organization, certificate)
	require.NoError(t, err)
	sign, err := identity.NewPrivateKeySign(key)
	require.NoError(t, err)
	for _, at := range network.Peers() {
		if at.MSPID != organization {
			continue
		}
		roots := x509.NewCertPool()
		require.True(t, roots.AppendCertsFromPEM(at.TLSRootsPEM))
		connection, err := grpc.NewClient(at.Endpoint, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, at.ServerName)))
		require.NoError(t, err)
		t.Cleanup(func() { _ = connection.Close() })
		gateway, err := client.Connect(id, client.WithSign(sign), client.WithHash(hash.SHA256), client.WithClientConnection(connection))
		require.NoError(t, err)
		t.Cleanup(func() { _ = gateway.Close() })
		return gateway.GetNetwork("steelyard").GetContract("metrology")
	}
	t.Fatalf("no peer of %s", organization)
	return nil
}

// send submits a transaction and returns the code it was committed with.
func send(t *testing.T, as *client.Contract, function string, request any, options ...client.ProposalOption) peer.TxValidationCode {
	t.Helper()
	return propose(t, as, function, request, options...)()
}

// propose has a transaction endorsed; what it returns submits it.
func propose(t *testing.T, as *client.Contract, function string, request any, options ...client.ProposalOption) func() peer.TxValidationCode {
	t.Helper()
	encoded, err := json.Marshal(request)
	require.NoError(t, err)
	proposal, err := as.NewProposal(function, append(options, client.WithArguments(string(encoded), "op-"+rand.Text()))...)
	require.NoError(t, err)
	transaction, err := proposal.Endorse()
	require.NoError(t, err, function)
	return func() peer.TxValidationCode {
		commit, err := transaction.Submit()
		require.NoError(t, err, function)
		status, err := commit.Status()
		require.NoError(t, err, function)
		return status.Code
	}
}

// openLaboratory starts a network with the gates up and issuer lab on it.
func openLaboratory(t *testing.T) laboratory {
	metrologyContract, err := contract.New()
	require.NoError(t, err)
	collections, err := consortium.Collections()
	require.NoError(t, err)
	network, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Chaincodes: []embedded.Chaincode{
		{Name: "metrology", Contract: metrologyContract, Collections: collections},
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	signer, err := signature.GenerateP256()
	require.NoError(t, err)
	today := metrology.DateOf(time.Now())
	profile, err := json.Marshal(metrology.Profile{Salt: hex.EncodeToString(make([]byte, 32)), Name: "检定机构"})
	require.NoError(t, err)
	regulator := connect(t, network, metrology.RoleRegulator)
	for _, step := range []struct {
		function string
		request  any
	}{
		{"operation:Bootstrap", metrology.Bootstrap{}},
		{"issuer:Register", metrology.RegisterIssuer{ID: "lab", Region: "440300", Grants: []metrology.Grant{{
			Authority: metrology.AuthorityAuthorized, From: today.AddDays(-9), Until: today.AddDays(9),
			Scope: []metrology.ScopeItem{{Category: "24-2", Regulation: "JJG 443-2023"}},
		}}}},
		{"issuer:AddKey", metrology.AddIssuerKey{ID: "lab", SPKI: signer.Key().SPKI(), From: today.AddDays(-9), Until: today.AddDays(9)}},
		{"issuer:Appoint", metrology.AppointAgent{ID: "lab", Subject: "institute-1"}},
	} {
		code := send(t, regulator, step.function, step.request, client.WithTransient(map[string][]byte{"profile": profile}))
		require.Equal(t, peer.TxValidationCode_VALID, code, step.function)
	}
	return laboratory{t: t, officer: connect(t, network, metrology.RoleInstitute), signer: signer, today: today}
}

// batch makes a signed batch of certificates with these numbers.
func (lab laboratory) batch(numbers ...string) metrology.AnchorBatch {
	lab.t.Helper()
	batch := metrology.AnchorBatch{Issuer: "lab", Key: lab.signer.Key().ID()}
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	tree := factory.NewEmptyRange(0)
	for _, number := range numbers {
		leaf, err := metrology.Leaf{
			Issuer: "lab", Kind: metrology.KindMark, Number: number, Regulation: "JJG 443-2023", Performed: lab.today, Issued: lab.today,
			Instruments: []metrology.LeafInstrument{{Category: "24-2", Serial: number, Conclusion: metrology.ConclusionPass}},
		}.Bytes()
		require.NoError(lab.t, err)
		batch.Leaves = append(batch.Leaves, leaf)
		require.NoError(lab.t, tree.Append(rfc6962.DefaultHasher.HashLeaf(leaf), nil))
	}
	root, err := tree.GetRootHash(nil)
	require.NoError(lab.t, err)
	batch.Root = hex.EncodeToString(root)
	batch.Signature, err = lab.signer.Sign(metrology.BatchMessage("lab", [32]byte(root), uint64(len(numbers))))
	require.NoError(lab.t, err)
	return batch
}

// TestGateOnNetwork: three of four organisations are a majority, but without
// the institutes' peer no certificate is anchored.
func TestGateOnNetwork(t *testing.T) {
	lab := openLaboratory(t)
	without := client.WithEndorsingOrganizations(metrology.RegulatorMSP, metrology.AssociationMSP, metrology.NotaryMSP)
	require.Equal(t, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, send(t, lab.officer, "certificate:AnchorBatch", lab.batch("1"), without))
	with := client.WithEndorsingOrganizations(metrology.InstituteMSP, metrology.AssociationMSP, metrology.NotaryMSP)
	require.Equal(t, peer.TxValidationCode_VALID, send(t, lab.officer, "certificate:AnchorBatch", lab.batch("1"), with))
	require.Equal(t, peer.TxValidationCode_VALID, send(t, lab.officer, "certificate:AnchorBatch", lab.batch("2")), "the gateway finds the peers itself")
}

// TestAnchorsDoNotConflict: two anchors endorsed on the same state are both
// valid, unless they take the same number.
func TestAnchorsDoNotConflict(t *testing.T) {
	lab := openLaboratory(t)
	first := propose(t, lab.officer, "certificate:AnchorBatch", lab.batch("1", "2"))
	second := propose(t, lab.officer, "certificate:AnchorBatch", lab.batch("3"))
	twice := propose(t, lab.officer, "certificate:AnchorBatch", lab.batch("2", "4"))
	require.Equal(t, peer.TxValidationCode_VALID, first())
	require.Equal(t, peer.TxValidationCode_VALID, second())
	require.Equal(t, peer.TxValidationCode_MVCC_READ_CONFLICT, twice())
}

func TestThousandLeavesOnNetwork(t *testing.T) {
	lab := openLaboratory(t)
	numbers := make([]string, metrology.MaxBatchLeaves)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("2026-%04d", i)
	}
	start := time.Now()
	require.Equal(t, peer.TxValidationCode_VALID, send(t, lab.officer, "certificate:AnchorBatch", lab.batch(numbers...)))
	t.Logf("1,000 certificates in one transaction: %v", time.Since(start))
}
