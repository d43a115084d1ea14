package peer

import (
	"fmt"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// DeliverFiltered streams blocks reduced to transaction ids, validation codes
// and the names of events.
func (s *Server) DeliverFiltered(stream grpc.BidiStreamingServer[cb.Envelope, pb.DeliverResponse]) error {
	return s.deliver(stream, func(block *cb.Block, _ msp.SignedData) (*pb.DeliverResponse, error) {
		filtered, err := filter(block)
		if err != nil {
			return nil, err
		}
		return &pb.DeliverResponse{Type: &pb.DeliverResponse_FilteredBlock{FilteredBlock: filtered}}, nil
	})
}

func filter(block *cb.Block) (*pb.FilteredBlock, error) {
	filtered := &pb.FilteredBlock{Number: block.GetHeader().GetNumber()}
	flags := block.GetMetadata().GetMetadata()[cb.BlockMetadataIndex_TRANSACTIONS_FILTER]
	for i, serialized := range block.GetData().GetData() {
		var raw cb.Envelope
		if proto.Unmarshal(serialized, &raw) != nil {
			continue
		}
		envelope, _, err := transaction.ReadEnvelope(&raw)
		if err != nil {
			return nil, fmt.Errorf("filter block %d: %w", filtered.GetNumber(), err)
		}
		filtered.ChannelId = envelope.ChannelHeader.GetChannelId()
		entry := &pb.FilteredTransaction{
			Txid: envelope.ChannelHeader.GetTxId(), Type: envelope.Type(),
			TxValidationCode: pb.TxValidationCode(flags[i]),
		}
		if entry.GetType() == cb.HeaderType_ENDORSER_TRANSACTION {
			entry.Data = &pb.FilteredTransaction_TransactionActions{TransactionActions: filteredActions(serialized)}
		}
		filtered.FilteredTransactions = append(filtered.FilteredTransactions, entry)
	}
	return filtered, nil
}

// filteredActions names the event without its payload.
func filteredActions(serialized []byte) *pb.FilteredTransactionActions {
	actions := &pb.FilteredTransactionActions{}
	if event := envelopeEvent(serialized); event != nil {
		actions.ChaincodeActions = []*pb.FilteredChaincodeAction{{ChaincodeEvent: &pb.ChaincodeEvent{
			TxId: event.GetTxId(), ChaincodeId: event.GetChaincodeId(), EventName: event.GetEventName(),
		}}}
	}
	return actions
}
