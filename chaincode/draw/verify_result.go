package draw

import (
	"fmt"
	"slices"
)

// Members of a result by the step that owns them.
var (
	seedMembers = [...]string{"planHash", "objectsRoot", "inspectorsRoot", "ineligibleRoot",
		"freeze", "contribution", "chainHash", "seed", "sealedSeed"}
	assignMembers = [...]string{"order", "capPlus", "assignments"}
)

func (r *verification) checkSeeds() {
	const step = "seed"
	if r.t.Freeze == nil || r.contrib == nil || r.random == nil || r.plan == nil {
		r.notShown(step, "freeze, contributions, beacon or plan are not shown or not valid")
		return
	}
	f := r.t.Freeze
	out := Result{
		PlanHash: f.PlanHash, Directories: f.Directories, Freeze: f.Freeze,
		Contribution: *r.contrib, ChainHash: r.t.Beacon.Chain.Hash(),
	}
	out.Seed = Seed(out.Freeze, out.Contribution, out.ChainHash, f.Round, *r.random)
	r.seed = &out.Seed
	if r.plan.Seal != nil && r.t.SealedSecret == nil {
		r.notShown(step, "the draw is sealed and its secret is not carried")
		return
	}
	sealed, err := r.plan.Unseal(r.t.Draw, out.Seed, r.t.SealedSecret)
	if err != nil {
		r.say(step, Fail, "%v", err)
		return
	}
	out.SealedSeed = sealed
	drawn := out.DrawSeed()
	r.drawn = &drawn
	switch {
	case r.t.Result != nil && r.t.Posting != nil:
		err = refuse(KindSyntax, "posting", "a result is carried as well")
	case r.t.Result != nil:
		err = r.compareSeeds(out)
	case r.t.Posting != nil:
		var posting Posting
		if posting, err = ParsePosting(r.t.Posting); err == nil {
			r.posting = &posting
		}
	}
	r.outcome(step, err, "S %s", out.Seed)
}

// compareSeeds checks the part of the posted result that precedes selection,
// and that it has no members but those known.
func (r *verification) compareSeeds(out Result) error {
	posted, err := membersOf(r.t.Result)
	if err != nil {
		return asError("result", err)
	}
	document, err := out.JSON()
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	expected, err := membersOf(document)
	if err != nil {
		return fmt.Errorf("read own result: %w", err)
	}
	r.result = posted
	for _, name := range seedMembers {
		if !sameMember(posted, expected, name) {
			return refuse(KindProof, "result."+name, "is not %s", expected[name])
		}
	}
	extra := ""
	for name := range posted { // the smallest, whatever the order
		if _, known := expected[name]; !known && (extra == "" || name < extra) {
			extra = name
		}
	}
	if extra != "" {
		return refuse(KindSyntax, "result", "unknown member %q", extra)
	}
	return nil
}

// posted gives the members of the posted result, nil if there is none.
func (r *verification) posted() map[string][]byte {
	if r.result == nil && r.t.Result != nil {
		r.result, _ = membersOf(r.t.Result) // checkSeeds has reported the error
	}
	return r.result
}

func (r *verification) checkSelection() {
	const step = "selection"
	if r.drawn == nil || r.passes == nil {
		r.notShown(step, "seed or directories are not shown or not valid")
		return
	}
	standby := len(r.t.Substitutions)
	if r.posting != nil {
		standby = StandbyRanks
	}
	strata, err := selectWith(r.passes, r.survey, *r.drawn, r.plan.Quotas, standby)
	if err != nil {
		r.say(step, Fail, "%v", err)
		return
	}
	r.strata = strata
	if r.posting != nil {
		r.outcome(step, r.comparePosted(), "%d objects in %d strata, as posted by roots", len(SelectedIDs(strata)), len(strata))
		return
	}
	if r.t.Result == nil {
		r.notShown(step, "recomputed, but no result is carried to compare")
		return
	}
	r.outcome(step, r.compare(Result{Strata: strata}, "strata"), "%d objects in %d strata", len(SelectedIDs(strata)), len(strata))
}

// compare checks members of the posted result against a recomputed one.
func (r *verification) compare(own Result, names ...string) error {
	document, err := own.JSON()
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	expected, err := membersOf(document)
	if err != nil {
		return fmt.Errorf("read own result: %w", err)
	}
	for _, name := range names {
		if !sameMember(r.posted(), expected, name) {
			return refuse(KindProof, "result."+name, "is not what the draw gives")
		}
	}
	return nil
}

func (r *verification) checkAssignment() {
	const step = "assignment"
	if r.strata == nil {
		r.notShown(step, "selection is not shown or not valid")
		return
	}
	assignment, err := Assign(*r.drawn, *r.plan, r.people, r.barred, SelectedIDs(r.strata))
	if r.posting != nil {
		r.outcome(step, r.comparePostedAssignment(assignment, err), "%d inspectors on %d objects, caps raised by %d, as posted by roots",
			len(assignment.Loads), len(assignment.Order), assignment.CapPlus)
		return
	}
	if err != nil {
		r.say(step, Fail, "%v", err)
		return
	}
	r.pairing = &assignment
	if r.t.Result == nil {
		r.notShown(step, "recomputed, but no result is carried to compare")
		return
	}
	err = r.compare(Result{Assignment: assignment}, assignMembers[:]...)
	r.outcome(step, err, "%d inspectors on %d objects, caps raised by %d",
		len(assignment.Loads), len(assignment.Order), assignment.CapPlus)
}

// checkLeaves holds what was committed to while a draw was sealed against its
// outcome. An open draw has no such step.
func (r *verification) checkLeaves() {
	const step = "sealed leaves"
	sealed := r.plan != nil && r.plan.Seal != nil
	switch {
	case len(r.t.Leaves) == 0 && !sealed:
	case !sealed:
		r.say(step, Fail, "leaves are carried, but the plan has no seal")
	case len(r.t.Leaves) == 0:
		r.notShown(step, "none are carried")
	case r.t.SealedSecret == nil || r.pairing == nil:
		r.notShown(step, "the secret or the assignment is not shown or not valid")
	default:
		leaves := SealedLeaves(*r.t.SealedSecret, *r.pairing)
		root := SealedRoot(leaves)
		var orgs []string
		for i, l := range r.t.Leaves {
			if l.Root != root || l.Leaves != uint64(len(leaves)) {
				r.say(step, Fail, "leaves[%d] %q: are not those of the outcome, %d under %s", i, l.Org, len(leaves), root)
				return
			}
			orgs = append(orgs, l.Org)
		}
		r.say(step, Pass, "committed to by %v before the opening", orgs)
	}
}

// checkSubstitutions follows the standby ranks: each substitution in a stratum
// takes the next one.
func (r *verification) checkSubstitutions() {
	const step = "substitutions"
	if r.t.Substitutions == nil {
		r.notShown(step, "none are carried")
		return
	}
	if r.strata == nil {
		r.notShown(step, "selection is not shown or not valid")
		return
	}
	for i, s := range r.t.Substitutions {
		entry := fmt.Sprintf("substitutions[%d] %q", i, s.Object)
		if err := r.substitute(s); err != nil {
			r.say(step, Fail, "%v", inEntry(err, entry))
			return
		}
	}
	r.say(step, Pass, "%d, each by the next standby rank", len(r.t.Substitutions))
}

func (r *verification) substitute(s Substitution) error {
	at := slices.IndexFunc(r.strata, func(h Stratum) bool { return h.Name == s.Stratum })
	if at < 0 {
		return refuse(KindProof, "", "stratum %q is not in the plan", s.Stratum)
	}
	h := &r.strata[at]
	selected := slices.Index(h.Outright, s.Object)
	ranked := slices.IndexFunc(h.Selected, func(o Ranked) bool { return o.ID == s.Object })
	switch {
	case s.Reason == "":
		return refuse(KindProof, "", "has no reason")
	case selected < 0 && ranked < 0:
		return refuse(KindProof, "", "is not selected in stratum %q, or was replaced before", s.Stratum)
	case len(h.Standby) == 0:
		return refuse(KindProof, "", "stratum %q has no standby left", s.Stratum)
	case h.Standby[0].ID != s.By:
		return refuse(KindProof, "", "next standby is %q, not %q", h.Standby[0].ID, s.By)
	}
	if selected >= 0 {
		h.Outright = slices.Delete(slices.Clone(h.Outright), selected, selected+1)
	} else {
		h.Selected = slices.Delete(slices.Clone(h.Selected), ranked, ranked+1)
	}
	h.Selected = append(slices.Clone(h.Selected), h.Standby[0])
	h.Standby = h.Standby[1:]
	return nil
}

func (r *verification) checkLedger() {
	const step = "ledger"
	switch {
	case r.t.Ledger == nil:
		r.notShown(step, "no transactions, endorsements or blocks are carried")
	case r.Ledger == nil:
		r.notShown(step, "not checked without a trust file")
	default:
		found, err := r.Ledger(r.t)
		r.outcome(step, err, "%s", found)
	}
}
