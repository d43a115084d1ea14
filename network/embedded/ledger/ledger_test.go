package ledger_test

import (
	"crypto/rand"
	"crypto/sha256"
	"strconv"
	"strings"
	"testing"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/devca"
	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

const (
	channel   = "c"
	chaincode = "cc"
)

// bench is a ledger with the keys of three organisations.
type bench struct {
	t       testing.TB
	ledger  *ledger.Ledger
	manager *msp.Manager
	client  *msp.Signer
	peers   map[string]*msp.Signer
	kept    []byte

	organizations []msp.Organization
	authorities   map[string]*devca.CA
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, peers: map[string]*msp.Signer{}, authorities: map[string]*devca.CA{}}
	for _, mspID := range []string{"A", "B", "C"} {
		ca, err := devca.New(mspID, "ca")
		require.NoError(t, err)
		b.authorities[mspID] = ca
		b.organizations = append(b.organizations, msp.Organization{MSPID: mspID, Roots: [][]byte{ca.CertificatePEM()}})
	}
	var err error
	b.manager, err = msp.NewManager(b.organizations)
	require.NoError(t, err)
	for mspID, ca := range b.authorities {
		pair, err := ca.Node("peer", "peer")
		require.NoError(t, err)
		b.peers[mspID], err = b.manager.NewSigner(mspID, pair.Certificate, pair.Key)
		require.NoError(t, err)
	}
	pair, err := b.authorities["A"].User(nil)
	require.NoError(t, err)
	b.client, err = b.manager.NewSigner("A", pair.Certificate, pair.Key)
	require.NoError(t, err)
	majority, err := b.manager.Reference(msp.Endorsement)
	require.NoError(t, err)
	members, err := msp.AnyRole("A", []mb.MSPRole_MSPRoleType{mb.MSPRole_MEMBER})
	require.NoError(t, err)
	distribution, err := msp.NewSignaturePolicy(members)
	require.NoError(t, err)
	b.ledger, err = ledger.Open(ledger.Config{
		Dir: t.TempDir(), Channel: channel, MSP: b.manager,
		Definitions: map[string]*ledger.Definition{chaincode: {
			Name: chaincode, Version: "1", Policy: majority,
			Collections: map[string]*ledger.Collection{"private": {
				Config: &pb.StaticCollectionConfig{Name: "private"}, Members: []string{"A"}, Distribution: distribution,
			}},
		}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.ledger.Close()) })
	b.commit() // block 0 stands for the configuration
	return b
}

// simulate runs the steps on the state as it is.
func (b *bench) simulate(steps func(*ledger.Simulator)) (proposal *transaction.Proposal, results []byte) {
	b.t.Helper()
	proposal = b.propose()
	txID := proposal.ChannelHeader.GetTxId()
	simulator, err := b.ledger.NewSimulator(txID, "A")
	require.NoError(b.t, err)
	defer func() { require.NoError(b.t, simulator.Close()) }()
	steps(simulator)
	public, private, _, err := simulator.Results()
	require.NoError(b.t, err)
	if private != nil {
		require.NoError(b.t, b.ledger.KeepPrivate(txID, private))
	}
	results, err = proto.Marshal(public)
	require.NoError(b.t, err)
	return proposal, results
}

func (b *bench) propose() *transaction.Proposal {
	b.t.Helper()
	nonce := []byte(rand.Text())
	marshal := func(message proto.Message) []byte {
		out, err := proto.Marshal(message)
		require.NoError(b.t, err)
		return out
	}
	id := &pb.ChaincodeID{Name: chaincode}
	header := marshal(&cb.Header{
		ChannelHeader: marshal(&cb.ChannelHeader{
			Type: int32(cb.HeaderType_ENDORSER_TRANSACTION), ChannelId: channel,
			TxId:      transaction.ID(nonce, b.client.Serialized),
			Extension: marshal(&pb.ChaincodeHeaderExtension{ChaincodeId: id}),
		}),
		SignatureHeader: marshal(&cb.SignatureHeader{Nonce: nonce, Creator: b.client.Serialized}),
	})
	payload := marshal(&pb.ChaincodeProposalPayload{Input: marshal(&pb.ChaincodeInvocationSpec{
		ChaincodeSpec: &pb.ChaincodeSpec{ChaincodeId: id, Input: &pb.ChaincodeInput{}},
	})})
	proposal, err := transaction.ReadProposal(&pb.SignedProposal{
		ProposalBytes: marshal(&pb.Proposal{Header: header, Payload: payload}), Signature: []byte("unused"),
	})
	require.NoError(b.t, err)
	require.NoError(b.t, proposal.Check())
	return proposal
}

// transaction simulates, endorses as the organisations and signs.
func (b *bench) transaction(endorsers string, steps func(*ledger.Simulator)) []byte {
	b.t.Helper()
	proposal, results := b.simulate(steps)
	action, err := proto.Marshal(&pb.ChaincodeAction{
		Results: results, Response: &pb.Response{Status: 200}, ChaincodeId: &pb.ChaincodeID{Name: chaincode, Version: "1"},
	})
	require.NoError(b.t, err)
	payload, err := proto.Marshal(&pb.ProposalResponsePayload{ProposalHash: proposal.Hash, Extension: action})
	require.NoError(b.t, err)
	var endorsements []*pb.Endorsement
	for _, mspID := range strings.Split(endorsers, "") {
		signer := b.peers[mspID]
		signature, err := signer.Sign(append(append([]byte{}, payload...), signer.Serialized...))
		require.NoError(b.t, err)
		endorsements = append(endorsements, &pb.Endorsement{Endorser: signer.Serialized, Signature: signature})
	}
	envelope, err := proposal.Assemble(payload, endorsements)
	require.NoError(b.t, err)
	envelope.Signature, err = b.client.Sign(envelope.GetPayload())
	require.NoError(b.t, err)
	serialized, err := proto.Marshal(envelope)
	require.NoError(b.t, err)
	return serialized
}

// commit puts the envelopes into one block and returns their codes.
func (b *bench) commit(envelopes ...[]byte) []pb.TxValidationCode {
	b.t.Helper()
	height, previous := b.ledger.Tip()
	block := ledger.NewBlock(height, previous, envelopes)
	require.NoError(b.t, b.ledger.Commit(block))
	var codes []pb.TxValidationCode
	for _, flag := range block.GetMetadata().GetMetadata()[cb.BlockMetadataIndex_TRANSACTIONS_FILTER] {
		codes = append(codes, pb.TxValidationCode(flag))
	}
	return codes
}

func (b *bench) put(key, value string) func(*ledger.Simulator) {
	return func(s *ledger.Simulator) { require.NoError(b.t, s.SetState(chaincode, key, []byte(value))) }
}

// exchange reads a key and writes it.
func (b *bench) exchange(key, value string) func(*ledger.Simulator) {
	return func(s *ledger.Simulator) {
		_, err := s.GetState(chaincode, key)
		require.NoError(b.t, err)
		b.put(key, value)(s)
	}
}

// count writes how many keys a range holds.
func (b *bench) count(from, to, key string) func(*ledger.Simulator) {
	return func(s *ledger.Simulator) {
		iterator, err := s.Range(chaincode, from, to, 0, false)
		require.NoError(b.t, err)
		n := 0
		for {
			_, _, ok, err := iterator.Next()
			require.NoError(b.t, err)
			if !ok {
				break
			}
			n++
		}
		b.put(key, strconv.Itoa(n))(s)
	}
}

func sha(message []byte) []byte {
	sum := sha256.Sum256(message)
	return sum[:]
}

// policy demands the organisation's peer for later writes of the key.
func (b *bench) policy(key, mspID string) func(*ledger.Simulator) {
	return func(s *ledger.Simulator) {
		envelope, err := msp.AnyRole(mspID, []mb.MSPRole_MSPRoleType{mb.MSPRole_PEER})
		require.NoError(b.t, err)
		serialized, err := proto.Marshal(envelope)
		require.NoError(b.t, err)
		require.NoError(b.t, s.SetStatePolicy(chaincode, key, serialized))
	}
}

func (b *bench) get(key string) string {
	b.t.Helper()
	simulator, err := b.ledger.NewSimulator("get", "A")
	require.NoError(b.t, err)
	defer func() { require.NoError(b.t, simulator.Close()) }()
	value, err := simulator.GetState(chaincode, key)
	require.NoError(b.t, err)
	return string(value)
}
