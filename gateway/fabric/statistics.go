package fabric

import "sync/atomic"

// Statistics counts what became of submissions since the client was made.
type Statistics struct {
	Committed  uint64 // shown on the ledger to the caller who sent them
	Refused    uint64 // by a rule of the contract
	Conflicts  uint64 // transactions made anew after a conflicting write
	Waits      uint64 // transactions executed anew after waiting for another one that changes the same
	Unknown    uint64 // callers told that there was no word in time
	Overloaded uint64 // turned away because too many were under way
	UnderWay   int
}

// counters is Statistics at work.
type counters struct {
	committed, refused, conflicts, waits, unknown, overloaded atomic.Uint64
}

// Statistics returns the counts so far.
func (c *Client) Statistics() Statistics {
	return Statistics{
		Committed: c.counters.committed.Load(), Refused: c.counters.refused.Load(), Conflicts: c.counters.conflicts.Load(), Waits: c.counters.waits.Load(),
		Unknown: c.counters.unknown.Load(), Overloaded: c.counters.overloaded.Load(), UnderWay: len(c.slots),
	}
}
