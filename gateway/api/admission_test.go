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
	limits.Reads, limits.Writes = AtOnce{Most: 3, First: 3}, AtOnce{Most: 2, First: 2}
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

// slow takes its time over each write. Those on one instrument come one after
// the other, and step aside meanwhile.
type slow struct {
	stuck
	takes time.Duration
	lock  chan struct{}
}

func (s *slow) Submit(ctx context.Context, _ Principal, _ string, call Call) (Receipt, error) {
	if strings.Contains(string(call.Request), "hot") {
		back := StepAside(ctx)
		s.lock <- struct{}{}
		back()
		defer func() { <-s.lock }()
	}
	time.Sleep(s.takes)
	return Receipt{Committed: true}, nil
}

// TestWaitingForOthersIsNotLoad: writes that wait for one another, since they
// change the same, take no places of the rest.
func TestWaitingForOthersIsNotLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits()
		limits.Load, limits.Writes = &Load{}, AtOnce{Most: 64, First: 4}
		s := &slow{takes: 10 * time.Millisecond, lock: make(chan struct{}, 1)}
		e := NewEcho(slog.New(slog.DiscardHandler), limits, NewTokens(map[string]Principal{"t": {Label: "merchant"}}))
		New(Config{Writer: s, Register: s, Clock: time.Now, Ready: func() error { return nil }}).Mount(e)
		write := func(instrument string) int {
			request := httptest.NewRequest(http.MethodPost, "/v1/instruments/"+instrument+"/commissioning", nil)
			request.Header.Set("Authorization", "Bearer t")
			answer := httptest.NewRecorder()
			e.ServeHTTP(answer, request)
			return answer.Code
		}
		codes := make(chan int, 64)
		for range 40 {
			go func() { codes <- write("hot") }()
			synctest.Wait()
		}
		for range 20 {
			require.Equal(t, http.StatusCreated, write("cold"))
		}
		for range 40 {
			require.Equal(t, http.StatusCreated, <-codes)
		}
		for range 63 { // of 64 under way one is at work
			go func() { codes <- write("hot") }()
			synctest.Wait()
		}
		go func() { codes <- write("cold") }()
		synctest.Wait()
		require.Equal(t, http.StatusServiceUnavailable, write("cold"), "those who wait are bounded too")
		for range 64 {
			require.Equal(t, http.StatusCreated, <-codes)
		}
	})
}
