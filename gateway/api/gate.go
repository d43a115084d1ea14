package api

import (
	"context"
	"slices"
	"sync"
	"time"
)

// gate bounds the requests of one class that are at work at once. What more of
// them would only add is waiting: by Little's law the time that a request takes
// is their number over the rate at which they are answered, and that rate has
// a limit. So there are three rules.
//
// As many work as can without making each other late. How many that is on a
// machine nobody knows beforehand, so the gate finds out: it compares how long
// requests take, when all places are taken, with how long they take when they
// are (almost) alone. When that is too much longer it lets fewer in, as many
// fewer, since the time grows with their number; when it is not, one more after
// the other. But while few are refused for each that is answered, the load is a
// crowd that could all find a place, of clients that wait for their answers:
// then it lets more in whatever that takes, for many writes share a block and
// are cheap together.
//
// Some more may wait in line, for a moment: a burst is answered, only a little
// late.
//
// Once one has been refused nobody waits any more, until a second has gone by
// without a refusal. For then the load is no burst, and a line that never
// empties makes everybody late and helps nobody.
//
// A request that waits for others to change the same thing gives its place to
// the next meanwhile: it is no load.
type gate struct {
	bounds AtOnce
	enough time.Duration // latencies up to this are never too long

	mutex     sync.Mutex
	limit     float64 // at work at once now; from least to most
	atWork    int
	aside     int     // waiting for others that change the same
	line      []*seat // waiting for a place
	refused   uint64
	refusedAt time.Time
	turned    int           // refused since the last answer
	pressure  float64       // mean of these
	stale     int           // requests at work when the limit was last cut
	calm      time.Duration // mean latency of requests that met no others
	recent    time.Duration // mean latency when all places are taken
}

const (
	least     = 8   // at work at once, however slow they are: two browsers
	calmCrowd = 2   // requests at once that still count as alone
	patience  = 2.5 // times the calm latency is not too long
	smoothing = 16  // requests that a mean remembers
	shrink    = 0.5 // of the limit, at most, at once
	crowd     = 0.5 // refused for one answered that are still few
	settling  = 256 // answers that the mean of these remembers
	widen     = 0.1 // of a place, for each answer to a crowd

	longestWait = 100 * time.Millisecond // in line
	restless    = time.Second            // after a refusal
)

// seat is a place at the gate.
type seat struct {
	gate    *gate
	alone   bool          // no others were there when it was taken
	granted chan struct{} // closed when it is; nil if at once
	since   time.Time     // when it was
	away    time.Duration // of the time since then
}

func newGate(bounds AtOnce, enough time.Duration) *gate {
	return &gate{bounds: bounds, limit: float64(min(bounds.First, bounds.Most)), enough: enough}
}

// enter takes a place, at once or after a short wait; none means refused.
func (g *gate) enter(ctx context.Context) *seat {
	p, granted := g.ask()
	if granted || p == nil {
		return p
	}
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	late := false
	select {
	case <-p.granted:
		return p
	case <-ctx.Done(): // there is nobody to answer
	case <-timer.C:
		late = true
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	i := slices.Index(g.line, p)
	if i < 0 {
		return p // it was granted meanwhile
	}
	g.line = slices.Delete(g.line, i, i+1)
	if late {
		g.refuse()
	}
	return nil
}

// ask grants a place, or gives one that is in line, or none.
func (g *gate) ask() (p *seat, granted bool) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	full := g.atWork+g.aside+len(g.line) >= g.bounds.Most
	switch {
	case !full && g.atWork < int(g.limit): // then the line is empty
		p = &seat{gate: g}
		g.grant(p)
		return p, true
	case full, len(g.line) >= g.bounds.InLine, time.Since(g.refusedAt) < restless:
		g.refuse()
		return nil, false
	}
	p = &seat{gate: g, granted: make(chan struct{})}
	g.line = append(g.line, p)
	return p, false
}

func (g *gate) refuse() {
	g.refused++
	g.turned++
	g.refusedAt = time.Now()
}

func (g *gate) grant(p *seat) {
	g.atWork++
	p.since, p.alone = time.Now(), g.atWork <= calmCrowd
	if p.granted != nil {
		close(p.granted)
	}
}

// next grants free places to those in line.
func (g *gate) next() {
	for len(g.line) > 0 && g.atWork < int(g.limit) {
		g.grant(g.line[0])
		g.line = slices.Delete(g.line, 0, 1)
	}
}

// stepAside gives the place to others until the request is back; it then has a
// place again without waiting.
func (p *seat) stepAside() (back func()) {
	g, since := p.gate, time.Now()
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.atWork--
	g.aside++
	g.next()
	return func() {
		g.mutex.Lock()
		defer g.mutex.Unlock()
		g.aside--
		g.atWork++
		p.away += time.Since(since)
	}
}

// leave gives the place back. A request that was not answered as it should
// teaches nothing.
func (p *seat) leave(answered bool) {
	g := p.gate
	g.mutex.Lock()
	defer g.mutex.Unlock()
	full := g.atWork >= int(g.limit)
	alone := p.alone && g.atWork <= calmCrowd // nor did others come meanwhile
	g.atWork--
	if answered {
		g.learn(time.Since(p.since)-p.away, alone, full)
	}
	g.next()
}

// learn adjusts the limit to how long a request took.
func (g *gate) learn(took time.Duration, alone, full bool) {
	if alone {
		g.calm = mean(g.calm, took)
	}
	g.pressure += (float64(g.turned) - g.pressure) / settling
	g.turned = 0
	if g.stale > 0 { // it came in under a limit that was too wide
		g.stale--
		return
	}
	if full {
		g.recent = mean(g.recent, took)
	}
	switch allowed := max(time.Duration(patience*float64(g.calm)), g.enough); {
	case g.pressure < crowd && (full || time.Since(g.refusedAt) < restless):
		g.limit = min(g.limit+widen, float64(g.bounds.Most))
	case !full:
	case g.recent > allowed:
		g.limit = max(g.limit*max(float64(allowed)/float64(g.recent), shrink), float64(min(least, g.bounds.Most)))
		g.stale, g.recent = g.atWork, 0
	default:
		g.limit = min(g.limit+1/g.limit, float64(g.bounds.Most))
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
	return int64(g.atWork + g.aside + len(g.line)), g.refused, g.limit
}
