package draw

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// Replacement is the search for an inspector after the draw: for an object
// that takes another's place, or for an inspector who is recused.
type Replacement struct {
	Seed       Digest // the one selected with
	Plan       Plan
	Inspectors Inspectors
	Ineligible Ineligible
	CapPlus    uint32            // the step of the ladder that the draw needed
	Loads      map[string]uint32 // per inspector its objects as things stand
}

// Next gives the inspector who is next in key order for a slot of an object:
// among those with the slot's skills, no ineligible pair with the object, not
// among besides and below their cap, the first by (load, lot, id), as in the
// assignment itself. It returns "" if there is none.
func (r Replacement) Next(object string, slot int, besides []string) string {
	sA := assignSeed(r.Seed)
	var open []Inspector
	for _, i := range r.Inspectors {
		if hasSkills(i, r.Plan.Slots[slot]) && r.Eligible(i.ID, object) && !slices.Contains(besides, i.ID) &&
			uint64(r.Loads[i.ID]) < uint64(i.Cap)+uint64(r.CapPlus) {
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		return ""
	}
	return slices.MinFunc(open, func(a, b Inspector) int {
		lotA, lotB := lot(sA, object, a.ID), lot(sA, object, b.ID)
		return cmp.Or(cmp.Compare(r.Loads[a.ID], r.Loads[b.ID]), bytes.Compare(lotA[:], lotB[:]), strings.Compare(a.ID, b.ID))
	}).ID
}

// Eligible says whether inspector and object are no ineligible pair.
func (r Replacement) Eligible(inspector, object string) bool {
	_, barred := slices.BinarySearchFunc(r.Ineligible, Pair{inspector, object}, Pair.compare)
	return !barred
}
