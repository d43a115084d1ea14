package fabric

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTurnsOneHolder(t *testing.T) {
	line := newTurns()
	names := []string{"a", "b", "c"}
	inside := map[string]int{}
	var mutex sync.Mutex
	change := func(names []string, by int) {
		mutex.Lock()
		defer mutex.Unlock()
		for _, name := range names {
			if inside[name] += by; inside[name] > 1 {
				t.Errorf("%s has two holders", name)
			}
		}
	}
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			mine := []string{names[rand.N(3)], names[rand.N(3)]} // sometimes one twice
			release, _, err := line.take(t.Context(), nil, mine...)
			if err != nil {
				t.Error(err)
				return
			}
			if mine[0] == mine[1] {
				mine = mine[:1]
			}
			change(mine, 1)
			change(mine, -1)
			release()
		})
	}
	group.Wait()
	require.Empty(t, line.lanes, "nothing is kept of names that nobody wants")
}

func TestTurnsWaiting(t *testing.T) {
	line := newTurns()
	release, waited, err := line.take(t.Context(), nil, "a", "b")
	require.NoError(t, err)
	require.False(t, waited)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = line.take(ctx, nil, "c", "b")
	require.ErrorIs(t, err, context.Canceled)
	free, waited, err := line.take(t.Context(), nil, "c")
	require.NoError(t, err, "who gave up holds nothing")
	require.False(t, waited)
	free()

	done := make(chan bool)
	var wentAside, cameBack atomic.Bool
	aside := func() func() {
		wentAside.Store(true)
		return func() { cameBack.Store(true) }
	}
	go func() {
		release, waited, err := line.take(context.Background(), aside, "b")
		if err == nil {
			release()
		}
		done <- waited
	}()
	require.Eventually(t, func() bool { return line.users("b") == 2 && wentAside.Load() }, 10*time.Second, time.Millisecond)
	require.False(t, cameBack.Load())
	release()
	require.True(t, <-done)
	require.True(t, cameBack.Load())
	wentAside.Store(false)
	release, waited, err = line.take(t.Context(), aside, "b")
	require.NoError(t, err)
	require.False(t, waited)
	require.False(t, wentAside.Load(), "who need not wait does not step aside")
	release()
	require.Empty(t, line.lanes)
}

func (t *turns) users(name string) int {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.lanes[name].users
}
