package peer

import (
	"context"
	"errors"
	"io"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	ab "github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/orderer"
)

// orderingService is the orderers' own service, which Fabric's command line
// talks to; clients of the gateway have no need of it.
type orderingService struct {
	ab.UnimplementedAtomicBroadcastServer
	server *Server
}

// Broadcast takes envelopes and answers each with a status.
func (o orderingService) Broadcast(stream grpc.BidiStreamingServer[cb.Envelope, ab.BroadcastResponse]) error {
	for {
		envelope, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(o.take(stream.Context(), envelope)); err != nil {
			return err
		}
	}
}

func (o orderingService) take(ctx context.Context, envelope *cb.Envelope) *ab.BroadcastResponse {
	err := o.server.cfg.Orderer.Submit(ctx, envelope)
	var refusal *orderer.Refusal
	switch {
	case err == nil:
		return &ab.BroadcastResponse{Status: cb.Status_SUCCESS}
	case errors.As(err, &refusal):
		return &ab.BroadcastResponse{Status: refusal.Status, Info: refusal.Info}
	default:
		return &ab.BroadcastResponse{Status: cb.Status_SERVICE_UNAVAILABLE, Info: err.Error()}
	}
}

// Deliver streams blocks in the orderers' message.
func (o orderingService) Deliver(stream grpc.BidiStreamingServer[cb.Envelope, ab.DeliverResponse]) error {
	return o.server.deliver(ordererStream{stream}, func(block *cb.Block, _ msp.SignedData) (*pb.DeliverResponse, error) {
		return &pb.DeliverResponse{Type: &pb.DeliverResponse_Block{Block: block}}, nil
	})
}

// ordererStream turns a peer's answers into an orderer's.
type ordererStream struct {
	grpc.BidiStreamingServer[cb.Envelope, ab.DeliverResponse]
}

func (s ordererStream) Send(response *pb.DeliverResponse) error {
	if block := response.GetBlock(); block != nil {
		return s.BidiStreamingServer.Send(&ab.DeliverResponse{Type: &ab.DeliverResponse_Block{Block: block}})
	}
	return s.BidiStreamingServer.Send(&ab.DeliverResponse{Type: &ab.DeliverResponse_Status{Status: response.GetStatus()}})
}
