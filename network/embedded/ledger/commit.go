package ledger

import (
	"crypto/sha256"
	"errors"
	"fmt"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Commit validates the next block's transactions, applies the valid ones and
// returns when everything is on the disk. It fills in the block's validation
// flags and commit hash. An error means that nothing was changed and that the
// ledger should not be used on: a bad transaction is no error but has a code.
func (l *Ledger) Commit(block *cb.Block) error {
	checks := l.examine(block)
	var commitHash, headerHash []byte
	err := l.db.Update(func(tx *bbolt.Tx) error {
		updates := newUpdates()
		if err := l.apply(tx, block, checks, updates); err != nil {
			return err
		}
		flags := make([]byte, len(checks))
		for i, check := range checks {
			flags[i] = byte(check.code)
		}
		block.Metadata.Metadata[cb.BlockMetadataIndex_TRANSACTIONS_FILTER] = flags
		var err error
		if commitHash, err = l.seal(block, flags, updates); err != nil {
			return err
		}
		if headerHash, err = storeBlock(tx, block); err != nil {
			return err
		}
		return tx.Bucket(bucketMeta).Put(metaCommitHash, commitHash)
	})
	if err != nil {
		return fmt.Errorf("commit block %d: %w", block.GetHeader().GetNumber(), err)
	}
	l.publish(block, checks, headerHash, commitHash)
	return nil
}

// apply runs the block's transactions in order against the state.
func (l *Ledger) apply(tx *bbolt.Tx, block *cb.Block, checks []*transactionCheck, updates *updates) error {
	number := block.GetHeader().GetNumber()
	index := tx.Bucket(bucketTx)
	l.markDuplicates(index, checks)
	endorsements := &endorsementCheck{ledger: l, tx: tx, changed: map[keyName]bool{}}
	for _, check := range checks {
		if check.valid() && check.action != nil {
			err := endorsements.judge(check)
			if errors.Is(err, errRecord) {
				return err // the ledger is at fault, not the transaction
			}
			if err != nil {
				check.fail(pb.TxValidationCode_ENDORSEMENT_POLICY_FAILURE)
			}
		}
	}
	for i, check := range checks {
		height := Height{number, uint64(i)}
		if check.valid() && check.action != nil {
			code, err := conflict(tx, check.sets)
			if err != nil {
				return err
			}
			check.code = code
		}
		if check.valid() {
			writer := &writer{tx: tx, height: height, updates: updates}
			if err := writer.public(check.sets); err != nil {
				return err
			}
			if err := l.applyPrivate(writer, check); err != nil {
				return err
			}
		}
		// A second envelope with a known id must not hide the first one's outcome.
		if check.id == "" || index.Get([]byte(check.id)) != nil {
			continue
		}
		if err := index.Put([]byte(check.id), append(height.bytes(), byte(check.code))); err != nil {
			return err
		}
	}
	return nil
}

// markDuplicates fails transactions whose id is in the ledger or earlier in the block.
func (l *Ledger) markDuplicates(index *bbolt.Bucket, checks []*transactionCheck) {
	seen := map[string]bool{}
	for _, check := range checks {
		if !check.valid() || check.kind != cb.HeaderType_ENDORSER_TRANSACTION {
			continue
		}
		if seen[check.id] || index.Get([]byte(check.id)) != nil {
			check.fail(pb.TxValidationCode_DUPLICATE_TXID)
			continue
		}
		seen[check.id] = true
	}
}

// seal computes the commit hash as a peer does: over the flags, the updates
// and the previous commit hash. Two peers that agree have the same.
func (l *Ledger) seal(block *cb.Block, flags []byte, updates *updates) ([]byte, error) {
	if block.GetHeader().GetNumber() == 0 {
		return nil, nil // a peer starts with the first block after the configuration
	}
	hash := sha256.New()
	hash.Write(protowire.AppendVarint(nil, uint64(len(flags))))
	hash.Write(flags)
	hash.Write(updates.encode())
	hash.Write(l.commitHash)
	sum := hash.Sum(nil)
	slot, err := proto.Marshal(&cb.Metadata{Value: sum})
	if err != nil {
		return nil, fmt.Errorf("encode commit hash: %w", err)
	}
	block.Metadata.Metadata[cb.BlockMetadataIndex_COMMIT_HASH] = slot
	return sum, nil
}

func storeBlock(tx *bbolt.Tx, block *cb.Block) ([]byte, error) {
	serialized, err := proto.Marshal(block)
	if err != nil {
		return nil, fmt.Errorf("encode block: %w", err)
	}
	hash, err := HeaderHash(block.GetHeader())
	if err != nil {
		return nil, err
	}
	number := numberKey(block.GetHeader().GetNumber())
	if err := tx.Bucket(bucketBlocks).Put(number, serialized); err != nil {
		return nil, err
	}
	return hash, tx.Bucket(bucketBlockHash).Put(hash, number)
}

// publish makes a committed block visible and wakes those who wait for it.
func (l *Ledger) publish(block *cb.Block, checks []*transactionCheck, headerHash, commitHash []byte) {
	number := block.GetHeader().GetNumber()
	var private []string
	l.mu.Lock()
	l.height, l.lastHash, l.commitHash = number+1, headerHash, commitHash
	l.cache.put(block)
	close(l.grown)
	l.grown = make(chan struct{})
	for _, check := range checks {
		if check.code != pb.TxValidationCode_DUPLICATE_TXID {
			for _, waiter := range l.waiters[check.id] {
				waiter <- Status{check.code, number}
			}
			delete(l.waiters, check.id)
		}
		if check.hasPrivate() {
			private = append(private, check.id)
		}
	}
	l.mu.Unlock()
	l.forget(private, number)
}

func (t *transactionCheck) hasPrivate() bool {
	for i := range t.sets {
		for _, collection := range t.sets[i].collections {
			if len(collection.pvtHash) > 0 {
				return true
			}
		}
	}
	return false
}
