package ledger

import (
	"bytes"
	"context"
	"errors"
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
	// Registered first: a commit between the look and the wait is not missed. A
	// block on the disk that readers cannot see yet is about to be announced.
	if height, code, err := l.Transaction(txID); err == nil && height.Block < l.Height() {
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

// HistoryIterator walks a key's past values, newest first.
type HistoryIterator struct {
	simulator      *Simulator
	namespace, key string
	heights        []Height
}

// History finds a key's past values, at most limit of them.
func (s *Simulator) History(namespace, key string, limit int) (*HistoryIterator, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	prefix := historyPrefix(namespace, key)
	iterator := &HistoryIterator{simulator: s, namespace: namespace, key: key}
	cursor := s.tx.Bucket(bucketHistory).Cursor()
	// Heights sort upwards; all that begin with the prefix stand before its end.
	end := append(bytes.Clone(prefix), bytes.Repeat([]byte{0xff}, heightLength)...)
	found, _ := cursor.Seek(end)
	if found == nil {
		found, _ = cursor.Last()
	} else if !bytes.Equal(found, end) {
		found, _ = cursor.Prev()
	}
	for ; bytes.HasPrefix(found, prefix) && len(iterator.heights) < limit; found, _ = cursor.Prev() {
		iterator.heights = append(iterator.heights, heightFrom(found[len(prefix):]))
	}
	return iterator, nil
}

// HasNext reports whether there is an older value.
func (i *HistoryIterator) HasNext() bool { return len(i.heights) > 0 }

// Next reads the next older value from its block.
func (i *HistoryIterator) Next() (*queryresult.KeyModification, error) {
	if err := i.simulator.lock(); err != nil {
		return nil, err
	}
	defer i.simulator.mu.Unlock()
	if !i.HasNext() {
		return nil, errors.New("no such key")
	}
	height := i.heights[0]
	i.heights = i.heights[1:]
	return modificationAt(i.simulator.tx, height, i.namespace, i.key)
}

// Close has nothing to release.
func (i *HistoryIterator) Close() error { return nil }

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
