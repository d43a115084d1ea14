package draw

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/steelyard-ledger/steelyard/chaincode/draw/strictjson"
)

const (
	maxCount   = 1<<31 - 1 // objects of a directory; keeps count·weight within 64 bits
	maxSlots   = 64
	minSlots   = 2 // the law wants two inspectors
	maxLadder  = 64
	maxInteger = 1<<53 - 1
)

// Quota is how many objects of a stratum the plan draws: Count, or a rate of
// the frozen directory if Denominator is not 0.
type Quota struct {
	Stratum     string
	Count       uint64
	Numerator   uint64
	Denominator uint64
}

// Drawn is how many objects the plan draws from strata of these sizes.
func (p Plan) Drawn(sums []Sum) (uint64, error) {
	sizes := make(map[string]uint64, len(sums))
	for _, sum := range sums {
		sizes[sum.Stratum] = sum.Objects
	}
	drawn := uint64(0)
	for _, quota := range p.Quotas {
		count, err := quota.Of(sizes[quota.Stratum])
		if err != nil {
			return 0, err
		}
		drawn += count
	}
	return drawn, nil
}

// Of gives the number to draw from a stratum of size objects: the count, or
// the rate rounded up.
func (q Quota) Of(size uint64) (uint64, error) {
	count := q.Count
	if q.Denominator != 0 {
		hi, lo := bits.Mul64(size, q.Numerator)
		lo, carry := bits.Add64(lo, q.Denominator-1, 0)
		if hi+carry >= q.Denominator {
			return 0, q.above(size)
		}
		count, _ = bits.Div64(hi+carry, lo, q.Denominator)
	}
	if count > size {
		return 0, q.above(size)
	}
	return count, nil
}

func (q Quota) above(size uint64) error {
	return refuse(KindQuota, fmt.Sprintf("stratum %q", q.Stratum), "quota is above the stratum's %d objects", size)
}

// Plan is what DR-1 reads from a filed plan. Other members are free; they are
// hashed with it.
type Plan struct {
	Canonical []byte // RFC 8785
	Hash      Digest
	Quotas    []Quota    // by stratum, bytewise
	Slots     [][]string // required skills of each slot of an object
	Ladder    []uint32   // increments to every cap, tried in order
	Seal      *Digest    // nil unless the draw is sealed
}

// ParsePlan reads a plan and hashes its canonical form.
func ParsePlan(raw []byte) (Plan, error) {
	if !norm.NFC.IsNormal(raw) {
		return Plan{}, refuse(KindPlan, "plan", "text is not in NFC")
	}
	canonical, err := strictjson.Canonical(raw)
	if err != nil {
		return Plan{}, refuse(KindSyntax, "plan", "%v", err)
	}
	if !norm.NFC.IsNormal(canonical) {
		return Plan{}, refuse(KindPlan, "plan", "text is not in NFC")
	}
	p := Plan{Canonical: canonical, Hash: planHash(canonical)}
	if err := strictjson.Decode(canonical, p.read); err != nil {
		return Plan{}, asError("plan", err)
	}
	return p, p.check()
}

// read takes the members DR-1 knows and passes over the others.
func (p *Plan) read(d *strictjson.Decoder) error {
	return d.Object(func(name string) (err error) {
		switch name {
		case "quota":
			return p.readQuota(d)
		case "rates":
			return p.readRates(d)
		case "assign":
			p.Slots, err = readLists(d)
		case "ladder":
			p.Ladder, err = readLadder(d)
		case "seal":
			var seal Digest
			seal, err = readDigest(d)
			p.Seal = &seal
		default:
			_, err = d.Raw()
		}
		return err
	})
}

func (p *Plan) readQuota(d *strictjson.Decoder) error {
	return p.readStrata(d, func(q *Quota) error {
		n, err := d.Integer(0, maxCount)
		q.Count = uint64(n)
		return err
	})
}

func (p *Plan) readRates(d *strictjson.Decoder) error {
	return p.readStrata(d, func(q *Quota) error {
		parts, err := readIntegers(d, 0, maxInteger)
		if err != nil {
			return err
		}
		if len(parts) != 2 || parts[1] == 0 {
			return refuse(KindPlan, "", "a rate is [numerator, denominator], denominator at least 1")
		}
		q.Numerator, q.Denominator = uint64(parts[0]), uint64(parts[1])
		return nil
	})
}

func (p *Plan) readStrata(d *strictjson.Decoder, value func(*Quota) error) error {
	if p.Quotas != nil {
		return refuse(KindPlan, "", "a plan holds either quota or rates, not both")
	}
	p.Quotas = []Quota{}
	return d.Object(func(stratum string) error {
		if err := checkLabel("stratum", stratum); err != nil {
			return err
		}
		q := Quota{Stratum: stratum}
		if err := value(&q); err != nil {
			return err
		}
		p.Quotas = append(p.Quotas, q)
		return nil
	})
}

func readLists(d *strictjson.Decoder) ([][]string, error) {
	var slots [][]string
	err := d.Array(func(int) error {
		skills, err := readStrings(d)
		if err != nil {
			return err
		}
		slots = append(slots, skills)
		return checkSkills(skills)
	})
	return slots, err
}

func readLadder(d *strictjson.Decoder) ([]uint32, error) {
	steps, err := readIntegers(d, 1, math.MaxUint32)
	if err != nil {
		return nil, err
	}
	if len(steps) > maxLadder {
		return nil, refuse(KindPlan, "", "more than %d steps", maxLadder)
	}
	out := make([]uint32, len(steps))
	for i, s := range steps {
		out[i] = uint32(s)
	}
	return out, nil
}

// check enforces what needs the whole plan.
func (p *Plan) check() error {
	if p.Quotas == nil {
		return refuse(KindPlan, "plan", "neither quota nor rates")
	}
	slices.SortFunc(p.Quotas, func(a, b Quota) int { return strings.Compare(a.Stratum, b.Stratum) })
	if len(p.Slots) < minSlots {
		return refuse(KindPlan, "plan.assign", "%d slots, at least %d are needed", len(p.Slots), minSlots)
	}
	if len(p.Slots) > maxSlots {
		return refuse(KindPlan, "plan.assign", "%d slots, at most %d are allowed", len(p.Slots), maxSlots)
	}
	return nil
}
