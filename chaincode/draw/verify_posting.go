package draw

import (
	"fmt"
	"slices"
)

// comparePosted holds the strata of a posting against those recomputed.
func (r *verification) comparePosted() error {
	if len(r.posting.Strata) != len(r.strata) {
		return refuse(KindProof, "posting.strata", "%d are posted, the plan has %d", len(r.posting.Strata), len(r.strata))
	}
	for i, s := range r.strata {
		if own := publishedOf(s, r.survey.of(s.Name)); !own.equal(r.posting.Strata[i]) {
			return refuse(KindProof, fmt.Sprintf("posting.strata[%d] %q", i, s.Name), "is not what the draw gives")
		}
	}
	return nil
}

func (p Published) equal(q Published) bool {
	sameThreshold := (p.Threshold == nil) == (q.Threshold == nil) && (p.Threshold == nil || *p.Threshold == *q.Threshold)
	if !sameThreshold || !slices.Equal(p.Standby, q.Standby) {
		return false
	}
	return p.Stratum == q.Stratum && p.Quota == q.Quota && p.Weighted == q.Weighted && p.Objects == q.Objects && p.Weight == q.Weight &&
		p.OutrightRoot == q.OutrightRoot && p.Outright == q.Outright && p.SelectedRoot == q.SelectedRoot && p.Selected == q.Selected
}

// comparePostedAssignment holds a posting's assignments against those
// recomputed; err is that of the assignment.
func (r *verification) comparePostedAssignment(assignment Assignment, err error) error {
	own, err := postedAssignment(assignment, err)
	if err != nil {
		return err
	}
	own.AssignmentsRoot = drawnOf(r.strata, assignment).AssignmentsRoot()
	if own.AssignmentsRoot != r.posting.AssignmentsRoot || !own.sameLoads(*r.posting) {
		return refuse(KindProof, "posting.assignmentsRoot", "assignments, loads or caps are not what the draw gives")
	}
	return nil
}

// Outcome recomputes the draw of a transcript that carries all that the draw is
// a function of, with what its posting is decided against. passes walk the
// frozen directory.
func (t Transcript) Outcome(passes Passes) (Outcome, Disputed, error) {
	if t.Directories == nil || t.Beacon == nil || t.Commitments == nil {
		return Outcome{}, Disputed{}, refuse(KindSyntax, "transcript", "directories, commitments or beacon are not carried")
	}
	in := Input{
		Draw: t.Draw, Plan: t.Plan, Inspectors: t.Directories.Inspectors, Ineligible: t.Directories.Ineligible,
		Beacon: *t.Beacon, SealedSecret: t.SealedSecret,
	}
	for _, c := range t.Commitments {
		share := Share{Org: c.Org, Commitment: c.Commitment}
		for _, reveal := range t.Reveals {
			if reveal.Org == c.Org {
				share.Secret = &reveal.Secret
			}
		}
		in.Contributions = append(in.Contributions, share)
	}
	own, err := Post(in, passes)
	if err != nil {
		return Outcome{}, Disputed{}, err
	}
	d := Disputed{Seed: own.Result.DrawSeed(), Directories: own.Result.Directories}
	if t.Freeze != nil && t.Freeze.Freeze != own.Result.Freeze {
		return own, d, refuse(KindProof, "freeze", "F is %s, not the recorded one", own.Result.Freeze)
	}
	if d.Plan, err = ParsePlan(t.Plan); err != nil {
		return own, d, err
	}
	if d.Inspectors, err = NewInspectors(in.Inspectors); err != nil {
		return own, d, err
	}
	if d.Ineligible, err = NewIneligible(in.Ineligible); err != nil {
		return own, d, err
	}
	if t.Posting != nil {
		d.Posting, err = ParsePosting(t.Posting)
	}
	return own, d, err
}
