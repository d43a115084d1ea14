package readmodel

import (
	"context"
	"sync"
)

// cacheSize bounds the entries of a cache.
const cacheSize = 1 << 14

// cache keeps answers until the read model changes: every database transaction
// that may have changed a row forgets all of them. No answer that holds private
// values is kept: a gateway that shares its database learns of another one's
// blocks, not of values that it filled in. The zero value is empty.
type cache struct {
	mutex sync.RWMutex
	state uint64 // counts the changes
	kept  map[cacheKey]any
}

// cacheKey names an answer: what was asked for, and the day where that counts.
type cacheKey struct{ what, id, day string }

// forget drops all answers. It is called after a change is visible to readers.
func (c *cache) forget() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.state++
	c.kept = nil
}

// ofStatus names the status of the ledger, which is kept before anything else.
// All that is kept beside it was read after it, so that no answer is of an
// older state than the height that is said with it, also where another gateway
// changes the rows.
var ofStatus = cacheKey{what: "status"}

// remember returns the kept answer or loads it. Nobody may change what it
// returns. An answer that was loaded while the read model changed is not kept,
// since it may be from before; of two that are loaded at once the first stays.
func remember[T any](ctx context.Context, s *Store, key cacheKey, load func() (T, error)) (T, error) {
	c := &s.single
	c.mutex.RLock()
	kept, found := c.kept[key]
	state := c.state
	c.mutex.RUnlock()
	if found {
		return kept.(T), nil
	}
	if key != ofStatus {
		if _, err := s.Status(ctx); err != nil {
			return *new(T), err
		}
	}
	value, err := load()
	if err != nil {
		return value, err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.state != state {
		return value, nil
	}
	if first, found := c.kept[key]; found {
		return first.(T), nil // a later status would take a place that is before older answers
	}
	if c.kept == nil || len(c.kept) >= cacheSize {
		status, known := c.kept[ofStatus]
		if c.kept = map[cacheKey]any{}; known {
			c.kept[ofStatus] = status
		}
	}
	c.kept[key] = value
	return value, nil
}
