package metrology

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

// Every character alone being an inert NFC starter makes every text of them NFC.
func TestLeafRepertoire(t *testing.T) {
	t.Run("ranges are in order and disjoint", func(t *testing.T) {
		last := rune(-1)
		for _, r := range leafRepertoire {
			require.Greater(t, r.first, last)
			require.GreaterOrEqual(t, r.last, r.first)
			last = r.last
		}
	})
	t.Run("every character is an NFC starter that never combines backward", func(t *testing.T) {
		for _, r := range leafRepertoire {
			for c := r.first; c <= r.last; c++ {
				properties := norm.NFC.PropertiesString(string(c))
				require.Zero(t, properties.CCC(), "%U", c)
				require.True(t, properties.BoundaryBefore(), "%U", c)
				require.True(t, norm.NFC.IsNormalString(string(c)), "%U", c)
			}
		}
	})
	t.Run("no control, invisible, private or surrogate character", func(t *testing.T) {
		refused := []*unicode.RangeTable{unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs}
		for _, r := range leafRepertoire {
			for c := r.first; c <= r.last; c++ {
				require.False(t, unicode.In(c, refused...), "%U", c)
				require.False(t, unicode.Is(unicode.Z, c) && c != ' ', "%U", c)
			}
		}
	})
}

func TestCheckText(t *testing.T) {
	for _, text := range []string{"JJG 443-2023", "沪计检〔2026〕第00123号", "Ⅲ级", "±0.30 %", "½″ №7", "Ørsted-Ω", "加油机①"} {
		require.NoError(t, checkText("number", text, true), text)
	}
	for name, text := range map[string]string{
		"combining mark":      "e\u0301",
		"zero width space":    "12\u200b3",
		"direction override":  "12\u202e3",
		"no-break space":      "12\u00a03",
		"ideographic space":   "12\u30003",
		"line feed":           "12\n3",
		"Kelvin sign":         "5 \u212a",
		"compatibility glyph": "\uf9d0",
		"invalid UTF-8":       "12\xff",
		"space at the start":  " 12",
		"space at the end":    "12 ",
		"two spaces":          "1  2",
		"emoji":               "12😀",
	} {
		require.Equal(t, CodeInvalid, ErrorCode(checkText("number", text, true)), name)
	}
}
