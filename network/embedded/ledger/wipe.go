package ledger

import (
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// wipeIfPurged overwrites the unused pages of ledger and transient store if
// private data was purged since the last time: only then are the purged bytes
// gone from the files and not just from every answer. It runs at start and at
// the end, when nobody reads an older snapshot whose pages count as unused.
func (l *Ledger) wipeIfPurged() error {
	purged := false
	err := l.db.View(func(tx *bbolt.Tx) error {
		purged = tx.Bucket(bucketMeta).Get(metaPurged) != nil
		return nil
	})
	if err != nil || !purged {
		return err
	}
	for _, db := range []Disk{l.transient, l.db} {
		if err := wipe(db); err != nil {
			return fmt.Errorf("wipe purged data from %s: %w", db.Path(), err)
		}
	}
	return l.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Delete(metaPurged) })
}

// wipe writes zeros over the pages the database does not use. It holds the
// write lock while it does; a crash in between leaves pages nobody reads.
func wipe(db Disk) (err error) {
	tx, err := db.Begin(true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	file, err := os.OpenFile(db.Path(), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size := db.Info().PageSize
	zeros := make([]byte, size)
	for id := 0; ; {
		page, err := tx.Page(id)
		if err != nil {
			return err
		}
		if page == nil { // the end
			return file.Sync()
		}
		if page.Type != "free" {
			id += 1 + page.OverflowCount
			continue
		}
		if _, err := file.WriteAt(zeros, int64(id)*int64(size)); err != nil {
			return err
		}
		id++
	}
}
