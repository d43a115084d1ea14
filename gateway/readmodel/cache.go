package readmodel

import "sync"

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

// remember returns the kept answer or loads it. Nobody may change what it
// returns. An answer that was loaded while the read model changed is not kept,
// since it may be from before.
func remember[T any](c *cache, key cacheKey, load func() (T, error)) (T, error) {
	c.mutex.RLock()
	kept, found := c.kept[key]
	state := c.state
	c.mutex.RUnlock()
	if found {
		return kept.(T), nil
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
	if c.kept == nil || len(c.kept) >= cacheSize {
		c.kept = map[cacheKey]any{}
	}
	c.kept[key] = value
	return value, nil
}
