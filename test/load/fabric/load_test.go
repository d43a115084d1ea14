package fabric

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
)

// result is what one phase of writing came to.
type result struct {
	span      time.Duration
	latencies []time.Duration // of what was confirmed, sorted
	failures  int
	failure   error // the first
}

// load lets clients write, each one thing after the other, until the span is
// over, and waits for what is under way.
func load(clients int, span time.Duration, first int, write func(context.Context, int) error) result {
	var (
		mutex   sync.Mutex
		r       result
		next    atomic.Int64
		running sync.WaitGroup
	)
	next.Store(int64(first))
	start := time.Now()
	for range clients {
		running.Go(func() {
			for time.Since(start) < span {
				began := time.Now()
				err := write(context.Background(), int(next.Add(1)))
				mutex.Lock()
				if err == nil {
					r.latencies = append(r.latencies, time.Since(began))
				} else {
					r.failures++
					r.failure = cmp.Or(r.failure, err)
				}
				mutex.Unlock()
			}
		})
	}
	running.Wait()
	r.span = time.Since(start)
	slices.Sort(r.latencies)
	return r
}

func (r result) rate() float64 { return float64(len(r.latencies)) / r.span.Seconds() }

func (r result) at(share float64) time.Duration {
	return r.latencies[int(share*float64(len(r.latencies)-1))]
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// ticksPerSecond is Linux's unit of processor time in /proc.
const ticksPerSecond = 100

// usage is the processor time that groups of programs had used, by group.
type usage struct {
	pids map[string][]int
	used map[string]time.Duration
}

// programsOf notes the processor time of everything that takes part in a
// write. Unlike rates it is hardly changed by what else the machine does.
func programsOf(b *testing.B, n *onehost.Network, gateway int) usage {
	b.Helper()
	u := usage{pids: map[string][]int{"gateway": {gateway}, "this": {os.Getpid()}}}
	programs, err := n.Programs()
	require.NoError(b, err)
	for _, program := range programs {
		pid, err := program.PID()
		require.NoError(b, err)
		group := "contract"
		if kind, _, found := strings.Cut(program.Name, "0."); found {
			group = kind
		}
		u.pids[group] = append(u.pids[group], pid)
	}
	u.used = u.read(b)
	return u
}

func (u usage) read(b *testing.B) map[string]time.Duration {
	b.Helper()
	used := map[string]time.Duration{}
	for group, pids := range u.pids {
		for _, pid := range pids {
			data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
			if os.IsNotExist(err) {
				continue // not on Linux, or it has ended
			}
			require.NoError(b, err)
			// Fields 14 and 15 are user and system time; the second field, in
			// parentheses, may hold blanks.
			fields := strings.Fields(string(data)[strings.LastIndexByte(string(data), ')')+1:])
			for _, field := range fields[11:13] {
				ticks, err := strconv.ParseInt(field, 10, 64)
				require.NoError(b, err)
				used[group] += time.Duration(ticks) * time.Second / ticksPerSecond
			}
		}
	}
	return used
}

// since tells how much processor time each group has used per write.
func (u usage) since(b *testing.B, writes int) string {
	b.Helper()
	now := u.read(b)
	var parts []string
	var total time.Duration
	for _, group := range slices.Sorted(maps.Keys(now)) {
		used := now[group] - u.used[group]
		total += used
		parts = append(parts, fmt.Sprintf("%s %.1f", group, float64(used.Microseconds())/1000/float64(writes)))
	}
	return fmt.Sprintf("processor ms per write %.1f (%s)", float64(total.Microseconds())/1000/float64(writes), strings.Join(parts, ", "))
}
