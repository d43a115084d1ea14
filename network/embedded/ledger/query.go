package ledger

import (
	"bytes"
	"context"
	"fmt"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// Await returns a transaction's outcome, waiting for it until the context ends.
func (l *Ledger) Await(ctx context.Context, txID string) (Status, error) {
	waiter := make(chan Status, 1)
	l.mu.Lock()
	l.waiters[txID] = append(l.waiters[txID], waiter)
	l.mu.Unlock()
	defer l.stopWaiting(txID, waiter)
	// Registered first: a commit between the look and the wait is not missed.
	if height, code, err := l.Transaction(txID); err == nil {
		return Status{code, height.Block}, nil
	}
	select {
	case status := <-waiter:
		return status, nil
	case <-ctx.Done():
		return Status{}, ctx.Err()
	}
}

func (l *Ledger) stopWaiting(txID string, waiter chan Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := l.waiters[txID][:0]
	for _, other := range l.waiters[txID] {
		if other != waiter {
			rest = append(rest, other)
		}
	}
	if len(rest) == 0 {
		delete(l.waiters, txID)
		return
	}
	l.waiters[txID] = rest
}

// PrivateData returns the private write sets of a block by transaction index,
// less what was purged since.
func (l *Ledger) PrivateData(number uint64) (map[uint64]*rwset.TxPvtReadWriteSet, error) {
	sets := map[uint64]*rwset.TxPvtReadWriteSet{}
	err := l.db.View(func(tx *bbolt.Tx) error {
		prefix := numberKey(number)
		cursor := tx.Bucket(bucketPvtData).Cursor()
		for key, value := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, value = cursor.Next() {
			set := &rwset.TxPvtReadWriteSet{}
			if err := proto.Unmarshal(value, set); err != nil {
				return fmt.Errorf("private data of block %d cannot be read: %w", number, err)
			}
			sets[heightFrom(key).Tx] = set
		}
		return nil
	})
	return sets, err
}

// Collection returns a collection's definition, or nil.
func (l *Ledger) Collection(chaincode, name string) *Collection {
	if definition := l.definitions[chaincode]; definition != nil {
		return definition.Collections[name]
	}
	return nil
}

// History returns a key's past values, newest first, up to the limit.
func (s *Simulator) History(namespace, key string, limit int) ([]*queryresult.KeyModification, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	prefix := historyPrefix(namespace, key)
	var heights []Height
	cursor := s.tx.Bucket(bucketHistory).Cursor()
	// Heights sort upwards; all that begin with the prefix stand before its end.
	end := append(bytes.Clone(prefix), bytes.Repeat([]byte{0xff}, heightLength)...)
	found, _ := cursor.Seek(end)
	if found == nil {
		found, _ = cursor.Last()
	} else if !bytes.Equal(found, end) {
		found, _ = cursor.Prev()
	}
	for ; bytes.HasPrefix(found, prefix) && len(heights) < limit; found, _ = cursor.Prev() {
		heights = append(heights, heightFrom(found[len(prefix):]))
	}
	modifications := make([]*queryresult.KeyModification, 0, len(heights))
	for _, height := range heights {
		modification, err := modificationAt(s.tx, height, namespace, key)
		if err != nil {
			return nil, err
		}
		modifications = append(modifications, modification)
	}
	return modifications, nil
}

// modificationAt reads from the block what a transaction wrote to a key.
func modificationAt(tx *bbolt.Tx, height Height, namespace, key string) (*queryresult.KeyModification, error) {
	block, err := readBlock(tx, height.Block)
	if err != nil {
		return nil, err
	}
	if height.Tx >= uint64(len(block.GetData().GetData())) {
		return nil, fmt.Errorf("history points at transaction %d of block %d, which has none", height.Tx, height.Block)
	}
	var raw cb.Envelope
	if err := proto.Unmarshal(block.GetData().GetData()[height.Tx], &raw); err != nil {
		return nil, fmt.Errorf("read transaction %d of block %d: %w", height.Tx, height.Block, err)
	}
	envelope, _, err := transaction.ReadEnvelope(&raw)
	if err != nil {
		return nil, err
	}
	action, err := envelope.ReadAction()
	if err != nil {
		return nil, err
	}
	results, err := action.Results()
	if err != nil {
		return nil, err
	}
	sets, err := parseSets(results)
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		for _, write := range set.kv.GetWrites() {
			if set.namespace == namespace && write.GetKey() == key {
				return &queryresult.KeyModification{
					TxId: envelope.ChannelHeader.GetTxId(), Value: write.GetValue(),
					Timestamp: envelope.ChannelHeader.GetTimestamp(),
					IsDelete:  write.GetIsDelete() || len(write.GetValue()) == 0,
				}, nil
			}
		}
	}
	return nil, fmt.Errorf("history points at transaction %d of block %d, which does not write %q", height.Tx, height.Block, key)
}

// Processed returns a committed transaction with its validation code.
func (l *Ledger) Processed(txID string) (*pb.ProcessedTransaction, error) {
	height, code, err := l.Transaction(txID)
	if err != nil {
		return nil, err
	}
	block, err := l.Block(height.Block)
	if err != nil {
		return nil, err
	}
	var envelope cb.Envelope
	if err := proto.Unmarshal(block.GetData().GetData()[height.Tx], &envelope); err != nil {
		return nil, fmt.Errorf("read transaction %s: %w", txID, err)
	}
	return &pb.ProcessedTransaction{TransactionEnvelope: &envelope, ValidationCode: int32(code)}, nil
}
