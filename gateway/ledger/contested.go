package ledger

import (
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// Contested names the public keys that an endorsed transaction has read and
// writes: of two transactions that share one, made from the same state, only
// the first can be valid.
func Contested(envelope *common.Envelope) ([]string, error) {
	results, err := readWriteSet(envelope)
	if err != nil {
		return nil, fmt.Errorf("read envelope: %w", err)
	}
	var set rwset.TxReadWriteSet
	if err := proto.Unmarshal(results, &set); err != nil {
		return nil, fmt.Errorf("decode read/write set: %w", err)
	}
	var names []string
	for _, namespace := range set.GetNsRwset() {
		var public kvrwset.KVRWSet
		if err := proto.Unmarshal(namespace.GetRwset(), &public); err != nil {
			return nil, fmt.Errorf("decode keys of %q: %w", namespace.GetNamespace(), err)
		}
		read := make(map[string]bool, len(public.GetReads()))
		for _, r := range public.GetReads() {
			read[r.GetKey()] = true
		}
		for _, w := range public.GetWrites() {
			if read[w.GetKey()] {
				names = append(names, namespace.GetNamespace()+"/"+w.GetKey())
			}
		}
	}
	return names, nil
}

// readWriteSet digs out what the chaincode read and wrote.
func readWriteSet(envelope *common.Envelope) ([]byte, error) {
	var payload common.Payload
	var transaction peer.Transaction
	var actionPayload peer.ChaincodeActionPayload
	var response peer.ProposalResponsePayload
	var action peer.ChaincodeAction
	if err := proto.Unmarshal(envelope.GetPayload(), &payload); err != nil {
		return nil, fmt.Errorf("decode payload: %w", err)
	}
	if err := proto.Unmarshal(payload.GetData(), &transaction); err != nil {
		return nil, fmt.Errorf("decode transaction: %w", err)
	}
	if len(transaction.GetActions()) != 1 {
		return nil, fmt.Errorf("decode transaction: %d actions, want 1", len(transaction.GetActions()))
	}
	if err := proto.Unmarshal(transaction.Actions[0].GetPayload(), &actionPayload); err != nil {
		return nil, fmt.Errorf("decode action: %w", err)
	}
	if err := proto.Unmarshal(actionPayload.GetAction().GetProposalResponsePayload(), &response); err != nil {
		return nil, fmt.Errorf("decode response: %w", err)
	}
	if err := proto.Unmarshal(response.GetExtension(), &action); err != nil {
		return nil, fmt.Errorf("decode chaincode action: %w", err)
	}
	return action.GetResults(), nil
}
