package faults

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // driver "sqlite"

	"github.com/steelyard-ledger/steelyard/chaincode/contract"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
	"github.com/steelyard-ledger/steelyard/gateway/wallet"
	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/embedded"
)

const (
	channel   = "steelyard"
	chaincode = "metrology"
	patience  = 2 * time.Minute // never used up unless something is wrong
)

// rig is one data directory with the network and the gateway that live on it,
// all of whose calls can fail, and the plan that says which one does.
type rig struct {
	t       *testing.T
	plan    *plan
	data    string
	network *embedded.Network
	*life

	last atomic.Uint64 // the highest block in which an answered request stands
}

// life is a gateway from one start to its end.
type life struct {
	ctx    context.Context // ends with it
	end    context.CancelFunc
	box    *outbox.Store
	store  *readmodel.Store
	client *fabric.Client
	follow chan error
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, plan: newPlan(), data: t.TempDir()}
	t.Cleanup(r.stop)
	r.startNetwork()
	r.enrol()
	return r
}

func (r *rig) file(name string) string { return filepath.Join(r.data, name) }

// startNetwork starts the network, again while a fault keeps it from starting.
func (r *rig) startNetwork() {
	r.t.Helper()
	rules, err := contract.New()
	require.NoError(r.t, err)
	collections, err := consortium.Collections()
	require.NoError(r.t, err)
	for {
		r.network, err = embedded.Start(r.t.Context(), embedded.Config{
			Dir: r.file("network"), Channel: channel, Disk: r.plan.between,
			Chaincodes: []embedded.Chaincode{{Name: chaincode, Contract: rules, Collections: collections}},
		})
		if err == nil {
			return
		}
		require.ErrorIs(r.t, err, errInjected)
	}
}

func (r *rig) restartNetwork() {
	r.t.Helper()
	_ = r.network.Close() // its error is that of the fault
	r.startNetwork()
}

func (r *rig) enrol() {
	r.t.Helper()
	for _, role := range []metrology.Role{metrology.RoleRegulator, metrology.RoleMerchant} {
		msp := metrology.RoleOrganizations[role]
		pair, err := r.network.Enroll(msp, map[string]string{"role": string(role), "subject": string(role) + "-1"})
		require.NoError(r.t, err)
		require.NoError(r.t, wallet.Put(r.file("wallet"), string(role), msp, pair.Certificate, pair.Key))
	}
}

// config is a client of the network; p is nil for one whose calls never fail.
func (r *rig) config(box fabric.Outbox, p *plan) fabric.Config {
	trust, err := ledger.ParseTrust(r.network.Trust())
	require.NoError(r.t, err)
	config := fabric.Config{
		Channel: channel, Chaincode: chaincode, Wallet: r.file("wallet"), Trust: trust, Outbox: box,
		Timeouts: fabric.Timeouts{Commit: 2 * time.Second, Evaluate: 2 * time.Second, Resend: 10 * time.Millisecond, Stream: 10 * time.Millisecond},
	}
	for _, peer := range r.network.Peers() {
		config.Peers = append(config.Peers, fabric.Peer{MSPID: peer.MSPID, Endpoint: peer.Endpoint, ServerName: peer.ServerName, TLSRoots: peer.TLSRootsPEM})
	}
	if p != nil {
		config.Dial = p.dial()
	}
	return config
}

// start brings the gateway up, and the network if it has stopped. A fault on
// the way is told; the caller tries again.
func (r *rig) start() (err error) {
	select {
	case <-r.network.Done():
		require.Error(r.t, r.network.Err(), "it stops for a reason")
		_ = r.network.Close() // repeats the failure
		r.startNetwork()
	default:
	}
	l := &life{follow: make(chan error, 1)}
	l.ctx, l.end = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.box, err = outbox.Open(l.ctx, r.file("outbox.db"), outbox.WithDriver(r.plan.database("outbox"))); err != nil {
		return err
	}
	config := r.config(l.box, r.plan)
	l.store, err = readmodel.Open(l.ctx, readmodel.Config{
		Driver: "sqlite", DSN: r.file("readmodel.db"), Channel: channel, Chaincode: chaincode,
		Genesis: config.Trust.Genesis, Between: r.plan.database("read model"),
	})
	if err != nil {
		return err
	}
	if l.client, err = fabric.Connect(l.ctx, config); err != nil {
		return err
	}
	position, err := l.store.Position(l.ctx)
	if err != nil {
		return err
	}
	// As the gateway's main program does, everything ends when the projection does.
	go func() {
		defer l.end()
		l.follow <- l.client.Follow(l.ctx, position, l.store.Take)
	}()
	if _, err = l.client.Recover(l.ctx); err != nil {
		err = nil // told to the log; what is open stays open
	}
	r.life = l
	return nil
}

// begin waits until the first block is in the read model: the calls that take it
// are made once, and belong to no scenario that starts after it.
func (r *rig) begin() {
	require.Eventually(r.t, func() bool { return !r.client.Stream().AppliedAt.IsZero() }, patience, time.Millisecond)
}

// forget leaves an envelope in the outbox that was never sent, so that every
// start asks the ledger for it.
func (r *rig) forget() {
	require.NoError(r.t, r.box.Keep(r.ctx, outbox.Entry{
		Caller: "merchant", Key: "forgotten", Operation: "forgotten", TransactionID: "forgotten", Envelope: []byte("x"),
	}, ""))
}

// close ends what came up. Its errors are those of the fault.
func (l *life) close() {
	l.end()
	if l.client != nil {
		_ = l.client.Close()
	}
	if l.store != nil {
		_ = l.store.Close()
	}
	if l.box != nil {
		_ = l.box.Close()
	}
}

// alive reports whether the gateway and its network still run.
func (r *rig) alive() bool {
	if r.life == nil || r.ctx.Err() != nil {
		return false
	}
	select {
	case <-r.network.Done():
		return false
	default:
		return true
	}
}

// ensure has the gateway run, from a fresh start if it stopped.
func (r *rig) ensure() {
	r.t.Helper()
	for deadline := time.Now().Add(patience); !r.alive(); {
		r.halt()
		err := r.start()
		if err != nil { // for what the fault left behind too, such as an open transaction
			require.True(r.t, r.plan.struck(), "%v", err)
		}
		require.True(r.t, time.Now().Before(deadline), "the gateway does not come up: %v", err)
	}
}

// halt ends the gateway, not the network.
func (r *rig) halt() {
	if r.life != nil {
		r.close()
		r.life = nil
	}
}

func (r *rig) stop() {
	r.halt()
	if r.network != nil {
		_ = r.network.Close()
	}
}

// errGaveUp says that a request was never answered.
var errGaveUp = errors.New("the request was not answered in time")
