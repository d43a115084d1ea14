package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"
)

// check reads the height and tests the last blocks: numbers, data hashes, the
// chain of header hashes, and that state index and blocks end together.
func (l *Ledger) check() error {
	return l.db.View(func(tx *bbolt.Tx) error {
		key, _ := tx.Bucket(bucketBlocks).Cursor().Last()
		if key == nil {
			return nil
		}
		if len(key) != 8 {
			return l.damaged("a block has no readable number")
		}
		last := binary.BigEndian.Uint64(key)
		first := uint64(0)
		if last >= checkedHeaders {
			first = last - checkedHeaders + 1
		}
		var previous []byte
		for number := first; number <= last; number++ {
			hash, err := l.checkBlock(tx, number, previous)
			if err != nil {
				return err
			}
			previous = hash
		}
		stored := tx.Bucket(bucketMeta).Get(metaCommitHash)
		block, err := readBlock(tx, last)
		if err != nil {
			return l.damaged(err.Error())
		}
		l.height, l.lastHash, l.commitHash = last+1, previous, bytes.Clone(stored)
		if !bytes.Equal(commitHashOf(block), stored) {
			return l.damaged(fmt.Sprintf("the state does not belong to the last block %d", last))
		}
		return nil
	})
}

// checkBlock returns the block's header hash. previous is nil for the first
// block looked at.
func (l *Ledger) checkBlock(tx *bbolt.Tx, number uint64, previous []byte) ([]byte, error) {
	block, err := readBlock(tx, number)
	if err != nil {
		return nil, l.damaged(err.Error())
	}
	header := block.GetHeader()
	if header.GetNumber() != number {
		return nil, l.damaged(fmt.Sprintf("block %d says it is block %d", number, header.GetNumber()))
	}
	if previous != nil && !bytes.Equal(header.GetPreviousHash(), previous) {
		return nil, l.damaged(fmt.Sprintf("block %d does not follow from block %d", number, number-1))
	}
	if !bytes.Equal(header.GetDataHash(), DataHash(block.GetData())) {
		return nil, l.damaged(fmt.Sprintf("the transactions of block %d do not have the hash in its header", number))
	}
	hash, err := HeaderHash(header)
	if err != nil {
		return nil, err
	}
	if indexed := tx.Bucket(bucketBlockHash).Get(hash); !bytes.Equal(indexed, numberKey(number)) {
		return nil, l.damaged(fmt.Sprintf("block %d is not in the index of hashes", number))
	}
	return hash, nil
}

func (l *Ledger) damaged(what string) error {
	return fmt.Errorf("the ledger %s is damaged: %s; restore it from a copy or start with an empty directory", l.db.Path(), what)
}

func commitHashOf(block *cb.Block) []byte {
	slots := block.GetMetadata().GetMetadata()
	if len(slots) <= int(cb.BlockMetadataIndex_COMMIT_HASH) {
		return nil
	}
	var metadata cb.Metadata
	if proto.Unmarshal(slots[cb.BlockMetadataIndex_COMMIT_HASH], &metadata) != nil {
		return nil
	}
	return metadata.GetValue()
}
