package conformance

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/steelyard-ledger/steelyard/test/conformance/chaincode/contract"
)

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var value T
	require.NoError(t, json.Unmarshal([]byte(text), &value), text)
	return value
}

func testState(t *testing.T, n *testnet) {
	m := n.connect(t, "InstituteMSP")
	t.Run("TransactionDoesNotReadItsOwnWrites", func(t *testing.T) {
		require.Empty(t, m.submit(t, "putThenGet", newKey(), "new"))
	})
	t.Run("DeletedKeyIsEmpty", func(t *testing.T) {
		key := newKey()
		m.submit(t, "put", key, "x")
		m.submit(t, "delete", key)
		require.Empty(t, m.evaluate(t, "get", key))
	})
	t.Run("EmptyValueIsADeletion", func(t *testing.T) {
		key := newKey()
		m.submit(t, "put", key, "x")
		m.submit(t, "put", key, "")
		versions := decode[[]contract.Version](t, m.evaluate(t, "history", key))
		require.Len(t, versions, 2)
		require.True(t, versions[0].Deleted)
		require.Equal(t, []string{}, decode[[]string](t, m.evaluate(t, "range", key, key+"~")))
	})
	t.Run("EmptyKeyIsRefused", func(t *testing.T) {
		_, err := m.contract.EvaluateWithContext(deadline(t), "put", client.WithArguments("", "x"))
		n.requireFailure(t, failure{
			code: codes.Unknown, message: "chaincode response 500, key must not be an empty string",
			details: []detail{{"InstituteMSP", "key must not be an empty string"}},
		}, err)
	})
	t.Run("ManyKeysAtOnceInOrderAsked", func(t *testing.T) {
		first, second := newKey(), newKey()
		m.submit(t, "put", first, "1")
		m.submit(t, "put", second, "2")
		got := decode[[][]byte](t, m.evaluate(t, "getMany", second, newKey(), first))
		require.Equal(t, [][]byte{[]byte("2"), nil, []byte("1")}, got)
	})
	t.Run("WriteBatchOf2500", func(t *testing.T) {
		prefix := newKey()
		m.submit(t, "putBatch", prefix, "2500")
		require.Len(t, decode[[]string](t, m.evaluate(t, "range", prefix, prefix+"~")), 2500)
		require.Equal(t, "2499", m.evaluate(t, "get", prefix+"2499"))
	})
	t.Run("HistoryNewestFirst", func(t *testing.T) {
		key := newKey()
		m.submit(t, "put", key, "one")
		m.submit(t, "put", key, "two")
		m.submit(t, "delete", key)
		versions := decode[[]contract.Version](t, m.evaluate(t, "history", key))
		require.Len(t, versions, 3)
		require.True(t, versions[0].Deleted)
		require.Empty(t, versions[0].Value)
		require.Equal(t, "two", versions[1].Value)
		require.Equal(t, "one", versions[2].Value)
		require.Len(t, versions[0].TxID, 64)
		require.InDelta(t, time.Now().Unix(), versions[2].Seconds, 10)
	})
}

func testRanges(t *testing.T, n *testnet) {
	m := n.connect(t, "InstituteMSP")
	prefix := newKey()
	m.submit(t, "putBatch", prefix, "10")
	key := func(i int) string { return prefix + strconv.Itoa(i) }
	t.Run("StartIsInEndIsOut", func(t *testing.T) {
		require.Equal(t, []string{key(3), key(4), key(5)}, decode[[]string](t, m.evaluate(t, "range", key(3), key(6))))
	})
	t.Run("EmptyRange", func(t *testing.T) {
		require.Empty(t, decode[[]string](t, m.evaluate(t, "range", prefix+"a", prefix+"b")))
	})
	t.Run("OwnWritesAreNotInARange", func(t *testing.T) {
		require.Len(t, decode[[]string](t, m.submit(t, "rangeThenPut", prefix, prefix+"a", prefix+"99")), 10)
		m.submit(t, "delete", prefix+"99")
	})
	t.Run("PagesWithBookmarks", func(t *testing.T) {
		first := decode[contract.Page](t, m.evaluate(t, "page", prefix, prefix+"~", "4", ""))
		require.Equal(t, contract.Page{Keys: []string{key(0), key(1), key(2), key(3)}, Bookmark: key(4), Fetched: 4}, first)
		second := decode[contract.Page](t, m.evaluate(t, "page", prefix, prefix+"~", "4", first.Bookmark))
		require.Equal(t, key(8), second.Bookmark)
		third := decode[contract.Page](t, m.evaluate(t, "page", prefix, prefix+"~", "4", second.Bookmark))
		require.Equal(t, contract.Page{Keys: []string{key(8), key(9)}, Bookmark: "", Fetched: 2}, third)
	})
	t.Run("PaginatedQueryForbidsWrites", func(t *testing.T) {
		_, err := m.trySubmit(t, "pageThenPut", client.WithArguments(prefix, prefix+"~", "4", ""))
		n.requireFailure(t, failure{
			code: codes.Aborted, message: "failed to endorse transaction, see attached details for more info",
			details: []detail{{"InstituteMSP", "Transaction has already performed a paginated query. Writes are not allowed"}},
		}, err)
	})
	t.Run("CompositeKeysByPrefix", func(t *testing.T) {
		kind := newKey()
		m.submit(t, "putComposite", kind, "a", "1")
		m.submit(t, "putComposite", kind, "a", "2")
		m.submit(t, "putComposite", kind, "b", "1")
		require.Equal(t, [][]string{{"a", "1"}, {"a", "2"}}, decode[[][]string](t, m.evaluate(t, "composites", kind, "a")))
		require.Len(t, decode[[][]string](t, m.evaluate(t, "composites", kind)), 3)
	})
	t.Run("PlainRangeOverAllKeysHasNoCompositeKeys", func(t *testing.T) {
		for _, found := range decode[[]string](t, m.evaluate(t, "range", "", "0")) {
			require.NotEqual(t, byte(0), found[0])
		}
	})
	t.Run("RichQueryNeedsAnotherDatabase", func(t *testing.T) {
		_, err := m.contract.EvaluateWithContext(deadline(t), "richQuery", client.WithArguments("{}"))
		n.requireFailure(t, failure{
			code: codes.Unknown, message: "ExecuteQuery not supported for leveldb",
			details: []detail{{"InstituteMSP", "ExecuteQuery not supported for leveldb"}},
		}, err)
	})
}
