package peer

import (
	"fmt"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

// DeliverWithPrivateData streams blocks with the private data that the peer
// holds and the client, by the collections' policies, may see.
func (s *Server) DeliverWithPrivateData(stream grpc.BidiStreamingServer[cb.Envelope, pb.DeliverResponse]) error {
	member := s.local(stream.Context())
	return s.deliver(stream, func(block *cb.Block, client msp.SignedData) (*pb.DeliverResponse, error) {
		private, err := s.visible(block.GetHeader().GetNumber(), member, client)
		if err != nil {
			return nil, err
		}
		return &pb.DeliverResponse{Type: &pb.DeliverResponse_BlockAndPrivateData{
			BlockAndPrivateData: &pb.BlockAndPrivateData{Block: block, PrivateDataMap: private},
		}}, nil
	})
}

func (s *Server) visible(number uint64, member *Member, client msp.SignedData) (map[uint64]*rwset.TxPvtReadWriteSet, error) {
	sets, err := s.cfg.Ledger.PrivateData(number)
	if err != nil {
		return nil, err
	}
	creator, err := s.cfg.MSP.Deserialize(client.Identity)
	if err != nil {
		return nil, fmt.Errorf("read client identity: %w", err)
	}
	out := map[uint64]*rwset.TxPvtReadWriteSet{}
	for index, set := range sets {
		shown := &rwset.TxPvtReadWriteSet{DataModel: set.GetDataModel()}
		for _, namespace := range set.GetNsPvtRwset() {
			if part := s.visiblePart(namespace, member, creator); part != nil {
				shown.NsPvtRwset = append(shown.NsPvtRwset, part)
			}
		}
		if len(shown.GetNsPvtRwset()) > 0 {
			out[index] = shown
		}
	}
	return out, nil
}

func (s *Server) visiblePart(set *rwset.NsPvtReadWriteSet, member *Member, creator *msp.Identity) *rwset.NsPvtReadWriteSet {
	part := &rwset.NsPvtReadWriteSet{Namespace: set.GetNamespace()}
	for _, entry := range set.GetCollectionPvtRwset() {
		collection := s.cfg.Ledger.Collection(set.GetNamespace(), entry.GetCollectionName())
		if collection == nil || !collection.Member(member.MSPID) {
			continue
		}
		if collection.Distribution.Evaluate([]*msp.Identity{creator}) == nil {
			part.CollectionPvtRwset = append(part.CollectionPvtRwset, entry)
		}
	}
	if len(part.GetCollectionPvtRwset()) == 0 {
		return nil
	}
	return part
}
