package fabric_test

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
)

// failingOutbox lets one method fail once: before it has happened, or after.
type failingOutbox struct {
	fabric.Outbox
	method   string
	happened bool
	failed   atomic.Bool
}

// call makes a call of a method or its fault.
func (f *failingOutbox) call(method string, work func() error) error {
	if method != f.method || !f.failed.CompareAndSwap(false, true) {
		return work()
	}
	if f.happened {
		_ = work()
	}
	return errInjected
}

func (f *failingOutbox) Find(ctx context.Context, caller, key string) (e outbox.Entry, found bool, err error) {
	err = f.call("Find", func() (err error) { e, found, err = f.Outbox.Find(ctx, caller, key); return err })
	return e, found, err
}

func (f *failingOutbox) Keep(ctx context.Context, e outbox.Entry, replaces string) error {
	return f.call("Keep", func() error { return f.Outbox.Keep(ctx, e, replaces) })
}

func (f *failingOutbox) Refuse(ctx context.Context, e outbox.Entry, refusal *metrology.Error) error {
	return f.call("Refuse", func() error { return f.Outbox.Refuse(ctx, e, refusal) })
}

func (f *failingOutbox) Settle(ctx context.Context, id string, state outbox.State, outcome outbox.Outcome) error {
	return f.call("Settle", func() error { return f.Outbox.Settle(ctx, id, state, outcome) })
}

func (f *failingOutbox) Unsettled(ctx context.Context) (entries []outbox.Entry, err error) {
	err = f.call("Unsettled", func() (err error) { entries, err = f.Outbox.Unsettled(ctx); return err })
	return entries, err
}

// TestOutboxFaults: every call to the outbox that can fail does so once in each
// way, and the action still happens once. The list is the interface's own.
func TestOutboxFaults(t *testing.T) {
	n := startNetwork(t)
	methods := reflect.TypeFor[fabric.Outbox]()
	for i := range methods.NumMethod() {
		method := methods.Method(i)
		if results := method.Type.NumOut(); method.Type.Out(results-1) != reflect.TypeFor[error]() {
			continue // cannot fail
		}
		for _, happened := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/happened %t", method.Name, happened), func(t *testing.T) {
				key := fmt.Sprintf("%s-%t", method.Name, happened)
				box := &failingOutbox{Outbox: openOutbox(t, filepath.Join(t.TempDir(), "o.db")), method: method.Name, happened: happened}
				g := startGateway(t, n, func(c *fabric.Config) { c.Outbox = box })

				_, err := g.Submit(t.Context(), "refused", fabric.Call{Identity: "merchant", Function: "count:Refuse"})
				if box.failed.Load() && method.Name == "Find" {
					require.ErrorIs(t, err, errInjected)
					box.failed.Store(false)
				} else {
					require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "a rule is told even if it cannot be recorded")
				}
				if _, err := g.Submit(t.Context(), key, add(key)); err != nil {
					require.Equal(t, fabric.Internal, kindOf(t, err))
					require.Equal(t, 0, g.count(t, key), "nothing is written after any error but unknown")
				}
				if _, err := g.Recover(t.Context()); err != nil {
					require.ErrorIs(t, err, errInjected)
				}
				require.True(t, box.failed.Load(), "the fault must have happened")
				receipt, err := g.Submit(t.Context(), key, add(key))
				require.NoError(t, err)
				require.Equal(t, "1", string(receipt.Result))
				require.Equal(t, 1, g.count(t, key))
			})
		}
	}
}

// TestSubmitAfterInvalid: a transaction without effect does not use up its key.
func TestSubmitAfterInvalid(t *testing.T) {
	box := openOutbox(t, filepath.Join(t.TempDir(), "o.db"))
	g := startGateway(t, startNetwork(t), func(c *fabric.Config) { c.Outbox = box })
	receipt, err := g.Submit(t.Context(), "k1", add("n"))
	require.NoError(t, err)

	// The outbox of a gateway that stopped after the ledger had found the
	// first transaction of "k2" invalid.
	earlier, _, err := box.Find(t.Context(), "merchant", "k1")
	require.NoError(t, err)
	earlier.Key, earlier.Operation, earlier.TransactionID, earlier.Envelope = "k2", "another", "invalid-1", []byte("x")
	require.NoError(t, box.Keep(t.Context(), earlier, ""))
	require.NoError(t, box.Settle(t.Context(), "invalid-1", outbox.Invalid, outbox.Outcome{Code: peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE}))

	again, err := g.Submit(t.Context(), "k2", add("n"))
	require.NoError(t, err)
	require.NotEqual(t, receipt.TransactionID, again.TransactionID)
	require.Equal(t, 2, g.count(t, "n"))
}
