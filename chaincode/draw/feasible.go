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
	if short := s.unmet(demand, supply); short != nil {
		return refuse(KindInfeasible, s.names(short.kinds), "%d objects are drawn, which makes %d such slots; the caps of %s leave room for %d",
			drawn, short.demand, s.members(short.classes, inspectors, nil), short.supply)
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
	if short := s.unmet(s.perObject, all); short != nil {
		return refuse(KindInfeasible, s.names(short.kinds), "too few inspectors for even one object: %d such slots, and %s",
			short.demand, s.members(short.classes, inspectors, nil))
	}
	barred := make(map[string][]string) // object → those it lacks
	for _, p := range ineligible {
		if _, found := usable[p.Inspector]; found {
			barred[p.Object] = append(barred[p.Object], p.Inspector)
		}
	}
	return dir.Each(func(o Object) error {
		lacks := barred[o.ID]
		if len(lacks) == 0 {
			return nil
		}
		left := slices.Clone(all)
		for _, id := range lacks {
			left[usable[id]]--
		}
		if short := s.unmet(s.perObject, left); short != nil {
			return refuse(KindInfeasible, fmt.Sprintf("object %q", o.ID), "too few eligible inspectors remain for its %s: %d such slots, and %s",
				s.names(short.kinds), short.demand, s.members(short.classes, inspectors, lacks))
		}
		return nil
	})
}

// names lists kinds of slots by the skills they require.
func (s *supplies) names(kinds []int) string {
	var named []string
	for _, k := range kinds {
		if len(s.kinds[k]) == 0 {
			named = append(named, "slots for any skill")
			continue
		}
		named = append(named, "slots for ["+strings.Join(s.kinds[k], " ")+"]")
	}
	return strings.Join(named, ", ")
}

// maxNamed bounds the inspectors that an error names.
const maxNamed = 20

// members lists the usable inspectors of classes, without some.
func (s *supplies) members(classes []bool, inspectors Inspectors, without []string) string {
	var ids []string
	for i, c := range s.classOf {
		if classes[c] && inspectors[i].Cap > 0 && !slices.Contains(without, inspectors[i].ID) {
			ids = append(ids, inspectors[i].ID)
		}
	}
	text := fmt.Sprintf("%d inspectors", len(ids))
	if len(ids) == 0 {
		return text
	}
	more := ""
	if len(ids) > maxNamed {
		ids, more = ids[:maxNamed], " …"
	}
	return text + " [" + strings.Join(ids, " ") + more + "]"
}

// shortage is a Hall violator: kinds of slots that together demand more than
// all who fit any of them can supply.
type shortage struct {
	kinds          []int
	classes        []bool // those who fit
	demand, supply uint64
}

// unmet runs a maximum flow from kinds with a demand to classes with a supply
// and returns kinds whose demand cannot be met together, or nil.
func (s *supplies) unmet(demand, supply []uint64) *shortage {
	left := slices.Clone(supply)
	flow := make([][]uint64, len(s.kinds)) // kind → class
	for k := range flow {
		flow[k] = make([]uint64, len(s.classes))
	}
	for k, open := range demand {
		for open > 0 {
			pushed, reached := s.push(k, open, flow, left)
			if pushed == 0 {
				return s.shortage(reached, demand, supply)
			}
			open -= pushed
		}
	}
	return nil
}

// shortage sums up the kinds from which no path led to anybody free: all who
// fit one of them are taken by one of them.
func (s *supplies) shortage(kinds []int, demand, supply []uint64) *shortage {
	slices.Sort(kinds)
	short := &shortage{kinds: kinds, classes: make([]bool, len(s.classes))}
	for _, k := range kinds {
		short.demand += demand[k]
	}
	for c, fits := range s.classes {
		if slices.ContainsFunc(kinds, func(k int) bool { return fits[k] }) {
			short.classes[c] = true
			short.supply += supply[c]
		}
	}
	return short
}

// push moves up to amount from kind k along one augmenting path. Where there is
// none it moves nothing and returns the kinds that a path from k reaches.
func (s *supplies) push(k int, amount uint64, flow [][]uint64, left []uint64) (pushed uint64, reached []int) {
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
				return s.apply(k, c, min(amount, left[c]), viaKind, viaClass, flow, left), nil
			}
			for other := range s.kinds {
				if other != k && viaClass[other] < 0 && flow[other][c] > 0 {
					viaClass[other] = c
					queue = append(queue, other)
				}
			}
		}
	}
	return 0, queue
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
