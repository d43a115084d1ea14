package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// compactBatch is how many bytes a compaction copies in one transaction.
const compactBatch = 64 << 20

// compactIfPurged rewrites the ledger file, and the transient store beside it,
// if private data was purged since the last time: only then are the purged
// bytes gone from the disk's files and not only from every answer.
func compactIfPurged(path string) error {
	purged, err := wasPurged(path)
	if err != nil || !purged {
		return err
	}
	transient := filepath.Join(filepath.Dir(path), transientName)
	if _, err := os.Stat(transient); err == nil {
		if err := rewrite(transient, nil); err != nil {
			return err
		}
	}
	return rewrite(path, func(db *bbolt.DB) error {
		return db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Delete(metaPurged) })
	})
}

// wasPurged leaves every other trouble with the file to the opening proper.
func wasPurged(path string) (purged bool, err error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	err = surviveDamage(path, func() error {
		db, err := openFile(path, filepath.Dir(path))
		if err != nil {
			return err
		}
		err = db.View(func(tx *bbolt.Tx) error {
			if meta := tx.Bucket(bucketMeta); meta != nil {
				purged = meta.Get(metaPurged) != nil
			}
			return nil
		})
		return errors.Join(err, db.Close())
	})
	return purged, err
}

// rewrite copies the live content into a new file and puts it in the old one's
// place. A crash leaves one or the other, whole.
func rewrite(path string, finish func(*bbolt.DB) error) error {
	next := path + ".compact"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove an unfinished %s: %w", next, err)
	}
	err := surviveDamage(path, func() error { return copyLive(path, next, finish) })
	if err != nil {
		return fmt.Errorf("rewrite %s without purged data: %w", path, err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("rewrite %s without purged data: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

func copyLive(path, next string, finish func(*bbolt.DB) error) error {
	source, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true})
	if err != nil {
		return err
	}
	target, err := bbolt.Open(next, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return errors.Join(err, source.Close())
	}
	err = bbolt.Compact(target, source, compactBatch)
	if err == nil && finish != nil {
		err = finish(target)
	}
	if err == nil {
		err = target.Sync()
	}
	return errors.Join(err, target.Close(), source.Close())
}

func syncDir(dir string) error {
	handle, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return errors.Join(handle.Sync(), handle.Close())
}
