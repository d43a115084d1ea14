package draw

import (
	"fmt"
	"slices"
	"strings"
)

// FindChallenge compares a posting with what the draw gives and makes a
// challenge that refutes it; nil if they agree. listed are the posting's lists
// (Posting.Carries), dir is the frozen directory. An error says why a posting
// that differs cannot be challenged.
func FindChallenge(own Outcome, d Disputed, listed DrawnList, dir Directory) (*Challenge, error) {
	if err := d.Posting.Carries(listed); err != nil {
		return nil, fmt.Errorf("read the posting's lists: %w", err)
	}
	f := finder{own: own, d: d, listed: listed, dir: dir}
	for i, p := range d.Posting.Strata {
		candidates, err := f.inStratum(p, own.Posting.Strata[i])
		if err != nil {
			return nil, err
		}
		for _, c := range candidates {
			if c.Stratum = p.Stratum; c.Refute(d) == nil {
				return &c, nil
			}
		}
	}
	if own.Posting.AssignmentsRoot == d.Posting.AssignmentsRoot && own.Posting.sameLoads(d.Posting) {
		return nil, nil
	}
	c := Challenge{Kind: ChallengeAssignment}
	for _, p := range d.Posting.Strata {
		outright, selected := listed.In(p.Stratum)
		c.Lists = append(c.Lists, Lists{outright, selected})
	}
	return &c, c.Refute(d)
}

// finder makes challenges that may hold; FindChallenge tries them.
type finder struct {
	own    Outcome
	d      Disputed
	listed DrawnList
	dir    Directory
}

// inStratum goes through what can be wrong in one stratum, from the smallest
// proof to the largest.
func (f finder) inStratum(p, right Published) ([]Challenge, error) {
	outright, selected := f.listed.In(p.Stratum)
	mustOutright, mustSelected := f.own.Drawn.In(p.Stratum)
	var found []Challenge
	for _, o := range slices.Concat(outright, selected) {
		if has(outright, o) && has(mustOutright, o) || has(selected, o) && has(mustSelected, o) {
			continue
		}
		c, err := f.listedWrongly(o, outright, selected)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
		break // one is enough
	}
	for _, o := range mustSelected {
		if !p.Within(f.d.Seed, o) { // the posted threshold is too low
			proof, err := proofIn(selected, o.ID)
			if err == nil {
				found = append(found, Challenge{Kind: ChallengeListed, Listed: &proof})
				break
			}
		}
	}
	more, err := f.leftOut(p, right, outright, selected, mustOutright)
	if err != nil {
		return nil, err
	}
	found = append(append(found, more...), Challenge{Kind: ChallengeList, List: selected})
	standby, err := f.standbyWrong(p, right, outright)
	return append(found, standby...), err
}

// has looks an object up in a list in id order.
func has(list Objects, o Object) bool {
	at, found := slices.BinarySearchFunc(list, o.ID, func(l Object, id string) int { return strings.Compare(l.ID, id) })
	return found && list[at] == o
}

// proofIn proves an object of a list; that it is absent is an error.
func proofIn(list Directory, id string) (ObjectProof, error) {
	proof, _, err := Prove(list, id)
	if err == nil && proof == nil {
		err = refuse(KindProof, id, "is not listed")
	}
	if err != nil {
		return ObjectProof{}, err
	}
	return *proof, nil
}

// listedWrongly says what is wrong with an object that should not be listed so.
func (f finder) listedWrongly(o Object, outright, selected Objects) (Challenge, error) {
	list := selected
	if has(outright, o) {
		list = outright
	}
	proof, err := proofIn(list, o.ID)
	if err != nil {
		return Challenge{}, err
	}
	present, absent, err := Prove(f.dir, o.ID)
	switch {
	case err != nil:
		return Challenge{}, err
	case absent != nil:
		return Challenge{Kind: ChallengeGhost, Listed: &proof, Absent: absent}, nil
	case present.Object != o:
		return Challenge{Kind: ChallengeAltered, Listed: &proof, InDirectory: present}, nil
	case has(outright, o):
		return Challenge{Kind: ChallengeOutright, List: outright}, nil
	}
	return Challenge{Kind: ChallengeListed, Listed: &proof}, nil
}

// leftOut makes the challenges for objects that the posting should list.
func (f finder) leftOut(p, right Published, outright, selected, mustOutright Objects) ([]Challenge, error) {
	var found []Challenge
	for _, o := range mustOutright {
		if has(outright, o) {
			continue
		}
		present, err := proofIn(f.dir, o.ID)
		if err != nil {
			return nil, err
		}
		found = append(found, Challenge{Kind: ChallengeOutright, List: outright, InDirectory: &present})
		break
	}
	_, mustSelected := f.own.Drawn.In(p.Stratum)
	for _, o := range slices.Concat(mustSelected, right.Standby) {
		if !p.Within(f.d.Seed, o) || has(outright, o) || has(selected, o) {
			continue
		}
		present, err := proofIn(f.dir, o.ID)
		if err != nil {
			return nil, err
		}
		c := Challenge{Kind: ChallengeOmitted, InDirectory: &present}
		if _, c.NotOutright, err = Prove(outright, o.ID); err != nil {
			return nil, err
		}
		if _, c.NotSelected, err = Prove(selected, o.ID); err != nil {
			return nil, err
		}
		return append(found, c), nil
	}
	return found, nil
}

// standbyWrong makes the challenges to the standby ranks.
func (f finder) standbyWrong(p, right Published, outright Objects) ([]Challenge, error) {
	if slices.Equal(p.Standby, right.Standby) {
		return nil, nil
	}
	var found []Challenge
	for _, o := range slices.Concat(p.Standby, right.Standby) {
		if slices.Contains(p.Standby, o) && slices.Contains(right.Standby, o) {
			continue
		}
		c := Challenge{Kind: ChallengeStandby}
		var err error
		if proof, listed := proofIn(outright, o.ID); listed == nil {
			c.Listed = &proof
		} else if c.InDirectory, c.Absent, err = Prove(f.dir, o.ID); err != nil {
			return nil, err
		} else if _, c.NotOutright, err = Prove(outright, o.ID); err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}
