package draw

import (
	"fmt"
	"slices"
	"strings"
)

func (r *verification) checkCommitments() {
	const step = "commitments"
	if r.t.Commitments == nil {
		r.notShown(step, "not carried")
		return
	}
	shares, orgs, known := []Share{}, []string{}, make(map[string]bool)
	for i, c := range r.t.Commitments {
		entry := fmt.Sprintf("commitments[%d] %q", i, c.Org)
		if err := checkLabel("organisation", c.Org); err != nil {
			r.say(step, Fail, "%v", inEntry(err, entry))
			return
		}
		if known[c.Org] {
			r.say(step, Fail, "%v", refuse(KindDuplicate, entry, "occurs twice"))
			return
		}
		known[c.Org] = true
		shares, orgs = append(shares, Share{Org: c.Org, Commitment: c.Commitment}), append(orgs, c.Org)
	}
	r.shares = shares
	r.say(step, Pass, "by %v", orgs)
}

func (r *verification) checkReveals() {
	const step = "reveals"
	if r.shares == nil || r.t.Reveals == nil {
		r.notShown(step, "commitments or reveals are not carried")
		return
	}
	shares := r.shares
	r.shares = nil
	for i, reveal := range r.t.Reveals {
		entry := fmt.Sprintf("reveals[%d] %q", i, reveal.Org)
		at := slices.IndexFunc(shares, func(s Share) bool { return s.Org == reveal.Org })
		switch {
		case at < 0:
			r.say(step, Fail, "%v", refuse(KindCommitment, entry, "no commitment of this organisation"))
			return
		case shares[at].Secret != nil:
			r.say(step, Fail, "%v", refuse(KindDuplicate, entry, "occurs twice"))
			return
		case Commitment(r.t.Draw, reveal.Org, reveal.Secret) != shares[at].Commitment:
			r.say(step, Fail, "%v", refuse(KindCommitment, entry, "secret does not open the commitment"))
			return
		}
		shares[at].Secret = &reveal.Secret
	}
	contribution, err := Contribution(r.t.Draw, shares)
	if err != nil {
		r.say(step, Fail, "%v", err)
		return
	}
	r.shares, r.contrib = shares, &contribution
	r.say(step, Pass, "%s", describeReveals(shares))
}

// describeReveals names those who did not reveal.
func describeReveals(shares []Share) string {
	var withheld []string
	for _, s := range shares {
		if s.Secret == nil {
			withheld = append(withheld, s.Org)
		}
	}
	if withheld == nil {
		return fmt.Sprintf("all %d commitments opened", len(shares))
	}
	return fmt.Sprintf("%d of %d commitments opened; WITHHELD by %s",
		len(shares)-len(withheld), len(shares), strings.Join(withheld, ", "))
}

// deadline is the last second before which closing and observing count, known
// once the beacon's parameters and the round are. Parameters of another chain
// than the pinned one tell no time.
func (r *verification) deadline() (int64, bool) {
	if r.t.Beacon == nil || r.t.Freeze == nil || !r.terms.stated {
		return 0, false
	}
	chain := r.t.Beacon.Chain
	if r.terms.chainHash != nil && chain.Hash() != *r.terms.chainHash {
		return 0, false
	}
	rounds := int64(min(r.t.Freeze.Round, maxInteger))
	if chain.Period == 0 || rounds > (1<<62)/int64(chain.Period) {
		return 0, false
	}
	return chain.Time(uint64(rounds)) - r.terms.margin, true
}

func (r *verification) checkClose() {
	const step = "close"
	c := r.t.Close
	if c == nil {
		r.notShown(step, "not carried")
		return
	}
	deadline, dated := r.deadline()
	switch {
	case r.t.Freeze != nil && c.Freeze != r.t.Freeze.Freeze:
		r.say(step, Fail, "closes another freeze, %s", c.Freeze)
	case r.contrib != nil && c.Contribution != *r.contrib:
		r.say(step, Fail, "contribution is %s, not the recorded one", *r.contrib)
	case dated && c.Time >= deadline:
		r.say(step, Fail, "at %d, not before the round less the margin, %d", c.Time, deadline)
	case r.t.Freeze == nil || r.contrib == nil:
		r.notShown(step, "freeze, commitments or reveals it rests on are not shown")
	case !dated:
		r.notShown(step, "C is the recorded one, but its time cannot be checked without margin and pinned beacon")
	default:
		r.say(step, Pass, "C %s, %d s before its deadline as its transaction claims", c.Contribution, deadline-c.Time)
	}
}

func (r *verification) checkObservations() {
	const step = "observations"
	if r.t.Observations == nil {
		r.notShown(step, "not carried")
		return
	}
	if r.t.Close == nil {
		r.notShown(step, "the close they saw is not carried")
		return
	}
	var orgs []string
	for i, o := range r.t.Observations {
		entry := fmt.Sprintf("observations[%d] %q", i, o.Org)
		if err := r.checkObservation(entry, o); err != nil {
			r.say(step, Fail, "%v", err)
			return
		}
		if o.Org != r.terms.regulator && !slices.Contains(orgs, o.Org) {
			orgs = append(orgs, o.Org)
		}
	}
	if int64(len(orgs)) < r.terms.observations {
		r.say(step, Fail, "%d of other organisations, %d are needed: the draw is void", len(orgs), r.terms.observations)
		return
	}
	if _, dated := r.deadline(); !dated {
		r.notShown(step, "by %v, but their times cannot be checked without margin and pinned beacon", orgs)
		return
	}
	r.say(step, Pass, "by %v", orgs)
}

func (r *verification) checkObservation(entry string, o Observation) error {
	if err := checkLabel("organisation", o.Org); err != nil {
		return inEntry(err, entry)
	}
	if o.Freeze != r.t.Close.Freeze || o.Contribution != r.t.Close.Contribution {
		return refuse(KindProof, entry, "saw another close")
	}
	if o.Time < r.t.Close.Time {
		return refuse(KindProof, entry, "at %d, before the close", o.Time)
	}
	if deadline, dated := r.deadline(); dated && o.Time >= deadline {
		return refuse(KindProof, entry, "at %d, not before the round less the margin, %d", o.Time, deadline)
	}
	return nil
}

func (r *verification) checkBeacon() {
	const step = "beacon"
	b := r.t.Beacon
	if b == nil {
		r.notShown(step, "not carried")
		return
	}
	chainHash := b.Chain.Hash()
	switch {
	case r.terms.chainHash != nil && chainHash != *r.terms.chainHash:
		r.say(step, Fail, "chain hash %s is not the one the plan pins", chainHash)
		return
	case r.t.Freeze != nil && b.Round != r.t.Freeze.Round:
		r.say(step, Fail, "round %d is not the frozen round %d", b.Round, r.t.Freeze.Round)
		return
	}
	randomness, err := b.Chain.Verify(b.Round, b.Signature)
	if err != nil {
		r.say(step, Fail, "%v", err)
		return
	}
	r.random = &randomness
	pinned := "as pinned in the plan"
	if r.terms.chainHash == nil {
		pinned = "which the plan does not pin by hash"
	}
	r.say(step, Pass, "round %d of %q, chain %s, %s", b.Round, b.Chain.BeaconID, chainHash, pinned)
}
