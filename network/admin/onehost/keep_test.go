package onehost

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStandstill(t *testing.T) {
	begun := time.Unix(1_700_000_000, 0)
	at := func(s int) time.Time { return begun.Add(time.Duration(s) * time.Second) }
	node := func(height, waiting, view float64) sight { return sight{true, height, waiting, view} }
	gone := sight{}
	none := -1
	for name, looks := range map[string][]struct {
		second int
		seen   []sight
		want   int
	}{
		"Idle":               {{0, []sight{node(9, 0, 0), node(9, 0, 0)}, none}, {100, []sight{node(9, 0, 0), node(9, 0, 0)}, none}},
		"Orders":             {{0, []sight{node(9, 3, 0)}, none}, {20, []sight{node(10, 3, 0)}, none}, {40, []sight{node(11, 3, 0)}, none}},
		"WaitsOutAChange":    {{0, []sight{node(9, 3, 0)}, none}, {24, []sight{node(9, 3, 1)}, none}},
		"LeftBehind":         {{0, []sight{gone, node(9, 3, 2), node(9, 3, 1)}, none}, {1, []sight{node(9, 0, 2), node(9, 3, 2), node(9, 3, 1)}, none}, {25, []sight{node(9, 0, 2), node(9, 3, 2), node(9, 3, 1)}, 2}},
		"SilentFirst":        {{0, []sight{node(9, 3, 0), gone}, none}, {25, []sight{node(9, 3, 0), gone}, 1}},
		"LowestOfAView":      {{0, []sight{node(9, 3, 1), node(8, 3, 1)}, none}, {25, []sight{node(9, 3, 1), node(8, 3, 1)}, 1}},
		"OneAfterTheOther":   {{0, []sight{node(9, 3, 1), node(9, 3, 2)}, none}, {25, []sight{node(9, 3, 1), node(9, 3, 2)}, 0}, {26, []sight{node(9, 3, 1), node(9, 3, 2)}, none}, {50, []sight{node(9, 3, 1), node(9, 3, 2)}, 1}, {75, []sight{node(9, 3, 1), node(9, 3, 2)}, 0}},
		"OrderingHasResumed": {{0, []sight{node(9, 3, 1), node(9, 3, 2)}, none}, {25, []sight{node(9, 3, 1), node(9, 3, 2)}, 0}, {27, []sight{node(10, 3, 1), node(9, 3, 2)}, none}, {51, []sight{node(10, 3, 1), node(9, 3, 2)}, none}},
	} {
		t.Run(name, func(t *testing.T) {
			s := standstill{since: at(0)}
			for _, look := range looks {
				got, found := s.stuck(at(look.second), look.seen)
				if !found {
					got = none
				}
				require.Equal(t, look.want, got, "second %d", look.second)
			}
		})
	}
}
