package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	crashRounds  = 20
	crashWorkers = 4
)

// repairs is one client that records repairs of one instrument, each under an
// Idempotency-Key of its own, and never lets go of one before it is answered.
type repairs struct {
	instrument   string
	sent         int // keys used so far
	acknowledged int // of these, answered 201
}

func (r *repairs) key() string { return fmt.Sprintf("%s-repair-%d", r.instrument, r.sent) }

// work records repairs until the gateway is gone.
func (r *repairs) work(ctx context.Context, g *gateway) {
	for {
		if r.acknowledged == r.sent {
			r.sent++
		}
		a, err := g.try(ctx, "merchant", http.MethodPost, "/v1/instruments/"+r.instrument+"/repair",
			`{"on":"`+repairDay+`","reason":"adjusted"}`, "Idempotency-Key", r.key())
		if err != nil {
			return
		}
		if a.status == http.StatusCreated {
			r.acknowledged++
		}
	}
}

// settle asks again for the repair whose answer the crash swallowed.
func (r *repairs) settle(t *testing.T, g *gateway) {
	if r.acknowledged == r.sent {
		return
	}
	require.Eventually(t, func() bool {
		a := g.request("merchant", http.MethodPost, "/v1/instruments/"+r.instrument+"/repair", `{"on":"`+repairDay+`","reason":"adjusted"}`, "Idempotency-Key", r.key())
		return a.status == http.StatusCreated
	}, startTimeout, 100*time.Millisecond)
	r.acknowledged++
}

const repairDay = "2026-01-05"

// The gateway, with its embedded network if it has one, is killed at random
// moments under writes. Afterwards every repair that was acknowledged is on the
// ledger, and each stands there once, also those that were asked for again.
func TestKillUnderWrites(t *testing.T) {
	onEachNetwork(t, testKillUnderWrites)
}

func testKillUnderWrites(t *testing.T, n *network) {
	data := t.TempDir()
	g := n.startBare(t, data)
	merchant := g.must("merchant", "POST", "/v1/merchants", `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`)
	clients := make([]*repairs, crashWorkers)
	for i := range clients {
		id := g.must("merchant", "POST", "/v1/instruments", fmt.Sprintf(`{"name":"秤","category":"non-automatic-scale","model":"m","maker":"f","serial":"K-%d",
			"use":"trade-settlement","mode":"periodic","delivery":"sent","region":"310115","owner":"%s","user":"%s"}`, i, merchant, merchant))
		clients[i] = &repairs{instrument: id}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range crashRounds {
		var working sync.WaitGroup
		for _, client := range clients {
			working.Go(func() { client.work(t.Context(), g) })
		}
		time.Sleep(time.Duration(100+random.IntN(400)) * time.Millisecond)
		g.kill()
		working.Wait()
		g = n.startBare(t, data)
		for _, client := range clients {
			client.settle(t, g)
		}
	}
	total := 0
	for _, client := range clients {
		var instrument struct{ History []struct{ Event string } }
		g.read("/v1/instruments/"+client.instrument, &instrument)
		stand := 0
		for _, entry := range instrument.History {
			if entry.Event == "instrument.repaired" {
				stand++
			}
		}
		require.Equal(t, client.acknowledged, stand, "repairs of %s on the ledger", client.instrument)
		total += stand
	}
	t.Logf("%d repairs over %d crashes: none lost, none doubled", total, crashRounds)
	require.Greater(t, total, crashRounds, "the writers must have got somewhere")
}
