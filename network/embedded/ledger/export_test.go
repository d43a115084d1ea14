package ledger

import "go.etcd.io/bbolt"

// Spoil overwrites a key's record with something that is none.
func (l *Ledger) Spoil(namespace, key string) error {
	return l.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketState).Put(join(namespace, key), []byte("short"))
	})
}
