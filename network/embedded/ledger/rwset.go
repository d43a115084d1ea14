package ledger

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"google.golang.org/protobuf/proto"
)

// namespaceSet collects what one chaincode read and wrote. The last write to a
// key counts; reads do not see writes.
type namespaceSet struct {
	reads       map[string]*kvrwset.KVRead
	writes      map[string]*kvrwset.KVWrite
	metadata    map[string]*kvrwset.KVMetadataWrite
	ranges      []*rangeQuery
	collections map[string]*collectionSet
}

// collectionSet is the same for one collection: hashes for the chain, clear
// text for the members.
type collectionSet struct {
	reads         map[string]*kvrwset.KVReadHash
	writes        map[string]*kvrwset.KVWriteHash
	metadata      map[string]*kvrwset.KVMetadataWriteHash
	clear         map[string]*kvrwset.KVWrite
	clearMetadata map[string]*kvrwset.KVMetadataWrite
}

type builder map[string]*namespaceSet

func (b builder) namespace(name string) *namespaceSet {
	set := b[name]
	if set == nil {
		set = &namespaceSet{
			reads: map[string]*kvrwset.KVRead{}, writes: map[string]*kvrwset.KVWrite{},
			metadata: map[string]*kvrwset.KVMetadataWrite{}, collections: map[string]*collectionSet{},
		}
		b[name] = set
	}
	return set
}

func (b builder) collection(namespace, name string) *collectionSet {
	parent := b.namespace(namespace)
	set := parent.collections[name]
	if set == nil {
		set = &collectionSet{
			reads: map[string]*kvrwset.KVReadHash{}, writes: map[string]*kvrwset.KVWriteHash{},
			metadata: map[string]*kvrwset.KVMetadataWriteHash{},
			clear:    map[string]*kvrwset.KVWrite{}, clearMetadata: map[string]*kvrwset.KVMetadataWrite{},
		}
		parent.collections[name] = set
	}
	return set
}

// sorted returns the values in the order of their keys.
func sorted[V any](m map[string]V) []V {
	out := make([]V, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[key])
	}
	return out
}

// build returns the public set, with hashes for private data, and the private
// one, or nil if nothing private was written.
func (b builder) build() (*rwset.TxReadWriteSet, *rwset.TxPvtReadWriteSet, error) {
	public := &rwset.TxReadWriteSet{DataModel: rwset.TxReadWriteSet_KV}
	private := &rwset.TxPvtReadWriteSet{DataModel: rwset.TxReadWriteSet_KV}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		set := b[name]
		kv := &kvrwset.KVRWSet{Reads: sorted(set.reads), Writes: sorted(set.writes), MetadataWrites: sorted(set.metadata)}
		var err error
		if kv.RangeQueriesInfo, err = set.rangeInfos(); err != nil {
			return nil, nil, err
		}
		serialized, err := proto.Marshal(kv)
		if err != nil {
			return nil, nil, fmt.Errorf("encode read/write set: %w", err)
		}
		hashed, clear, err := set.buildCollections()
		if err != nil {
			return nil, nil, err
		}
		public.NsRwset = append(public.NsRwset, &rwset.NsReadWriteSet{
			Namespace: name, Rwset: serialized, CollectionHashedRwset: hashed,
		})
		if len(clear) > 0 {
			private.NsPvtRwset = append(private.NsPvtRwset, &rwset.NsPvtReadWriteSet{Namespace: name, CollectionPvtRwset: clear})
		}
	}
	if len(private.GetNsPvtRwset()) == 0 {
		return public, nil, nil
	}
	return public, private, nil
}

// rangeInfos leaves out a query over the same keys as an earlier one.
func (set *namespaceSet) rangeInfos() ([]*kvrwset.RangeQueryInfo, error) {
	type span struct {
		start, end string
		exhausted  bool
	}
	seen := map[span]bool{}
	var infos []*kvrwset.RangeQueryInfo
	for _, query := range set.ranges {
		covered := span{query.startKey, query.endKey, query.exhausted}
		if seen[covered] {
			continue
		}
		seen[covered] = true
		info, err := query.info()
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func (set *namespaceSet) buildCollections() ([]*rwset.CollectionHashedReadWriteSet, []*rwset.CollectionPvtReadWriteSet, error) {
	var hashed []*rwset.CollectionHashedReadWriteSet
	var clear []*rwset.CollectionPvtReadWriteSet
	for _, name := range slices.Sorted(maps.Keys(set.collections)) {
		collection := set.collections[name]
		hashes, err := proto.Marshal(&kvrwset.HashedRWSet{
			HashedReads: sorted(collection.reads), HashedWrites: sorted(collection.writes), MetadataWrites: sorted(collection.metadata),
		})
		if err != nil {
			return nil, nil, fmt.Errorf("encode hashed read/write set: %w", err)
		}
		entry := &rwset.CollectionHashedReadWriteSet{CollectionName: name, HashedRwset: hashes}
		if len(collection.clear) > 0 || len(collection.clearMetadata) > 0 {
			text, err := proto.Marshal(&kvrwset.KVRWSet{
				Writes: sorted(collection.clear), MetadataWrites: sorted(collection.clearMetadata),
			})
			if err != nil {
				return nil, nil, fmt.Errorf("encode private write set: %w", err)
			}
			sum := sha256.Sum256(text)
			entry.PvtRwsetHash = sum[:]
			clear = append(clear, &rwset.CollectionPvtReadWriteSet{CollectionName: name, Rwset: text})
		}
		hashed = append(hashed, entry)
	}
	return hashed, clear, nil
}

// parsedSet is one namespace of a committed transaction's read/write set.
type parsedSet struct {
	namespace   string
	kv          *kvrwset.KVRWSet
	collections []parsedCollection
}

type parsedCollection struct {
	name    string
	hashed  *kvrwset.HashedRWSet
	pvtHash []byte
}

func parseSets(set *rwset.TxReadWriteSet) ([]parsedSet, error) {
	var out []parsedSet
	for _, ns := range set.GetNsRwset() {
		parsed := parsedSet{namespace: ns.GetNamespace(), kv: &kvrwset.KVRWSet{}}
		if err := proto.Unmarshal(ns.GetRwset(), parsed.kv); err != nil {
			return nil, fmt.Errorf("read set of %s: %w", ns.GetNamespace(), err)
		}
		for _, collection := range ns.GetCollectionHashedRwset() {
			entry := parsedCollection{
				name: collection.GetCollectionName(), hashed: &kvrwset.HashedRWSet{}, pvtHash: collection.GetPvtRwsetHash(),
			}
			if err := proto.Unmarshal(collection.GetHashedRwset(), entry.hashed); err != nil {
				return nil, fmt.Errorf("read hashed set of %s: %w", entry.name, err)
			}
			parsed.collections = append(parsed.collections, entry)
		}
		out = append(out, parsed)
	}
	return out, nil
}

// writes reports whether the transaction changes anything in the namespace.
func (s *parsedSet) writes() bool {
	if len(s.kv.GetWrites()) > 0 || len(s.kv.GetMetadataWrites()) > 0 {
		return true
	}
	for _, collection := range s.collections {
		if len(collection.hashed.GetHashedWrites()) > 0 || len(collection.hashed.GetMetadataWrites()) > 0 {
			return true
		}
	}
	return false
}
