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
// flow slot → (object, inspector) → inspector with unit steps.
type plainFlow struct {
	problem assignCase
	used    map[string]string // "object/inspector" → the open slot there
	load    map[string]int
	seen    map[string]bool
}

func (f *plainFlow) place(slot SlotName, fixed map[string][]string, plus uint32) bool {
	for _, i := range f.problem.inspectors {
		pair := slot.Object + "/" + i.ID
		if !hasSkills(i, f.problem.plan.Slots[slot.Slot]) || slices.Contains(f.problem.ineligible, Pair{i.ID, slot.Object}) ||
			slices.Contains(fixed[slot.Object], i.ID) || f.seen[pair] {
			continue
		}
		f.seen[pair] = true
		if holder, taken := f.used[pair]; taken {
			if f.place(parseSlot(holder), fixed, plus) { // its slot goes elsewhere
				f.used[pair] = showSlot(slot)
				return true
			}
			continue
		}
		if f.load[i.ID] < int(i.Cap+plus) || f.relieve(i.ID, fixed, plus) {
			f.load[i.ID]++
			f.used[pair] = showSlot(slot)
			return true
		}
	}
	return false
}

// relieve moves one open slot away from a full inspector.
func (f *plainFlow) relieve(inspector string, fixed map[string][]string, plus uint32) bool {
	if f.seen[inspector] {
		return false
	}
	f.seen[inspector] = true
	for _, o := range f.problem.objects {
		pair := o + "/" + inspector
		holder, taken := f.used[pair]
		if !taken {
			continue
		}
		if f.place(parseSlot(holder), fixed, plus) {
			if f.used[pair] == holder { // nobody took the pair over meanwhile
				delete(f.used, pair)
				f.load[inspector]--
			}
			return true
		}
	}
	return false
}

func showSlot(s SlotName) string { return fmt.Sprintf("%s %d", s.Object, s.Slot) }

func parseSlot(text string) (s SlotName) {
	_, _ = fmt.Sscanf(text, "%s %d", &s.Object, &s.Slot)
	return s
}

// fillable says whether the slots can be filled beside what is fixed.
func fillable(c assignCase, open []SlotName, fixed map[string][]string, load map[string]int, plus uint32) bool {
	f := plainFlow{problem: c, used: map[string]string{}, load: map[string]int{}}
	for id, n := range load {
		f.load[id] = n
	}
	for _, s := range open {
		f.seen = map[string]bool{}
		if !f.place(s, fixed, plus) {
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
