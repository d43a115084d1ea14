package peer

import (
	"context"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	ab "github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// ChaincodeEvents streams the events of valid transactions, block by block,
// from where the client asks on.
func (s *Server) ChaincodeEvents(signed *gp.SignedChaincodeEventsRequest, stream grpc.ServerStreamingServer[gp.ChaincodeEventsResponse]) error {
	if len(signed.GetRequest()) == 0 {
		return status.Error(codes.InvalidArgument, "a chaincode events request is required")
	}
	var request gp.ChaincodeEventsRequest
	if err := proto.Unmarshal(signed.GetRequest(), &request); err != nil {
		return status.Errorf(codes.InvalidArgument, "invalid chaincode events request: %v", err)
	}
	if err := s.checkReader(request.GetChannelId(), signed.GetRequest(), request.GetIdentity(), signed.GetSignature()); err != nil {
		return err
	}
	number, err := s.firstEventBlock(&request)
	if err != nil {
		return err
	}
	ctx, cancel := s.untilStopped(stream.Context())
	defer cancel()
	after := request.GetAfterTransactionId()
	for ; ; number++ {
		block, err := s.waitBlock(ctx, number)
		if err != nil {
			return stopped(ctx, err)
		}
		var matching []*pb.ChaincodeEvent
		for _, event := range blockEvents(block) {
			switch {
			case after != "":
				if event.GetTxId() == after {
					after = ""
				}
			case event.GetChaincodeId() == request.GetChaincodeId():
				matching = append(matching, event)
			}
		}
		if len(matching) == 0 {
			continue
		}
		if err := stream.Send(&gp.ChaincodeEventsResponse{Events: matching, BlockNumber: number}); err != nil {
			return err
		}
	}
}

// firstEventBlock is the block of the transaction to resume after, else the
// start position, else the next block.
func (s *Server) firstEventBlock(request *gp.ChaincodeEventsRequest) (uint64, error) {
	if after := request.GetAfterTransactionId(); after != "" {
		if height, _, err := s.cfg.Ledger.Transaction(after); err == nil {
			return height.Block, nil
		}
	}
	switch seek := request.GetStartPosition().GetType().(type) {
	case *ab.SeekPosition_Specified:
		return seek.Specified.GetNumber(), nil
	case nil, *ab.SeekPosition_NextCommit:
		return s.cfg.Ledger.Height(), nil
	default:
		return 0, status.Errorf(codes.InvalidArgument, "invalid start position type: %T", seek)
	}
}

// waitBlock returns the block, waiting for it until the context ends.
func (s *Server) waitBlock(ctx context.Context, number uint64) (*cb.Block, error) {
	for {
		grown := s.cfg.Ledger.Grown()
		if number < s.cfg.Ledger.Height() {
			return s.cfg.Ledger.Block(number)
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// blockEvents lists the chaincode events of a block's valid transactions.
func blockEvents(block *cb.Block) []*pb.ChaincodeEvent {
	var events []*pb.ChaincodeEvent
	flags := block.GetMetadata().GetMetadata()[cb.BlockMetadataIndex_TRANSACTIONS_FILTER]
	for i, serialized := range block.GetData().GetData() {
		if i < len(flags) && pb.TxValidationCode(flags[i]) != pb.TxValidationCode_VALID {
			continue
		}
		if event := envelopeEvent(serialized); event != nil {
			events = append(events, event)
		}
	}
	return events
}

// envelopeEvent returns an endorser transaction's event, or nil.
func envelopeEvent(serialized []byte) *pb.ChaincodeEvent {
	var raw cb.Envelope
	if proto.Unmarshal(serialized, &raw) != nil {
		return nil
	}
	envelope, _, err := transaction.ReadEnvelope(&raw)
	if err != nil || envelope.Type() != cb.HeaderType_ENDORSER_TRANSACTION {
		return nil
	}
	action, err := envelope.ReadAction()
	if err != nil {
		return nil
	}
	event, err := action.Event()
	if err != nil || event.GetChaincodeId() == "" {
		return nil
	}
	return event
}
