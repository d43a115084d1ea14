package peer

import (
	"fmt"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

// judgement is what a gateway makes of a peer's answer.
type judgement struct {
	code    codes.Code
	message string
	// retry says that another peer may do better.
	retry bool
}

// judge applies the gateway's rules: no response means the peer is out of
// reach, an error with a response that the client is at fault, status 500
// without a payload that the peer failed, any other failure that the chaincode
// said no.
func judge(response *pb.ProposalResponse, err error) judgement {
	switch {
	case err != nil && response == nil:
		return judgement{codes.Unavailable, status.Convert(err).Message(), true}
	case err != nil:
		return judgement{codes.FailedPrecondition, err.Error(), false}
	}
	answer := response.GetResponse()
	if answer.GetStatus() >= shim.OK && answer.GetStatus() < shim.ERRORTHRESHOLD {
		return judgement{code: codes.OK}
	}
	if response.Payload == nil && answer.GetStatus() == shim.ERROR {
		return judgement{codes.Aborted, answer.GetMessage(), true}
	}
	return judgement{codes.Unknown, fmt.Sprintf("chaincode response %d, %s", answer.GetStatus(), answer.GetMessage()), false}
}

// failure is a gRPC error with details, one for each node that failed.
func failure(code codes.Code, message string, details ...*gp.ErrorDetail) error {
	st := status.New(code, strings.ToValidUTF8(message, "\uFFFD"))
	messages := make([]protoadapt.MessageV1, len(details))
	for i, detail := range details {
		messages[i] = protoadapt.MessageV1Of(detail)
	}
	if with, err := st.WithDetails(messages...); err == nil {
		st = with
	}
	return st.Err()
}

func (m *Member) detail(message string) *gp.ErrorDetail {
	return &gp.ErrorDetail{Address: m.Address, MspId: m.MSPID, Message: strings.ToValidUTF8(message, "\uFFFD")}
}

// checkPolicy verifies one signature and that its maker may do this.
func (s *Server) checkPolicy(policy msp.Policy, data, identity, signature []byte) error {
	return policy.Evaluate(s.cfg.MSP.Signers([]msp.SignedData{{Data: data, Identity: identity, Signature: signature}}))
}
