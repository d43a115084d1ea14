package public_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

func TestFollowing(t *testing.T) {
	now := time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		current string
		age     time.Duration
		known   bool
		stale   bool
	}{
		"never known":          {"", 0, false, true},
		"no time":              {"yesterday", 0, false, true},
		"now":                  {"2026-03-10T01:00:00Z", 0, true, false},
		"a clock that slipped": {"2026-03-10T01:00:09Z", 0, true, false},
		"at the limit":         {"2026-03-10T00:59:30Z", public.StaleAfter, true, false},
		"past the limit":       {"2026-03-10T00:59:29Z", public.StaleAfter + time.Second, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := public.Following{Connected: true, Current: c.current}
			age, known := f.Age(now)
			require.Equal(t, c.age, age)
			require.Equal(t, c.known, known)
			require.Equal(t, c.stale, f.Stale(now))
		})
	}
}
