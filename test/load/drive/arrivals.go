package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/steelyard-ledger/steelyard/test/load/wire"
)

// outcome is what a measurement saw. Latencies count from when a request was
// due, not from when a late generator sent it.
type outcome struct {
	mutex     sync.Mutex
	sent      int
	skipped   int             // the generator was too late to send them at all
	accepted  []time.Duration // answered 2xx
	served    []time.Duration // the same from when they were sent: without what the generator was late
	refused   []time.Duration // answered 429 or 503
	unadvised int             // of these, without Retry-After
	other     int
	late      []time.Duration // how late the generator was
	took      time.Duration
}

func (o *outcome) add(due, sent time.Time, a wire.Answer) {
	latency := time.Since(due)
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.late = append(o.late, sent.Sub(due))
	switch {
	case a.Status >= 200 && a.Status < 300 && a.Status != http.StatusAccepted:
		o.accepted = append(o.accepted, latency)
		o.served = append(o.served, latency-sent.Sub(due))
	case a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable:
		o.refused = append(o.refused, latency)
		if a.RetryAfter == 0 {
			o.unadvised++
		}
	default:
		o.other++
	}
}

// quantile of latencies; 0 without any.
func quantile(of []time.Duration, q float64) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Round(10 * time.Microsecond)
}

func (o *outcome) rate() float64 { return float64(len(o.accepted)) / o.took.Seconds() }

func (o *outcome) String() string {
	return fmt.Sprintf("%d sent (%d more skipped), %d accepted (%.0f/s; p50 %s, p99 %s; from the sending p50 %s, p99 %s), %d refused (p50 %s, p99 %s; %d without Retry-After), %d other; generator late p99 %s",
		o.sent, o.skipped, len(o.accepted), o.rate(), quantile(o.accepted, 0.5), quantile(o.accepted, 0.99), quantile(o.served, 0.5), quantile(o.served, 0.99),
		len(o.refused), quantile(o.refused, 0.5), quantile(o.refused, 0.99), o.unadvised, o.other, quantile(o.late, 0.99))
}

// maxLate is when a request is no longer worth sending: the generator, which
// shares the machine, has reached its own limit.
const maxLate = 500 * time.Millisecond

// wires bounds the connections, and so the requests under way, of the open
// loop. When all of them wait for an answer, the next request is sent late, and
// its latency counts from when it was due.
const wires = 400

// open sends requests at a steady rate, whatever becomes of the earlier ones.
func open(ctx context.Context, g *target, perSecond float64, duration time.Duration, make func(i int) wire.Request) *outcome {
	o := &outcome{}
	count := int64(perSecond * duration.Seconds())
	var next, skipped atomic.Int64
	begun := time.Now()
	o.run(ctx, g, min(wires, int(count)), func(_ int, w *wire.Conn) func() bool {
		return func() bool {
			i := next.Add(1) - 1
			if i >= count {
				return false
			}
			due := begun.Add(time.Duration(float64(i) / perSecond * float64(time.Second)))
			encoded := g.encode(make(int(i)))
			if wait := time.Until(due); wait > 0 {
				time.Sleep(wait)
			} else if wait < -maxLate {
				skipped.Add(1)
				return true
			}
			sent := time.Now()
			o.add(due, sent, w.Send(ctx, encoded))
			return true
		}
	})
	o.skipped = int(skipped.Load())
	return o
}

const refusedPause = 20 * time.Millisecond

// closed lets clients send one request after the other.
func closed(ctx context.Context, g *target, clients int, duration time.Duration, make func(client, i int) wire.Request) *outcome {
	o := &outcome{}
	begun := time.Now()
	o.run(ctx, g, clients, func(client int, w *wire.Conn) func() bool {
		i := 0
		return func() bool {
			if time.Since(begun) >= duration {
				return false
			}
			encoded := g.encode(make(client, i))
			i++
			sent := time.Now()
			a := w.Send(ctx, encoded)
			o.add(sent, sent, a)
			if a.RetryAfter > 0 { // far less than it was told, so as to find the limit
				time.Sleep(refusedPause)
			}
			return true
		}
	})
	return o
}

// run lets so many connections work until each has nothing more to do.
func (o *outcome) run(ctx context.Context, g *target, connections int, worker func(i int, w *wire.Conn) (step func() bool)) {
	var group sync.WaitGroup
	begun := time.Now()
	for i := range connections {
		group.Go(func() {
			w := wire.New(g.address)
			defer w.Close()
			for step := worker(i, w); ctx.Err() == nil && step(); {
			}
		})
	}
	group.Wait()
	o.took = time.Since(begun)
	o.sent = len(o.late)
}
