package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// stuck is a ledger and a register that answer when they are told to.
type stuck struct {
	Register
	Writer
	entered chan struct{}
	leave   chan struct{}
	most    atomic.Int64
	inside  atomic.Int64
}

func (s *stuck) hold() {
	for now := s.inside.Add(1); ; {
		most := s.most.Load()
		if now <= most || s.most.CompareAndSwap(most, now) {
			break
		}
	}
	s.entered <- struct{}{}
	<-s.leave
	s.inside.Add(-1)
}

func (s *stuck) Submit(context.Context, Principal, string, Call) (Receipt, error) {
	s.hold()
	return Receipt{Committed: true}, nil
}

func (s *stuck) Status(context.Context) (public.Status, error) {
	s.hold()
	return public.Status{}, nil
}

// TestAdmission: as many requests of a class are under way as its bound says.
// One more is refused at once, with a time to come back, while other classes
// and those who watch the gateway are served; and a place that is left is free.
func TestAdmission(t *testing.T) {
	limits := DefaultLimits()
	limits.ReadsAtOnce, limits.WritesAtOnce = 3, 2
	for _, c := range []struct {
		class, method, path, body string
		bound, answered           int
		other                     int // what a reader is answered meanwhile
	}{
		{"read", http.MethodGet, "/v1/status", "", 3, http.StatusOK, http.StatusServiceUnavailable},
		{"write", http.MethodPost, "/v1/instruments/i1/commissioning", "", 2, http.StatusCreated, http.StatusOK},
	} {
		t.Run(c.class, func(t *testing.T) {
			limits.Load = &Load{}
			s := &stuck{entered: make(chan struct{}), leave: make(chan struct{})}
			e := NewEcho(slog.New(slog.DiscardHandler), limits, NewTokens(map[string]Principal{"t": {Label: "merchant"}}))
			New(Config{Writer: s, Register: s, Clock: time.Now, Ready: func() error { return nil }}).Mount(e)
			ask := func(method, path string) *httptest.ResponseRecorder {
				request := httptest.NewRequest(method, path, strings.NewReader(c.body))
				request.Header.Set("Authorization", "Bearer t")
				answer := httptest.NewRecorder()
				e.ServeHTTP(answer, request)
				return answer
			}
			var group sync.WaitGroup
			for range c.bound {
				group.Go(func() {
					if answer := ask(c.method, c.path); answer.Code != c.answered {
						t.Errorf("%d: %s", answer.Code, answer.Body)
					}
				})
				<-s.entered
			}
			for range 1000 {
				refused := ask(c.method, c.path)
				requireProblem(t, refused, "overloaded", "")
				wait, err := strconv.Atoi(refused.Header().Get("Retry-After"))
				require.NoError(t, err)
				require.GreaterOrEqual(t, wait, 1)
			}
			require.Equal(t, http.StatusOK, ask(http.MethodGet, "/healthz").Code)
			require.Equal(t, c.other, ask(http.MethodGet, "/v1/identity").Code)
			close(s.leave)
			group.Wait()
			require.Equal(t, int64(c.bound), s.most.Load())
			group.Go(func() { <-s.entered })
			require.Equal(t, c.answered, ask(c.method, c.path).Code)
			group.Wait()
			limits.Load.Each(func(class string, underWay int64, refused uint64, _ float64) {
				require.Zero(t, underWay, class)
				if class == c.class {
					require.GreaterOrEqual(t, refused, uint64(1000))
				}
			})
		})
	}
}

// TestGate: on a machine that answers alone in 10 ms and no more than 200 a
// second, the gate lets in what keeps latency near twice that, not the bound;
// when the machine gets faster, more; and never fewer than the least.
func TestGate(t *testing.T) {
	g := newGate(64, time.Millisecond)
	alone, ok := g.enter()
	require.True(t, ok)
	g.leave(alone, 10*time.Millisecond)
	flood := func(perSecond float64) {
		var places []bool
		for range 20_000 {
			for {
				alone, ok := g.enter()
				if !ok {
					break
				}
				places = append(places, alone)
			}
			took := max(10*time.Millisecond, time.Duration(float64(len(places))/perSecond*float64(time.Second)))
			g.leave(places[0], took)
			places = places[1:]
		}
		for _, alone := range places {
			g.leave(alone, 0)
		}
	}
	flood(1000)
	_, refused, limit := g.load()
	require.NotZero(t, refused)
	require.InDelta(t, 20, limit, 3, "20 at once take 20 ms")
	flood(2000)
	_, _, limit = g.load()
	require.InDelta(t, 40, limit, 5)
	flood(10)
	_, _, limit = g.load()
	require.InDelta(t, least, limit, 1)
	underWay, _, _ := g.load()
	require.Zero(t, underWay)
	for range 2000 { // all find a place: after a while the gate is as wide as ever
		alone, ok := g.enter()
		require.True(t, ok)
		g.leave(alone, time.Second)
	}
	_, _, limit = g.load()
	require.InDelta(t, 64, limit, 1)
	flood(10_000)
	_, _, limit = g.load()
	require.InDelta(t, 64, limit, 1)
}

// slow takes its time over each write, of which some is spent in line.
type slow struct {
	stuck
	takes, inLine time.Duration
}

func (s *slow) Submit(ctx context.Context, _ Principal, _ string, _ Call) (Receipt, error) {
	time.Sleep(s.takes)
	InLine(ctx, s.inLine)
	return Receipt{Committed: true}, nil
}

// TestWaitingInLineIsNotLoad: writes that wait for one another, since they
// change the same, do not close the gate to the rest; slow ones do.
func TestWaitingInLineIsNotLoad(t *testing.T) {
	for name, c := range map[string]struct {
		inLine time.Duration
		closes bool
	}{"InLine": {990 * time.Millisecond, false}, "Slow": {0, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limits := DefaultLimits()
				limits.Load, limits.WritesAtOnce = &Load{}, 64
				s := &slow{takes: 10 * time.Millisecond}
				e := NewEcho(slog.New(slog.DiscardHandler), limits, NewTokens(map[string]Principal{"t": {Label: "merchant"}}))
				New(Config{Writer: s, Register: s, Clock: time.Now, Ready: func() error { return nil }}).Mount(e)
				write := func() int {
					request := httptest.NewRequest(http.MethodPost, "/v1/instruments/i1/commissioning", nil)
					request.Header.Set("Authorization", "Bearer t")
					answer := httptest.NewRecorder()
					e.ServeHTTP(answer, request)
					return answer.Code
				}
				require.Equal(t, http.StatusCreated, write()) // what a lone write takes
				s.takes, s.inLine = time.Second, c.inLine
				var group sync.WaitGroup
				for range 100 {
					group.Go(func() { write() })
				}
				group.Wait()
				limits.Load.Each(func(class string, _ int64, _ uint64, limit float64) {
					if class == "write" {
						require.Equal(t, c.closes, limit < float64(limits.WritesAtOnce), "limit %v", limit)
					}
				})
			})
		})
	}
}
