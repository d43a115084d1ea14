package outbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
)

func open(t testing.TB, path string) *outbox.Store {
	store, err := outbox.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

func entry(transaction string) outbox.Entry {
	return outbox.Entry{
		Caller: "merchant", Key: "k1", RequestHash: [32]byte{1}, Operation: "op1",
		TransactionID: transaction, Envelope: []byte("envelope " + transaction),
	}
}

func TestKeepAndSettle(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "outbox.db")
	store := open(t, path)
	require.NoError(t, store.Keep(ctx, entry("tx1"), ""))

	kept, found, err := store.Find(ctx, "merchant", "k1")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, outbox.Pending, kept.State)
	require.Equal(t, []byte("envelope tx1"), kept.Envelope)

	outcome := outbox.Outcome{
		BlockNumber: 7, Timestamp: time.Date(2026, 3, 15, 8, 0, 0, 123456789, time.UTC),
		Code: peer.TxValidationCode_VALID, Result: []byte(`{"id":"p1"}`),
	}
	require.NoError(t, store.Settle(ctx, "tx1", outbox.Committed, outcome))
	require.NoError(t, store.Settle(ctx, "tx1", outbox.Committed, outcome), "twice is once")
	require.NoError(t, store.Settle(ctx, "tx1", outbox.Unknown, outbox.Outcome{}), "a late give-up")
	require.NoError(t, store.Settle(ctx, "never kept", outbox.Committed, outcome))
	require.ErrorIs(t, store.Settle(ctx, "tx1", outbox.Refused, outcome), outbox.ErrState, "only a request is refused")
	require.NoError(t, store.Close())

	settled, found, err := open(t, path).FindTransaction(ctx, "tx1")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, outbox.Committed, settled.State)
	require.Equal(t, outcome, settled.Outcome)
	require.Nil(t, settled.Envelope)
}

func TestKeep(t *testing.T) {
	ctx := t.Context()
	t.Run("OPERATION_REUSED", func(t *testing.T) {
		store := open(t, filepath.Join(t.TempDir(), "o.db"))
		require.NoError(t, store.Keep(ctx, entry("tx1"), ""))
		other := entry("tx2")
		other.RequestHash = [32]byte{2}
		require.Equal(t, metrology.CodeOperationReused, metrology.ErrorCode(store.Keep(ctx, other, "tx1")))
		require.Equal(t, metrology.CodeOperationReused, metrology.ErrorCode(store.Refuse(ctx, other, &metrology.Error{Code: metrology.CodeState})))
		another := other
		another.Caller = "institute"
		require.NoError(t, store.Keep(ctx, another, ""), "keys of callers are apart")
	})
	t.Run("ErrState/fate open", func(t *testing.T) {
		store := open(t, filepath.Join(t.TempDir(), "o.db"))
		require.NoError(t, store.Keep(ctx, entry("tx1"), ""))
		require.ErrorIs(t, store.Keep(ctx, entry("tx2"), ""), outbox.ErrState)
		require.ErrorIs(t, store.Keep(ctx, entry("tx2"), "tx0"), outbox.ErrState)
		require.NoError(t, store.Keep(ctx, entry("tx2"), "tx1"))
		unsettled, err := store.Unsettled(ctx)
		require.NoError(t, err)
		require.Len(t, unsettled, 1)
		require.Equal(t, "tx2", unsettled[0].TransactionID)
	})
	t.Run("transaction id of another key", func(t *testing.T) {
		store := open(t, filepath.Join(t.TempDir(), "o.db"))
		require.NoError(t, store.Keep(ctx, entry("tx1"), ""))
		other := entry("tx1")
		other.Key = "k2"
		require.Error(t, store.Keep(ctx, other, ""))
		kept, found, err := store.FindTransaction(ctx, "tx1")
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, "k1", kept.Key)
	})
}

// TestStates walks every state with every command.
func TestStates(t *testing.T) {
	ctx := t.Context()
	refusal := &metrology.Error{Code: metrology.CodeState, Field: "term", Message: "the pledge is withdrawn"}
	commands := map[string]func(s *outbox.Store, e outbox.Entry) error{
		"keep":   func(s *outbox.Store, e outbox.Entry) error { e.TransactionID = "tx2"; return s.Keep(ctx, e, "tx1") },
		"refuse": func(s *outbox.Store, e outbox.Entry) error { return s.Refuse(ctx, e, refusal) },
		"commit": func(s *outbox.Store, e outbox.Entry) error {
			return s.Settle(ctx, "tx1", outbox.Committed, outbox.Outcome{})
		},
		"invalidate": func(s *outbox.Store, e outbox.Entry) error {
			return s.Settle(ctx, "tx1", outbox.Invalid, outbox.Outcome{})
		},
		"give up": func(s *outbox.Store, e outbox.Entry) error {
			return s.Settle(ctx, "tx1", outbox.Unknown, outbox.Outcome{})
		},
	}
	reach := map[outbox.State]func(s *outbox.Store) error{
		"":               func(s *outbox.Store) error { return nil },
		outbox.Pending:   func(s *outbox.Store) error { return s.Keep(ctx, entry("tx1"), "") },
		outbox.Refused:   func(s *outbox.Store) error { return s.Refuse(ctx, entry("tx1"), refusal) },
		outbox.Unknown:   nil,
		outbox.Invalid:   nil,
		outbox.Committed: nil,
	}
	// want gives the state after the command; "error" where it is refused.
	want := map[outbox.State]map[string]string{
		"":               {"keep": "pending", "refuse": "refused", "commit": "", "invalidate": "", "give up": ""},
		outbox.Pending:   {"keep": "pending", "refuse": "error", "commit": "committed", "invalidate": "invalid", "give up": "unknown"},
		outbox.Unknown:   {"keep": "pending", "refuse": "error", "commit": "committed", "invalidate": "invalid", "give up": "unknown"},
		outbox.Committed: {"keep": "error", "refuse": "error", "commit": "committed", "invalidate": "error", "give up": "committed"},
		outbox.Invalid:   {"keep": "pending", "refuse": "refused", "commit": "error", "invalidate": "invalid", "give up": "invalid"},
		outbox.Refused:   {"keep": "pending", "refuse": "refused", "commit": "refused", "invalidate": "refused", "give up": "refused"},
	}
	for state, arrive := range reach {
		for name, command := range commands {
			t.Run(string(state)+"/"+name, func(t *testing.T) {
				store := open(t, filepath.Join(t.TempDir(), "o.db"))
				if arrive == nil {
					require.NoError(t, store.Keep(ctx, entry("tx1"), ""))
					require.NoError(t, store.Settle(ctx, "tx1", state, outbox.Outcome{}))
				} else {
					require.NoError(t, arrive(store))
				}
				err := command(store, entry("tx1"))
				if want[state][name] == "error" {
					require.ErrorIs(t, err, outbox.ErrState)
					return
				}
				require.NoError(t, err)
				got, _, err := store.Find(ctx, "merchant", "k1")
				require.NoError(t, err)
				require.Equal(t, want[state][name], string(got.State))
				if got.State == outbox.Refused {
					require.Equal(t, refusal, got.Outcome.Refusal)
				}
			})
		}
	}
}

func TestOperation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o.db")
	store := open(t, path)
	first := store.Operation("merchant", "k1")
	require.Regexp(t, `^[0-9a-f]{32}$`, first)
	require.NotEqual(t, first, store.Operation("merchantk", "1"))
	require.NoError(t, store.Close())
	require.Equal(t, first, open(t, path).Operation("merchant", "k1"), "the same after a restart")
	require.NotEqual(t, first, open(t, filepath.Join(t.TempDir(), "o.db")).Operation("merchant", "k1"))
}

func TestOpenRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(`CREATE TABLE other (x)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = outbox.Open(t.Context(), path)
	require.ErrorContains(t, err, "another program's database")

	path = filepath.Join(t.TempDir(), "newer.db")
	require.NoError(t, open(t, path).Close())
	db, err = sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(`PRAGMA user_version = 99`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = outbox.Open(t.Context(), path)
	require.ErrorContains(t, err, "version 99")
}

func TestPrune(t *testing.T) {
	ctx := t.Context()
	store := open(t, filepath.Join(t.TempDir(), "o.db"))
	require.NoError(t, store.Keep(ctx, entry("tx1"), ""))
	count, err := store.Prune(ctx, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Zero(t, count, "what is open is never forgotten")
	require.NoError(t, store.Settle(ctx, "tx1", outbox.Committed, outbox.Outcome{}))
	count, err = store.Prune(ctx, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, int64(1), count)
}

// TestRetention: what was settled long enough ago is forgotten unasked.
func TestRetention(t *testing.T) {
	ctx := t.Context()
	store, err := outbox.Open(ctx, filepath.Join(t.TempDir(), "o.db"), outbox.WithRetention(0, time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	open := entry("tx1")
	require.NoError(t, store.Keep(ctx, open, ""))
	settled := entry("tx2")
	settled.Key = "another"
	require.NoError(t, store.Keep(ctx, settled, ""))
	require.NoError(t, store.Settle(ctx, "tx2", outbox.Committed, outbox.Outcome{}))
	require.Eventually(t, func() bool {
		_, found, err := store.Find(ctx, settled.Caller, settled.Key)
		return err == nil && !found
	}, 10*time.Second, time.Millisecond)
	_, found, err := store.Find(ctx, open.Caller, open.Key)
	require.NoError(t, err)
	require.True(t, found, "what is open is never forgotten")
}

func TestErrClosed(t *testing.T) {
	store, err := outbox.Open(t.Context(), filepath.Join(t.TempDir(), "o.db"))
	require.NoError(t, err)
	require.NoError(t, store.Close())
	require.ErrorIs(t, store.Keep(t.Context(), entry("tx1"), ""), outbox.ErrClosed)
}

// TestConcurrentChanges: changes that share a transaction do not share fates.
func TestConcurrentChanges(t *testing.T) {
	ctx := t.Context()
	store := open(t, filepath.Join(t.TempDir(), "o.db"))
	var group sync.WaitGroup
	results := make([]error, 400)
	for i := range results {
		group.Go(func() {
			e := entry(fmt.Sprintf("tx%d", i))
			e.Key = fmt.Sprintf("k%d", i/2) // two compete for each key
			results[i] = store.Keep(ctx, e, "")
		})
	}
	group.Wait()
	for i := 0; i < len(results); i += 2 {
		one, other := results[i], results[i+1]
		require.True(t, (one == nil) != (other == nil), "exactly one of two: %v, %v", one, other)
	}
	unsettled, err := store.Unsettled(ctx)
	require.NoError(t, err)
	require.Len(t, unsettled, len(results)/2)
}

func BenchmarkKeepAndSettle(b *testing.B) {
	store := open(b, filepath.Join(b.TempDir(), "o.db"))
	envelope := make([]byte, 4096)
	var mutex sync.Mutex
	next := 0
	b.SetParallelism(100)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mutex.Lock()
			next++
			id := fmt.Sprint(next)
			mutex.Unlock()
			e := outbox.Entry{Caller: "c", Key: id, Operation: id, TransactionID: id, Envelope: envelope}
			if err := store.Keep(context.Background(), e, ""); err != nil {
				b.Error(err)
			}
			if err := store.Settle(context.Background(), id, outbox.Committed, outbox.Outcome{}); err != nil {
				b.Error(err)
			}
		}
	})
}

func TestRecent(t *testing.T) {
	ctx := t.Context()
	store := open(t, filepath.Join(t.TempDir(), "o.db"))
	for i, key := range []string{"desk-a", "desk-b", "desk-c", "desk", "batch-a"} {
		e := entry(fmt.Sprint("tx", i))
		e.Key = key
		require.NoError(t, store.Keep(ctx, e, ""))
		time.Sleep(2 * time.Millisecond) // stamps are in milliseconds
	}
	other := entry("tx9")
	other.Caller, other.Key = "notary", "desk-d"
	require.NoError(t, store.Keep(ctx, other, ""))
	recent, err := store.Recent(ctx, "merchant", "desk-", 2)
	require.NoError(t, err)
	require.Len(t, recent, 2)
	require.Equal(t, []string{"desk-c", "desk-b"}, []string{recent[0].Key, recent[1].Key})
	none, err := store.Recent(ctx, "merchant", "nothing-", 2)
	require.NoError(t, err)
	require.Empty(t, none)
}
