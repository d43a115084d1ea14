package faults

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
)

// delayed holds back every envelope that is submitted while it is closed, and
// lets the caller believe that the connection broke.
type delayed struct {
	mutex sync.Mutex
	open  bool
	held  []func() error
}

func (d *delayed) dial() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(
		func(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
			d.mutex.Lock()
			defer d.mutex.Unlock()
			if method != "/gateway.Gateway/Submit" || d.open {
				return invoke(ctx, method, request, reply, connection, options...)
			}
			d.held = append(d.held, func() error {
				return invoke(context.WithoutCancel(ctx), method, request, reply, connection, options...)
			})
			return errNetwork
		})}
}

// deliver sends what was held back.
func (d *delayed) deliver(t *testing.T) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.open = true
	require.NotEmpty(t, d.held)
	for _, send := range d.held {
		require.NoError(t, send())
	}
}

// TestAbandoned: a submission whose outcome is unknown is given up, by its
// operation id, on the ledger. Its envelope comes late and has no effect, the
// outcome is then known by its transaction id, and the same key is told that it
// was given up, for ever.
func TestAbandoned(t *testing.T) {
	r := newRig(t)
	r.ensure()
	before, _, _ := actions("A")
	register := before[0]

	late := &delayed{}
	box, err := outbox.Open(t.Context(), r.file("another-outbox.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, box.Close()) })
	config := r.config(box, nil)
	config.Dial, config.Timeouts.Commit = late.dial(), 300*time.Millisecond
	client, err := fabric.Connect(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	follow := func(context.Context, ...ledger.Block) error { return nil }
	go func() { _ = client.Follow(t.Context(), nil, follow) }()

	_, err = client.Submit(t.Context(), register.key, register.call)
	var fault *fabric.Fault
	require.ErrorAs(t, err, &fault)
	require.Equal(t, fabric.Unknown, fault.Kind)
	_, _, found, err := client.Lookup(t.Context(), fault.TransactionID)
	require.NoError(t, err)
	require.False(t, found)

	abandon, err := json.Marshal(metrology.AbandonOperation{Operation: box.Operation("merchant", register.key)})
	require.NoError(t, err)
	_, err = r.client.Submit(t.Context(), "give up", fabric.Call{Identity: "merchant", Function: "operation:Abandon", Request: abandon})
	require.NoError(t, err)

	late.deliver(t)
	require.Eventually(t, func() bool {
		_, effective, found, err := client.Lookup(t.Context(), fault.TransactionID)
		require.NoError(t, err)
		require.False(t, effective)
		return found
	}, patience, 10*time.Millisecond)
	for range 2 {
		_, err = client.Submit(t.Context(), register.key, register.call)
		require.Equal(t, metrology.CodeAbandoned, metrology.ErrorCode(err))
	}
	// What was given up did not happen: its id is free.
	register.key = "another key"
	require.NoError(t, r.see(register))
}
