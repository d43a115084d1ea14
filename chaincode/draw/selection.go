package draw

import (
	"fmt"
	"slices"
	"strings"
)

// Stratum is the selection in one stratum.
type Stratum struct {
	Name     string
	Quota    uint64
	Weighted bool
	Outright []string // taken for their weight, in id order, unranked
	Selected []Ranked // in rank order
	Standby  []Ranked // the ranks that follow
	// Threshold is the largest selected key; nil where nothing was ranked.
	Threshold *Key

	outright []Object // as Outright, with their weights
	weight   uint32   // of every object where weights are equal
}

// IDs lists all selected objects of the stratum, outright ones first.
func (s Stratum) IDs() []string {
	out := slices.Clone(s.Outright)
	for _, r := range s.Selected {
		out = append(out, r.ID)
	}
	return out
}

// Lists gives the outright and the ranked objects as their directory has them,
// each in id order.
func (s Stratum) Lists() (outright, selected []Object) {
	selected = s.objects(s.Selected)
	slices.SortFunc(selected, func(a, b Object) int { return strings.Compare(a.ID, b.ID) })
	return s.outright, selected
}

// standby gives the first standby ranks as their directory has them.
func (s Stratum) standby() []Object {
	return s.objects(s.Standby[:min(len(s.Standby), StandbyRanks)])
}

func (s Stratum) objects(ranked []Ranked) []Object {
	out := make([]Object, len(ranked))
	for i, r := range ranked {
		out[i] = Object{ID: r.ID, Stratum: s.Name, Weight: s.weight}
		if s.Weighted {
			out[i].Weight = r.Key.Weight
		}
	}
	return out
}

// Selector is the second pass over the objects: it keeps the smallest keys of
// each stratum and forgets the rest. Its memory grows with quotas and standby
// ranks only.
type Selector struct {
	target Digest
	rules  []rule
	index  map[string]int
	recent [recentStrata]int // indices of rules, from 1; see recentOf
	picks  []picks
}

// rule is what the first pass decided for one stratum.
type rule struct {
	stratum  string
	quota    uint64
	weighted bool
	weight   uint32 // of every object unless weighted
	cutoff   uint32 // weights from here on are outright; 0 for none
	ranked   int    // how many of the quota are ranked
	keep     int    // ranked plus standby
	room     int    // how many are ever held at once
}

// picks collects one stratum. Some way beyond the ranks to keep it is cut back
// to them without sorting, so that an object costs a comparison on average.
type picks struct {
	outright []Object
	ranked   []pick
	bound    *pick // the worst one worth keeping, once there are enough
}

// NewSelector prepares the selection from the seed (the sealed one in a sealed
// draw), the survey of the frozen directory and the plan's quotas. It keeps up
// to standby ranks beyond each quota.
func NewSelector(seed Digest, survey *Survey, quotas []Quota, standby int) (*Selector, error) {
	s := &Selector{target: targetSeed(seed), index: make(map[string]int, len(quotas))}
	for i, q := range quotas {
		total := survey.of(q.Stratum)
		n, err := q.Of(total.Objects)
		if err != nil {
			return nil, err
		}
		cutoff, taken := total.outright(n)
		r := rule{
			stratum: q.Stratum, quota: n, weighted: total.Weighted(),
			cutoff: cutoff, ranked: int(n - taken), weight: total.lightest(),
		}
		r.keep = r.ranked + standby
		r.room = min(r.keep+r.keep/2+64, int(total.Objects))
		s.index[q.Stratum] = i
		s.rules = append(s.rules, r)
	}
	s.picks = make([]picks, len(s.rules))
	return s, nil
}

// Shard returns an empty selector by the same rules, to be merged into the one
// it came from in any order.
func (s *Selector) Shard() *Selector {
	return &Selector{target: s.target, rules: s.rules, index: s.index, picks: make([]picks, len(s.rules))}
}

// Add considers one object. Objects of strata that the plan does not name
// cannot be drawn.
func (s *Selector) Add(o Object) error {
	slot := recentOf(o.Stratum)
	at := s.recent[slot] - 1
	if at < 0 || s.rules[at].stratum != o.Stratum {
		i, named := s.index[o.Stratum]
		if !named {
			return nil
		}
		at, s.recent[slot] = i, i+1
	}
	r, p := &s.rules[at], &s.picks[at]
	if r.cutoff != 0 && o.Weight >= r.cutoff {
		p.outright = append(p.outright, o)
		return nil
	}
	if r.keep == 0 {
		return nil
	}
	candidate := pick{id: o.ID, weight: 1, prefix: prefixOf(ticket(s.target, o.ID))}
	if r.weighted {
		candidate.weight = o.Weight
	}
	s.pick(p, r, candidate)
	return nil
}

// pick takes a candidate that is not beyond the bound.
func (s *Selector) pick(p *picks, r *rule, candidate pick) {
	if p.bound != nil && candidate.compare(p.bound, &s.target) > 0 {
		return
	}
	if p.ranked == nil {
		p.ranked = make([]pick, 0, r.room)
	}
	p.ranked = append(p.ranked, candidate)
	if len(p.ranked) == r.room {
		s.cut(p, r.keep)
	}
}

// cut drops all beyond the ranks to keep, and remembers the worst one kept.
func (s *Selector) cut(p *picks, keep int) {
	if keep == 0 || len(p.ranked) < keep {
		return
	}
	partition(p.ranked, keep-1, &s.target)
	clear(p.ranked[keep:])
	p.ranked = p.ranked[:keep]
	bound := p.ranked[keep-1]
	p.bound = &bound
}

// AddAll considers a whole directory.
func (s *Selector) AddAll(dir Directory) error { return dir.Each(s.Add) }

// Merge joins what a shard kept.
func (s *Selector) Merge(shard *Selector) {
	for i := range s.picks {
		p, q := &s.picks[i], &shard.picks[i]
		p.outright = append(p.outright, q.outright...)
		for _, candidate := range q.ranked {
			s.pick(p, &s.rules[i], candidate)
		}
		q.ranked = nil
	}
}

// inOrder sorts picks and gives them their whole keys again.
func (s *Selector) inOrder(list []pick) []Ranked {
	slices.SortFunc(list, func(a, b pick) int { return a.compare(&b, &s.target) })
	out := make([]Ranked, len(list))
	for i := range list {
		out[i] = list[i].ranked(&s.target)
	}
	return out
}

// Strata gives the selection, in the order of the plan's quotas. It fails if
// the objects were not those of the survey.
func (s *Selector) Strata() ([]Stratum, error) {
	out := make([]Stratum, len(s.rules))
	for i, r := range s.rules {
		p := &s.picks[i]
		s.cut(p, r.keep)
		ranked := s.inOrder(p.ranked)
		slices.SortFunc(p.outright, func(a, b Object) int { return strings.Compare(a.ID, b.ID) })
		if len(ranked) < r.ranked || uint64(len(p.outright)+r.ranked) != r.quota {
			return nil, fmt.Errorf("select in stratum %q: the directory is not the one surveyed", r.stratum)
		}
		st := Stratum{
			Name: r.stratum, Quota: r.quota, Weighted: r.weighted,
			outright: p.outright, weight: r.weight,
			Selected: ranked[:r.ranked:r.ranked],
			Standby:  ranked[r.ranked:],
		}
		for _, o := range p.outright {
			st.Outright = append(st.Outright, o.ID)
		}
		if r.ranked > 0 {
			worst := st.Selected[r.ranked-1].Key
			st.Threshold = &worst
		}
		out[i] = st
	}
	return out, nil
}
