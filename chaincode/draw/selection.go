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
	recent int
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
	ranked   []Ranked
	bound    *Key // the worst key worth keeping, once there are enough
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
		r.room = min(r.keep+r.keep/4+64, int(total.Objects))
		s.index[q.Stratum] = i
		s.rules = append(s.rules, r)
	}
	s.picks = make([]picks, len(s.rules))
	s.recent = -1
	return s, nil
}

// Shard returns an empty selector by the same rules, to be merged into the one
// it came from in any order.
func (s *Selector) Shard() *Selector {
	return &Selector{target: s.target, rules: s.rules, index: s.index, recent: -1, picks: make([]picks, len(s.rules))}
}

// Add considers one object. Objects of strata that the plan does not name
// cannot be drawn.
func (s *Selector) Add(o Object) error {
	if s.recent < 0 || s.rules[s.recent].stratum != o.Stratum {
		i, named := s.index[o.Stratum]
		if !named {
			return nil
		}
		s.recent = i
	}
	r, p := &s.rules[s.recent], &s.picks[s.recent]
	if r.cutoff != 0 && o.Weight >= r.cutoff {
		p.outright = append(p.outright, o)
		return nil
	}
	if r.keep == 0 {
		return nil
	}
	key := Key{Ticket: ticket(s.target, o.ID), Weight: 1}
	if r.weighted {
		key.Weight = o.Weight
	}
	p.add(Ranked{ID: o.ID, Key: key}, r)
	return nil
}

func (p *picks) add(candidate Ranked, r *rule) {
	if p.bound != nil && candidate.Key.Compare(*p.bound) > 0 {
		return
	}
	if p.ranked == nil {
		p.ranked = make([]Ranked, 0, r.room)
	}
	p.ranked = append(p.ranked, candidate)
	if len(p.ranked) == r.room {
		p.cut(r.keep)
	}
}

// cut drops all beyond the ranks to keep, and remembers the worst one kept.
func (p *picks) cut(keep int) {
	if keep == 0 || len(p.ranked) < keep {
		return
	}
	partition(p.ranked, keep-1)
	clear(p.ranked[keep:])
	p.ranked = p.ranked[:keep]
	bound := p.ranked[keep-1].Key
	p.bound = &bound
}

// partition puts the element of rank k in its place, smaller ones before it
// and larger ones behind. Keys are hashes, so the middle element is a fair
// pivot; nobody can choose them so as to make it a bad one.
func partition(list []Ranked, k int) {
	for lo, hi := 0, len(list)-1; lo < hi; {
		pivot := list[lo+(hi-lo)/2]
		i, j := lo, hi
		for i <= j {
			for list[i].compare(pivot) < 0 {
				i++
			}
			for list[j].compare(pivot) > 0 {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return
		}
	}
}

// AddAll considers a whole directory.
func (s *Selector) AddAll(dir Directory) error { return dir.Each(s.Add) }

// Merge joins what a shard kept.
func (s *Selector) Merge(shard *Selector) {
	for i := range s.picks {
		p, q := &s.picks[i], &shard.picks[i]
		p.outright = append(p.outright, q.outright...)
		for _, r := range q.ranked {
			p.add(r, &s.rules[i])
		}
	}
}

// Strata gives the selection, in the order of the plan's quotas. It fails if
// the objects were not those of the survey.
func (s *Selector) Strata() ([]Stratum, error) {
	out := make([]Stratum, len(s.rules))
	for i, r := range s.rules {
		p := &s.picks[i]
		p.cut(r.keep)
		slices.SortFunc(p.ranked, Ranked.compare)
		slices.SortFunc(p.outright, func(a, b Object) int { return strings.Compare(a.ID, b.ID) })
		if len(p.ranked) < r.ranked || uint64(len(p.outright)+r.ranked) != r.quota {
			return nil, fmt.Errorf("select in stratum %q: the directory is not the one surveyed", r.stratum)
		}
		st := Stratum{
			Name: r.stratum, Quota: r.quota, Weighted: r.weighted,
			outright: p.outright, weight: r.weight,
			Selected: p.ranked[:r.ranked:r.ranked],
			Standby:  p.ranked[r.ranked:],
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
