package draw

import "fmt"

// Result is the output of a draw with all intermediate values.
type Result struct {
	PlanHash     Digest
	Directories  Directories
	Freeze       Digest
	Contribution Digest
	ChainHash    Digest
	Seed         Digest
	SealedSeed   *Digest // nil unless sealed
	Strata       []Stratum
	Assignment   Assignment
}

// DrawSeed is the seed that selection and assignment use: the sealed one in a
// sealed draw.
func (r Result) DrawSeed() Digest {
	if r.SealedSeed != nil {
		return *r.SealedSeed
	}
	return r.Seed
}

// Compute is the draw. It sorts the objects; a directory too large for that
// goes through ComputeFrom.
func Compute(in Input) (Result, error) {
	objects, err := NewObjects(in.Objects)
	if err != nil {
		return Result{}, err
	}
	return ComputeFrom(in, objects, 0)
}

// ComputeFrom is the draw over a directory in id order, which it walks twice;
// in.Objects is not read. It keeps up to standby ranks beyond each quota.
func ComputeFrom(in Input, dir Directory, standby int) (Result, error) {
	return ComputeWith(in, serial{dir}, standby)
}

// Passes are the two walks over the objects. Package parallel has others, with
// the same results.
type Passes interface {
	// Survey reads all objects.
	Survey() (*Survey, error)
	// Select reads them again into the selector.
	Select(*Selector) error
}

// Serially walks a directory from its beginning to its end.
func Serially(dir Directory) Passes { return serial{dir} }

type serial struct{ dir Directory }

func (s serial) Survey() (*Survey, error) {
	survey := NewSurvey()
	return survey, survey.AddAll(s.dir)
}

func (s serial) Select(selector *Selector) error { return selector.AddAll(s.dir) }

// ComputeWith is the draw with the caller's way to walk the objects.
func ComputeWith(in Input, passes Passes, standby int) (Result, error) {
	s, err := computeSelection(in, passes, standby)
	if err != nil {
		return Result{}, err
	}
	s.Assignment, err = s.assign()
	return s.Result, err
}

// computed is a draw up to its selection, with what its assignment needs.
type computed struct {
	Result
	plan       Plan
	survey     *Survey
	inspectors Inspectors
	ineligible Ineligible
}

func (c computed) assign() (Assignment, error) {
	return Assign(c.DrawSeed(), c.plan, c.inspectors, c.ineligible, SelectedIDs(c.Strata))
}

// computeSelection is the draw up to its selected objects.
func computeSelection(in Input, passes Passes, standby int) (c computed, err error) {
	if err := checkLabel("draw", in.Draw); err != nil {
		return c, inEntry(err, "draw")
	}
	if c.plan, err = ParsePlan(in.Plan); err != nil {
		return c, err
	}
	if c.inspectors, err = NewInspectors(in.Inspectors); err != nil {
		return c, err
	}
	if c.ineligible, err = NewIneligible(in.Ineligible); err != nil {
		return c, err
	}
	if c.survey, err = passes.Survey(); err != nil {
		return c, err
	}
	c.PlanHash, c.Directories = c.plan.Hash, DirectoriesOf(c.survey, c.inspectors, c.ineligible)
	c.Freeze = Freeze(in.Draw, c.PlanHash, c.Directories)
	if err := c.draw(in, c.plan); err != nil {
		return c, err
	}
	c.Strata, err = selectWith(passes, c.survey, c.DrawSeed(), c.plan.Quotas, standby)
	return c, err
}

// DirectoriesOf sums up the three lists for the freeze.
func DirectoriesOf(survey *Survey, inspectors Inspectors, ineligible Ineligible) Directories {
	return Directories{
		ObjectsRoot: survey.Root(), Objects: survey.Count(),
		InspectorsRoot: inspectors.Root(), Inspectors: uint64(len(inspectors)),
		IneligibleRoot: ineligible.Root(), Ineligible: uint64(len(ineligible)),
	}
}

// draw fills in contribution, beacon and seeds.
func (r *Result) draw(in Input, plan Plan) (err error) {
	if r.Contribution, err = Contribution(in.Draw, in.Contributions); err != nil {
		return err
	}
	randomness, err := in.Beacon.Chain.Verify(in.Beacon.Round, in.Beacon.Signature)
	if err != nil {
		return err
	}
	r.ChainHash = in.Beacon.Chain.Hash()
	r.Seed = Seed(r.Freeze, r.Contribution, r.ChainHash, in.Beacon.Round, randomness)
	r.SealedSeed, err = plan.Unseal(in.Draw, r.Seed, in.SealedSecret)
	return err
}

// Unseal checks the secret against the plan's seal and mixes it into the seed.
// It returns nil for a draw that is not sealed.
func (p Plan) Unseal(draw string, seed Digest, secret *Digest) (*Digest, error) {
	switch {
	case p.Seal == nil && secret == nil:
		return nil, nil
	case p.Seal == nil:
		return nil, refuse(KindSeal, "sealedSecret", "the plan has no seal")
	case secret == nil:
		return nil, refuse(KindSeal, "sealedSecret", "the plan is sealed, its secret is needed")
	case Seal(draw, *secret) != *p.Seal:
		return nil, refuse(KindSeal, "sealedSecret", "does not open the plan's seal")
	}
	sealed := SealedSeed(seed, *secret)
	return &sealed, nil
}

func selectWith(passes Passes, survey *Survey, seed Digest, quotas []Quota, standby int) ([]Stratum, error) {
	selector, err := NewSelector(seed, survey, quotas, standby)
	if err != nil {
		return nil, err
	}
	if err := passes.Select(selector); err != nil {
		return nil, fmt.Errorf("select objects: %w", err)
	}
	return selector.Strata()
}

// Select surveys a directory and selects from it. seed is the one the draw
// selects with; up to standby ranks beyond each quota are kept.
func Select(seed Digest, dir Directory, quotas []Quota, standby int) ([]Stratum, error) {
	passes := serial{dir}
	survey, err := passes.Survey()
	if err != nil {
		return nil, err
	}
	return selectWith(passes, survey, seed, quotas, standby)
}

// SelectedIDs lists the selected objects of all strata.
func SelectedIDs(strata []Stratum) []string {
	var out []string
	for _, s := range strata {
		out = append(out, s.IDs()...)
	}
	return out
}
