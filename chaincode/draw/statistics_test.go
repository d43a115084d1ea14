package draw

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The rule of STATISTICS.md, fixed beforehand.
const (
	statisticsDraws = 10_000
	sigmas          = 6     // for a single count
	normalQuantile  = 4.753 // exceeded with probability 10⁻⁶
)

// counting tells how often each member of a set, and each pair, was included.
type counting struct {
	draws  int
	single []int
	pair   [][]int
	taken  int // members included, over all draws
	twos   int // pairs of them in order, over all draws
}

func newCounting(members int) *counting {
	t := &counting{single: make([]int, members), pair: make([][]int, members)}
	for i := range t.pair {
		t.pair[i] = make([]int, members)
	}
	return t
}

// add counts one draw.
func (t *counting) add(included []int) {
	t.draws++
	t.taken += len(included)
	t.twos += len(included) * (len(included) - 1)
	for _, i := range included {
		t.single[i]++
		for _, j := range included {
			t.pair[i][j]++
		}
	}
}

// deviation is how many standard deviations a count is off.
func (t *counting) deviation(count int, p float64) float64 {
	n := float64(t.draws)
	return math.Abs(float64(count)-n*p) / math.Sqrt(n*p*(1-p))
}

// spread is Q of STATISTICS.md over some members, and the bound on it. taken
// and twos are those of these members alone.
func (t *counting) spread(members []int, taken, twos int) (q, bound float64) {
	m, n := float64(len(members)), float64(t.draws)
	mean := float64(taken) / m
	for _, i := range members {
		q += (float64(t.single[i]) - mean) * (float64(t.single[i]) - mean)
	}
	q /= n * (mean/n - float64(twos)/(m*(m-1))/n)
	k := m - 1
	return q, k * math.Pow(1-2/(9*k)+normalQuantile*math.Sqrt(2/(9*k)), 3)
}

// requireEven wants all members to be exchangeable.
func (t *counting) requireEven(r require.TestingT, what string) {
	q, bound := t.spread(every(len(t.single)), t.taken, t.twos)
	require.LessOrEqual(r, q, bound, what)
}

func every(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func statisticsSeed(i int) Digest {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
}

// statisticsSizes are the strata of the design, and how many are drawn.
var statisticsSizes = []struct {
	name        string
	size, quota int
}{{"A", 7, 2}, {"B", 20, 6}, {"C", 33, 11}}

// statisticsDirectory deals the ids out to the strata in turns and lists them
// in an order of its own.
func statisticsDirectory() (list []Object, quotas []Quota) {
	left := []int{}
	for _, s := range statisticsSizes {
		left = append(left, s.size)
		quotas = append(quotas, Quota{Stratum: s.name, Count: uint64(s.quota)})
	}
	for i := 0; len(list) < 60; i++ {
		if k := i % len(left); left[k] > 0 {
			left[k]--
			list = append(list, Object{fmt.Sprintf("S-%03d", len(list)), statisticsSizes[k].name, 1})
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list, quotas
}

func TestInclusion(t *testing.T) {
	list, quotas := statisticsDirectory()
	all, strata := newCounting(len(list)), make([]*counting, len(quotas))
	place := map[string][2]int{} // id → stratum, position in it by the order of the list
	for k, s := range statisticsSizes {
		strata[k] = newCounting(s.size)
		position := 0
		for _, o := range list {
			if o.Stratum == s.name {
				place[o.ID] = [2]int{k, position}
				position++
			}
		}
	}
	for d := range statisticsDraws {
		var together []int
		for k, s := range selectFrom(t, statisticsSeed(d), list, quotas, 0) {
			var positions []int
			for _, id := range s.IDs() {
				require.Equal(t, k, place[id][0])
				positions = append(positions, place[id][1])
				together = append(together, number(id))
			}
			strata[k].add(positions)
		}
		all.add(together)
	}
	for k, s := range statisticsSizes {
		strata[k].requireEven(t, "stratum "+s.name)
		p := float64(s.quota) / float64(s.size)
		for i, count := range strata[k].single {
			require.LessOrEqual(t, strata[k].deviation(count, p), float64(sigmas), "position %d of stratum %s", i, s.name)
		}
	}
	for a, one := range list {
		for _, other := range list[:a] {
			deviation := all.deviation(all.pair[number(one.ID)][number(other.ID)], pairProbability(one, other))
			require.LessOrEqual(t, deviation, float64(sigmas), "pair %s %s", one.ID, other.ID)
		}
	}
}

// pairProbability is how probable it is that both are drawn: strata are
// independent, and within one every pair is as probable as any other.
func pairProbability(a, b Object) float64 {
	p := func(stratum string, gone int) float64 {
		for _, s := range statisticsSizes {
			if s.name == stratum {
				return float64(s.quota-gone) / float64(s.size-gone)
			}
		}
		return 0
	}
	if a.Stratum == b.Stratum {
		return p(a.Stratum, 0) * p(a.Stratum, 1)
	}
	return p(a.Stratum, 0) * p(b.Stratum, 0)
}

func TestInclusionFollowsWeight(t *testing.T) {
	const size, quota, classes, total = 30, 6, 3, 60
	var list []Object
	for i := range size {
		list = append(list, Object{fmt.Sprintf("S-%03d", i), "A", uint32(1 + i%classes)})
	}
	all := newCounting(size)
	var taken, twos [classes]int
	for d := range statisticsDraws {
		var included []int
		var in [classes]int
		for _, id := range selectFrom(t, statisticsSeed(d), list, []Quota{{Stratum: "A", Count: quota}}, 0)[0].IDs() {
			included = append(included, number(id))
			in[number(id)%classes]++
		}
		all.add(included)
		for c, n := range in {
			taken[c] += n
			twos[c] += n * (n - 1)
		}
	}
	for c := range classes {
		var members []int
		for i := c; i < size; i += classes {
			members = append(members, i)
		}
		q, bound := all.spread(members, taken[c], twos[c])
		require.LessOrEqual(t, q, bound, "places of weight %d", c+1)
		expected := float64(statisticsDraws) * quota * float64(c+1) / total * float64(len(members))
		require.InDelta(t, expected, float64(taken[c]), sigmas*math.Sqrt(expected)+expected/10, "weight %d", c+1)
	}
}

// statisticsPeople are ten inspectors, of whom those with an even number lead.
func statisticsPeople() (people Inspectors) {
	for i := range 10 {
		in := Inspector{ID: fmt.Sprintf("P-%03d", i), Cap: 2, Skills: []string{}}
		if i%2 == 0 {
			in.Skills = []string{"lead"}
		}
		people = append(people, in)
	}
	return people
}

func TestInspectorsAreExchangeable(t *testing.T) {
	t.Run("AllAlike", func(t *testing.T) {
		people := statisticsPeople()
		for i := range people {
			people[i].Skills = nil
		}
		onX := newCounting(len(people))
		for d := range statisticsDraws {
			a, err := Assign(statisticsSeed(d), Plan{Slots: [][]string{{}, {}}}, people, nil, []string{"X", "Y", "Z"})
			require.NoError(t, err)
			onX.add([]int{number(a.Inspectors["X"][0]), number(a.Inspectors["X"][1])})
		}
		onX.requireEven(t, "inspectors on X")
		for i := range people {
			require.LessOrEqual(t, onX.deviation(onX.single[i], 0.2), float64(sigmas), "inspector %d on X", i)
			for j := range i {
				require.LessOrEqual(t, onX.deviation(onX.pair[i][j], 1.0/45), float64(sigmas), "inspectors %d and %d on X", i, j)
			}
		}
	})
	// With skills, a cap that binds and one barred pair, those who are alike
	// still are exchangeable: four leads, since one may not visit X, and five
	// others.
	t.Run("WithinThoseAlike", func(t *testing.T) {
		leads, others := newCounting(4), newCounting(5)
		barred, err := NewIneligible([]Pair{{Inspector: "P-000", Object: "X"}})
		require.NoError(t, err)
		for d := range statisticsDraws {
			a, err := Assign(statisticsSeed(d), Plan{Slots: [][]string{{"lead"}, {}}}, statisticsPeople(), barred, []string{"X", "Y", "Z"})
			require.NoError(t, err)
			var lead, other []int
			for _, id := range a.Inspectors["X"] {
				require.NotEqual(t, "P-000", id)
				if n := number(id); n%2 == 0 {
					lead = append(lead, n/2-1)
				} else {
					other = append(other, n/2)
				}
			}
			leads.add(lead)
			others.add(other)
		}
		leads.requireEven(t, "leads on X")
		others.requireEven(t, "others on X")
	})
}

// TestStatisticsNoticeErrors feeds errors that a programmer could make into
// the same rule, which must notice them.
func TestStatisticsNoticeErrors(t *testing.T) {
	list, _ := statisticsDirectory()
	slices.SortFunc(list, func(a, b Object) int { return strings.Compare(a.ID, b.ID) })
	cut := newCounting(len(list))
	alike := newCounting(10)
	for d := range statisticsDraws {
		seed := statisticsSeed(d)
		// A ticket of four bits, so that ties are common and the id decides them.
		bits := make([]byte, len(list))
		for i, o := range list {
			ticket := Ticket(seed, o.ID)
			bits[i] = ticket[0] >> 4
		}
		byTicket := every(len(list))
		slices.SortStableFunc(byTicket, func(i, j int) int { return cmp.Compare(bits[i], bits[j]) })
		cut.add(byTicket[:19])
		alike.add([]int{0, 1}) // ties between inspectors broken by id
	}
	for _, wrong := range []*counting{cut, alike} {
		q, bound := wrong.spread(every(len(wrong.single)), wrong.taken, wrong.twos)
		require.Greater(t, q, bound)
	}
}

// TestOrderDoesNotMatter: the bytes of a result do not depend on the order in
// which anything was listed.
func TestOrderDoesNotMatter(t *testing.T) {
	sorted, err := Compute(sampleInput(t))
	require.NoError(t, err)
	want, err := sorted.JSON()
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		in := sampleInput(t)
		in.Objects = rapid.Permutation(in.Objects).Draw(t, "objects")
		in.Inspectors = rapid.Permutation(in.Inspectors).Draw(t, "inspectors")
		in.Ineligible = rapid.Permutation(in.Ineligible).Draw(t, "ineligible")
		in.Contributions = rapid.Permutation(in.Contributions).Draw(t, "contributions")
		shuffled, err := Compute(in)
		require.NoError(t, err)
		got, err := shuffled.JSON()
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	})
}

// number reads the number at the end of an id.
func number(id string) int {
	var n int
	_, _ = fmt.Sscanf(id[2:], "%d", &n)
	return n
}
