package draw

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// assignCase is one small assignment problem.
type assignCase struct {
	seed       Digest
	plan       Plan
	inspectors Inspectors
	ineligible Ineligible
	objects    []string
}

func drawAssignCase(t *rapid.T) assignCase {
	skills := []string{"lead", "fuel", "pack"}
	var c assignCase
	c.seed = sha256.Sum256(binary.BigEndian.AppendUint64(nil, rapid.Uint64().Draw(t, "seed")))
	for range rapid.IntRange(2, 3).Draw(t, "slots") {
		c.plan.Slots = append(c.plan.Slots, rapid.SliceOfNDistinct(rapid.SampledFrom(skills), 0, 1, rapid.ID).Draw(t, "slot"))
	}
	c.plan.Ladder = rapid.SampledFrom([][]uint32{nil, {1}, {1, 2}, {2, 1}}).Draw(t, "ladder")
	for i := range rapid.IntRange(2, 6).Draw(t, "inspectors") {
		c.inspectors = append(c.inspectors, Inspector{
			ID: fmt.Sprintf("I%d", i), Cap: uint32(rapid.IntRange(0, 4).Draw(t, "cap")),
			Skills: rapid.SliceOfDistinct(rapid.SampledFrom(skills), rapid.ID).Draw(t, "skills"),
		})
	}
	for o := range rapid.IntRange(0, 5).Draw(t, "objects") {
		c.objects = append(c.objects, fmt.Sprintf("O%d", o))
	}
	var pairs []Pair
	odds := rapid.IntRange(2, 6).Draw(t, "odds")
	for _, i := range c.inspectors {
		for _, o := range c.objects {
			if rapid.IntRange(0, odds).Draw(t, "pair") == 0 {
				pairs = append(pairs, Pair{i.ID, o})
			}
		}
	}
	var err error
	c.ineligible, err = NewIneligible(pairs)
	require.NoError(t, err)
	return c
}

// bruteForce follows section 4 word by word and tries fillings exhaustively.
type bruteForce struct {
	assignCase
	order []string
	load  map[string]int
	given map[string][]string
}

func (b *bruteForce) allowed(inspector Inspector, object string, slot int, plus uint32) bool {
	return hasSkills(inspector, b.plan.Slots[slot]) &&
		!slices.Contains(b.ineligible, Pair{inspector.ID, object}) &&
		!slices.Contains(b.given[object], inspector.ID) &&
		b.load[inspector.ID] < int(inspector.Cap+plus)
}

// fillable says whether the slots from number n on (slot-major) can be filled.
func (b *bruteForce) fillable(n int, plus uint32) bool {
	if n == len(b.order)*len(b.plan.Slots) {
		return true
	}
	slot, object := n/len(b.order), b.order[n%len(b.order)]
	for _, i := range b.inspectors {
		if !b.allowed(i, object, slot, plus) {
			continue
		}
		b.take(object, i.ID)
		ok := b.fillable(n+1, plus)
		b.release(object, i.ID)
		if ok {
			return true
		}
	}
	return false
}

func (b *bruteForce) take(object, inspector string) {
	b.load[inspector]++
	b.given[object] = append(b.given[object], inspector)
}

func (b *bruteForce) release(object, inspector string) {
	b.load[inspector]--
	b.given[object] = b.given[object][:len(b.given[object])-1]
}

func (b *bruteForce) run() (plus uint32, feasible bool) {
	b.load, b.given = map[string]int{}, map[string][]string{}
	sA := assignSeed(b.seed)
	b.order = assignmentOrder(sA, b.objects)
	for _, step := range append([]uint32{0}, b.plan.Ladder...) {
		if feasible = b.fillable(0, step); feasible {
			plus = step
			break
		}
	}
	if !feasible {
		return 0, false
	}
	for n := range len(b.order) * len(b.plan.Slots) {
		slot, object := n/len(b.order), b.order[n%len(b.order)]
		var choices []Inspector
		for _, i := range b.inspectors {
			if b.allowed(i, object, slot, plus) {
				choices = append(choices, i)
			}
		}
		slices.SortFunc(choices, func(x, y Inspector) int {
			if c := b.load[x.ID] - b.load[y.ID]; c != 0 {
				return c
			}
			return strings.Compare(lot(sA, object, x.ID).String(), lot(sA, object, y.ID).String())
		})
		for _, i := range choices {
			b.take(object, i.ID)
			if b.fillable(n+1, plus) {
				break
			}
			b.release(object, i.ID)
		}
	}
	return plus, true
}

func TestAssign(t *testing.T) {
	t.Run("EqualsExhaustiveSearch", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			c := drawAssignCase(t)
			b := bruteForce{assignCase: c}
			plus, feasible := b.run()
			got, err := Assign(c.seed, c.plan, c.inspectors, c.ineligible, c.objects)
			if !feasible {
				requireDeficient(t, c, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, plus, got.CapPlus)
			require.Equal(t, b.order, got.Order)
			for _, o := range c.objects {
				require.Equal(t, b.given[o], got.Inspectors[o], "object %s", o)
			}
		})
	})
}

// requireDeficient checks that the reported set is a Hall violator under the
// highest caps: its slots can use at most one unit of each inspector outside
// the list per object, and those were all counted, so a plain exhaustive
// filling of the set alone must fail.
func requireDeficient(t require.TestingT, c assignCase, err error) {
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, KindInfeasible, e.Kind)
	require.NotNil(t, e.Deficient)
	require.NotEmpty(t, e.Deficient.Slots)
	require.Positive(t, e.Deficient.Short)
	var plus uint32
	for _, step := range c.plan.Ladder {
		plus = max(plus, step)
	}
	b := bruteForce{assignCase: c, load: map[string]int{}, given: map[string][]string{}}
	require.False(t, b.fillableSet(e.Deficient.Slots, plus), "the set can be filled")
}

// fillableSet says whether just these slots can be filled.
func (b *bruteForce) fillableSet(set []SlotName, plus uint32) bool {
	if len(set) == 0 {
		return true
	}
	for _, i := range b.inspectors {
		if !b.allowed(i, set[0].Object, set[0].Slot, plus) {
			continue
		}
		b.take(set[0].Object, i.ID)
		ok := b.fillableSet(set[1:], plus)
		b.release(set[0].Object, i.ID)
		if ok {
			return true
		}
	}
	return false
}

// Without inspectors no slot can be filled: that is an infeasible draw like any other.
func TestAssignWithoutInspectors(t *testing.T) {
	_, err := Assign(digestOf("seed"), Plan{Slots: [][]string{{}, {}}, Ladder: []uint32{1}}, nil, nil, []string{"A-1"})
	requireKind(t, err, KindInfeasible, "A-1/0")
}
