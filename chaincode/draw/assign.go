package draw

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Assignment is who inspects what.
type Assignment struct {
	Order      []string            // the objects in the order of the draw
	CapPlus    uint32              // the step of the ladder that was needed, 0 for none
	Inspectors map[string][]string // per object its inspectors, in the order of the slots
	Loads      map[string]uint32   // per inspector its objects; those with none are left out
}

// Deficient is a Hall violator: slots that together have too few inspectors.
type Deficient struct {
	Slots      []SlotName
	Inspectors []string // all whom those slots could have, in id order
	Short      int      // how many slots of the whole draw stay unfilled
}

// SlotName names slot Slot (from 0) of an object.
type SlotName struct {
	Object string `json:"object"`
	Slot   int    `json:"slot"`
}

// String lists the set, the slots in order of their objects' ids.
func (d Deficient) String() string {
	names := make([]string, len(d.Slots))
	for i, s := range d.Slots {
		names[i] = fmt.Sprintf("%s/%d", s.Object, s.Slot)
	}
	return fmt.Sprintf("%d of the slots [%s] stay unfilled with inspectors [%s]",
		d.Short, strings.Join(names, " "), strings.Join(d.Inspectors, " "))
}

// Assign gives every slot of every selected object an inspector. The seed is
// the one selected with; an infeasible draw returns an Error with the
// deficient set under the last caps tried.
func Assign(seed Digest, plan Plan, inspectors Inspectors, ineligible Ineligible, objects []string) (Assignment, error) {
	sA := assignSeed(seed)
	order := assignmentOrder(sA, objects)
	a := assigner{
		sA: sA, order: order, inspectors: inspectors,
		m: newMatching(capsOf(inspectors), skillSets(plan.Slots, inspectors),
			eligibility(order, inspectors, ineligible), wordsFor(len(inspectors))),
		loads: make([]uint32, len(inspectors)),
	}
	plus, err := a.fill(plan.Ladder)
	if err != nil {
		return Assignment{}, err
	}
	if err := a.run(); err != nil {
		return Assignment{}, err
	}
	return a.result(plus), nil
}

// assigner is one run of Assign.
type assigner struct {
	sA         Digest
	order      []string
	inspectors Inspectors
	m          *matching
	loads      []uint32 // fixed slots only
	tied       []lottery
}

// lottery is one of the inspectors of equal load.
type lottery struct {
	inspector int32
	lot       Digest
}

// wordsFor is at least 1: without inspectors the objects still have slots to fill.
func wordsFor(inspectors int) int { return max(1, (inspectors+63)/64) }

func capsOf(inspectors Inspectors) []int64 {
	caps := make([]int64, len(inspectors))
	for i := range inspectors {
		caps[i] = int64(inspectors[i].Cap)
	}
	return caps
}

// skillSets gives for each slot the inspectors who have all its skills.
func skillSets(slots [][]string, inspectors Inspectors) [][]uint64 {
	sets := make([][]uint64, len(slots))
	for k, required := range slots {
		sets[k] = make([]uint64, wordsFor(len(inspectors)))
		for i := range inspectors {
			if hasSkills(inspectors[i], required) {
				setBit(sets[k], int32(i))
			}
		}
	}
	return sets
}

func hasSkills(i Inspector, required []string) bool {
	for _, skill := range required {
		if !slices.Contains(i.Skills, skill) {
			return false
		}
	}
	return true
}

// eligibility gives for each object the inspectors who are no ineligible pair
// with it. Pairs that name nobody here are passed over.
func eligibility(objects []string, inspectors Inspectors, ineligible Ineligible) []uint64 {
	words := wordsFor(len(inspectors))
	all := make([]uint64, words)
	for i := range inspectors {
		setBit(all, int32(i))
	}
	sets := make([]uint64, 0, words*len(objects))
	index := make(map[string]int, len(objects))
	for o, id := range objects {
		sets = append(sets, all...)
		index[id] = o
	}
	i := 0 // pairs and inspectors both ascend by inspector
	for _, p := range ineligible {
		for i < len(inspectors) && inspectors[i].ID < p.Inspector {
			i++
		}
		if i == len(inspectors) {
			break
		}
		if inspectors[i].ID != p.Inspector {
			continue
		}
		if o, drawn := index[p.Object]; drawn {
			clearBit(sets[o*words:(o+1)*words], int32(i))
		}
	}
	return sets
}

// fill finds the first caps under which all slots can be filled.
func (a *assigner) fill(ladder []uint32) (uint32, error) {
	dead, whole := a.m.fill()
	if whole {
		return 0, nil
	}
	caps, tried := capsOf(a.inspectors), uint32(0)
	for _, plus := range ladder {
		if plus <= tried {
			continue // a higher cap was not enough
		}
		tried = plus
		a.m.raise(caps, plus)
		if dead, whole = a.m.fill(); whole {
			return plus, nil
		}
	}
	return 0, &Error{Kind: KindInfeasible, Entry: "assign", Reason: "not all slots can be filled", Deficient: a.deficient(dead)}
}

func (a *assigner) deficient(dead deadEnds) *Deficient {
	out := &Deficient{}
	for _, s := range dead.slots {
		out.Slots = append(out.Slots, SlotName{a.order[int(s)/a.m.perObject], int(s) % a.m.perObject})
	}
	slices.SortFunc(out.Slots, func(x, y SlotName) int {
		if c := strings.Compare(x.Object, y.Object); c != 0 {
			return c
		}
		return x.Slot - y.Slot
	})
	for i := range a.inspectors {
		if hasBit(dead.inspectors, int32(i)) {
			out.Inspectors = append(out.Inspectors, a.inspectors[i].ID)
		}
	}
	for _, h := range a.m.holder {
		if h < 0 {
			out.Short++
		}
	}
	return out
}

// run fixes slot 0 of every object, then slot 1, and so on.
func (a *assigner) run() error {
	for k := range a.m.perObject {
		for o := range a.order {
			if !a.assign(int32(o*a.m.perObject + k)) {
				return fmt.Errorf("assign slot %d of %s: no inspector left although all slots could be filled", k, a.order[o])
			}
		}
	}
	return nil
}

// assign fixes one slot: the least loaded inspectors first, among them by lot.
func (a *assigner) assign(slot int32) bool {
	choices := slices.Clone(a.m.choices(slot))
	for {
		a.tie(slot, choices)
		if len(a.tied) == 0 {
			return false
		}
		for len(a.tied) > 0 {
			i := a.takeFirst()
			clearBit(choices, i)
			if hasBit(a.m.choices(slot), i) && a.m.fix(slot, i) {
				a.loads[i]++
				return true
			}
		}
	}
}

// tie collects the least loaded of the choices with their lots.
func (a *assigner) tie(slot int32, choices []uint64) {
	a.tied = a.tied[:0]
	object := a.order[int(slot)/a.m.perObject]
	for w, set := range choices {
		for ; set != 0; set &= set - 1 {
			i := int32(w<<6 + bits.TrailingZeros64(set))
			if int64(a.loads[i]) >= a.m.cap[i] {
				continue
			}
			if len(a.tied) > 0 {
				least := a.loads[a.tied[0].inspector]
				if a.loads[i] > least {
					continue
				}
				if a.loads[i] < least {
					a.tied = a.tied[:0]
				}
			}
			a.tied = append(a.tied, lottery{inspector: i})
		}
	}
	for j := range a.tied {
		a.tied[j].lot = lot(a.sA, object, a.inspectors[a.tied[j].inspector].ID)
	}
}

// takeFirst removes the tied inspector with the smallest lot. Equal lots would
// fall to the smaller id, which has the smaller index.
func (a *assigner) takeFirst() int32 {
	first := 0
	for j := 1; j < len(a.tied); j++ {
		c := bytes.Compare(a.tied[j].lot[:], a.tied[first].lot[:])
		if c < 0 || c == 0 && a.tied[j].inspector < a.tied[first].inspector {
			first = j
		}
	}
	i := a.tied[first].inspector
	a.tied[first] = a.tied[len(a.tied)-1]
	a.tied = a.tied[:len(a.tied)-1]
	return i
}

func (a *assigner) result(plus uint32) Assignment {
	out := Assignment{
		Order: a.order, CapPlus: plus,
		Inspectors: make(map[string][]string, len(a.order)), Loads: make(map[string]uint32, len(a.inspectors)),
	}
	for o, object := range a.order {
		names := make([]string, a.m.perObject)
		for k := range names {
			names[k] = a.inspectors[a.m.holder[o*a.m.perObject+k]].ID
		}
		out.Inspectors[object] = names
	}
	for i, load := range a.loads {
		if load > 0 {
			out.Loads[a.inspectors[i].ID] = load
		}
	}
	return out
}
