package fabric

import (
	"context"
	"slices"
	"sync"
)

// turns lets one holder at a time have a name; the others wait in line.
type turns struct {
	mutex sync.Mutex
	lanes map[string]*lane
}

// lane is the line for one name. Whoever's token is in the channel has the
// name; Go serves blocked senders in the order in which they came.
type lane struct {
	token chan struct{}
	users int // holding or waiting
}

func newTurns() *turns { return &turns{lanes: map[string]*lane{}} }

// take waits until all names are the caller's, which must take no more before
// it releases them. waited tells whether somebody else had one of them; aside,
// unless nil, is called before it waits, and what that returns afterwards. Names
// are taken in order, so that no two callers can wait for each other.
func (t *turns) take(ctx context.Context, aside func() (back func()), names ...string) (release func(), waited bool, err error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	held := make([]string, 0, len(names))
	release = func() {
		for _, name := range held {
			t.leave(name, true)
		}
	}
	for _, name := range names {
		token := t.enter(name)
		select {
		case token <- struct{}{}:
			held = append(held, name)
			continue
		default:
			if !waited && aside != nil {
				defer aside()()
			}
			waited = true
		}
		select {
		case token <- struct{}{}:
			held = append(held, name)
		case <-ctx.Done():
			t.leave(name, false)
			release()
			return nil, true, ctx.Err()
		}
	}
	return release, waited, nil
}

func (t *turns) enter(name string) chan struct{} {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	l, ok := t.lanes[name]
	if !ok {
		l = &lane{token: make(chan struct{}, 1)}
		t.lanes[name] = l
	}
	l.users++
	return l.token
}

func (t *turns) leave(name string, held bool) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	l := t.lanes[name]
	if held {
		<-l.token // its own: never blocks
	}
	if l.users--; l.users == 0 {
		delete(t.lanes, name)
	}
}
