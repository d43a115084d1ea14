package draw

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// StandbyRanks is how many ranks beyond each quota a result on a ledger lists.
const StandbyRanks = 20

// Sum is a stratum of a frozen directory as a freeze states it. No single leaf
// refutes it: whoever approves a freeze recomputes it from the whole directory.
type Sum struct {
	Stratum  string `json:"stratum"`
	Objects  uint64 `json:"objects"`
	Weight   uint64 `json:"weight"`   // the sum of weights
	Weighted bool   `json:"weighted"` // the weights differ
}

// Sums states each stratum, bytewise by name.
func (s *Survey) Sums() []Sum {
	totals := s.Strata()
	out := make([]Sum, len(totals))
	for i, t := range totals {
		out[i] = Sum{Stratum: t.Stratum, Objects: t.Objects, Weight: t.Weight, Weighted: t.Weighted()}
	}
	return out
}

// Posting is the result of a draw whose directory stands in a file: lists by
// their roots. A ledger takes it as it is, open to challenge; the lists
// themselves, a DrawnList, stand in a file beside it.
type Posting struct {
	Strata          []Published       `json:"strata"` // one for each of the plan, bytewise by name
	AssignmentsRoot Digest            `json:"assignmentsRoot"`
	CapPlus         uint32            `json:"capPlus"`
	Loads           map[string]uint32 `json:"loads"`                // inspector → objects; those with none are left out
	Infeasible      string            `json:"infeasible,omitempty"` // the deficient set; then nobody is assigned
}

// Outcome is a draw with what a ledger is told of it.
type Outcome struct {
	Result  Result // without an assignment where it is infeasible
	Sums    []Sum
	Posting Posting
	Drawn   DrawnList
}

// Post computes a draw and the posting of its result.
func Post(in Input, passes Passes) (Outcome, error) {
	s, err := computeSelection(in, passes, StandbyRanks)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Result: s.Result, Sums: s.survey.Sums()}
	for i, stratum := range s.Strata {
		out.Posting.Strata = append(out.Posting.Strata, publishedOf(stratum, s.survey.of(s.plan.Quotas[i].Stratum)))
	}
	assignment, err := s.assign()
	told, err := postedAssignment(assignment, err)
	if err != nil {
		return Outcome{}, err
	}
	out.Result.Assignment = assignment
	out.Posting.CapPlus, out.Posting.Loads, out.Posting.Infeasible = told.CapPlus, told.Loads, told.Infeasible
	out.Drawn = drawnOf(s.Strata, assignment)
	out.Posting.AssignmentsRoot = out.Drawn.AssignmentsRoot()
	return out, nil
}

// publishedOf states the selection in one stratum.
func publishedOf(s Stratum, total Total) Published {
	outright, selected := s.Lists()
	return Published{
		Stratum: s.Name, Quota: s.Quota, Weighted: s.Weighted, Objects: total.Objects, Weight: total.Weight,
		OutrightRoot: ListRoot(outright), Outright: uint64(len(outright)),
		SelectedRoot: ListRoot(selected), Selected: uint64(len(selected)),
		Threshold: s.Threshold, Standby: s.standby(),
	}
}

// Check refuses a posting that contradicts itself, the plan or the freeze, as
// far as that shows without a directory. sums are those of the freeze.
func (p Posting) Check(seed Digest, plan Plan, sums []Sum, inspectors Inspectors) error {
	if len(p.Strata) != len(plan.Quotas) {
		return refuse(KindProof, "strata", "%d are posted, the plan has %d", len(p.Strata), len(plan.Quotas))
	}
	drawn := uint64(0)
	for i, quota := range plan.Quotas {
		if err := p.Strata[i].check(seed, quota, sums); err != nil {
			return inEntry(err, fmt.Sprintf("strata[%d] %q", i, quota.Stratum))
		}
		drawn += p.Strata[i].Quota
	}
	if p.Infeasible != "" {
		if p.CapPlus != 0 || len(p.Loads) != 0 {
			return refuse(KindProof, "infeasible", "a draw that nobody can be assigned to has no loads")
		}
		return nil
	}
	return p.checkLoads(drawn*uint64(len(plan.Slots)), plan, inspectors)
}

func (p Posting) checkLoads(slots uint64, plan Plan, inspectors Inspectors) error {
	if p.CapPlus != 0 && !slices.Contains(plan.Ladder, p.CapPlus) {
		return refuse(KindProof, "capPlus", "%d is no step of the plan's ladder", p.CapPlus)
	}
	caps := make(map[string]uint64, len(inspectors))
	for _, in := range inspectors {
		caps[in.ID] = uint64(in.Cap) + uint64(p.CapPlus)
	}
	filled := uint64(0)
	for _, id := range slices.Sorted(maps.Keys(p.Loads)) {
		load := uint64(p.Loads[id])
		if limit, known := caps[id]; !known || load == 0 || load > limit {
			return refuse(KindProof, fmt.Sprintf("loads %q", id), "%d is not 1 to the cap of an inspector", load)
		}
		filled += load
	}
	if filled != slots {
		return refuse(KindProof, "loads", "they fill %d slots, the draw has %d", filled, slots)
	}
	return nil
}

// check compares a stratum with the freeze and its own members with each other.
func (p Published) check(seed Digest, quota Quota, sums []Sum) error {
	at, found := slices.BinarySearchFunc(sums, quota.Stratum, func(s Sum, name string) int { return strings.Compare(s.Stratum, name) })
	sum := Sum{Stratum: quota.Stratum}
	if found {
		sum = sums[at]
	}
	count, err := quota.Of(sum.Objects)
	if err != nil {
		return err
	}
	switch {
	case p.Stratum != quota.Stratum || p.Objects != sum.Objects || p.Weight != sum.Weight || p.Weighted != sum.Weighted:
		return refuse(KindProof, "", "is not the stratum that was frozen")
	case p.Quota != count:
		return refuse(KindProof, "", "quota is %d, not %d", p.Quota, count)
	case p.RefuteCount() == nil:
		return refuse(KindProof, "", "%d and %d objects with threshold %t do not make a quota of %d", p.Outright, p.Selected, p.Threshold != nil, p.Quota)
	case !p.Weighted && p.Outright > 0:
		return refuse(KindProof, "", "nothing is outright where weights are equal")
	case p.Threshold != nil && (p.Threshold.Weight == 0 || !p.Weighted && p.Threshold.Weight != 1):
		return refuse(KindProof, "threshold", "weight %d", p.Threshold.Weight)
	}
	return p.checkStandby(seed)
}

// checkStandby wants as many standby ranks as there can be, in their order.
// Where nothing is ranked in the stratum there are none.
func (p Published) checkStandby(seed Digest) error {
	want := min(StandbyRanks, p.Objects-p.Quota)
	if uint64(len(p.Standby)) != want {
		return refuse(KindProof, "standby", "%d ranks, not %d", len(p.Standby), want)
	}
	var last *Ranked
	for i, o := range p.Standby {
		if err := o.Check(); err != nil {
			return inEntry(err, fmt.Sprintf("standby[%d]", i))
		}
		next := Ranked{ID: o.ID, Key: p.Key(seed, o)}
		switch {
		case o.Stratum != p.Stratum:
			return refuse(KindProof, "standby", "%q is of stratum %q", o.ID, o.Stratum)
		case p.Threshold != nil && next.Key.Compare(*p.Threshold) < 0:
			return refuse(KindProof, "standby", "the ticket of %q is within the threshold", o.ID)
		case last != nil && last.compare(next) >= 0:
			return refuse(KindProof, "standby", "%q does not rank behind %q", o.ID, last.ID)
		}
		last = &next
	}
	return nil
}

// assignmentOf gives the members of a posting that tell the assignment of the
// objects listed.
func assignmentOf(d Disputed, list DrawnList) (Posting, error) {
	slices.SortFunc(list, func(a, b Drawn) int { return strings.Compare(a.ID, b.ID) })
	assignment, err := Assign(d.Seed, d.Plan, d.Inspectors, d.Ineligible, list.IDs())
	out, err := postedAssignment(assignment, err)
	if err != nil {
		return out, err
	}
	for i := range list {
		list[i].Inspectors = assignment.Inspectors[list[i].ID]
	}
	out.AssignmentsRoot = list.AssignmentsRoot()
	return out, nil
}

// sameLoads compares what stands beside the assignments' root.
func (p Posting) sameLoads(other Posting) bool {
	return p.CapPlus == other.CapPlus && p.Infeasible == other.Infeasible && maps.Equal(p.Loads, other.Loads)
}

// postedAssignment tells what stands beside the assignments' root; err is what
// Assign returned. That it is infeasible is an answer, no error.
func postedAssignment(a Assignment, err error) (Posting, error) {
	out := Posting{CapPlus: a.CapPlus, Loads: a.Loads}
	if out.Loads == nil {
		out.Loads = map[string]uint32{}
	}
	var rule *Error
	if errors.As(err, &rule) && rule.Kind == KindInfeasible {
		out.Infeasible, err = rule.Error(), nil
	}
	return out, err
}
