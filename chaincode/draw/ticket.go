package draw

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strings"
)

// Ticket is T(id) under the seed that a draw selects with: its number in the
// lottery, read as a 256-bit big-endian integer.
func Ticket(seed Digest, id string) Digest {
	return ticket(targetSeed(seed), id)
}

func ticket(target Digest, id string) Digest {
	var b [sha256.Size + maxName]byte
	copy(b[:], target[:])
	n := copy(b[sha256.Size:], id)
	return sha256.Sum256(b[:sha256.Size+n])
}

// Key is what a stratum ranks by: the ticket, or in a weighted stratum
// ticket/weight.
type Key struct {
	Ticket Digest `json:"ticket"`
	Weight uint32 `json:"weight"` // 1 in a stratum of equal weights
}

// Compare orders keys by ticket/weight without dividing.
func (k Key) Compare(other Key) int {
	if k.Weight == other.Weight {
		return bytes.Compare(k.Ticket[:], other.Ticket[:])
	}
	a, b := scale(k.Ticket, other.Weight), scale(other.Ticket, k.Weight)
	for i := range a {
		if c := cmp.Compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// scale multiplies a ticket by a weight into 320 bits, most significant first.
func scale(t Digest, weight uint32) [5]uint64 {
	var out [5]uint64
	var carry uint64
	for i := 3; i >= 0; i-- {
		hi, lo := bits.Mul64(binary.BigEndian.Uint64(t[8*i:]), uint64(weight))
		var c uint64
		out[i+1], c = bits.Add64(lo, carry, 0)
		carry = hi + c
	}
	out[0] = carry
	return out
}

// Ranked is an object with its place in its stratum's order.
type Ranked struct {
	ID  string
	Key Key
}

func (r Ranked) compare(other Ranked) int {
	if c := r.Key.Compare(other.Key); c != 0 {
		return c
	}
	return strings.Compare(r.ID, other.ID)
}
