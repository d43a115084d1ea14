package ledger

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"
)

// maxDegree is the number of results above which a range query is summarised
// by a tree of hashes; Fabric's value, so that the sets are the same.
const maxDegree = 50

// rangeQuery records what a range query saw, for the phantom check.
type rangeQuery struct {
	startKey, endKey string
	exhausted        bool
	pending          []*kvrwset.KVRead
	// levels[i] holds the hashes of level i+1; empty while nothing was hashed.
	levels [][][]byte
}

func (q *rangeQuery) add(key string, version Height) error {
	q.pending = append(q.pending, &kvrwset.KVRead{Key: key, Version: version.message()})
	if len(q.pending) > maxDegree {
		return q.hashPending()
	}
	return nil
}

func (q *rangeQuery) hashPending() error {
	serialized, err := proto.Marshal(&kvrwset.QueryReads{KvReads: q.pending})
	if err != nil {
		return fmt.Errorf("encode query reads: %w", err)
	}
	q.pending = nil
	sum := sha256.Sum256(serialized)
	q.push(0, sum[:])
	for level := 0; len(q.levels[level]) > maxDegree; level++ {
		combined := combine(q.levels[level])
		q.levels[level] = nil
		q.push(level+1, combined)
	}
	return nil
}

func (q *rangeQuery) push(level int, hash []byte) {
	for len(q.levels) <= level {
		q.levels = append(q.levels, nil)
	}
	q.levels[level] = append(q.levels[level], hash)
}

func combine(hashes [][]byte) []byte {
	sum := sha256.Sum256(bytes.Join(hashes, nil))
	return sum[:]
}

// finish folds the lower levels up and returns raw reads or the tree's top.
func (q *rangeQuery) finish() ([]*kvrwset.KVRead, *kvrwset.QueryReadsMerkleSummary, error) {
	if len(q.levels) == 0 {
		return q.pending, nil, nil
	}
	if len(q.pending) > 0 {
		if err := q.hashPending(); err != nil {
			return nil, nil, err
		}
	}
	top := len(q.levels) - 1
	for level := range top {
		switch hashes := q.levels[level]; len(hashes) {
		case 0:
			continue
		case 1:
			q.push(level+1, hashes[0])
		default:
			q.push(level+1, combine(hashes))
		}
		q.levels[level] = nil
	}
	if len(q.levels[top]) > maxDegree {
		combined := combine(q.levels[top])
		q.levels[top] = nil
		q.push(top+1, combined)
		top++
	}
	return nil, &kvrwset.QueryReadsMerkleSummary{
		MaxDegree: maxDegree, MaxLevel: uint32(top + 1), MaxLevelHashes: q.levels[top],
	}, nil
}

func (q *rangeQuery) info() (*kvrwset.RangeQueryInfo, error) {
	info := &kvrwset.RangeQueryInfo{StartKey: q.startKey, EndKey: q.endKey, ItrExhausted: q.exhausted}
	reads, summary, err := q.finish()
	if err != nil {
		return nil, err
	}
	switch {
	case summary != nil:
		info.ReadsInfo = &kvrwset.RangeQueryInfo_ReadsMerkleHashes{ReadsMerkleHashes: summary}
	case len(reads) > 0:
		info.ReadsInfo = &kvrwset.RangeQueryInfo_RawReads{RawReads: &kvrwset.QueryReads{KvReads: reads}}
	}
	return info, nil
}

// phantomFree runs a recorded query again and reports whether it sees the same.
func phantomFree(tx *bbolt.Tx, namespace string, recorded *kvrwset.RangeQueryInfo) (bool, error) {
	again := &rangeQuery{startKey: recorded.GetStartKey(), endKey: recorded.GetEndKey(), exhausted: recorded.GetItrExhausted()}
	// An iterator that was not exhausted stopped at its end key, having read it.
	scan := newScan(tx, namespace, recorded.GetStartKey(), recorded.GetEndKey(), !recorded.GetItrExhausted())
	for {
		key, stored, err := scan.next()
		if err != nil {
			return false, err
		}
		if stored == nil {
			break
		}
		if err := again.add(key, stored.version); err != nil {
			return false, err
		}
	}
	reads, summary, err := again.finish()
	if err != nil {
		return false, err
	}
	if expected := recorded.GetReadsMerkleHashes(); expected != nil {
		return proto.Equal(expected, summary), nil
	}
	return proto.Equal(&kvrwset.QueryReads{KvReads: recorded.GetRawReads().GetKvReads()}, &kvrwset.QueryReads{KvReads: reads}), nil
}

// scan walks the keys of a namespace in order. The empty end key means "to the
// end of the namespace".
type scan struct {
	cursor     *bbolt.Cursor
	prefix     []byte
	start      []byte
	end        []byte
	includeEnd bool
	started    bool
}

func newScan(tx *bbolt.Tx, namespace, startKey, endKey string, includeEnd bool) *scan {
	return newBucketScan(tx.Bucket(bucketState), join(namespace, ""), startKey, endKey, includeEnd)
}

func newBucketScan(bucket *bbolt.Bucket, prefix []byte, startKey, endKey string, includeEnd bool) *scan {
	s := &scan{cursor: bucket.Cursor(), prefix: prefix, includeEnd: includeEnd}
	s.start = append(bytes.Clone(prefix), startKey...)
	if endKey != "" {
		s.end = append(bytes.Clone(prefix), endKey...)
	}
	return s
}

// next returns the next key and record, or a nil record at the end.
func (s *scan) next() (string, *record, error) {
	var key, value []byte
	if !s.started {
		s.started = true
		key, value = s.cursor.Seek(s.start)
	} else {
		key, value = s.cursor.Next()
	}
	if key == nil || !bytes.HasPrefix(key, s.prefix) {
		return "", nil, nil
	}
	if s.end != nil {
		if order := bytes.Compare(key, s.end); order > 0 || order == 0 && !s.includeEnd {
			return "", nil, nil
		}
	}
	stored, err := decodeRecord(value)
	if err != nil {
		return "", nil, fmt.Errorf("read key %q: %w", key[len(s.prefix):], err)
	}
	return string(key[len(s.prefix):]), stored, nil
}
