package api

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// machine answers a lone request in alone, and no more than perSecond of them.
type machine struct {
	alone     time.Duration
	perSecond float64
	gate      *gate

	mutex             sync.Mutex
	accepted, refused []time.Duration // from the arrival
}

func (m *machine) serve() (accepted bool) {
	arrived := time.Now()
	s := m.gate.enter(context.Background())
	if s != nil {
		m.gate.mutex.Lock()
		crowd := m.gate.atWork
		m.gate.mutex.Unlock()
		time.Sleep(max(m.alone, time.Duration(float64(crowd)/m.perSecond*float64(time.Second))))
		s.leave(true)
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if s != nil {
		m.accepted = append(m.accepted, time.Since(arrived))
	} else {
		m.refused = append(m.refused, time.Since(arrived))
	}
	return s != nil
}

// arrive has requests come at a rate, whatever becomes of the earlier ones.
func (m *machine) arrive(perSecond float64, during time.Duration) {
	m.accepted, m.refused = nil, nil
	var all sync.WaitGroup
	for begun := time.Now(); time.Since(begun) < during; time.Sleep(time.Duration(float64(time.Second) / perSecond)) {
		all.Go(func() { m.serve() })
	}
	all.Wait()
}

// burst has so many come at once.
func (m *machine) burst(count int) {
	m.accepted, m.refused = nil, nil
	var all sync.WaitGroup
	for range count {
		all.Go(func() { m.serve() })
	}
	all.Wait()
}

// patient has so many clients ask again after each answer, and after a refusal
// when they are told to.
func (m *machine) patient(clients int, during time.Duration) {
	m.accepted, m.refused = nil, nil
	var all sync.WaitGroup
	for begun := time.Now(); clients > 0; clients-- {
		random := rand.New(rand.NewPCG(1, uint64(clients)))
		all.Go(func() {
			for time.Since(begun) < during {
				if !m.serve() {
					time.Sleep(time.Duration(1+random.IntN(3)) * time.Second)
				}
			}
		})
	}
	all.Wait()
}

func (m *machine) p99() time.Duration {
	slices.Sort(m.accepted)
	return m.accepted[len(m.accepted)*99/100]
}

// TestGate: what comes of a load on machines that answer alone in 10 ms.
func TestGate(t *testing.T) {
	const ms = time.Millisecond
	calm := func(m *machine) { m.arrive(20, 5*time.Second) }
	for name, c := range map[string]struct {
		perSecond float64 // that the machine can answer
		load      func(m *machine)
		answered  float64       // of what it can, or of all that came if that is less
		p99       time.Duration // that it stays below
		limit     float64
	}{
		"Calm":          {1000, calm, 1, 10 * ms, 16},
		"AsMuchAsItCan": {1000, func(m *machine) { calm(m); m.arrive(900, 10*time.Second) }, 1, 20 * ms, 16},
		"TenTimes":      {1000, func(m *machine) { calm(m); m.arrive(10_000, 10*time.Second) }, 0.95, 28 * ms, 25},
		"TenTimesSlow":  {400, func(m *machine) { calm(m); m.arrive(4000, 10*time.Second) }, 0.95, 40 * ms, 10},
		"TooSlow":       {100, func(m *machine) { calm(m); m.arrive(1000, 10*time.Second) }, 0.9, 200 * ms, least},
		"Burst":         {500, func(m *machine) { calm(m); m.burst(40) }, 1, 120 * ms, 16},
		"BurstAfterOverload": {500, func(m *machine) {
			calm(m)
			m.arrive(5000, 5*time.Second)
			time.Sleep(restless)
			m.burst(30)
		}, 1, 80 * ms, 14},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &machine{alone: 10 * ms, perSecond: c.perSecond, gate: newGate(AtOnce{Most: 256, First: 16, InLine: 24}, ms)}
				c.load(m)
				came := len(m.accepted) + len(m.refused)
				can := min(float64(came), 10*c.perSecond)
				require.GreaterOrEqual(t, float64(len(m.accepted)), c.answered*can)
				require.LessOrEqual(t, m.p99(), c.p99)
				slices.Sort(m.refused)
				if len(m.refused) > 0 { // and those at once, but for the first
					require.Zero(t, m.refused[len(m.refused)*99/100])
				}
				_, _, limit := m.gate.load()
				require.InEpsilon(t, c.limit, limit, 0.25)
				underWay, _, _ := m.gate.load()
				require.Zero(t, underWay)
			})
		})
	}
}

// TestGateCrowd: patient clients, however many up to the bound, all find a place
// in the end; a flood that comes then finds few again.
func TestGateCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{alone: 10 * time.Millisecond, perSecond: 500, gate: newGate(AtOnce{Most: 256, First: 16, InLine: 24}, time.Millisecond)}
		m.arrive(20, 5*time.Second)
		m.patient(200, 30*time.Second)
		m.patient(200, 10*time.Second)
		require.Zero(t, len(m.refused))
		require.GreaterOrEqual(t, len(m.accepted), 4900)
		m.arrive(5000, 2*time.Second)
		m.arrive(5000, 5*time.Second)
		require.LessOrEqual(t, m.p99(), 30*time.Millisecond)
		require.GreaterOrEqual(t, len(m.accepted), 2400)
	})
}

// TestGateLine: a burst waits, in the order in which it came; the first that
// finds no room is refused, and then nobody waits until there is peace.
func TestGateLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(AtOnce{Most: 8, First: 2, InLine: 3}, time.Hour)
		seats := make(chan *seat, 8)
		enter := func(ctx context.Context) {
			go func() { seats <- g.enter(ctx) }()
			synctest.Wait()
		}
		gone, hangUp := context.WithCancel(t.Context())
		for range 2 {
			enter(t.Context())
		}
		a, b := <-seats, <-seats
		enter(t.Context())
		enter(gone)
		enter(t.Context())
		require.Empty(t, seats, "three wait")
		a.leave(false)
		c := <-seats
		require.NotNil(t, c)
		hangUp()
		require.Nil(t, <-seats, "who hangs up is in line no more")
		enter(t.Context())
		enter(t.Context())
		require.Empty(t, seats, "three wait again")
		enter(t.Context())
		require.Nil(t, <-seats, "the fourth is refused")
		for _, s := range []*seat{b, c} {
			s.leave(false)
			require.NotNil(t, <-seats)
		}
		enter(t.Context())
		require.Nil(t, <-seats, "no line after a refusal")
		time.Sleep(longestWait)
		require.Nil(t, <-seats, "nobody waits for long")
		time.Sleep(restless)
		enter(t.Context())
		require.Empty(t, seats, "in line again")
		time.Sleep(longestWait)
		require.Nil(t, <-seats)
	})
}

// TestGateBounds: whatever comes and goes, no more are at work than the limit
// and those back from aside, no more are there than the bound, and no place is
// free while somebody waits for one.
func TestGateBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bounds := AtOnce{Most: rapid.IntRange(1, 12).Draw(t, "most"), InLine: rapid.IntRange(0, 4).Draw(t, "line")}
		bounds.First = rapid.IntRange(1, bounds.Most).Draw(t, "first")
		g := newGate(bounds, time.Hour)
		var working, waiting []*seat
		var backs []func()
		var returned []*seat
		take := func(from *[]*seat) *seat {
			i := rapid.IntRange(0, len(*from)-1).Draw(t, "which")
			s := (*from)[i]
			*from = slices.Delete(*from, i, i+1)
			return s
		}
		var aside []*seat
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch step := rapid.IntRange(0, 3).Draw(t, "step"); {
			case step == 0:
				if s, granted := g.ask(); granted {
					working = append(working, s)
				} else if s != nil {
					waiting = append(waiting, s)
				}
			case step == 1 && len(working) > 0:
				take(&working).leave(rapid.Bool().Draw(t, "answered"))
			case step == 2 && len(working) > 0:
				s := take(&working)
				aside, backs = append(aside, s), append(backs, s.stepAside())
			case step == 3 && len(backs) > 0:
				backs[0]()
				working, returned = append(working, aside[0]), append(returned, aside[0])
				aside, backs = aside[1:], backs[1:]
			}
			waiting = slices.DeleteFunc(waiting, func(s *seat) bool {
				select {
				case <-s.granted:
					working = append(working, s)
					return true
				default:
					return false
				}
			})
			underWay, _, limit := g.load()
			require.Equal(t, int64(len(working)+len(aside)+len(waiting)), underWay)
			require.LessOrEqual(t, len(working)+len(aside)+len(waiting), bounds.Most)
			returned = slices.DeleteFunc(returned, func(s *seat) bool { return !slices.Contains(working, s) })
			require.LessOrEqual(t, len(working), int(limit)+len(returned))
			require.LessOrEqual(t, len(waiting), bounds.InLine)
			require.True(t, len(waiting) == 0 || len(working) >= int(limit), "a place is free")
		}
	})
}
