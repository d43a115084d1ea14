package conformance

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/admin/process"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// resume is how long writing may stand still after one program is gone.
const resume = 20 * time.Second

// TestFaults kills one program after the other under steady writes. Ordering
// nodes are killed in turn, so one of them was leading.
func TestFaults(t *testing.T) {
	n := open(t)
	if !n.real {
		t.Skip("one process has no programs to kill")
	}
	plan := n.host.Plan
	type fault struct {
		name     string
		programs []process.Program
	}
	var faults []fault
	for _, node := range plan.Orderers() {
		faults = append(faults, fault{"Ordering node of " + node.MSPID, []process.Program{n.host.OrdererProgram(node)}})
	}
	for _, node := range []consortium.Node{plan.Peers()[0], plan.Peers()[3]} {
		program, err := n.host.PeerProgram(node)
		require.NoError(t, err)
		faults = append(faults, fault{"Peer of " + node.MSPID, []process.Program{program}})
	}
	services := n.services(t)
	faults = append(faults,
		fault{"Contract service of one organisation", services[:1]},
		fault{"Contract services of all organisations", services},
	)
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) { n.survive(t, f.programs) })
	}
}

// TestKeep: what has ended is started again without a hand, and ordering goes
// on when two of four nodes hang, which is one more than BFT tolerates.
func TestKeep(t *testing.T) {
	n := open(t)
	if !n.real || n.host.Plan.Orderer != consortium.BFT {
		t.Skip("ordering nodes that can hang one another are BFT's")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var keeping sync.WaitGroup
	keeping.Go(func() { assert.NoError(t, n.host.Keep(ctx, func(text string) { t.Log(text) })) })
	defer keeping.Wait()
	defer cancel()
	w, stop := startWriters(t, n, 3)
	defer stop()
	w.requireProgress(t)

	var nodes []process.Program
	for _, node := range n.host.Plan.Orderers() {
		nodes = append(nodes, n.host.OrdererProgram(node))
	}
	peer, err := n.host.PeerProgram(n.host.Plan.Peers()[0])
	require.NoError(t, err)
	require.NoError(t, nodes[3].Stop(t.Context()))
	time.Sleep(3 * time.Second)
	pid, err := nodes[3].PID()
	require.NoError(t, err)
	require.Zero(t, pid, "what was stopped on purpose is left alone")
	require.NoError(t, nodes[3].Start())
	for _, program := range []process.Program{nodes[3], peer, n.services(t)[1]} {
		require.NoError(t, program.Kill(context.Background()))
		require.Eventually(t, func() bool { pid, err := program.PID(); return err == nil && pid != 0 }, resume, 50*time.Millisecond, program.Name)
	}
	w.requireProgress(t)

	for _, program := range nodes[:2] {
		pid, err := program.PID()
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	}
	time.Sleep(time.Second) // for what was under way
	before := w.count()
	require.Eventually(t, func() bool { return w.count() >= before+10 }, 90*time.Second, 50*time.Millisecond, "writing has not resumed")
	stop()
	n.awaitPeers(t)
	w.requireAllThere(t, n)
}

func (n *testnet) services(t *testing.T) []process.Program {
	t.Helper()
	deployments, err := n.host.Deployments()
	require.NoError(t, err)
	var services []process.Program
	for _, d := range deployments {
		if d.Name == chaincodeName {
			for _, organization := range consortium.Organizations() {
				services = append(services, n.host.ServiceProgram(organization, d))
			}
		}
	}
	return services
}

// survive kills the programs under writes, starts them again, and checks the
// ledgers once all is quiet. They are started whatever comes, so that the next
// fault is again the only one.
func (n *testnet) survive(t *testing.T, programs []process.Program) {
	w, stop := startWriters(t, n, 3)
	defer stop()
	w.requireProgress(t)
	for _, program := range programs {
		require.NoError(t, program.Kill(context.Background()))
		defer func() { require.NoError(t, program.Start()) }() // does nothing to one that runs
	}
	if len(programs) == 1 { // the network does without one
		w.requireProgress(t)
		time.Sleep(2 * time.Second)
		w.requireProgress(t)
	}
	for _, program := range programs {
		require.NoError(t, program.Start())
	}
	w.requireProgress(t)
	time.Sleep(3 * time.Second)
	w.requireProgress(t)
	stop()
	t.Logf("%d writes acknowledged, longest silence %s", len(w.acked), w.longest.Round(time.Millisecond))
	n.awaitPeers(t)
	w.requireAllThere(t, n)
}

func (w *writers) count() int { w.mu.Lock(); defer w.mu.Unlock(); return len(w.acked) }

// requireProgress waits until ten more writes are acknowledged.
func (w *writers) requireProgress(t *testing.T) {
	t.Helper()
	before := w.count()
	require.Eventually(t, func() bool { return w.count() >= before+10 }, resume, 20*time.Millisecond, "writing has not resumed")
}

// awaitPeers waits until every peer answers.
func (n *testnet) awaitPeers(t *testing.T) {
	t.Helper()
	for mspID := range n.peers {
		m := n.connect(t, mspID)
		require.Eventually(t, func() bool {
			_, err := m.network.GetContract("qscc").EvaluateTransaction("GetChainInfo", consortium.Channel)
			return err == nil
		}, resume, 100*time.Millisecond, mspID)
	}
}
