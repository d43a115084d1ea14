package draw

import (
	"cmp"
	"encoding/binary"
	"math/bits"
)

// pick is a candidate as a selector holds it: with the first eight bytes of its
// ticket, which nearly always decide. The whole ticket is one hash away.
type pick struct {
	id     string
	prefix uint64
	weight uint32 // 1 in a stratum of equal weights
}

func prefixOf(t Digest) uint64 { return binary.BigEndian.Uint64(t[:8]) }

func (p *pick) ranked(target *Digest) Ranked {
	return Ranked{ID: p.id, Key: Key{Ticket: ticket(*target, p.id), Weight: p.weight}}
}

// compare orders picks as their keys and ids do.
func (p *pick) compare(q *pick, target *Digest) int {
	if p.weight == q.weight {
		if p.prefix != q.prefix {
			return cmp.Compare(p.prefix, q.prefix)
		}
	} else if c := compareScaled(p.prefix, q.weight, q.prefix, p.weight); c != 0 {
		return c
	}
	return p.ranked(target).compare(q.ranked(target))
}

// compareScaled compares a·w with b·v for all tickets that begin with a and b;
// 0 where the beginnings do not decide it. A ticket is below (a+1)·2^192.
func compareScaled(a uint64, w uint32, b uint64, v uint32) int {
	aHi, aLo := bits.Mul64(a, uint64(w))
	bHi, bLo := bits.Mul64(b, uint64(v))
	if reaches(bHi, bLo, aHi, aLo, uint64(w)) {
		return -1
	}
	if reaches(aHi, aLo, bHi, bLo, uint64(v)) {
		return 1
	}
	return 0
}

// reaches says whether x ≥ y + add; products of 96 bits do not overflow.
func reaches(xHi, xLo, yHi, yLo, add uint64) bool {
	lo, carry := bits.Add64(yLo, add, 0)
	hi := yHi + carry
	return xHi > hi || xHi == hi && xLo >= lo
}

// partition puts the element of rank k in its place, smaller ones before it
// and larger ones behind. Keys are hashes, so the middle element is a fair
// pivot; nobody can choose them so as to make it a bad one.
func partition(list []pick, k int, target *Digest) {
	for lo, hi := 0, len(list)-1; lo < hi; {
		pivot := list[lo+(hi-lo)/2]
		i, j := lo, hi
		for i <= j {
			for list[i].compare(&pivot, target) < 0 {
				i++
			}
			for list[j].compare(&pivot, target) > 0 {
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

// recentStrata is how many strata are found without a look into a map.
const recentStrata = 16

// recentOf is where a stratum is remembered: labels of one register mostly
// differ in their last byte.
func recentOf(stratum string) int {
	if stratum == "" {
		return 0
	}
	return int(stratum[len(stratum)-1]) % recentStrata
}
