// Package fabric measures a real Fabric network: what the gateway's REST
// interface writes beside what a Fabric client writes that calls the same
// contract directly, in turn on the same network.
package fabric

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// setting reads a whole number from the environment.
func setting(b *testing.B, name string, usual int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	value, err := strconv.Atoi(text)
	require.NoError(b, err, name)
	return value
}

// BenchmarkFabric brings up a network, deploys the contract and lets
// STEELYARD_CLIENTS (200) clients write for STEELYARD_SECONDS (10) through REST
// and directly in turn, STEELYARD_REPEATS (5) times, then one client alone.
// STEELYARD_SWEEP lists settings to try instead of the usual ones, as
// orderer/messages per block/interval/requests in flight per peer, such as
// "BFT/100/20ms/2000 etcdraft/100/50ms/2000". The commits of both are counted
// when they are confirmed.
func BenchmarkFabric(b *testing.B) {
	plans := map[string]consortium.Plan{"Usual": {Orderer: os.Getenv("STEELYARD_ORDERER")}}
	if sweep := strings.Fields(os.Getenv("STEELYARD_SWEEP")); len(sweep) > 0 {
		plans = map[string]consortium.Plan{}
		for _, text := range sweep {
			plans[text] = parsePlan(b, text)
		}
	}
	for name, plan := range plans {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				measure(b, plan)
			}
		})
	}
}

func parsePlan(b *testing.B, text string) consortium.Plan {
	b.Helper()
	part := strings.Split(text, "/")
	require.Len(b, part, 4, text)
	messages, err := strconv.Atoi(part[1])
	require.NoError(b, err, text)
	concurrency, err := strconv.Atoi(part[3])
	require.NoError(b, err, text)
	return consortium.Plan{Orderer: part[0], Tuning: consortium.Tuning{
		MaxMessageCount: messages, RequestBatchMaxInterval: part[2], BatchTimeout: part[2], GatewayConcurrency: concurrency,
	}}
}

func measure(b *testing.B, plan consortium.Plan) {
	n := bringUp(b, plan)
	rest, direct := startGateway(b, n), connect(b, n)
	merchant := rest.merchant(b)
	clients, span := setting(b, "STEELYARD_CLIENTS", 200), time.Duration(setting(b, "STEELYARD_SECONDS", 10))*time.Second
	writers := []struct {
		name  string
		write func(ctx context.Context, number int) error
	}{
		{"rest", func(ctx context.Context, number int) error { return rest.register(ctx, merchant, number) }},
		{"direct", func(ctx context.Context, number int) error { return direct.register(ctx, merchant, number) }},
	}
	rates := map[string][]float64{}
	number := 0
	run := func(name string, clients int, span time.Duration, write func(context.Context, int) error) result {
		used, before := programsOf(b, n, rest.pid), height(b, n)
		r := load(clients, span, number, write)
		number += 1_000_000 // numbers are never used again
		require.NotEmpty(b, r.latencies, "%s: %v", name, r.failure)
		b.Logf("%-6s %3d clients %6.1f writes/s  p50 %s  p99 %s  failures %d  %.1f per block  %s", name, clients, r.rate(),
			r.at(0.5).Round(time.Millisecond), r.at(0.99).Round(time.Millisecond), r.failures,
			float64(len(r.latencies))/float64(max(1, height(b, n)-before)), used.since(b, len(r.latencies)))
		if r.failure != nil {
			b.Logf("first failure: %v", r.failure)
		}
		return r
	}
	for _, w := range writers {
		run(w.name, clients, time.Second, w.write) // caches are filled, connections made
	}
	for range setting(b, "STEELYARD_REPEATS", 5) {
		for _, w := range writers {
			rates[w.name] = append(rates[w.name], run(w.name, clients, span, w.write).rate())
		}
	}
	for _, w := range writers {
		lone := run(w.name, 1, span, w.write)
		b.ReportMetric(median(rates[w.name]), w.name+"-writes/s")
		b.ReportMetric(float64(lone.at(0.5).Microseconds())/1000, w.name+"-lone-p50-ms")
	}
	b.ReportMetric(median(rates["rest"])/median(rates["direct"]), "rest/direct")
	b.ReportMetric(0, "ns/op")
}

func bringUp(b *testing.B, plan consortium.Plan) *onehost.Network {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	plan.Port = onehost.FreePort()
	n, err := onehost.Up(ctx, b.TempDir(), plan)
	if errors.Is(err, onehost.ErrToolMissing) {
		b.Skip("real Fabric not measured:", err)
	}
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, n.Down(context.Background())) })
	contract := onehost.Contract{Name: consortium.Chaincode, Source: "../../../chaincode", Policy: n.Plan.Majority()}
	contract.Collections, err = n.Plan.Collections()
	require.NoError(b, err)
	_, err = n.Deploy(ctx, contract)
	require.NoError(b, err)
	return n
}

// height is how many blocks the first peer holds.
func height(b *testing.B, n *onehost.Network) uint64 {
	b.Helper()
	admin, err := lifecycle.Connect(n.Plan, n.Plan.Peers()[0])
	require.NoError(b, err)
	defer admin.Connection.Close()
	height, err := admin.Height(b.Context(), n.Plan.Channel)
	require.NoError(b, err)
	return height
}

// instrument is the request that both kinds of client send.
func instrument(merchant string, number int) string {
	return fmt.Sprintf(`{"name":"秤","category":"non-automatic-scale","model":"m","maker":"f","serial":"B-%d","use":"trade-settlement",
		"mode":"periodic","delivery":"sent","region":"310115","owner":"%s","user":"%s"}`, number, merchant, merchant)
}
