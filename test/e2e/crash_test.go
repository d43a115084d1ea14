package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // driver "sqlite"

	"github.com/steelyard-ledger/steelyard/test/rows"
)

const (
	killTrials   = 50 // unless STEELYARD_KILL_TRIALS sets another number
	crashWorkers = 4
	repairDay    = "2026-01-05"
)

// repairs is one client that records repairs of one instrument, each under an
// Idempotency-Key of its own, and never lets go of one before it is answered.
type repairs struct {
	instrument   string
	sent         int      // keys used so far
	acknowledged []string // transaction id of each that was answered 201
}

func (r *repairs) key() string { return fmt.Sprintf("%s-repair-%d", r.instrument, r.sent) }

// ask sends the repair under the present key and counts it once it is answered.
func (r *repairs) ask(ctx context.Context, g *gateway) error {
	a, err := g.try(ctx, "merchant", http.MethodPost, "/v1/instruments/"+r.instrument+"/repair",
		`{"on":"`+repairDay+`","reason":"adjusted"}`, "Idempotency-Key", r.key())
	if err == nil && a.status == http.StatusCreated {
		r.acknowledged = append(r.acknowledged, a.header.Get("Transaction-Id"))
	}
	return err
}

// work records repairs until the gateway is gone.
func (r *repairs) work(ctx context.Context, g *gateway) {
	for {
		if len(r.acknowledged) == r.sent {
			r.sent++
		}
		if r.ask(ctx, g) != nil {
			return
		}
	}
}

// settle asks again for the repair whose answer the crash swallowed.
func (r *repairs) settle(t *testing.T, g *gateway) {
	if len(r.acknowledged) == r.sent {
		return
	}
	require.Eventually(t, func() bool { return r.ask(t.Context(), g) == nil && len(r.acknowledged) == r.sent }, startTimeout, 100*time.Millisecond)
}

// check compares what was acknowledged with what stands.
func (r *repairs) check(t *testing.T, g *gateway) (stand int) {
	var instrument struct{ History []struct{ Event string } }
	g.read("/v1/instruments/"+r.instrument, &instrument)
	for _, entry := range instrument.History {
		if entry.Event == "instrument.repaired" {
			stand++
		}
	}
	require.Equal(t, r.sent, stand, "repairs of %s on the ledger", r.instrument)
	seen := map[string]bool{}
	for _, id := range r.acknowledged {
		require.False(t, seen[id], "transaction %s was the answer to two repairs", id)
		seen[id] = true
		var transaction struct{ Valid bool }
		g.read("/v1/transactions/"+id, &transaction)
		require.True(t, transaction.Valid, "transaction %s was acknowledged", id)
	}
	return stand
}

// numberFrom reads a number from the environment.
func numberFrom(t *testing.T, variable string, absent uint64) uint64 {
	text := os.Getenv(variable)
	if text == "" {
		return absent
	}
	number, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, variable)
	return number
}

// The gateway, with its embedded network if it has one, is killed at random
// moments under writes and while it starts. Afterwards every repair that was
// acknowledged is on the ledger, each stands there once, also those that were
// asked for again, and the read model is what a rebuild makes.
//
// STEELYARD_KILL_TRIALS and STEELYARD_KILL_SEED set how often and when it is
// killed; the moments of a seed are always the same, what a kill meets at its
// moment is not.
func TestKillUnderWrites(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, n *network) {
		seed := numberFrom(t, "STEELYARD_KILL_SEED", rand.Uint64())
		trials := int(numberFrom(t, "STEELYARD_KILL_TRIALS", killTrials))
		t.Logf("STEELYARD_KILL_SEED=%d", seed)
		total := 0
		for begun := 0; begun < trials; begun += killTrials {
			// A new ledger every so often bounds what a rebuild has to read.
			total += testKillUnderWrites(t, n, seed, begun, min(killTrials, trials-begun))
			t.Logf("%d repairs over %d kills: none lost, none doubled, read model equal to a rebuild", total, min(begun+killTrials, trials))
		}
		require.Greater(t, total, trials/2, "the writers must have got somewhere")
	})
}

// testKillUnderWrites makes so many trials on one ledger, numbered from first.
func testKillUnderWrites(t *testing.T, n *network, seed uint64, first, trials int) (total int) {
	data := t.TempDir()
	g := n.startBare(t, data)
	merchant := g.must("merchant", "POST", "/v1/merchants", `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`)
	clients := make([]*repairs, crashWorkers)
	for i := range clients {
		id := g.must("merchant", "POST", "/v1/instruments", fmt.Sprintf(`{"name":"秤","category":"non-automatic-scale","model":"m","maker":"f","serial":"K-%d",
			"use":"trade-settlement","mode":"periodic","delivery":"sent","region":"310115","owner":"%s","user":"%s"}`, i, merchant, merchant))
		clients[i] = &repairs{instrument: id}
	}
	for trial := first; trial < first+trials; trial++ {
		random := rand.New(rand.NewPCG(seed, uint64(trial)))
		underLoad := time.Duration(random.IntN(500)) * time.Millisecond
		var working sync.WaitGroup
		for _, client := range clients {
			working.Go(func() { client.work(t.Context(), g) })
		}
		time.Sleep(underLoad)
		g.kill()
		working.Wait()
		if random.IntN(4) == 0 { // once more, while it finds out what became of the last writes
			n.killAtStart(t, data, time.Duration(random.IntN(800))*time.Millisecond)
		}
		g = n.startBare(t, data)
		for _, client := range clients {
			client.settle(t, g)
		}
	}
	for _, client := range clients {
		total += client.check(t, g)
	}
	rebuilt(t, n, g)
	return total
}

// killAtStart runs a gateway for so long and kills it.
func (n *network) killAtStart(t *testing.T, data string, after time.Duration) {
	t.Helper()
	args := n.args(data)
	if n.real == nil {
		args = append(args, "--no-demo")
	}
	started := exec.Command(program, args...)
	require.NoError(t, started.Start())
	time.Sleep(after)
	require.NoError(t, started.Process.Kill())
	var exit *exec.ExitError
	if err := started.Wait(); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
}

// rebuilt stops g and compares its read model, row by row, with the one that a
// gateway makes from block 0 when the file is gone.
func rebuilt(t *testing.T, n *network, g *gateway) {
	t.Helper()
	height := g.height()
	g.stop()
	file := filepath.Join(g.data, "readmodel.db")
	kept := rows.Of(t, file)
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		require.NoError(t, os.RemoveAll(name))
	}
	again := n.startBare(t, g.data)
	require.Eventually(t, func() bool { return again.height() == height }, startTimeout, 50*time.Millisecond)
	again.stop()
	made := rows.Of(t, file)
	require.Greater(t, len(kept["transactions"]), len(kept["position"]))
	require.Equal(t, kept, made)
}
