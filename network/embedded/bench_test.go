package embedded_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/embedded"
)

// BenchmarkLone measures one client that waits for each commit before the next.
func BenchmarkLone(b *testing.B) {
	network := start(b, config(b, b.TempDir()))
	c := contract(connect(b, network, "RegulatorMSP"))
	b.ResetTimer()
	for i := range b.N {
		_, err := c.SubmitTransaction("put", fmt.Sprint("k", i), "value")
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// BenchmarkClients measures 200 clients that share blocks and disk writes.
// Clients and network share the machine.
func BenchmarkClients(b *testing.B) {
	const clients = 200
	network := start(b, config(b, b.TempDir()))
	gateway := connect(b, network, "RegulatorMSP")
	var next atomic.Int64
	var group sync.WaitGroup
	b.ResetTimer()
	for range clients {
		group.Go(func() {
			c := contract(gateway)
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				if _, err := c.SubmitTransaction("put", fmt.Sprint("k", i), "value"); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// BenchmarkEvaluate measures a read by one client.
func BenchmarkEvaluate(b *testing.B) {
	network := start(b, config(b, b.TempDir()))
	c := contract(connect(b, network, "RegulatorMSP"))
	_, err := c.SubmitTransaction("put", "a", "1")
	require.NoError(b, err)
	b.ResetTimer()
	for range b.N {
		_, err := c.EvaluateTransaction("get", "a")
		require.NoError(b, err)
	}
}

// BenchmarkStart measures from nothing to a network that serves, and again on
// what the first start left.
func BenchmarkStart(b *testing.B) {
	once := func(b *testing.B, cfg embedded.Config) {
		network, err := embedded.Start(b.Context(), cfg)
		require.NoError(b, err)
		require.NoError(b, network.Close())
	}
	b.Run("Fresh", func(b *testing.B) {
		for range b.N {
			once(b, config(b, b.TempDir()))
		}
	})
	b.Run("Again", func(b *testing.B) {
		cfg := config(b, b.TempDir())
		once(b, cfg)
		b.ResetTimer()
		for range b.N {
			once(b, cfg)
		}
	})
}
