package transaction_test

import (
	"testing"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

func marshal(t testing.TB, message proto.Message) []byte {
	t.Helper()
	out, err := proto.Marshal(message)
	require.NoError(t, err)
	return out
}

// signed makes a proposal; change may spoil its headers.
func signed(t testing.TB, change func(*cb.ChannelHeader, *cb.SignatureHeader)) *pb.SignedProposal {
	t.Helper()
	id := &pb.ChaincodeID{Name: "cc"}
	signature := &cb.SignatureHeader{Nonce: []byte("nonce"), Creator: []byte("creator")}
	channel := &cb.ChannelHeader{
		Type: int32(cb.HeaderType_ENDORSER_TRANSACTION), ChannelId: "c",
		TxId:      transaction.ID(signature.GetNonce(), signature.GetCreator()),
		Extension: marshal(t, &pb.ChaincodeHeaderExtension{ChaincodeId: id}),
	}
	if change != nil {
		change(channel, signature)
	}
	header := marshal(t, &cb.Header{ChannelHeader: marshal(t, channel), SignatureHeader: marshal(t, signature)})
	payload := marshal(t, &pb.ChaincodeProposalPayload{
		Input: marshal(t, &pb.ChaincodeInvocationSpec{ChaincodeSpec: &pb.ChaincodeSpec{
			ChaincodeId: id, Input: &pb.ChaincodeInput{Args: [][]byte{[]byte("f")}},
		}}),
		TransientMap: map[string][]byte{"secret": []byte("hush")},
	})
	return &pb.SignedProposal{ProposalBytes: marshal(t, &pb.Proposal{Header: header, Payload: payload}), Signature: []byte("s")}
}

func TestProposalCheck(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cb.ChannelHeader, *cb.SignatureHeader)
		want   string
	}{
		"HeaderType": {func(h *cb.ChannelHeader, _ *cb.SignatureHeader) { h.Type = int32(cb.HeaderType_MESSAGE) }, "invalid header type MESSAGE"},
		"Epoch":      {func(h *cb.ChannelHeader, _ *cb.SignatureHeader) { h.Epoch = 1 }, "epoch is non-zero"},
		"Nonce":      {func(_ *cb.ChannelHeader, s *cb.SignatureHeader) { s.Nonce = nil }, "nonce is empty"},
		"Creator":    {func(_ *cb.ChannelHeader, s *cb.SignatureHeader) { s.Creator = nil }, "creator is empty"},
		"TxID":       {func(h *cb.ChannelHeader, _ *cb.SignatureHeader) { h.TxId = "00" }, "incorrectly computed txid '00'"},
	} {
		t.Run(name, func(t *testing.T) {
			proposal, err := transaction.ReadProposal(signed(t, c.change))
			require.NoError(t, err)
			require.ErrorContains(t, proposal.Check(), c.want)
		})
	}
	proposal, err := transaction.ReadProposal(signed(t, nil))
	require.NoError(t, err)
	require.NoError(t, proposal.Check())
}

// TestAssemble: what is assembled reads back, carries no transient data, and
// is bound to its proposal by the hash.
func TestAssemble(t *testing.T) {
	proposal, err := transaction.ReadProposal(signed(t, nil))
	require.NoError(t, err)
	event := marshal(t, &pb.ChaincodeEvent{ChaincodeId: "cc", EventName: "e"})
	extension := marshal(t, &pb.ChaincodeAction{Events: event})
	response := func(hash []byte) []byte {
		return marshal(t, &pb.ProposalResponsePayload{ProposalHash: hash, Extension: extension})
	}
	raw, err := proposal.Assemble(response(proposal.Hash), []*pb.Endorsement{{Endorser: []byte("e")}})
	require.NoError(t, err)
	require.NotContains(t, string(raw.GetPayload()), "hush")
	envelope, code, err := transaction.ReadEnvelope(raw)
	require.NoError(t, err)
	require.Equal(t, pb.TxValidationCode_VALID, code)
	require.NoError(t, envelope.CheckHeader())
	action, err := envelope.ReadAction()
	require.NoError(t, err)
	require.Len(t, action.Endorsements, 1)
	found, err := action.Event()
	require.NoError(t, err)
	require.Equal(t, "e", found.GetEventName())

	other, err := proposal.Assemble(response([]byte("another proposal's")), nil)
	require.NoError(t, err)
	envelope, _, err = transaction.ReadEnvelope(other)
	require.NoError(t, err)
	_, err = envelope.ReadAction()
	require.ErrorContains(t, err, "proposal hash does not match")
}

func FuzzReadProposal(f *testing.F) {
	f.Add(signed(f, nil).GetProposalBytes())
	f.Fuzz(func(t *testing.T, serialized []byte) {
		proposal, err := transaction.ReadProposal(&pb.SignedProposal{ProposalBytes: serialized, Signature: []byte("s")})
		if err == nil {
			require.NotEmpty(t, proposal.Chaincode)
			require.NotNil(t, proposal.Input)
			_ = proposal.Check()
		}
	})
}

func FuzzReadEnvelope(f *testing.F) {
	proposal, err := transaction.ReadProposal(signed(f, nil))
	require.NoError(f, err)
	raw, err := proposal.Assemble(marshal(f, &pb.ProposalResponsePayload{ProposalHash: proposal.Hash}), nil)
	require.NoError(f, err)
	f.Add(raw.GetPayload())
	f.Fuzz(func(t *testing.T, payload []byte) {
		envelope, code, err := transaction.ReadEnvelope(&cb.Envelope{Payload: payload})
		if err != nil {
			require.NotEqual(t, pb.TxValidationCode_VALID, code)
			return
		}
		_ = envelope.CheckHeader()
		action, err := envelope.ReadAction()
		if err != nil {
			return
		}
		_, _ = action.Results()
		_, _ = action.Event()
	})
}
