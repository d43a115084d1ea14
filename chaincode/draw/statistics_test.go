package draw

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The rule, fixed beforehand: over a fixed number of draws with the seeds
// H(u64(0)), H(u64(1)), …, every counted frequency must lie within five
// standard deviations of what the design implies. The seeds are fixed, so the
// outcome never varies. SHA-256 is not on trial: a failure means a coding
// error, and never is a reason to redraw.
const sigmas = 5

func within(t *testing.T, what string, count, draws int, p float64) {
	t.Helper()
	expected, deviation := float64(draws)*p, math.Sqrt(float64(draws)*p*(1-p))
	require.InDelta(t, expected, float64(count), sigmas*deviation, what)
}

func statisticsSeed(i int) Digest {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
}

func statisticsObjects(n int, weight func(int) uint32) Objects {
	list := make(Objects, n)
	for i := range list {
		list[i] = Object{fmt.Sprintf("S-%03d", i), "A", weight(i)}
	}
	return list
}

func TestStatistics(t *testing.T) {
	const draws = 4000
	t.Run("InclusionAndPairsOfEqualWeights", func(t *testing.T) {
		const n, quota = 20, 6
		list := statisticsObjects(n, func(int) uint32 { return 1 })
		var single [n]int
		var pair [n][n]int
		for d := range draws {
			chosen := selectFrom(t, statisticsSeed(d), list, []Quota{{Stratum: "A", Count: quota}}, 0)[0].IDs()
			for _, a := range chosen {
				i := position(a)
				single[i]++
				for _, b := range chosen {
					pair[i][position(b)]++
				}
			}
		}
		for i := range n {
			within(t, fmt.Sprintf("inclusion of position %d", i), single[i], draws, quota/float64(n))
			for j := range i {
				within(t, fmt.Sprintf("pair %d %d", i, j), pair[i][j], draws, quota*(quota-1)/float64(n*(n-1)))
			}
		}
	})
	t.Run("InclusionFollowsWeight", func(t *testing.T) {
		// Sequential Poisson sampling keeps inclusion near n·w/W, not exactly on
		// it; the rule allows a tenth of the expectation besides.
		const n, quota = 30, 6
		list := statisticsObjects(n, func(i int) uint32 { return uint32(1 + i%3) })
		var count [4]int
		for d := range draws {
			for _, r := range selectFrom(t, statisticsSeed(d), list, []Quota{{Stratum: "A", Count: quota}}, 0)[0].Selected {
				count[r.Key.Weight]++
			}
		}
		for w := 1; w <= 3; w++ {
			expected := float64(draws) * quota * float64(w) / 6 // ten objects of each weight, W = 60
			require.InDelta(t, expected, float64(count[w]), sigmas*math.Sqrt(expected)+expected/10, "weight %d", w)
		}
	})
	t.Run("InspectorsAreExchangeable", func(t *testing.T) {
		const n, objects = 10, 3
		var people Inspectors
		for i := range n {
			people = append(people, Inspector{ID: fmt.Sprintf("P-%03d", i), Cap: 9})
		}
		plan := Plan{Slots: [][]string{{}, {}}}
		var onFirst [n]int
		for d := range draws {
			a, err := Assign(statisticsSeed(d), plan, people, nil, []string{"X", "Y", "Z"})
			require.NoError(t, err)
			require.Len(t, a.Order, objects)
			for _, id := range a.Inspectors["X"] {
				onFirst[position(id)]++
			}
		}
		for i := range n {
			within(t, fmt.Sprintf("inspector %d on X", i), onFirst[i], draws, 2/float64(n))
		}
	})
}

// position reads the number at the end of an id.
func position(id string) int {
	var n int
	_, _ = fmt.Sscanf(id[2:], "%d", &n)
	return n
}
