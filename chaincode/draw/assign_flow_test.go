package draw

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// plainFlow decides from nothing whether open slots can be filled: a maximum
// flow source → slot → (object, inspector) → inspector → sink over an explicit
// residual graph, one augmenting path after the other.
type plainFlow struct {
	residual map[string]map[string]int // capacity left from a node to another
	seen     map[string]bool
}

func (f *plainFlow) edge(from, to string, capacity int) {
	for _, node := range []string{from, to} {
		if f.residual[node] == nil {
			f.residual[node] = map[string]int{}
		}
	}
	f.residual[from][to] = capacity
}

// push moves one unit from node to the sink.
func (f *plainFlow) push(node string) bool {
	if node == "sink" {
		return true
	}
	f.seen[node] = true
	for next, left := range f.residual[node] {
		if left > 0 && !f.seen[next] && f.push(next) {
			f.residual[node][next]--
			f.residual[next][node]++
			return true
		}
	}
	return false
}

// fillable says whether the slots can be filled beside what is fixed.
func fillable(c assignCase, open []SlotName, fixed map[string][]string, load map[string]int, plus uint32) bool {
	f := plainFlow{residual: map[string]map[string]int{}}
	for _, i := range c.inspectors {
		f.edge("inspector "+i.ID, "sink", int(i.Cap+plus)-load[i.ID])
	}
	for _, s := range open {
		slot := fmt.Sprintf("slot %s %d", s.Object, s.Slot)
		f.edge("source", slot, 1)
		for _, i := range c.inspectors {
			if hasSkills(i, c.plan.Slots[s.Slot]) && !slices.Contains(c.ineligible, Pair{i.ID, s.Object}) && !slices.Contains(fixed[s.Object], i.ID) {
				pair := "pair " + s.Object + " " + i.ID
				f.edge(slot, pair, 1)
				f.edge(pair, "inspector "+i.ID, 1)
			}
		}
	}
	for range open {
		if f.seen = map[string]bool{}; !f.push("source") {
			return false
		}
	}
	return true
}

// plainAssign is the rule with a fresh flow for every candidate.
func plainAssign(c assignCase, order []string) (map[string][]string, bool) {
	var open []SlotName
	for k := range c.plan.Slots {
		for _, o := range order {
			open = append(open, SlotName{o, k})
		}
	}
	fixed, load := map[string][]string{}, map[string]int{}
	if !fillable(c, open, fixed, load, 0) {
		return nil, false
	}
	sA := assignSeed(c.seed)
	for len(open) > 0 {
		s := open[0]
		choices := slices.SortedFunc(slices.Values(c.inspectors), func(x, y Inspector) int {
			if d := load[x.ID] - load[y.ID]; d != 0 {
				return d
			}
			return strings.Compare(lot(sA, s.Object, x.ID).String(), lot(sA, s.Object, y.ID).String())
		})
		for _, i := range choices {
			if !hasSkills(i, c.plan.Slots[s.Slot]) || slices.Contains(c.ineligible, Pair{i.ID, s.Object}) ||
				slices.Contains(fixed[s.Object], i.ID) || load[i.ID] >= int(i.Cap) {
				continue
			}
			fixed[s.Object] = append(fixed[s.Object], i.ID)
			load[i.ID]++
			if fillable(c, open[1:], fixed, load, 0) {
				break
			}
			fixed[s.Object] = fixed[s.Object][:len(fixed[s.Object])-1]
			load[i.ID]--
		}
		open = open[1:]
	}
	return fixed, true
}

// TestAssignEqualsPlainFlow tries middle-sized problems with caps just large
// enough, where many candidates must be passed over.
func TestAssignEqualsPlainFlow(t *testing.T) {
	feasible := 0
	rapid.Check(t, func(t *rapid.T) {
		c := assignCase{seed: digestOf(fmt.Sprint(rapid.Uint64().Draw(t, "seed"))), plan: Plan{Slots: [][]string{{"lead"}, {}}}}
		people, objects := rapid.IntRange(4, 10).Draw(t, "people"), rapid.IntRange(4, 16).Draw(t, "objects")
		for i := range people {
			p := Inspector{ID: fmt.Sprintf("I%02d", i), Cap: uint32((2*objects + people - 1) / people)}
			if rapid.IntRange(0, 2).Draw(t, "lead") > 0 {
				p.Skills = []string{"lead"}
			}
			p.Cap += uint32(rapid.IntRange(0, 1).Draw(t, "extra"))
			c.inspectors = append(c.inspectors, p)
		}
		var pairs []Pair
		share := rapid.IntRange(0, 7).Draw(t, "share")
		for o := range objects {
			c.objects = append(c.objects, fmt.Sprintf("O%02d", o))
			for _, i := range c.inspectors {
				if rapid.IntRange(0, 9).Draw(t, "pair") < share {
					pairs = append(pairs, Pair{i.ID, c.objects[o]})
				}
			}
		}
		var err error
		c.ineligible, err = NewIneligible(pairs)
		require.NoError(t, err)
		want, ok := plainAssign(c, assignmentOrder(assignSeed(c.seed), c.objects))
		got, err := Assign(c.seed, c.plan, c.inspectors, c.ineligible, c.objects)
		require.Equal(t, ok, err == nil, "%v", err)
		if ok {
			feasible++
			require.Equal(t, want, got.Inspectors)
		}
	})
	require.Greater(t, feasible, 10)
}
