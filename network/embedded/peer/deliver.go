package peer

import (
	"context"
	"errors"
	"io"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	ab "github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// deliverStream is the stream of a Deliver call.
type deliverStream interface {
	Recv() (*cb.Envelope, error)
	Send(*pb.DeliverResponse) error
	Context() context.Context
}

// Deliver streams whole blocks.
func (s *Server) Deliver(stream grpc.BidiStreamingServer[cb.Envelope, pb.DeliverResponse]) error {
	return s.deliver(stream, func(block *cb.Block, _ msp.SignedData) (*pb.DeliverResponse, error) {
		return &pb.DeliverResponse{Type: &pb.DeliverResponse_Block{Block: block}}, nil
	})
}

// present makes the answer for one block to one client.
type present func(block *cb.Block, client msp.SignedData) (*pb.DeliverResponse, error)

// deliver answers seek requests, one after the other, until the client hangs up.
func (s *Server) deliver(stream deliverStream, answer present) error {
	for {
		raw, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		outcome, err := s.seek(stream, raw, answer)
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.DeliverResponse{Type: &pb.DeliverResponse_Status{Status: outcome}}); err != nil {
			return err
		}
		if outcome != cb.Status_SUCCESS {
			return nil
		}
	}
}

// seek checks one request and sends its blocks. A status is told to the
// client; an error ends the stream.
func (s *Server) seek(stream deliverStream, raw *cb.Envelope, answer present) (cb.Status, error) {
	envelope, _, err := transaction.ReadEnvelope(raw)
	if err != nil || !s.withinWindow(envelope) {
		return cb.Status_BAD_REQUEST, nil
	}
	if envelope.ChannelHeader.GetChannelId() != s.cfg.Channel {
		return cb.Status_NOT_FOUND, nil
	}
	var info ab.SeekInfo
	if err := proto.Unmarshal(envelope.Payload.GetData(), &info); err != nil {
		return cb.Status_BAD_REQUEST, nil
	}
	client := msp.SignedData{
		Data: raw.GetPayload(), Identity: envelope.SignatureHeader.GetCreator(), Signature: raw.GetSignature(),
	}
	if !s.mayDeliver(client) {
		return cb.Status_FORBIDDEN, nil
	}
	if info.GetStart() == nil || info.GetStop() == nil {
		return cb.Status_BAD_REQUEST, nil
	}
	first, last, ok := s.span(&info)
	if !ok {
		return cb.Status_BAD_REQUEST, nil
	}
	ctx, cancel := s.untilStopped(stream.Context())
	defer cancel()
	for number := first; ; number++ {
		if info.GetBehavior() == ab.SeekInfo_FAIL_IF_NOT_READY && number >= s.cfg.Ledger.Height() {
			return cb.Status_NOT_FOUND, nil
		}
		outcome, err := s.deliverOne(ctx, stream, number, client, answer)
		if err != nil || outcome != cb.Status_SUCCESS {
			return outcome, err
		}
		if number == last {
			return cb.Status_SUCCESS, nil
		}
	}
}

func (s *Server) deliverOne(ctx context.Context, stream deliverStream, number uint64, client msp.SignedData, answer present) (cb.Status, error) {
	block, err := s.waitBlock(ctx, number)
	switch {
	case ctx.Err() != nil:
		return cb.Status_INTERNAL_SERVER_ERROR, stopped(ctx, ctx.Err())
	case err != nil:
		s.cfg.Logger.Error("block cannot be delivered", "block", number, "error", err)
		return cb.Status_INTERNAL_SERVER_ERROR, nil
	case !s.mayDeliver(client): // its certificate may have expired meanwhile
		return cb.Status_FORBIDDEN, nil
	}
	response, err := answer(block, client)
	if err != nil {
		return cb.Status_INTERNAL_SERVER_ERROR, err
	}
	return cb.Status_SUCCESS, stream.Send(response)
}

func (s *Server) withinWindow(envelope *transaction.Envelope) bool {
	stamp := envelope.ChannelHeader.GetTimestamp()
	if stamp == nil {
		return false
	}
	distance := s.cfg.Now().Sub(stamp.AsTime())
	return distance.Abs() <= s.cfg.TimeWindow
}

func (s *Server) mayDeliver(client msp.SignedData) bool {
	if s.checkPolicy(s.readers, client.Data, client.Identity, client.Signature) != nil {
		return false
	}
	creator, err := s.cfg.MSP.Deserialize(client.Identity)
	return err == nil && !creator.ExpiredAt(s.cfg.Now())
}

// span turns a seek request into block numbers; without an end, the largest.
func (s *Server) span(info *ab.SeekInfo) (first, last uint64, ok bool) {
	height := s.cfg.Ledger.Height()
	switch start := info.GetStart().GetType().(type) {
	case *ab.SeekPosition_Oldest:
		first = 0
	case *ab.SeekPosition_Newest:
		first = height - 1
	case *ab.SeekPosition_Specified:
		first = start.Specified.GetNumber()
	case *ab.SeekPosition_NextCommit:
		first = height
	default:
		return 0, 0, false
	}
	switch stop := info.GetStop().GetType().(type) {
	case *ab.SeekPosition_Oldest:
		last = first
	case *ab.SeekPosition_Newest:
		last = height - 1
		if proto.Equal(info.GetStart(), info.GetStop()) {
			last = first
		}
	case *ab.SeekPosition_Specified:
		last = stop.Specified.GetNumber()
		if last < first {
			return 0, 0, false
		}
	case *ab.SeekPosition_NextCommit:
		last = height
	default:
		return 0, 0, false
	}
	return first, last, true
}
