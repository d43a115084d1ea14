package conformance

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// BenchmarkLoneWrite is one client that waits for each commit.
func BenchmarkLoneWrite(b *testing.B) { open(b).measure(b, 1) }

// BenchmarkWrites is 200 clients at once, spread over the peers.
func BenchmarkWrites(b *testing.B) { open(b).measure(b, 200) }

// BenchmarkSweep measures new real networks that differ in how blocks are cut.
// STEELYARD_SWEEP lists what to try as orderer/messages/interval, e.g.
// "BFT/100/20ms BFT/500/50ms etcdraft/100/50ms".
func BenchmarkSweep(b *testing.B) {
	settings := strings.Fields(os.Getenv("STEELYARD_SWEEP"))
	if len(settings) == 0 {
		b.Skip("STEELYARD_SWEEP names no settings")
	}
	for _, setting := range settings {
		part := strings.Split(setting, "/")
		require.Len(b, part, 3, setting)
		count, err := strconv.Atoi(part[1])
		require.NoError(b, err)
		wish := consortium.Plan{Orderer: part[0], Tuning: consortium.Tuning{
			MaxMessageCount: count, RequestBatchMaxInterval: part[2], BatchTimeout: part[2],
		}}
		b.Run(setting, func(b *testing.B) {
			wish.Port = onehost.FreePort()
			n := openRealIn(b, b.TempDir(), wish)
			b.Run("lone", func(b *testing.B) { n.measure(b, 1) })
			b.Run("200", func(b *testing.B) { n.measure(b, 200) })
		})
	}
}

// measure reports writes per second, latencies, and how many submissions were
// told UNAVAILABLE although the transaction was ordered.
func (n *testnet) measure(b *testing.B, clients int) {
	var members []*member
	for mspID := range n.peers {
		members = append(members, n.connect(b, mspID))
	}
	for _, m := range members {
		_ = m.bench(b.Context()) // connections are made and caches filled
	}
	var (
		left      atomic.Int64
		failures  atomic.Int64
		mu        sync.Mutex
		latencies []time.Duration
		running   sync.WaitGroup
	)
	left.Store(int64(b.N))
	b.ResetTimer()
	for i := range clients {
		running.Go(func() {
			m := members[i%len(members)]
			for left.Add(-1) >= 0 {
				start := time.Now()
				if err := m.bench(b.Context()); err != nil {
					if failures.Add(1) == 1 {
						b.Log(describe(err))
					}
					continue
				}
				mu.Lock()
				latencies = append(latencies, time.Since(start))
				mu.Unlock()
			}
		})
	}
	running.Wait()
	b.StopTimer()
	require.NotEmpty(b, latencies)
	slices.SortFunc(latencies, cmp.Compare)
	at := func(share float64) float64 {
		return float64(latencies[int(share*float64(len(latencies)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(float64(len(latencies))/b.Elapsed().Seconds(), "writes/s")
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(float64(failures.Load()), "failures")
	var misled int64
	for _, m := range members {
		misled += m.misled.Load()
	}
	b.ReportMetric(float64(misled), "misled")
}

func (m *member) bench(ctx context.Context) error {
	var envelope []byte
	code, txID, err := m.push(ctx, newKey(), &envelope, time.Minute)
	if err == nil && code != peer.TxValidationCode_VALID {
		return fmt.Errorf("%s: %s", txID, code)
	}
	return err
}
