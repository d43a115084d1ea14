// Package worldstate loads and saves the typed values of world state. It is
// the only place that knows how a value becomes bytes.
//
// A transaction does not see its own writes (Fabric answers reads from
// committed state), so every rule loads first and saves last.
package worldstate

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Stub is the part of Fabric's chaincode stub that state needs.
type Stub interface {
	GetState(key string) ([]byte, error)
	GetMultipleStates(keys ...string) ([][]byte, error)
	PutState(key string, value []byte) error
	SetStateValidationParameter(key string, policy []byte) error
	GetPrivateData(collection, key string) ([]byte, error)
	GetPrivateDataHash(collection, key string) ([]byte, error)
	PutPrivateData(collection, key string, value []byte) error
	PurgePrivateData(collection, key string) error
	StartWriteBatch()
}

// Space is the world state of one transaction.
type Space struct{ stub Stub }

// New wraps the stub of one transaction.
func New(stub Stub) *Space { return &Space{stub: stub} }

// Get loads the value at key. A value that cannot be read is an INTERNAL
// error, never "not found": leaving out a record would be a false statement.
func Get[T any](s *Space, key string) (value T, found bool, err error) {
	raw, err := s.stub.GetState(key)
	if err != nil {
		return value, false, fmt.Errorf("get %s: %w", key, err)
	}
	return decode[T](key, raw)
}

// Require loads the value at key and answers NOT_FOUND when there is none.
// what and id name it in the message.
func Require[T any](s *Space, key, what, id string) (T, error) {
	value, found, err := Get[T](s, key)
	if err == nil && !found {
		err = metrology.Errorf(metrology.CodeNotFound, "%s %q is not registered", what, id)
	}
	return value, err
}

// Has reports whether anything stands at key.
func (s *Space) Has(key string) (bool, error) {
	raw, err := s.stub.GetState(key)
	if err != nil {
		return false, fmt.Errorf("get %s: %w", key, err)
	}
	return len(raw) > 0, nil
}

// GetAll loads many keys in one exchange with the peer. Absent ones are nil.
func GetAll[T any](s *Space, keys []string) ([]*T, error) {
	raws, err := s.stub.GetMultipleStates(keys...)
	if err != nil {
		return nil, fmt.Errorf("get %d keys: %w", len(keys), err)
	}
	if len(raws) != len(keys) { // an answer cut short would read as "absent"
		return nil, metrology.Errorf(metrology.CodeInternal, "asked for %d keys, got %d values", len(keys), len(raws))
	}
	values := make([]*T, len(keys))
	for i, raw := range raws {
		value, found, err := decode[T](keys[i], raw)
		if err != nil {
			return nil, err
		}
		if found {
			values[i] = &value
		}
	}
	return values, nil
}

// Put saves value at key as canonical JSON.
func (s *Space) Put(key string, value any) error {
	raw, err := Encode(value)
	if err != nil {
		return err
	}
	if err := s.stub.PutState(key, raw); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

// BatchWrites makes all writes from here on reach the peer together when the
// transaction ends, instead of one exchange each. Peers before Fabric 3.1 get
// them one by one.
func (s *Space) BatchWrites() { s.stub.StartWriteBatch() }

// SetPolicy gives key an endorsement policy of its own (a marshalled
// SignaturePolicyEnvelope), which from then on replaces the chaincode's for it.
func (s *Space) SetPolicy(key string, policy []byte) error {
	if err := s.stub.SetStateValidationParameter(key, policy); err != nil {
		return fmt.Errorf("set policy of %s: %w", key, err)
	}
	return nil
}

// PutDisclosed saves value in the collection whose values can be deleted.
func (s *Space) PutDisclosed(key string, value []byte) error {
	if err := s.stub.PutPrivateData(metrology.CollectionDisclosed, key, value); err != nil {
		return fmt.Errorf("put private %s: %w", key, err)
	}
	return nil
}

// GetDisclosed loads a private value as the bytes that were put.
func (s *Space) GetDisclosed(key string) ([]byte, bool, error) {
	raw, err := s.stub.GetPrivateData(metrology.CollectionDisclosed, key)
	if err != nil {
		return nil, false, fmt.Errorf("get private %s: %w", key, err)
	}
	return raw, len(raw) > 0, nil
}

// HasDisclosed reports whether a private value exists, from its hash on the
// ledger alone.
func (s *Space) HasDisclosed(key string) (bool, error) {
	hash, err := s.stub.GetPrivateDataHash(metrology.CollectionDisclosed, key)
	if err != nil {
		return false, fmt.Errorf("get private hash of %s: %w", key, err)
	}
	return len(hash) > 0, nil
}

// PurgeDisclosed deletes a private value with its history on every peer. The
// chain keeps only the hash of a salted value.
func (s *Space) PurgeDisclosed(key string) error {
	if err := s.stub.PurgePrivateData(metrology.CollectionDisclosed, key); err != nil {
		return fmt.Errorf("purge private %s: %w", key, err)
	}
	return nil
}

// Encode gives the one byte form of a value: struct members in the order of
// their declaration, map keys sorted, no escaping of HTML characters.
func Encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

func decode[T any](key string, raw []byte) (value T, found bool, err error) {
	if len(raw) == 0 {
		return value, false, nil
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return value, false, metrology.Errorf(metrology.CodeInternal, "the value at %s cannot be read: %v", key, err)
	}
	return value, true, nil
}
