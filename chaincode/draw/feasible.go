package draw

import (
	"fmt"
	"slices"
	"strings"
)

// CheckFeasible is the conservative check before the directories freeze: it
// refuses a plan that could become infeasible for want of inspectors. drawn is
// the number of objects the quotas draw.
//
// It asks two things: for the slots together, whether the caps of those who
// have each slot's skills cover the number drawn, taking objects as
// interchangeable; and whether every object alone keeps enough inspectors who
// are no ineligible pair with it. The ladder is not counted on. Ineligible
// pairs that crowd onto the objects drawn can still defeat a plan that passes.
func CheckFeasible(plan Plan, drawn uint64, dir Directory, inspectors Inspectors, ineligible Ineligible) error {
	if drawn == 0 {
		return nil
	}
	s := supplyOf(plan.Slots, inspectors)
	demand := make([]uint64, len(s.kinds))
	for k := range demand {
		demand[k] = s.perObject[k] * drawn
	}
	supply := make([]uint64, len(s.classes))
	for i, c := range s.classOf {
		// Nobody is sent twice to one object, so a cap above drawn is of no use.
		supply[c] += min(uint64(inspectors[i].Cap), drawn)
	}
	if k := s.unmet(demand, supply); k >= 0 {
		return refuse(KindInfeasible, s.name(k), "%d objects are drawn, the inspectors' caps do not cover them", drawn)
	}
	return s.checkObjects(dir, inspectors, ineligible)
}

// supplies groups slots with the same skills into kinds and inspectors who fit
// the same kinds into classes.
type supplies struct {
	kinds     [][]string
	perObject []uint64 // slots of each kind
	classes   [][]bool // per class which kinds it fits
	classOf   []int    // per inspector
}

func supplyOf(slots [][]string, inspectors Inspectors) *supplies {
	s := &supplies{classOf: make([]int, len(inspectors))}
	for _, required := range slots {
		required = slices.Sorted(slices.Values(required))
		k := slices.IndexFunc(s.kinds, func(have []string) bool { return slices.Equal(have, required) })
		if k < 0 {
			k = len(s.kinds)
			s.kinds, s.perObject = append(s.kinds, required), append(s.perObject, 0)
		}
		s.perObject[k]++
	}
	known := make(map[string]int)
	for i := range inspectors {
		fits, mark := make([]bool, len(s.kinds)), make([]byte, len(s.kinds))
		for k, required := range s.kinds {
			if fits[k] = hasSkills(inspectors[i], required); fits[k] {
				mark[k] = 1
			}
		}
		class, found := known[string(mark)]
		if !found {
			class = len(s.classes)
			known[string(mark)] = class
			s.classes = append(s.classes, fits)
		}
		s.classOf[i] = class
	}
	return s
}

// checkObjects makes sure that each object alone could be inspected.
func (s *supplies) checkObjects(dir Directory, inspectors Inspectors, ineligible Ineligible) error {
	all := make([]uint64, len(s.classes))
	usable := make(map[string]int, len(inspectors)) // id → class
	for i, c := range s.classOf {
		if inspectors[i].Cap > 0 {
			all[c]++
			usable[inspectors[i].ID] = c
		}
	}
	if k := s.unmet(s.perObject, all); k >= 0 {
		return refuse(KindInfeasible, s.name(k), "too few inspectors for even one object")
	}
	barred := make(map[string][]int) // object → classes of those it lacks
	for _, p := range ineligible {
		if c, found := usable[p.Inspector]; found {
			barred[p.Object] = append(barred[p.Object], c)
		}
	}
	return dir.Each(func(o Object) error {
		lacks := barred[o.ID]
		if len(lacks) == 0 {
			return nil
		}
		left := slices.Clone(all)
		for _, c := range lacks {
			left[c]--
		}
		if k := s.unmet(s.perObject, left); k >= 0 {
			return refuse(KindInfeasible, fmt.Sprintf("object %q", o.ID), "too few eligible inspectors remain for %s", s.name(k))
		}
		return nil
	})
}

func (s *supplies) name(kind int) string {
	if len(s.kinds[kind]) == 0 {
		return "slots for any skill"
	}
	return "slots for [" + strings.Join(s.kinds[kind], " ") + "]"
}

// unmet runs a maximum flow from kinds with a demand to classes with a supply
// and returns a kind whose demand stays unmet, or -1.
func (s *supplies) unmet(demand, supply []uint64) int {
	left := slices.Clone(supply)
	flow := make([][]uint64, len(s.kinds)) // kind → class
	for k := range flow {
		flow[k] = make([]uint64, len(s.classes))
	}
	for k, open := range demand {
		for open > 0 {
			pushed := s.push(k, open, flow, left)
			if pushed == 0 {
				return k
			}
			open -= pushed
		}
	}
	return -1
}

// push moves up to amount from kind k along one augmenting path.
func (s *supplies) push(k int, amount uint64, flow [][]uint64, left []uint64) uint64 {
	viaKind := make([]int, len(s.classes)) // which kind reached the class, -1 for none
	viaClass := make([]int, len(s.kinds))  // which class the kind was displaced from
	for c := range viaKind {
		viaKind[c] = -1
	}
	for i := range viaClass {
		viaClass[i] = -1
	}
	queue := []int{k}
	for q := 0; q < len(queue); q++ {
		from := queue[q]
		for c, fits := range s.classes {
			if !fits[from] || viaKind[c] >= 0 {
				continue
			}
			viaKind[c] = from
			if left[c] > 0 {
				return s.apply(k, c, min(amount, left[c]), viaKind, viaClass, flow, left)
			}
			for other := range s.kinds {
				if other != k && viaClass[other] < 0 && flow[other][c] > 0 {
					viaClass[other] = c
					queue = append(queue, other)
				}
			}
		}
	}
	return 0
}

// apply walks the path from class end back to kind k, first to find the
// bottleneck and then to move that much.
func (s *supplies) apply(k, end int, amount uint64, viaKind, viaClass []int, flow [][]uint64, left []uint64) uint64 {
	for c := end; viaKind[c] != k; c = viaClass[viaKind[c]] {
		amount = min(amount, flow[viaKind[c]][viaClass[viaKind[c]]])
	}
	left[end] -= amount
	for c := end; ; {
		kind := viaKind[c]
		flow[kind][c] += amount
		if kind == k {
			return amount
		}
		c = viaClass[kind]
		flow[kind][c] -= amount
	}
}
