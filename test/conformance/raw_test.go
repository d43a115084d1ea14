package conformance

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

func contextWithTimeout(t testing.TB, timeout time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), timeout)
}

func (m *member) gatewayClient() gateway.GatewayClient { return gateway.NewGatewayClient(m.connection) }

func marshal(t testing.TB, message proto.Message) []byte {
	t.Helper()
	data, err := proto.Marshal(message)
	require.NoError(t, err)
	return data
}

// serialized is the identity as it stands in headers.
func serialized(t testing.TB, m *member) []byte {
	t.Helper()
	return marshal(t, &msp.SerializedIdentity{Mspid: m.id.MspID(), IdBytes: m.id.Credentials()})
}

func (m *member) signature(t testing.TB, message []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(message)
	signature, err := m.sign(digest[:])
	require.NoError(t, err)
	return signature
}

// newStatusRequest is statusRequest for use outside the test's goroutine.
func (m *member) newStatusRequest(txID string) (*gateway.SignedCommitStatusRequest, error) {
	identity, err := proto.Marshal(&msp.SerializedIdentity{Mspid: m.id.MspID(), IdBytes: m.id.Credentials()})
	if err != nil {
		return nil, err
	}
	request, err := proto.Marshal(&gateway.CommitStatusRequest{
		ChannelId: consortium.Channel, TransactionId: txID, Identity: identity,
	})
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(request)
	signature, err := m.sign(digest[:])
	return &gateway.SignedCommitStatusRequest{Request: request, Signature: signature}, err
}

func statusRequest(t testing.TB, m *member, txID string) *gateway.SignedCommitStatusRequest {
	t.Helper()
	request, err := m.newStatusRequest(txID)
	require.NoError(t, err)
	return request
}

// rawProposal is a proposal whose every field a test may spoil.
type rawProposal struct {
	channel, chaincode string
	epoch              uint64
	kind               common.HeaderType
	timestamp          time.Time
	creator, nonce     []byte
	txID               string
	args               [][]byte
	sign               func([]byte) []byte
}

func newRawProposal(t testing.TB, m *member, args ...string) *rawProposal {
	t.Helper()
	nonce := make([]byte, 24)
	_, err := rand.Read(nonce)
	require.NoError(t, err)
	p := &rawProposal{
		channel:   consortium.Channel,
		chaincode: chaincodeName,
		kind:      common.HeaderType_ENDORSER_TRANSACTION,
		timestamp: time.Now(),
		creator:   serialized(t, m),
		nonce:     nonce,
		sign:      func(message []byte) []byte { return m.signature(t, message) },
	}
	for _, arg := range args {
		p.args = append(p.args, []byte(arg))
	}
	return p
}

func (p *rawProposal) transactionID() string {
	if p.txID != "" {
		return p.txID
	}
	sum := sha256.Sum256(append(append([]byte{}, p.nonce...), p.creator...))
	return hex.EncodeToString(sum[:])
}

func (p *rawProposal) signed(t testing.TB) *peer.SignedProposal {
	t.Helper()
	extension := marshal(t, &peer.ChaincodeHeaderExtension{ChaincodeId: &peer.ChaincodeID{Name: p.chaincode}})
	channelHeader := marshal(t, &common.ChannelHeader{
		Type:      int32(p.kind),
		ChannelId: p.channel,
		TxId:      p.transactionID(),
		Epoch:     p.epoch,
		Timestamp: timestamppb.New(p.timestamp),
		Extension: extension,
	})
	signatureHeader := marshal(t, &common.SignatureHeader{Creator: p.creator, Nonce: p.nonce})
	input := marshal(t, &peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		Type:        peer.ChaincodeSpec_NODE,
		ChaincodeId: &peer.ChaincodeID{Name: p.chaincode},
		Input:       &peer.ChaincodeInput{Args: p.args},
	}})
	proposal := marshal(t, &peer.Proposal{
		Header:  marshal(t, &common.Header{ChannelHeader: channelHeader, SignatureHeader: signatureHeader}),
		Payload: marshal(t, &peer.ChaincodeProposalPayload{Input: input}),
	})
	return &peer.SignedProposal{ProposalBytes: proposal, Signature: p.sign(proposal)}
}

func (p *rawProposal) evaluate(t testing.TB, m *member) (*gateway.EvaluateResponse, error) {
	t.Helper()
	return m.gatewayClient().Evaluate(deadline(t), &gateway.EvaluateRequest{
		TransactionId: p.transactionID(), ChannelId: p.channel, ProposedTransaction: p.signed(t),
	})
}

func (p *rawProposal) endorse(t testing.TB, m *member) (*gateway.EndorseResponse, error) {
	t.Helper()
	return m.gatewayClient().Endorse(deadline(t), &gateway.EndorseRequest{
		TransactionId: p.transactionID(), ChannelId: p.channel, ProposedTransaction: p.signed(t),
	})
}
