package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"google.golang.org/protobuf/proto"
)

// The buckets of the database. One commit writes all of them in one bbolt
// transaction, so a crash leaves either the whole block or none of it.
var (
	bucketMeta       = []byte("meta")       // see meta keys below
	bucketBlocks     = []byte("blocks")     // number → common.Block
	bucketBlockHash  = []byte("blockhash")  // header hash → number
	bucketTx         = []byte("tx")         // transaction id → height, validation code
	bucketState      = []byte("state")      // namespace, key → record
	bucketHashed     = []byte("hashed")     // namespace, collection, key hash → record of the value hash
	bucketPrivate    = []byte("private")    // namespace, collection, key → record
	bucketHistory    = []byte("history")    // namespace, key, height → nothing; values are in the blocks
	bucketPvtData    = []byte("pvtdata")    // height → rwset.TxPvtReadWriteSet as endorsed, less what was purged
	bucketPvtHistory = []byte("pvthistory") // namespace, collection, key hash, height → key; where to purge
)

func allBuckets() [][]byte {
	return [][]byte{
		bucketMeta, bucketBlocks, bucketBlockHash, bucketTx, bucketState, bucketHashed,
		bucketPrivate, bucketHistory, bucketPvtData, bucketPvtHistory,
	}
}

// Height is the position of a transaction: block number and index in the block.
// As the version of a key it names the transaction that wrote it last.
type Height struct{ Block, Tx uint64 }

const heightLength = 16

func (h Height) bytes() []byte {
	out := make([]byte, heightLength)
	binary.BigEndian.PutUint64(out, h.Block)
	binary.BigEndian.PutUint64(out[8:], h.Tx)
	return out
}

func heightFrom(b []byte) Height {
	return Height{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func (h *Height) message() *kvrwset.Version {
	if h == nil {
		return nil
	}
	return &kvrwset.Version{BlockNum: h.Block, TxNum: h.Tx}
}

// sameVersion compares a stored version with one in a read set; nil is "absent".
func sameVersion(stored *Height, read *kvrwset.Version) bool {
	if stored == nil || read == nil {
		return stored == nil && read == nil
	}
	return stored.Block == read.GetBlockNum() && stored.Tx == read.GetTxNum()
}

// join puts a zero byte after every part but the last. Chaincode and
// collection names contain none, so the joined keys cannot collide.
func join(parts ...string) []byte {
	var out []byte
	for i, part := range parts {
		out = append(out, part...)
		if i < len(parts)-1 {
			out = append(out, 0)
		}
	}
	return out
}

// historyPrefix carries the key's length, so that no key is a prefix of another.
func historyPrefix(namespace, key string) []byte {
	out := binary.BigEndian.AppendUint32(join(namespace, ""), uint32(len(key)))
	return append(out, key...)
}

func numberKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

func keyHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return string(sum[:])
}

// record is a stored value with its version and metadata (kvrwset entries).
type record struct {
	version  Height
	metadata []*kvrwset.KVMetadataEntry
	value    []byte
}

func (r *record) encode() ([]byte, error) {
	metadata, err := proto.Marshal(&kvrwset.KVMetadataWrite{Entries: r.metadata})
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, heightLength+binary.MaxVarintLen32+len(metadata)+len(r.value))
	out = append(out, r.version.bytes()...)
	out = binary.AppendUvarint(out, uint64(len(metadata)))
	out = append(out, metadata...)
	return append(out, r.value...), nil
}

var errRecord = errors.New("a stored record is damaged")

// decodeRecord copies what it keeps: bbolt's memory ends with its transaction.
func decodeRecord(b []byte) (*record, error) {
	if b == nil {
		return nil, nil
	}
	if len(b) < heightLength {
		return nil, errRecord
	}
	r := &record{version: heightFrom(b)}
	b = b[heightLength:]
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, errRecord
	}
	if size > 0 {
		var metadata kvrwset.KVMetadataWrite
		if err := proto.Unmarshal(b[n:n+int(size)], &metadata); err != nil {
			return nil, errRecord
		}
		r.metadata = metadata.GetEntries()
	}
	r.value = append([]byte{}, b[n+int(size):]...)
	return r, nil
}

func (r *record) height() *Height {
	if r == nil {
		return nil
	}
	return &r.version
}

// validationParameter is the name under which a key-level policy is kept.
const validationParameter = "VALIDATION_PARAMETER"

func (r *record) policy() []byte {
	if r == nil {
		return nil
	}
	for _, entry := range r.metadata {
		if entry.GetName() == validationParameter {
			return entry.GetValue()
		}
	}
	return nil
}
