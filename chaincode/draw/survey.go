package draw

import (
	"fmt"
	"maps"
	"slices"

	"github.com/transparency-dev/merkle/compact"
)

// Survey is the first pass over the objects: their root, and per stratum what
// quotas and weighted selection need to know beforehand. Its memory does not
// grow with the directory, only with the number of strata and distinct weights.
type Survey struct {
	ranges *compact.RangeFactory
	tree   *merkleTree
	first  string
	last   string
	strata map[string]*tally
	recent [recentStrata]*tally
	buf    []byte
}

// tally counts one stratum.
type tally struct {
	stratum string
	objects uint64
	light   [lightWeights]uint64 // how many objects have each small weight
	weights map[uint32]uint64    // and each other one
}

// lightWeights are the weights from 0 on that are counted without a map.
const lightWeights = 256

// NewSurvey returns an empty survey.
func NewSurvey() *Survey {
	return newSurvey(merkleRanges(), 0)
}

func newSurvey(ranges *compact.RangeFactory, begin uint64) *Survey {
	return &Survey{
		ranges: ranges,
		tree:   newMerkleShard(ranges, begin),
		strata: make(map[string]*tally),
	}
}

// Shard returns a survey of the objects from index begin on, to be merged in
// index order into the survey it came from.
func (s *Survey) Shard(begin uint64) *Survey { return newSurvey(s.ranges, begin) }

// Add takes the next object; ids must ascend.
func (s *Survey) Add(o Object) error {
	t, err := s.check(o)
	if err != nil {
		return inEntry(err, fmt.Sprintf("objects[%d] %q", s.tree.size(), o.ID))
	}
	if s.first == "" {
		s.first = o.ID
	}
	s.last = o.ID
	s.buf = o.appendLeaf(leafBuffer(s.buf))
	if err := s.tree.add(s.buf); err != nil {
		return fmt.Errorf("extend the objects' tree: %w", err)
	}
	t.add(o.Weight)
	return nil
}

// check enforces the object's own rules and its place, and gives the object's
// tally. The label of a stratum is checked once, when it is new.
func (s *Survey) check(o Object) (*tally, error) {
	if err := checkID(o.ID); err != nil {
		return nil, err
	}
	if o.Weight == 0 {
		return nil, refuse(KindWeight, "", "weight 0")
	}
	if o.ID <= s.last {
		return nil, outOfOrder(s.last, o.ID)
	}
	recent := &s.recent[recentOf(o.Stratum)]
	if *recent != nil && (*recent).stratum == o.Stratum {
		return *recent, nil
	}
	t, found := s.strata[o.Stratum]
	if !found {
		if err := checkLabel("stratum", o.Stratum); err != nil {
			return nil, err
		}
		t = &tally{stratum: o.Stratum, weights: make(map[uint32]uint64)}
		s.strata[o.Stratum] = t
	}
	*recent = t
	return t, nil
}

func outOfOrder(last, id string) error {
	if id == last {
		return refuse(KindDuplicate, "", "occurs twice")
	}
	return refuse(KindOrder, "", "stands after %q, the directory is not sorted by id", last)
}

// AddAll takes a whole directory.
func (s *Survey) AddAll(dir Directory) error { return dir.Each(s.Add) }

// Merge appends the shard that follows.
func (s *Survey) Merge(next *Survey) error {
	if next.first == "" {
		return nil
	}
	if next.first <= s.last {
		return inEntry(outOfOrder(s.last, next.first), fmt.Sprintf("objects[%d] %q", s.tree.size(), next.first))
	}
	if err := s.tree.merge(next.tree); err != nil {
		return fmt.Errorf("join shards of the objects' tree: %w", err)
	}
	if s.first == "" {
		s.first = next.first
	}
	s.last = next.last
	for _, name := range slices.Sorted(maps.Keys(next.strata)) {
		t, found := s.strata[name]
		if !found {
			t = &tally{stratum: name, weights: make(map[uint32]uint64)}
			s.strata[name] = t
		}
		t.merge(next.strata[name])
	}
	return nil
}

// Root is the root over the objects so far.
func (s *Survey) Root() Digest { return s.tree.root() }

// Count is the number of objects so far.
func (s *Survey) Count() uint64 { return s.tree.size() }

// Strata gives the totals of each stratum, bytewise by name.
func (s *Survey) Strata() []Total {
	out := make([]Total, 0, len(s.strata))
	for _, name := range slices.Sorted(maps.Keys(s.strata)) {
		out = append(out, s.strata[name].total())
	}
	return out
}

// of gives the totals of one stratum, zero if it has no objects.
func (s *Survey) of(stratum string) Total {
	if t, found := s.strata[stratum]; found {
		return t.total()
	}
	return Total{Stratum: stratum}
}

func (t *tally) add(weight uint32) {
	t.objects++
	if weight < lightWeights {
		t.light[weight]++
		return
	}
	t.weights[weight]++
}

func (t *tally) merge(next *tally) {
	for weight, n := range next.weights { // sums do not depend on the order
		t.weights[weight] += n
	}
	for weight, n := range next.light {
		t.light[weight] += n
	}
	t.objects += next.objects
}

func (t *tally) total() Total {
	out := Total{Stratum: t.stratum, Objects: t.objects}
	count := func(weight uint32, objects uint64) {
		out.Weight += uint64(weight) * objects
		out.classes = append(out.classes, weightClass{weight, objects})
	}
	for weight, n := range t.light {
		if n > 0 {
			count(uint32(weight), n)
		}
	}
	for _, weight := range slices.Sorted(maps.Keys(t.weights)) {
		count(weight, t.weights[weight])
	}
	slices.Reverse(out.classes)
	return out
}

// Total is a stratum of the frozen directory.
type Total struct {
	Stratum string
	Objects uint64
	Weight  uint64        // the sum of weights
	classes []weightClass // heaviest first
}

type weightClass struct {
	weight  uint32
	objects uint64
}

// Weighted says whether the stratum's weights differ, which makes its
// selection sequential Poisson sampling.
func (t Total) Weighted() bool { return len(t.classes) > 1 }

// lightest is the smallest weight, 0 where there are no objects.
func (t Total) lightest() uint32 {
	if len(t.classes) == 0 {
		return 0
	}
	return t.classes[len(t.classes)-1].weight
}

// outright gives the smallest weight that is taken outright under a quota of n
// (0 if none is) and how many objects that takes. Each turn takes all objects
// with n·w ≥ W at once, then lowers n and W by them; the bar n·w ≥ W never
// rises from turn to turn, so one walk down the weights is enough.
func (t Total) outright(n uint64) (cutoff uint32, taken uint64) {
	if !t.Weighted() {
		return 0, 0
	}
	sum, next := t.Weight, 0
	for {
		start, bar, quota := next, sum, n-taken
		for next < len(t.classes) && quota > 0 && quota*uint64(t.classes[next].weight) >= bar {
			c := t.classes[next]
			cutoff = c.weight
			taken += c.objects
			sum -= uint64(c.weight) * c.objects
			next++
		}
		if next == start {
			return cutoff, taken
		}
	}
}
