package draw

import (
	"fmt"
	"io"
	"slices"
)

// Status is the outcome of one step of a verification.
type Status string

// A step that the transcript does not carry, or that rests on one it does not
// carry, is not shown; that is neither success nor failure.
const (
	Pass     Status = "PASS"
	Fail     Status = "FAIL"
	NotShown Status = "NOT SHOWN"
)

// Step is one line of a verification.
type Step struct {
	Name   string
	Status Status
	Detail string
}

// Verifier checks transcripts.
type Verifier struct {
	// Open opens a directory file that the transcript names; nil if there are
	// none to be had.
	Open func(name string) (io.ReadCloser, error)
	// Passes walks the objects; nil for serially.
	Passes func(Objects) Passes
	// Ledger checks the transcript's "ledger" member: transactions with
	// endorsements and the blocks that carry them. It says what it found. nil
	// if this program cannot.
	Ledger func(Transcript) (string, error)
}

// verification is one run: the transcript and what its steps have established.
type verification struct {
	Verifier
	t       Transcript
	steps   []Step
	plan    *Plan
	terms   terms
	dirs    *Directories // as recomputed from the lists shown
	survey  *Survey
	passes  Passes
	people  Inspectors
	barred  Ineligible
	shares  []Share // nil if commitments are not shown or a reveal is wrong
	contrib *Digest
	seed    *Digest // S
	drawn   *Digest // the seed selected with
	random  *Digest
	strata  []Stratum
	pairing *Assignment
	result  map[string][]byte
	posting *Posting // as carried; nil if there is none or it cannot be read
}

// Verify checks every step that the transcript carries. Later steps rest on
// what the transcript shows, so a change fails the step that owns it.
func (v Verifier) Verify(t Transcript) []Step {
	run := &verification{Verifier: v, t: t}
	run.checkPlan()
	run.checkPlanApproval()
	run.checkDirectories()
	run.checkFreeze()
	run.checkFreezeApproval()
	run.checkCommitments()
	run.checkReveals()
	run.checkClose()
	run.checkObservations()
	run.checkBeacon()
	run.checkSeeds()
	run.checkSelection()
	run.checkAssignment()
	run.checkLeaves()
	run.checkSubstitutions()
	run.checkLedger()
	return run.steps
}

// Failed says whether any step failed.
func Failed(steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.Status == Fail })
}

func (r *verification) say(name string, status Status, format string, args ...any) {
	r.steps = append(r.steps, Step{name, status, fmt.Sprintf(format, args...)})
}

func (r *verification) notShown(name, format string, args ...any) {
	r.say(name, NotShown, format, args...)
}

// outcome passes a step unless it has errors.
func (r *verification) outcome(name string, err error, format string, args ...any) {
	if err != nil {
		r.say(name, Fail, "%v", err)
		return
	}
	r.say(name, Pass, format, args...)
}

func (r *verification) checkPlan() {
	const step = "plan"
	if err := checkLabel("draw", r.t.Draw); err != nil {
		r.say(step, Fail, "%v", err)
		return
	}
	plan, err := ParsePlan(r.t.Plan)
	if err == nil {
		r.terms, err = parseTerms(plan.Canonical)
	}
	if err != nil {
		r.say(step, Fail, "%v", err)
		return
	}
	r.plan = &plan
	switch {
	case r.t.Freeze != nil && r.t.Freeze.PlanHash != plan.Hash:
		r.say(step, Fail, "hash %s is not the frozen one", plan.Hash)
	case r.terms.stated && !r.terms.demonstration && r.terms.margin <= 2*r.terms.timeWindow:
		r.say(step, Fail, "margin of %d s is not above twice the time window of %d s", r.terms.margin, r.terms.timeWindow)
	case r.terms.demonstration:
		r.say(step, Pass, "hash %s; a DEMONSTRATION: its times prove nothing", plan.Hash)
	default:
		r.say(step, Pass, "hash %s", plan.Hash)
	}
}

// approvers lists the other organisations that approved a step, and fails on
// an approval of something else.
func (r *verification) approvers(step string, hash Digest) ([]string, error) {
	var orgs []string
	for i, a := range r.t.Approvals {
		if a.Step != step {
			continue
		}
		if a.Hash != hash {
			return nil, refuse(KindProof, fmt.Sprintf("approvals[%d] %q", i, a.Org), "approves %s", a.Hash)
		}
		if err := checkLabel("organisation", a.Org); err != nil {
			return nil, err
		}
		if a.Org != r.terms.regulator && !slices.Contains(orgs, a.Org) {
			orgs = append(orgs, a.Org)
		}
	}
	slices.Sort(orgs)
	return orgs, nil
}

func (r *verification) checkApprovals(name, step string, hash Digest, needed int) {
	if r.t.Approvals == nil {
		r.notShown(name, "no approvals are carried")
		return
	}
	orgs, err := r.approvers(step, hash)
	if err == nil && len(orgs) < needed {
		err = refuse(KindProof, "approvals", "%d of other organisations, %d are needed", len(orgs), needed)
	}
	r.outcome(name, err, "by %v", orgs)
}

func (r *verification) checkPlanApproval() {
	for i, a := range r.t.Approvals {
		if a.Step != "plan" && a.Step != "freeze" {
			r.say("plan approval", Fail, "approvals[%d]: unknown step %q", i, a.Step)
			return
		}
	}
	if r.plan == nil {
		r.notShown("plan approval", "no valid plan")
		return
	}
	r.checkApprovals("plan approval", "plan", r.plan.Hash, 1)
}

func (r *verification) checkDirectories() {
	const step = "directories"
	if r.t.Directories == nil {
		r.notShown(step, "not carried")
		return
	}
	err := r.loadDirectories()
	if err == nil && r.t.Freeze != nil {
		err = r.dirs.differs(r.t.Freeze.Directories)
	}
	r.outcome(step, err, "roots and counts recomputed from the lists")
}

// differs names the first value that is not the frozen one.
func (d Directories) differs(frozen Directories) error {
	for _, c := range []struct {
		name      string
		got, want Digest
		n, wantN  uint64
	}{
		{"objects", d.ObjectsRoot, frozen.ObjectsRoot, d.Objects, frozen.Objects},
		{"inspectors", d.InspectorsRoot, frozen.InspectorsRoot, d.Inspectors, frozen.Inspectors},
		{"ineligible", d.IneligibleRoot, frozen.IneligibleRoot, d.Ineligible, frozen.Ineligible},
	} {
		if c.n != c.wantN {
			return refuse(KindProof, c.name, "%d entries are shown, %d were frozen", c.n, c.wantN)
		}
		if c.got != c.want {
			return refuse(KindProof, c.name, "root of the list shown is %s, not the frozen one", c.got)
		}
	}
	return nil
}

func (r *verification) loadDirectories() error {
	shown := r.t.Directories
	objects, err := r.loadObjects()
	if err != nil {
		return err
	}
	if r.people, err = NewInspectors(shown.Inspectors); err != nil {
		return err
	}
	if r.barred, err = NewIneligible(shown.Ineligible); err != nil {
		return err
	}
	var passes Passes = serial{objects}
	if r.Passes != nil {
		passes = r.Passes(objects)
	}
	if r.survey, err = passes.Survey(); err != nil {
		return err
	}
	r.passes = passes
	dirs := DirectoriesOf(r.survey, r.people, r.barred)
	r.dirs = &dirs
	return nil
}

func (r *verification) loadObjects() (Objects, error) {
	list := r.t.Directories.Objects
	for _, name := range r.t.Directories.Files {
		if r.Open == nil {
			return nil, fmt.Errorf("open directory file %s: no files at hand", name)
		}
		file := CSV{Open: func() (io.ReadCloser, error) { return r.Open(name) }}
		err := file.Each(func(o Object) error {
			list = append(list, o)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return NewObjects(list)
}

func (r *verification) checkFreeze() {
	const step = "freeze"
	f := r.t.Freeze
	if f == nil {
		r.notShown(step, "not carried")
		return
	}
	if got := Freeze(r.t.Draw, f.PlanHash, f.Directories); got != f.Freeze {
		r.say(step, Fail, "F is %s, not the recorded one", got)
		return
	}
	if f.Round == 0 {
		r.say(step, Fail, "round 0: rounds count from 1")
		return
	}
	r.say(step, Pass, "F %s, round %d", f.Freeze, f.Round)
}

func (r *verification) checkFreezeApproval() {
	if r.t.Freeze == nil {
		r.notShown("freeze approval", "no freeze is carried")
		return
	}
	r.checkApprovals("freeze approval", "freeze", r.t.Freeze.Freeze, 2)
}
