package ledger

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"go.etcd.io/bbolt"
)

// Simulator executes reads on a snapshot of the state and collects the
// read/write set. Reads do not see the transaction's own writes. It is safe
// for concurrent use, and refuses use after Close: a chaincode that ran into
// its time limit may still be running.
type Simulator struct {
	ledger *Ledger
	txID   string
	// peer is the organisation on whose peer the chaincode runs; it decides
	// which collections' clear text is there to read.
	peer string

	mu        sync.Mutex
	tx        *bbolt.Tx
	sets      builder
	wrote     bool
	paginated bool
	queried   bool // private data was queried by range
	interest  *Interest
}

// Interest is what a transaction touched, for choosing endorsers.
type Interest struct {
	// KeyPolicies are the key-level policies (serialized) of the keys written,
	// by chaincode.
	KeyPolicies map[string][][]byte
	// ChaincodePolicy is set for each chaincode whose own policy must hold.
	ChaincodePolicy map[string]bool
	// Collections are the collections touched.
	Collections map[CollectionName]CollectionUse
}

// CollectionName names a collection of a chaincode.
type CollectionName struct{ Chaincode, Collection string }

// CollectionUse tells what was done with a collection.
type CollectionUse struct{ Read, PolicyRequired bool }

func (l *Ledger) NewSimulator(txID, peer string) (*Simulator, error) {
	tx, err := l.db.Begin(false)
	if err != nil {
		return nil, fmt.Errorf("open a state snapshot: %w", err)
	}
	return &Simulator{
		ledger: l, txID: txID, peer: peer, tx: tx, sets: builder{},
		interest: &Interest{
			KeyPolicies: map[string][][]byte{}, ChaincodePolicy: map[string]bool{},
			Collections: map[CollectionName]CollectionUse{},
		},
	}, nil
}

// Close releases the snapshot. It may be called more than once.
func (s *Simulator) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tx == nil {
		return nil
	}
	err := s.tx.Rollback()
	s.tx = nil
	return err
}

var errDone = errors.New("this instance should not be used after calling Done()")

// lock takes the simulator for one call.
func (s *Simulator) lock() error {
	s.mu.Lock()
	if s.tx == nil {
		s.mu.Unlock()
		return errDone
	}
	return nil
}

// GetState returns the value, or nil if there is none, and notes the read.
func (s *Simulator) GetState(namespace, key string) ([]byte, error) {
	stored, err := s.read(namespace, key)
	if err != nil || stored == nil {
		return nil, err
	}
	return stored.value, nil
}

// GetStatePolicy returns the key-level endorsement policy. It notes a read of the key.
func (s *Simulator) GetStatePolicy(namespace, key string) ([]byte, error) {
	stored, err := s.read(namespace, key)
	return stored.policy(), err
}

func (s *Simulator) read(namespace, key string) (*record, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	stored, err := decodeRecord(s.tx.Bucket(bucketState).Get(join(namespace, key)))
	if err != nil {
		return nil, err
	}
	s.sets.namespace(namespace).reads[key] = &kvrwset.KVRead{Key: key, Version: stored.height().message()}
	return stored, nil
}

// SetState notes a write; an empty value deletes the key at commit, as in Fabric.
func (s *Simulator) SetState(namespace, key string, value []byte) error {
	return s.write(namespace, key, func(set *namespaceSet) {
		set.writes[key] = &kvrwset.KVWrite{Key: key, Value: value, IsDelete: len(value) == 0}
	})
}

// SetStatePolicy notes a new key-level endorsement policy.
func (s *Simulator) SetStatePolicy(namespace, key string, policy []byte) error {
	return s.write(namespace, key, func(set *namespaceSet) {
		set.metadata[key] = &kvrwset.KVMetadataWrite{Key: key, Entries: policyEntries(policy)}
	})
}

func policyEntries(policy []byte) []*kvrwset.KVMetadataEntry {
	return []*kvrwset.KVMetadataEntry{{Name: validationParameter, Value: policy}}
}

func (s *Simulator) write(namespace, key string, note func(*namespaceSet)) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if err := s.beforeWrite(); err != nil {
		return err
	}
	note(s.sets.namespace(namespace))
	stored, err := decodeRecord(s.tx.Bucket(bucketState).Get(join(namespace, key)))
	if err != nil {
		return err
	}
	if policy := stored.policy(); len(policy) > 0 {
		s.interest.addKeyPolicy(namespace, policy)
	} else {
		s.interest.ChaincodePolicy[namespace] = true
	}
	return nil
}

// beforeWrite refuses a write after a query whose result cannot be validated.
func (s *Simulator) beforeWrite() error {
	if s.queried {
		return fmt.Errorf("txid [%s]: unsuppored transaction. Transaction has already performed queries on pvt data. Writes are not allowed", s.txID)
	}
	if s.paginated {
		return fmt.Errorf("txid [%s]: unsuppored transaction. Transaction has already performed a paginated query. Writes are not allowed", s.txID)
	}
	s.wrote = true
	return nil
}

// Results returns the public and the private read/write set (nil if nothing
// private was written).
func (s *Simulator) Results() (*rwset.TxReadWriteSet, *rwset.TxPvtReadWriteSet, *Interest, error) {
	if err := s.lock(); err != nil {
		return nil, nil, nil, err
	}
	defer s.mu.Unlock()
	public, private, err := s.sets.build()
	if err != nil {
		return nil, nil, nil, err
	}
	for _, set := range public.GetNsRwset() {
		if !s.interest.touches(set.GetNamespace()) {
			s.interest.ChaincodePolicy[set.GetNamespace()] = true
		}
	}
	return public, private, s.interest, nil
}

// touches reports whether something of the chaincode was written: then its
// policy is needed only where no key-level policy stands in for it.
func (i *Interest) touches(chaincode string) bool {
	for name, use := range i.Collections {
		if name.Chaincode == chaincode && use.PolicyRequired {
			return true
		}
	}
	return i.ChaincodePolicy[chaincode] || len(i.KeyPolicies[chaincode]) > 0
}

func (i *Interest) addKeyPolicy(chaincode string, policy []byte) {
	i.KeyPolicies[chaincode] = append(i.KeyPolicies[chaincode], policy)
}

// Iterator walks a range query's results, noting them for the phantom check.
type Iterator struct {
	simulator *Simulator
	scan      *scan
	query     *rangeQuery // nil for private data, which is not checked again
	endKey    string
	// pageSize > 0 bounds the results; the next key is the bookmark.
	pageSize int
	returned int
}

// Range queries keys from start (inclusive) to end (exclusive). A page size
// above zero makes it a paginated query, which no write may accompany.
func (s *Simulator) Range(namespace, startKey, endKey string, pageSize int, paginated bool) (*Iterator, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if paginated {
		if s.wrote {
			return nil, fmt.Errorf("txid [%s]: unsuppored transaction. Paginated queries are supported only in a read-only transaction", s.txID)
		}
		s.paginated = true
	}
	query := &rangeQuery{startKey: startKey}
	set := s.sets.namespace(namespace)
	set.ranges = append(set.ranges, query)
	return &Iterator{
		simulator: s, scan: newScan(s.tx, namespace, startKey, endKey, false),
		query: query, endKey: endKey, pageSize: pageSize,
	}, nil
}

// Next returns the next key and value; ok is false at the end.
func (i *Iterator) Next() (key string, value []byte, ok bool, err error) {
	if err := i.simulator.lock(); err != nil {
		return "", nil, false, err
	}
	defer i.simulator.mu.Unlock()
	if i.pageSize > 0 && i.returned >= i.pageSize {
		i.exhaust()
		return "", nil, false, nil
	}
	key, stored, err := i.scan.next()
	if err != nil {
		return "", nil, false, err
	}
	if stored == nil {
		i.exhaust()
		return "", nil, false, nil
	}
	i.returned++
	if i.query != nil {
		if err := i.query.add(key, stored.version); err != nil {
			return "", nil, false, err
		}
		i.query.endKey = key
	}
	return key, stored.value, true, nil
}

func (i *Iterator) exhaust() {
	if i.query != nil {
		i.query.exhausted, i.query.endKey = true, i.endKey
	}
}

// Bookmark returns the key a next page starts at, or "" after the last page.
func (i *Iterator) Bookmark() (string, error) {
	if err := i.simulator.lock(); err != nil {
		return "", err
	}
	defer i.simulator.mu.Unlock()
	key, stored, err := i.scan.next()
	if err != nil || stored == nil {
		return "", err
	}
	return key, nil
}

func hashOf(value []byte) []byte {
	sum := sha256.Sum256(value)
	return sum[:]
}
