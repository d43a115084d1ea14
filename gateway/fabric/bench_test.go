package fabric_test

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// BenchmarkSubmit is confirmed writes to keys of their own through outbox,
// network and block stream, all in this process.
func BenchmarkSubmit(b *testing.B) {
	for _, clients := range []int{1, 100} {
		b.Run(fmt.Sprintf("%d clients", clients), func(b *testing.B) {
			g := startGateway(b, startNetwork(b), nil)
			var next atomic.Int64
			b.SetParallelism(clients) // times GOMAXPROCS
			b.ResetTimer()
			work := func() {
				key := fmt.Sprint(next.Add(1))
				if _, err := g.Submit(b.Context(), key, add(key)); err != nil {
					b.Error(err)
				}
			}
			if clients == 1 {
				for b.Loop() {
					work()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					work()
				}
			})
		})
	}
}
