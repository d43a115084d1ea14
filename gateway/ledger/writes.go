package ledger

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"google.golang.org/protobuf/proto"
)

// parseWrites reads the write sets in the order of the read/write set. The
// private values of an invalid transaction are not looked at: no peer keeps them.
func (t *Transaction) parseWrites(results []byte, private *rwset.TxPvtReadWriteSet) error {
	var set rwset.TxReadWriteSet
	if err := proto.Unmarshal(results, &set); err != nil {
		return fmt.Errorf("decode read/write set: %w", err)
	}
	delivered, err := privateValues(private)
	if err != nil {
		return err
	}
	for _, namespace := range set.GetNsRwset() {
		var public kvrwset.KVRWSet
		if err := proto.Unmarshal(namespace.GetRwset(), &public); err != nil {
			return fmt.Errorf("decode writes of %q: %w", namespace.GetNamespace(), err)
		}
		for _, write := range public.GetWrites() {
			t.Writes = append(t.Writes, Write{
				Namespace: namespace.GetNamespace(), Key: write.GetKey(), Value: write.GetValue(), Delete: write.GetIsDelete(),
			})
		}
		for _, collection := range namespace.GetCollectionHashedRwset() {
			if err := t.parseCollection(namespace.GetNamespace(), collection, delivered); err != nil {
				return err
			}
		}
	}
	if t.Valid() {
		return delivered.leftover()
	}
	return nil
}

func (t *Transaction) parseCollection(namespace string, collection *rwset.CollectionHashedReadWriteSet, delivered valuesByHash) error {
	var hashed kvrwset.HashedRWSet
	if err := proto.Unmarshal(collection.GetHashedRwset(), &hashed); err != nil {
		return fmt.Errorf("decode hashed writes of collection %q: %w", collection.GetCollectionName(), err)
	}
	for _, write := range hashed.GetHashedWrites() {
		w := PrivateWrite{
			Namespace: namespace, Collection: collection.GetCollectionName(),
			KeyHash: write.GetKeyHash(), ValueHash: write.GetValueHash(), Delete: write.GetIsDelete(), Purge: write.GetIsPurge(),
		}
		if err := w.fill(delivered); err != nil {
			return err
		}
		t.Private = append(t.Private, w)
	}
	return nil
}

// fill takes the delivered key and value if they match the hashes on chain.
func (w *PrivateWrite) fill(delivered valuesByHash) error {
	at := place{w.Namespace, w.Collection, string(w.KeyHash)}
	value, ok := delivered[at]
	if !ok {
		w.Missing = true
		return nil
	}
	delete(delivered, at)
	if value.GetIsDelete() != w.Delete {
		return fmt.Errorf("check private write to %q: delivered as delete %t, on chain %t", w.Collection, value.GetIsDelete(), w.Delete)
	}
	if !w.Delete {
		if sum := sha256.Sum256(value.GetValue()); !bytes.Equal(sum[:], w.ValueHash) {
			return fmt.Errorf("check private write to %q: the delivered value does not have the hash on chain %x", w.Collection, w.ValueHash)
		}
	}
	w.Key, w.Value = value.GetKey(), value.GetValue()
	return nil
}

// place names a private write as the chain does.
type place struct{ namespace, collection, keyHash string }

type valuesByHash map[place]*kvrwset.KVWrite

// leftover refuses delivered values that the chain knows nothing of.
func (v valuesByHash) leftover() error {
	for at := range v {
		return fmt.Errorf("check private data of %q: a delivered key has no hash on chain", at.collection)
	}
	return nil
}

func privateValues(set *rwset.TxPvtReadWriteSet) (valuesByHash, error) {
	values := valuesByHash{}
	for _, namespace := range set.GetNsPvtRwset() {
		for _, collection := range namespace.GetCollectionPvtRwset() {
			var writes kvrwset.KVRWSet
			if err := proto.Unmarshal(collection.GetRwset(), &writes); err != nil {
				return nil, fmt.Errorf("decode private data of collection %q: %w", collection.GetCollectionName(), err)
			}
			for _, write := range writes.GetWrites() {
				sum := sha256.Sum256([]byte(write.GetKey()))
				values[place{namespace.GetNamespace(), collection.GetCollectionName(), string(sum[:])}] = write
			}
		}
	}
	return values, nil
}
