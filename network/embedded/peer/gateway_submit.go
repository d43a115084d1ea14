package peer

import (
	"context"
	"errors"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/network/embedded/orderer"
)

// Submit hands a signed transaction to the ordering service. Success does not
// mean that it is committed or valid.
func (s *Server) Submit(ctx context.Context, request *gp.SubmitRequest) (*gp.SubmitResponse, error) {
	envelope := request.GetPreparedTransaction()
	if envelope == nil {
		return nil, status.Error(codes.InvalidArgument, "a prepared transaction is required")
	}
	if len(envelope.GetSignature()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "prepared transaction must be signed")
	}
	if request.GetChannelId() != s.cfg.Channel {
		return nil, status.Errorf(codes.FailedPrecondition, "channel '%s' not found", request.GetChannelId())
	}
	return s.broadcast(ctx, envelope)
}

func (s *Server) broadcast(ctx context.Context, envelope *cb.Envelope) (*gp.SubmitResponse, error) {
	err := s.cfg.Orderer.Submit(ctx, envelope)
	var refusal *orderer.Refusal
	switch {
	case err == nil:
		return &gp.SubmitResponse{}, nil
	case errors.As(err, &refusal):
		// A BFT network asks all orderers and gives up when too many refuse.
		details := make([]*gp.ErrorDetail, 0, len(s.cfg.Members))
		for i := range s.cfg.Members {
			details = append(details, s.cfg.Members[i].detail(refusal.Error()))
		}
		return nil, failure(codes.Unavailable,
			"insufficient number of orderers could successfully process transaction to satisfy quorum requirement",
			details[:len(details)/3+1]...)
	case ctx.Err() != nil:
		return nil, status.Error(codes.DeadlineExceeded, "submit timeout expired while broadcasting to ordering service")
	default:
		return nil, status.Error(codes.Unavailable, err.Error())
	}
}
