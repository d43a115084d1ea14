package ledger

import (
	"bytes"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
)

// collection returns the collection, or an error naming what is not defined.
func (s *Simulator) collection(namespace, name string) (*Collection, error) {
	definition := s.ledger.definitions[namespace]
	if definition == nil || len(definition.Collections) == 0 {
		return nil, fmt.Errorf("collection config not defined for chaincode [%s], pass the collection configuration upon chaincode definition/instantiation", namespace)
	}
	collection := definition.Collections[name]
	if collection == nil {
		return nil, fmt.Errorf("collection [%s] not defined in the collection config for chaincode [%s]", name, namespace)
	}
	return collection, nil
}

// GetPrivateData returns the clear text held by this peer. If the chain has a
// newer hash than the peer has data, as on a peer outside the collection, it
// is an error: "not there" would be false.
func (s *Simulator) GetPrivateData(namespace, collection, key string) ([]byte, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	definition, err := s.collection(namespace, collection)
	if err != nil {
		return nil, err
	}
	hashed, err := s.hashed(namespace, collection, key)
	if err != nil {
		return nil, err
	}
	var clear *record
	if definition.Member(s.peer) {
		clear, err = decodeRecord(s.tx.Bucket(bucketPrivate).Get(join(namespace, collection, key)))
		if err != nil {
			return nil, err
		}
	}
	if !sameVersion(hashed.height(), clear.height().message()) {
		return nil, fmt.Errorf("private data matching public hash version is not available. Public hash version = %s, Private data version = %s",
			describe(hashed.height()), describe(clear.height()))
	}
	s.noteHashedRead(namespace, collection, key, clear.height())
	name := CollectionName{namespace, collection}
	use := s.interest.Collections[name]
	use.Read = true
	s.interest.Collections[name] = use
	if clear == nil {
		return nil, nil
	}
	return clear.value, nil
}

func describe(version *Height) string {
	if version == nil {
		return "<nil>"
	}
	return fmt.Sprintf("{BlockNum: %d, TxNum: %d}", version.Block, version.Tx)
}

// hashed reads what the chain knows about a private key.
func (s *Simulator) hashed(namespace, collection, key string) (*record, error) {
	return decodeRecord(s.tx.Bucket(bucketHashed).Get(join(namespace, collection, keyHash(key))))
}

func (s *Simulator) noteHashedRead(namespace, collection, key string, version *Height) {
	s.sets.collection(namespace, collection).reads[key] = &kvrwset.KVReadHash{
		KeyHash: []byte(keyHash(key)), Version: version.message(),
	}
}

// GetPrivateDataHash returns the SHA-256 of the value, which every peer has.
func (s *Simulator) GetPrivateDataHash(namespace, collection, key string) ([]byte, error) {
	stored, err := s.readHashed(namespace, collection, key)
	if err != nil || stored == nil {
		return nil, err
	}
	return stored.value, nil
}

// GetPrivateDataPolicy returns the key-level endorsement policy of a private key.
func (s *Simulator) GetPrivateDataPolicy(namespace, collection, key string) ([]byte, error) {
	stored, err := s.readHashed(namespace, collection, key)
	return stored.policy(), err
}

func (s *Simulator) readHashed(namespace, collection, key string) (*record, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if _, err := s.collection(namespace, collection); err != nil {
		return nil, err
	}
	stored, err := s.hashed(namespace, collection, key)
	if err != nil {
		return nil, err
	}
	s.noteHashedRead(namespace, collection, key, stored.height())
	return stored, nil
}

// SetPrivateData notes a private write; an empty value deletes the key.
func (s *Simulator) SetPrivateData(namespace, collection, key string, value []byte) error {
	return s.writePrivate(namespace, collection, key, func(set *collectionSet) {
		write := &kvrwset.KVWriteHash{KeyHash: []byte(keyHash(key)), IsDelete: len(value) == 0}
		if len(value) > 0 {
			write.ValueHash = hashOf(value)
		}
		set.clear[key] = &kvrwset.KVWrite{Key: key, Value: value, IsDelete: len(value) == 0}
		set.writes[key] = write
	})
}

// PurgePrivateData notes that the key and its past private values must vanish.
func (s *Simulator) PurgePrivateData(namespace, collection, key string) error {
	return s.writePrivate(namespace, collection, key, func(set *collectionSet) {
		set.clear[key] = &kvrwset.KVWrite{Key: key, IsDelete: true}
		set.writes[key] = &kvrwset.KVWriteHash{KeyHash: []byte(keyHash(key)), IsDelete: true, IsPurge: true}
	})
}

// SetPrivateDataPolicy notes a new key-level endorsement policy of a private key.
func (s *Simulator) SetPrivateDataPolicy(namespace, collection, key string, policy []byte) error {
	return s.writePrivate(namespace, collection, key, func(set *collectionSet) {
		set.clearMetadata[key] = &kvrwset.KVMetadataWrite{Key: key}
		set.metadata[key] = &kvrwset.KVMetadataWriteHash{KeyHash: []byte(keyHash(key)), Entries: policyEntries(policy)}
	})
}

func (s *Simulator) writePrivate(namespace, collection, key string, note func(*collectionSet)) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, err := s.collection(namespace, collection); err != nil {
		return err
	}
	if err := s.beforeWrite(); err != nil {
		return err
	}
	note(s.sets.collection(namespace, collection))
	stored, err := s.hashed(namespace, collection, key)
	if err != nil {
		return err
	}
	name := CollectionName{namespace, collection}
	use := s.interest.Collections[name]
	if policy := stored.policy(); len(policy) > 0 {
		s.interest.addKeyPolicy(namespace, policy)
	} else {
		use.PolicyRequired = true
	}
	s.interest.Collections[name] = use
	return nil
}

// PrivateRange queries private keys from start (inclusive) to end (exclusive).
// Nothing is noted, so no write may accompany it.
func (s *Simulator) PrivateRange(namespace, collection, startKey, endKey string) (*Iterator, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if s.wrote {
		return nil, fmt.Errorf("txid [%s]: unsuppored transaction. Queries on pvt data is supported only in a read-only transaction", s.txID)
	}
	s.queried = true
	definition, err := s.collection(namespace, collection)
	if err != nil {
		return nil, err
	}
	scan := newBucketScan(s.tx.Bucket(bucketPrivate), join(namespace, collection, ""), startKey, endKey, false)
	if !definition.Member(s.peer) {
		// A peer outside the collection holds nothing: a scan that ends at once.
		scan.end = bytes.Clone(scan.prefix)
	}
	return &Iterator{simulator: s, scan: scan, endKey: endKey}, nil
}
