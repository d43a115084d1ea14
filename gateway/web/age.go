package web

import (
	"fmt"
	"time"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// age says how old the data of a page is.
type age struct {
	public.Following
	Known bool          // whether it was ever known to be complete
	Age   time.Duration // how long ago it last was
	Stale bool          // worth a warning
}

// age is how old this gateway's data is now.
func (s *Server) age() age {
	now, following := s.clock(), s.following()
	a := age{Following: following, Stale: following.Stale(now)}
	a.Age, a.Known = following.Age(now)
	return a
}

// units are the units of a span, the greatest first, with the keys of their
// words.
var units = []struct {
	key  string
	size time.Duration
}{
	{"span.days", 24 * time.Hour}, {"span.hours", time.Hour}, {"span.minutes", time.Minute}, {"span.seconds", time.Second},
}

// span says how long something lasts: its greatest unit, and the one below
// unless that is none. Below a second it is "0 s".
func (c catalogue) span(d time.Duration) (string, error) {
	d = d.Abs().Truncate(time.Second)
	last := len(units) - 1
	for i, unit := range units {
		if d < unit.size && i < last {
			continue
		}
		text, err := c.text(unit.key, d/unit.size)
		if err != nil || i == last || d%unit.size < units[i+1].size {
			return text, err
		}
		rest, err := c.text(units[i+1].key, d%unit.size/units[i+1].size)
		return fmt.Sprintf("%s %s", text, rest), err
	}
	return "", nil
}
