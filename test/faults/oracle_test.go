package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
	"github.com/steelyard-ledger/steelyard/test/rows"
)

// action is one business action: what is asked for, under which key.
type action struct {
	key     string
	call    fabric.Call
	refused metrology.Code // by a rule; "" for an action that must happen
}

// actions are what one row of the table asks for. name makes their ids unique.
func actions(name string) (before []action, atOnce []action, after []action) {
	merchant, instrument := "M-"+name, "I-"+name
	call := func(function, request string) fabric.Call {
		return fabric.Call{Identity: "merchant", Function: function, Request: []byte(request)}
	}
	profile := map[string][]byte{"profile": fmt.Appendf(nil, `{"name":"%s","salt":"%s"}`, name, strings.Repeat("5a", 32))}
	register := call("merchant:Register", `{"id":"`+merchant+`","kind":"stall","sector":"shop","region":"310115"}`)
	register.Transient = profile
	before = []action{
		{key: name + "-merchant", call: register},
		{key: name + "-instrument", call: call("instrument:Register", `{"id":"`+instrument+`","name":"秤","category":"non-automatic-scale","model":"m","maker":"f","serial":"`+name+`",
			"use":"trade-settlement","mode":"periodic","delivery":"sent","region":"310115","owner":"`+merchant+`","user":"`+merchant+`"}`)},
		{key: name + "-same-number", call: call("instrument:Register", `{"id":"`+instrument+`","name":"秤"}`), refused: metrology.CodeInvalid},
	}
	for i := range 3 { // they change the same keys
		atOnce = append(atOnce, action{key: fmt.Sprintf("%s-repair-%d", name, i), call: call("instrument:Repair", `{"id":"`+instrument+`","on":"2026-01-05","reason":"adjusted"}`)})
	}
	after = []action{{key: name + "-purge", call: call("merchant:PurgeProfile", `{"id":"`+merchant+`"}`)}}
	return before, atOnce, after
}

// play asks for the actions of a row until each is answered, and returns their
// operations.
func (r *rig) play(name string) (operations map[string]bool) {
	r.t.Helper()
	before, atOnce, after := actions(name)
	for _, a := range before {
		require.NoError(r.t, r.see(a), a.key)
	}
	// Those that are sent at once come to the same gateway; when it dies they
	// are sent again one after the other.
	failed := make([]error, len(atOnce))
	var sending sync.WaitGroup
	r.ensure()
	for i, a := range atOnce {
		sending.Go(func() { failed[i] = r.once(a) })
	}
	sending.Wait()
	for i, a := range atOnce {
		if failed[i] != nil {
			require.NoError(r.t, r.see(a), a.key)
		}
	}
	for _, a := range after {
		require.NoError(r.t, r.see(a), a.key)
	}
	operations = map[string]bool{}
	for _, a := range append(append(before, atOnce...), after...) {
		if a.refused == "" {
			operations[r.box.Operation("merchant", a.key)] = true
		}
	}
	return operations
}

// see asks for one action until it is answered.
func (r *rig) see(a action) error {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		r.ensure()
		if err = r.once(a); err == nil {
			return nil
		}
	}
	return errors.Join(errGaveUp, err)
}

// once asks for one action one time. nil: it is answered.
func (r *rig) once(a action) error {
	receipt, err := r.client.Submit(r.ctx, a.key, a.call)
	if err == nil {
		for last := r.last.Load(); last < receipt.BlockNumber && !r.last.CompareAndSwap(last, receipt.BlockNumber); last = r.last.Load() {
		}
		return nil
	}
	var rule *metrology.Error
	if !errors.As(err, &rule) {
		return err
	}
	if rule.Code != a.refused {
		return fmt.Errorf("refused: %w", rule)
	}
	return nil
}

// oracle knows the ledger from a follower whose calls never fail.
type oracle struct {
	r     *rig
	store *readmodel.Store
	file  string
	done  map[string]int // valid transactions with an event, by operation
}

func newOracle(r *rig) *oracle {
	o := &oracle{r: r, file: r.file("reference.db"), done: map[string]int{}}
	o.store = o.open(o.file)
	r.t.Cleanup(func() { require.NoError(r.t, o.store.Close()) })
	return o
}

func (o *oracle) open(file string) *readmodel.Store {
	trust, err := ledger.ParseTrust(o.r.network.Trust())
	require.NoError(o.r.t, err)
	store, err := readmodel.Open(context.Background(), readmodel.Config{Driver: "sqlite", DSN: file, Channel: channel, Chaincode: chaincode, Genesis: trust.Genesis})
	require.NoError(o.r.t, err)
	return store
}

// read follows the ledger into store until it is at block number or beyond.
func (o *oracle) read(store *readmodel.Store, number uint64, see func(ledger.Block)) {
	t := o.r.t
	t.Helper()
	box, err := outbox.Open(context.Background(), o.r.file("unused.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, box.Close()) }()
	client, err := fabric.Connect(context.Background(), o.r.config(box, nil))
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	position, err := store.Position(context.Background())
	require.NoError(t, err)
	if position != nil && position.Number >= number {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = client.Follow(ctx, position, func(ctx context.Context, blocks ...ledger.Block) error {
		if err := store.Apply(ctx, blocks...); err != nil {
			return err
		}
		for _, block := range blocks {
			see(block)
			if block.Number >= number {
				cancel()
			}
		}
		return nil
	})
	position, err = store.Position(context.Background())
	require.NoError(t, err)
	require.NotNil(t, position)
	require.GreaterOrEqual(t, position.Number, number)
}

func (o *oracle) note(block ledger.Block) {
	for _, transaction := range block.Transactions {
		if transaction.Valid() && transaction.Event != nil {
			o.done[string(transaction.Args[1])]++
		}
	}
}

// check compares the ledger with what was asked for, and the read model with
// the reference, row by row.
func (o *oracle) check(asked map[string]bool) {
	t := o.r.t
	t.Helper()
	o.r.ensure()
	var number uint64
	// The read model may still be on its way to what was answered, and a late
	// copy of an envelope may come: no more than a block without effect.
	require.Eventually(t, func() bool {
		position, err := o.r.store.Position(o.r.ctx)
		if err != nil || position == nil || position.Number < o.r.last.Load() {
			return false
		}
		number = position.Number
		o.read(o.store, number, o.note)
		reference, err := o.store.Position(context.Background())
		require.NoError(t, err)
		return reference.Number == number
	}, patience, 5*time.Millisecond)
	for operation := range asked {
		require.Equal(t, 1, o.done[operation], "operation %s", operation)
	}
	require.Len(t, o.done, len(asked), "nothing happened that nobody asked for")
	require.Equal(t, rows.Of(t, o.file), rows.Of(t, o.r.file("readmodel.db")))
}

// rebuild compares the reference with a projection from block 0.
func (o *oracle) rebuild() {
	t := o.r.t
	t.Helper()
	reference, err := o.store.Position(context.Background())
	require.NoError(t, err)
	file := o.r.file("rebuilt.db")
	store := o.open(file)
	o.read(store, reference.Number, func(ledger.Block) {})
	require.NoError(t, store.Close())
	require.Equal(t, rows.Of(t, o.file), rows.Of(t, file))
	require.NoError(t, os.Remove(file))
}
