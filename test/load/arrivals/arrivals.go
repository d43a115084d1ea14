// Package arrivals makes load: open loop, where work arrives on schedule
// whether or not the earlier work is done, and closed loop, where each client
// waits for its answer before it asks again.
package arrivals

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Work is one request, the number-th of its run. What it returns is counted:
// empty for success, otherwise a word such as a status code.
type Work func(ctx context.Context, number int) (failure string)

// Report is what came of a run.
type Report struct {
	Elapsed  time.Duration // from the first arrival to the last answer
	Failures map[string]int

	latencies []time.Duration // of the successes, sorted
}

// Done is how many succeeded.
func (r Report) Done() int { return len(r.latencies) }

// Rate is successes a second.
func (r Report) Rate() float64 { return float64(r.Done()) / r.Elapsed.Seconds() }

// Quantile is the latency that a share q of the successes did not exceed; with
// open arrivals it counts from the scheduled time, so that waiting in a queue
// shows.
func (r Report) Quantile(q float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	return r.latencies[min(int(q*float64(len(r.latencies))), len(r.latencies)-1)]
}

// recorder collects outcomes from many goroutines.
type recorder struct {
	mutex    sync.Mutex
	report   Report
	finished time.Time
}

func (r *recorder) add(since time.Time, failure string) {
	now := time.Now()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if now.After(r.finished) {
		r.finished = now
	}
	if failure != "" {
		r.report.Failures[failure]++
		return
	}
	r.report.latencies = append(r.report.latencies, now.Sub(since))
}

func (r *recorder) close(start time.Time) Report {
	r.report.Elapsed = r.finished.Sub(start)
	slices.Sort(r.report.latencies)
	return r.report
}

func newRecorder() *recorder { return &recorder{report: Report{Failures: map[string]int{}}} }

// Open starts count pieces of work, rate of them a second, and waits for all.
func Open(ctx context.Context, rate float64, count int, work Work) Report {
	r := newRecorder()
	var all sync.WaitGroup
	start := time.Now()
	for i := range count {
		due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() { r.add(due, work(ctx, i)) })
	}
	all.Wait()
	return r.close(start)
}

// Closed lets clients do count pieces of work among them.
func Closed(ctx context.Context, clients, count int, work Work) Report {
	r := newRecorder()
	var next atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				began := time.Now()
				r.add(began, work(ctx, i))
			}
		})
	}
	all.Wait()
	return r.close(start)
}
