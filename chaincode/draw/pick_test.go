package draw

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestPicksOrderAsKeysDo, also where the beginnings of the tickets are so close
// that they do not decide.
func TestPicksOrderAsKeysDo(t *testing.T) {
	weights := rapid.OneOf(rapid.Uint32Range(1, 3), rapid.Uint32Range(1, 1<<32-1), rapid.Just(uint32(1<<32-1)))
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		w, v := weights.Draw(t, "w"), weights.Draw(t, "v")
		if rapid.Bool().Draw(t, "near") { // a/w close to b/v
			b = a/uint64(w)*min(uint64(v), uint64(w)) + rapid.Uint64Range(0, 2).Draw(t, "off")
			v = min(v, w)
		}
		var low, high, other, otherHigh Digest
		for i := range 8 {
			shift := 56 - 8*i
			low[i], other[i] = byte(a>>shift), byte(b>>shift)
		}
		high, otherHigh = low, other
		for i := 8; i < len(high); i++ {
			high[i], otherHigh[i] = 0xff, 0xff
		}
		switch compareScaled(a, v, b, w) {
		case -1: // even the largest ticket with this beginning is smaller
			require.Equal(t, -1, Key{high, w}.Compare(Key{other, v}))
		case 1:
			require.Equal(t, 1, Key{low, w}.Compare(Key{otherHigh, v}))
		}
	})
	require.Equal(t, -1, compareScaled(1, 1, 3, 1))
	require.Equal(t, 1, compareScaled(3, 1, 1, 1))
	require.Zero(t, compareScaled(5, 2, 10, 1), "5/1 and 10/2 need the rest of the tickets")
}
