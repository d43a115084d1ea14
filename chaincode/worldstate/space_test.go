package worldstate

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// fakeStub holds state in maps and can fail every call.
type fakeStub struct {
	state, private, policies map[string]string
	fault                    error
	short                    bool // answer GetMultipleStates with one value too few
	batched                  bool
}

func newFakeStub() *fakeStub {
	return &fakeStub{state: map[string]string{}, private: map[string]string{}, policies: map[string]string{}}
}

func (f *fakeStub) GetState(key string) ([]byte, error) { return []byte(f.state[key]), f.fault }

func (f *fakeStub) GetMultipleStates(keys ...string) ([][]byte, error) {
	var values [][]byte
	for _, key := range keys {
		values = append(values, []byte(f.state[key]))
	}
	if f.short {
		values = values[1:]
	}
	return values, f.fault
}

func (f *fakeStub) PutState(key string, value []byte) error {
	f.state[key] = string(value)
	return f.fault
}

func (f *fakeStub) SetStateValidationParameter(key string, policy []byte) error {
	f.policies[key] = string(policy)
	return f.fault
}

func (f *fakeStub) GetPrivateData(collection, key string) ([]byte, error) {
	return []byte(f.private[collection+key]), f.fault
}

func (f *fakeStub) GetPrivateDataHash(collection, key string) ([]byte, error) {
	if f.private[collection+key] == "" {
		return nil, f.fault
	}
	hash := sha256.Sum256([]byte(f.private[collection+key]))
	return hash[:], f.fault
}

func (f *fakeStub) PutPrivateData(collection, key string, value []byte) error {
	f.private[collection+key] = string(value)
	return f.fault
}

func (f *fakeStub) PurgePrivateData(collection, key string) error {
	delete(f.private, collection+key)
	return f.fault
}

func (f *fakeStub) StartWriteBatch() { f.batched = true }

type thing struct {
	Name string `json:"name"`
}

func TestGetAndPut(t *testing.T) {
	stub := newFakeStub()
	space := New(stub)
	_, found, err := Get[thing](space, "k")
	require.NoError(t, err)
	require.False(t, found)
	_, err = Require[thing](space, "k", "thing", "x")
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
	require.ErrorContains(t, err, `thing "x"`)

	require.NoError(t, space.Put("k", thing{Name: "计量 <a&b>"}))
	require.Equal(t, `{"name":"计量 <a&b>"}`, stub.state["k"], "one byte form, without HTML escapes")
	value, err := Require[thing](space, "k", "thing", "x")
	require.NoError(t, err)
	require.Equal(t, "计量 <a&b>", value.Name)
	taken, err := space.Has("k")
	require.NoError(t, err)
	require.True(t, taken)
	require.Error(t, space.Put("k", func() {}))
	space.BatchWrites()
	require.True(t, stub.batched)
}

// TestUnreadableIsNotAbsent: leaving out what cannot be read would be a false
// statement.
func TestUnreadableIsNotAbsent(t *testing.T) {
	stub := newFakeStub()
	stub.state["bad"] = "{"
	space := New(stub)
	_, _, err := Get[thing](space, "bad")
	require.Equal(t, metrology.CodeInternal, metrology.ErrorCode(err))
	_, err = GetAll[thing](space, []string{"none", "bad"})
	require.Equal(t, metrology.CodeInternal, metrology.ErrorCode(err))
	stub.short = true
	_, err = GetAll[thing](space, []string{"a", "b"})
	require.Equal(t, metrology.CodeInternal, metrology.ErrorCode(err))
}

func TestGetAllKeepsOrder(t *testing.T) {
	space := New(newFakeStub())
	require.NoError(t, space.Put("a", thing{"1"}))
	require.NoError(t, space.Put("c", thing{"3"}))
	values, err := GetAll[thing](space, []string{"c", "b", "a"})
	require.NoError(t, err)
	require.Equal(t, []*thing{{"3"}, nil, {"1"}}, values)
	values, err = GetAll[thing](space, nil)
	require.NoError(t, err)
	require.Empty(t, values)
}

func TestDisclosed(t *testing.T) {
	stub := newFakeStub()
	space := New(stub)
	_, found, err := space.GetDisclosed("p")
	require.NoError(t, err)
	require.False(t, found)
	require.NoError(t, space.PutDisclosed("p", []byte("secret")))
	require.Contains(t, stub.private, metrology.CollectionDisclosed+"p")
	has, err := space.HasDisclosed("p")
	require.NoError(t, err)
	require.True(t, has)
	raw, found, err := space.GetDisclosed("p")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "secret", string(raw))
	require.NoError(t, space.PurgeDisclosed("p"))
	has, err = space.HasDisclosed("p")
	require.NoError(t, err)
	require.False(t, has)
	require.NoError(t, space.SetPolicy("k", []byte("policy")))
	require.Equal(t, "policy", stub.policies["k"])
}

// TestPeerFaults: every failure of the peer is told, with the key.
func TestPeerFaults(t *testing.T) {
	stub := newFakeStub()
	stub.fault = errors.New("peer gone")
	space := New(stub)
	for name, call := range map[string]func() error{
		"get":          func() error { _, _, err := Get[thing](space, "key"); return err },
		"has":          func() error { _, err := space.Has("key"); return err },
		"get all":      func() error { _, err := GetAll[thing](space, []string{"key"}); return err },
		"put":          func() error { return space.Put("key", thing{}) },
		"policy":       func() error { return space.SetPolicy("key", nil) },
		"put private":  func() error { return space.PutDisclosed("key", nil) },
		"get private":  func() error { _, _, err := space.GetDisclosed("key"); return err },
		"private hash": func() error { _, err := space.HasDisclosed("key"); return err },
		"purge":        func() error { return space.PurgeDisclosed("key") },
	} {
		err := call()
		require.ErrorIs(t, err, stub.fault, name)
		require.ErrorContains(t, err, "key", name)
	}
}
