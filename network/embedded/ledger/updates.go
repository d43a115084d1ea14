package ledger

import (
	"encoding/binary"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// updates collects a block's final writes for the commit hash. The encoding is
// a peer's, so that the hashes of an embedded and a real ledger with the same
// blocks are the same.
type updates struct {
	// byPlace: namespace → collection ("" for public) → key → last write.
	byPlace map[string]map[string]map[string]update
}

type update struct {
	value   []byte
	removed bool
	version Height
}

func newUpdates() *updates { return &updates{byPlace: map[string]map[string]map[string]update{}} }

// note records the last write to a key; a nil record is a deletion.
func (u *updates) note(namespace, collection, key string, stored *record, version Height) {
	collections := u.byPlace[namespace]
	if collections == nil {
		collections = map[string]map[string]update{}
		u.byPlace[namespace] = collections
	}
	keys := collections[collection]
	if keys == nil {
		keys = map[string]update{}
		collections[collection] = keys
	}
	if stored == nil {
		keys[key] = update{removed: true, version: version}
		return
	}
	keys[key] = update{value: stored.value, version: version}
}

// Field numbers of the message a peer hashes: repeated writes, each with
// namespace, collection, key, deletion flag, value and version.
const (
	fieldWrite      = 1
	fieldNamespace  = 1
	fieldCollection = 2
	fieldKey        = 3
	fieldDelete     = 4
	fieldValue      = 5
	fieldVersion    = 6
)

// encode lists namespaces, in each the public keys and then the collections,
// all sorted; a name stands only where it changes.
func (u *updates) encode() []byte {
	var out []byte
	for _, namespace := range slices.Sorted(maps.Keys(u.byPlace)) {
		collections := u.byPlace[namespace]
		nextNamespace := namespace
		for _, collection := range slices.Sorted(maps.Keys(collections)) {
			nextCollection := collection
			keys := collections[collection]
			for _, key := range slices.Sorted(maps.Keys(keys)) {
				write := encodeWrite(nextNamespace, nextCollection, key, keys[key])
				out = protowire.AppendBytes(protowire.AppendTag(out, fieldWrite, protowire.BytesType), write)
				nextNamespace, nextCollection = "", ""
			}
		}
	}
	return out
}

func encodeWrite(namespace, collection, key string, u update) []byte {
	var out []byte
	appendField := func(field protowire.Number, value []byte) {
		if len(value) > 0 {
			out = protowire.AppendBytes(protowire.AppendTag(out, field, protowire.BytesType), value)
		}
	}
	appendField(fieldNamespace, []byte(namespace))
	appendField(fieldCollection, []byte(collection))
	appendField(fieldKey, []byte(key))
	if u.removed {
		out = protowire.AppendVarint(protowire.AppendTag(out, fieldDelete, protowire.VarintType), 1)
	}
	appendField(fieldValue, u.value)
	appendField(fieldVersion, append(compactNumber(u.version.Block), compactNumber(u.version.Tx)...))
	return out
}

// compactNumber is the number's length in bytes, then the number, big-endian.
func compactNumber(number uint64) []byte {
	encoded := binary.BigEndian.AppendUint64(nil, number)
	for len(encoded) > 0 && encoded[0] == 0 {
		encoded = encoded[1:]
	}
	return append([]byte{byte(len(encoded))}, encoded...)
}
