package api

import (
	"sync"
	"time"
)

// gate bounds the requests of one class. How many at once a machine can bear
// before all of them become late nobody knows beforehand, so the gate finds out:
// it compares how long requests take with how long they take when they are
// (almost) alone. When that is more than twice as long it lets fewer in, as
// many fewer, since the time grows with their number; when it is not, one more
// after the other. It does so while there are more than it lets in: as long as
// all find a place, refusing some would only cost the shared blocks that make
// many writes cheap.
type gate struct {
	most   float64       // never more at once
	enough time.Duration // latencies up to this are never too long

	mutex    sync.Mutex
	limit    float64 // at once now; between least and most
	underWay int
	refused  uint64
	excess   int           // requests yet to be answered under the rule for too many
	stale    int           // requests under way when the limit was last cut
	calm     time.Duration // mean latency of requests that met no others
	recent   time.Duration // mean latency of all
}

const (
	least     = 16   // at once, however slow they are: two browsers, or a few desks
	calmCrowd = 2    // requests at once that still count as alone
	patience  = 2    // times the calm latency
	smoothing = 16   // requests that a mean remembers
	shrink    = 0.5  // of the limit, at most, at once
	memory    = 1024 // requests answered after a refusal for which there are too many
	widen     = 0.1  // of a place, for each request when there are not
)

func newGate(most int, enough time.Duration) *gate {
	return &gate{most: float64(most), limit: float64(most), enough: enough}
}

// enter takes a place; alone tells leave whether the request met others.
func (g *gate) enter() (alone, ok bool) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.underWay >= int(g.limit) {
		g.refused++
		g.excess = memory
		return false, false
	}
	g.underWay++
	return g.underWay <= calmCrowd, true
}

// leave gives the place back after a request that took so long. One that was
// not answered as it should (took 0) teaches nothing.
func (g *gate) leave(alone bool, took time.Duration) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	full := g.underWay >= int(g.limit)
	alone = alone && g.underWay <= calmCrowd // nor did others come meanwhile
	g.underWay--
	g.excess = max(g.excess-1, 0)
	if took == 0 {
		return
	}
	if alone {
		g.calm = mean(g.calm, took)
	}
	if g.stale > 0 { // it came in under a limit that was too wide
		g.stale--
		return
	}
	g.recent = mean(g.recent, took)
	allowed := max(patience*g.calm, g.enough)
	switch {
	case g.excess == 0:
		g.limit = min(g.limit+widen, g.most)
	case g.recent > allowed:
		g.limit = max(g.limit*max(float64(allowed)/float64(g.recent), shrink), min(least, g.most))
		g.stale, g.recent = g.underWay, 0
	case full:
		g.limit = min(g.limit+1/g.limit, g.most)
	}
}

// mean moves a mean towards a new value; the first one is the mean.
func mean(of, with time.Duration) time.Duration {
	if of == 0 {
		return with
	}
	return of + (with-of)/smoothing
}

// load tells how it stands with the gate.
func (g *gate) load() (underWay int64, refused uint64, limit float64) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return int64(g.underWay), g.refused, g.limit
}
