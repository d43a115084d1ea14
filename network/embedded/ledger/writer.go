package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"
)

// writer applies one valid transaction.
type writer struct {
	tx      *bbolt.Tx
	height  Height
	updates *updates
}

// public applies the writes to state, hashes and history.
func (w *writer) public(sets []parsedSet) error {
	for i := range sets {
		set := &sets[i]
		changes := newChanges()
		for _, write := range set.kv.GetWrites() {
			changes.value(write.GetKey(), write.GetValue(), write.GetIsDelete())
			key := append(historyPrefix(set.namespace, write.GetKey()), w.height.bytes()...)
			if err := w.tx.Bucket(bucketHistory).Put(key, nil); err != nil {
				return err
			}
		}
		for _, write := range set.kv.GetMetadataWrites() {
			changes.metadata(write.GetKey(), write.GetEntries())
		}
		if err := w.apply(bucketState, set.namespace, "", changes); err != nil {
			return err
		}
		for _, collection := range set.collections {
			if err := w.hashed(set.namespace, collection); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) hashed(namespace string, collection parsedCollection) error {
	changes := newChanges()
	for _, write := range collection.hashed.GetHashedWrites() {
		changes.value(string(write.GetKeyHash()), write.GetValueHash(), write.GetIsDelete())
		if write.GetIsPurge() {
			if err := w.purge(namespace, collection.name, string(write.GetKeyHash())); err != nil {
				return err
			}
		}
	}
	for _, write := range collection.hashed.GetMetadataWrites() {
		changes.metadata(string(write.GetKeyHash()), write.GetEntries())
	}
	return w.apply(bucketHashed, namespace, collection.name, changes)
}

// change is what a transaction does to one key.
type change struct {
	setValue, setMetadata, remove bool
	value                         []byte
	entries                       []*kvrwset.KVMetadataEntry
}

type changes struct {
	byKey map[string]*change
	order []string
}

func newChanges() *changes { return &changes{byKey: map[string]*change{}} }

func (c *changes) of(key string) *change {
	if c.byKey[key] == nil {
		c.byKey[key] = &change{}
		c.order = append(c.order, key)
	}
	return c.byKey[key]
}

// value notes a write; an empty value is a deletion.
func (c *changes) value(key string, value []byte, remove bool) {
	change := c.of(key)
	if remove || len(value) == 0 {
		change.remove = true
	} else {
		change.setValue, change.value = true, value
	}
}

func (c *changes) metadata(key string, entries []*kvrwset.KVMetadataEntry) {
	change := c.of(key)
	change.setMetadata, change.entries = true, entries
}

// apply merges each change with what is stored: a value keeps the metadata,
// metadata keeps the value, and metadata of an absent key changes nothing.
func (w *writer) apply(bucketName []byte, namespace, collection string, changes *changes) error {
	bucket := w.tx.Bucket(bucketName)
	for _, key := range changes.order {
		change := changes.byKey[key]
		location := join(namespace, key)
		if collection != "" {
			location = join(namespace, collection, key)
		}
		if change.remove {
			w.updates.note(namespace, collection, key, nil, w.height)
			if err := bucket.Delete(location); err != nil {
				return err
			}
			continue
		}
		stored, err := decodeRecord(bucket.Get(location))
		if err != nil {
			return err
		}
		if stored == nil && !change.setValue {
			continue
		}
		next := &record{version: w.height}
		if stored != nil {
			next.value, next.metadata = stored.value, stored.metadata
		}
		if change.setValue {
			next.value = change.value
		}
		if change.setMetadata {
			next.metadata = change.entries
		}
		encoded, err := next.encode()
		if err != nil {
			return err
		}
		w.updates.note(namespace, collection, key, next, w.height)
		if err := bucket.Put(location, encoded); err != nil {
			return err
		}
	}
	return nil
}

// applyPrivate stores the clear text that fits the hashes in the transaction.
func (l *Ledger) applyPrivate(w *writer, check *transactionCheck) error {
	if !check.hasPrivate() {
		return nil
	}
	kept, err := l.keptPrivate(check.id)
	if err != nil {
		return fmt.Errorf("read private data of transaction %s: %w", check.id, err)
	}
	fitting := &rwset.TxPvtReadWriteSet{DataModel: kept.GetDataModel()}
	for _, ns := range kept.GetNsPvtRwset() {
		set := &rwset.NsPvtReadWriteSet{Namespace: ns.GetNamespace()}
		for _, collection := range ns.GetCollectionPvtRwset() {
			sum := sha256.Sum256(collection.GetRwset())
			if !bytes.Equal(sum[:], check.privateHash(ns.GetNamespace(), collection.GetCollectionName())) {
				continue
			}
			if err := w.private(ns.GetNamespace(), collection); err != nil {
				return err
			}
			set.CollectionPvtRwset = append(set.CollectionPvtRwset, collection)
		}
		if len(set.GetCollectionPvtRwset()) > 0 {
			fitting.NsPvtRwset = append(fitting.NsPvtRwset, set)
		}
	}
	if len(fitting.GetNsPvtRwset()) == 0 {
		return nil
	}
	return putPrivateSet(w.tx, w.height, fitting)
}

func putPrivateSet(tx *bbolt.Tx, height Height, set *rwset.TxPvtReadWriteSet) error {
	serialized, err := proto.Marshal(set)
	if err != nil {
		return fmt.Errorf("encode private write set: %w", err)
	}
	return tx.Bucket(bucketPvtData).Put(height.bytes(), serialized)
}

func (t *transactionCheck) privateHash(namespace, collection string) []byte {
	for i := range t.sets {
		if t.sets[i].namespace != namespace {
			continue
		}
		for _, entry := range t.sets[i].collections {
			if entry.name == collection {
				return entry.pvtHash
			}
		}
	}
	return nil
}

// private applies one collection's clear text.
func (w *writer) private(namespace string, collection *rwset.CollectionPvtReadWriteSet) error {
	var set kvrwset.KVRWSet
	if err := proto.Unmarshal(collection.GetRwset(), &set); err != nil {
		return fmt.Errorf("read private write set: %w", err)
	}
	name := collection.GetCollectionName()
	bucket := w.tx.Bucket(bucketPrivate)
	for _, write := range set.GetWrites() {
		location := join(namespace, name, write.GetKey())
		if write.GetIsDelete() || len(write.GetValue()) == 0 {
			if err := bucket.Delete(location); err != nil {
				return err
			}
			continue
		}
		encoded, err := (&record{version: w.height, value: write.GetValue()}).encode()
		if err != nil {
			return err
		}
		if err := bucket.Put(location, encoded); err != nil {
			return err
		}
		trace := append(privateHistory(namespace, name, keyHash(write.GetKey())), w.height.bytes()...)
		if err := w.tx.Bucket(bucketPvtHistory).Put(trace, []byte(write.GetKey())); err != nil {
			return err
		}
	}
	for _, write := range set.GetMetadataWrites() {
		if err := w.touch(join(namespace, name, write.GetKey())); err != nil {
			return err
		}
	}
	return nil
}

// touch gives a private value the version its hash got by a change of metadata.
func (w *writer) touch(location []byte) error {
	bucket := w.tx.Bucket(bucketPrivate)
	stored, err := decodeRecord(bucket.Get(location))
	if err != nil || stored == nil {
		return err
	}
	stored.version = w.height
	encoded, err := stored.encode()
	if err != nil {
		return err
	}
	return bucket.Put(location, encoded)
}

func privateHistory(namespace, collection, hash string) []byte {
	prefix := join(namespace, collection, "")
	prefix = binary.BigEndian.AppendUint32(prefix, uint32(len(hash)))
	return append(prefix, hash...)
}

// purge takes every past value of a private key out of the stored write sets.
func (w *writer) purge(namespace, collection, hash string) error {
	prefix := privateHistory(namespace, collection, hash)
	bucket := w.tx.Bucket(bucketPvtHistory)
	var heights []Height
	var name []byte
	cursor := bucket.Cursor()
	for key, clear := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, clear = cursor.Next() {
		heights = append(heights, heightFrom(key[len(prefix):]))
		name = bytes.Clone(clear)
	}
	// The hash alone is enough: the purging transaction's own clear text may be lost.
	if name != nil {
		if err := w.tx.Bucket(bucketPrivate).Delete(join(namespace, collection, string(name))); err != nil {
			return err
		}
	}
	// bbolt leaves old pages as they are; they are wiped when the ledger closes.
	if err := w.tx.Bucket(bucketMeta).Put(metaPurged, []byte{1}); err != nil {
		return err
	}
	for _, height := range heights {
		if err := bucket.Delete(append(bytes.Clone(prefix), height.bytes()...)); err != nil {
			return err
		}
		if err := purgeFrom(w.tx, height, namespace, collection, hash); err != nil {
			return err
		}
	}
	return nil
}

// purgeFrom removes one key from the write set of one past transaction.
func purgeFrom(tx *bbolt.Tx, height Height, namespace, collection, hash string) error {
	var stored rwset.TxPvtReadWriteSet
	if err := proto.Unmarshal(tx.Bucket(bucketPvtData).Get(height.bytes()), &stored); err != nil {
		return fmt.Errorf("read private write set of %v: %w", height, err)
	}
	for _, ns := range stored.GetNsPvtRwset() {
		for _, entry := range ns.GetCollectionPvtRwset() {
			if ns.GetNamespace() != namespace || entry.GetCollectionName() != collection {
				continue
			}
			var set kvrwset.KVRWSet
			if err := proto.Unmarshal(entry.GetRwset(), &set); err != nil {
				return fmt.Errorf("read private write set of %v: %w", height, err)
			}
			var rest []*kvrwset.KVWrite
			for _, write := range set.GetWrites() {
				if keyHash(write.GetKey()) != hash {
					rest = append(rest, write)
				}
			}
			set.Writes = rest
			serialized, err := proto.Marshal(&set)
			if err != nil {
				return fmt.Errorf("encode private write set: %w", err)
			}
			entry.Rwset = serialized
		}
	}
	return putPrivateSet(tx, height, &stored)
}
