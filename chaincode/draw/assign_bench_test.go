package draw

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// assignBench is an assignment whose eligibility is a random share in percent,
// given as bits: as pairs it would be some ninety million.
func assignBench(objects, inspectors, percent int, cap uint32) *assigner {
	random := rand.New(rand.NewPCG(1, 2))
	list := make(Inspectors, inspectors)
	for i := range list {
		list[i] = Inspector{ID: fmt.Sprintf("I-%06d", i), Cap: cap}
	}
	words := wordsFor(inspectors)
	eligible := make([]uint64, objects*words)
	order := make([]string, objects)
	for o := range objects {
		order[o] = fmt.Sprintf("SITE-%08d", o)
		for i := range inspectors {
			if random.IntN(100) < percent {
				setBit(eligible[o*words:(o+1)*words], int32(i))
			}
		}
	}
	return &assigner{
		sA: Digest{1}, order: order, inspectors: list, loads: make([]uint32, inspectors),
		m: newMatching(capsOf(list), skillSets([][]string{{}, {}}, list), eligible, words),
	}
}

func BenchmarkAssign(b *testing.B) {
	for _, c := range []struct {
		name                         string
		objects, inspectors, percent int
		cap                          uint32
	}{
		{"10000x2over1000at30Loose", 10_000, 1_000, 30, 25},
		{"10000x2over1000at30Tight", 10_000, 1_000, 30, 20},
		{"50000x2over2000at5Loose", 50_000, 2_000, 5, 60},
		{"50000x2over2000at5Tight", 50_000, 2_000, 5, 50},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				a := assignBench(c.objects, c.inspectors, c.percent, c.cap)
				b.StartTimer()
				_, err := a.fill(nil)
				require.NoError(b, err)
				require.NoError(b, a.run())
			}
		})
	}
}
