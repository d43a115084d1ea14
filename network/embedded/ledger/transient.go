package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"
)

// transientRetention is how many blocks an endorsed private write set waits
// for its transaction, as a peer's transient store does.
const transientRetention = 1000

// transientBatch is how long endorsements wait for others to share a fsync. The
// ledger proper does not batch.
const transientBatch = time.Millisecond

var bucketTransient = []byte("transient") // transaction id → height at endorsement, private write set

// openTransient opens the store of private write sets between endorsement and
// commit. It is on disk: an envelope endorsed before a crash may be submitted
// after it, and its private data must still be there.
func openTransient(path string, cfg Config) (Disk, error) {
	db, err := openFile(path, cfg)
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucketTransient)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", path, err), db.Close())
	}
	return db, nil
}

// KeepPrivate stores the private write set of an endorsed transaction until it
// is committed.
func (l *Ledger) KeepPrivate(txID string, set *rwset.TxPvtReadWriteSet) error {
	serialized, err := proto.Marshal(set)
	if err != nil {
		return fmt.Errorf("encode private write set: %w", err)
	}
	value := append(numberKey(l.Height()), serialized...)
	err = l.transient.Batch(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketTransient).Put([]byte(txID), value)
	})
	if err != nil {
		return fmt.Errorf("keep private data of transaction %s: %w", txID, err)
	}
	return nil
}

// keptPrivate returns the private write set, or nil.
func (l *Ledger) keptPrivate(txID string) (*rwset.TxPvtReadWriteSet, error) {
	var set *rwset.TxPvtReadWriteSet
	err := l.transient.View(func(tx *bbolt.Tx) error {
		value := tx.Bucket(bucketTransient).Get([]byte(txID))
		if len(value) < 8 {
			return nil
		}
		set = &rwset.TxPvtReadWriteSet{}
		return proto.Unmarshal(value[8:], set)
	})
	return set, err
}

// dropPrivate forgets committed transactions, and every so often those that
// were endorsed long ago and never came.
func (l *Ledger) dropPrivate(txIDs []string, height uint64) error {
	sweep := height%transientRetention == 0
	if len(txIDs) == 0 && !sweep {
		return nil
	}
	return l.transient.Batch(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(bucketTransient)
		for _, txID := range txIDs {
			if err := bucket.Delete([]byte(txID)); err != nil {
				return err
			}
		}
		if !sweep {
			return nil
		}
		cursor := bucket.Cursor()
		for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
			if len(value) < 8 || binary.BigEndian.Uint64(value)+transientRetention < height {
				if err := cursor.Delete(); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// forget drops what is committed without holding up the next block.
func (l *Ledger) forget(txIDs []string, height uint64) {
	if len(txIDs) == 0 && height%transientRetention != 0 {
		return
	}
	l.background.Add(1)
	go func() {
		defer l.background.Done()
		// What stays behind is dropped by a later sweep; nothing depends on it.
		_ = l.dropPrivate(txIDs, height)
	}()
}
