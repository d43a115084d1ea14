package metrology

import (
	"encoding/json"
	"math/big"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	for _, good := range []string{"0", "0.30", "-0.25", "1000", "20.061", "-1", "0.00", "123456789012345678901234"} {
		d, err := ParseDecimal(good)
		require.NoError(t, err, good)
		require.Equal(t, good, d.String())
	}
	for _, bad := range []string{"", "-", "+1", "1.", ".5", "01", "-0", "-0.00", "1e3", "NaN", "Inf", "1,5", " 1", "1 ", "0x10", "1/2", "１",
		"1234567890123456789012345", "1.2.3", "--1"} {
		_, err := ParseDecimal(bad)
		require.Equal(t, CodeInvalid, ErrorCode(err), bad)
	}
}

func TestDecimalSub(t *testing.T) {
	for _, c := range [][3]string{
		{"20.061", "20.000", "0.061"}, {"1000", "980", "20"}, {"1.000", "0.9795", "0.0205"}, {"0.1", "0.3", "-0.2"}, {"5.0", "5.00", "0.00"},
	} {
		require.Equal(t, c[2], MustDecimal(c[0]).Sub(MustDecimal(c[1])).String(), "%s − %s", c[0], c[1])
	}
}

func TestRoundDecimal(t *testing.T) {
	for _, c := range []struct {
		numerator, denominator int64
		want                   string
	}{{1, 2000, "0.001"}, {-1, 2000, "-0.001"}, {1, 2001, "0.000"}, {-1, 3000, "0.000"}, {2, 3, "0.667"}} {
		require.Equal(t, c.want, roundDecimal(big.NewRat(c.numerator, c.denominator), 3).String())
	}
}

func TestDecimalInJSON(t *testing.T) {
	encoded, err := json.Marshal(struct {
		A Decimal `json:"a"`
		B Decimal `json:"b,omitzero"`
	}{A: MustDecimal("-0.30")})
	require.NoError(t, err)
	require.JSONEq(t, `{"a":"-0.30"}`, string(encoded))
	var d Decimal
	require.Error(t, json.Unmarshal([]byte(`0.3`), &d), "a bare JSON number may have been a float")
	require.Error(t, json.Unmarshal([]byte(`"0,3"`), &d))
}

// a − b + b = a, and comparing agrees with the sign of the difference.
func TestDecimalArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Decimal {
			n := rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, name)
			return roundDecimal(big.NewRat(n, 1000), rapid.IntRange(0, 4).Draw(t, name+" decimals"))
		}
		a, b := draw("a"), draw("b")
		difference := a.Sub(b)
		require.Zero(t, new(big.Rat).Add(difference.Rat(), b.Rat()).Cmp(a.Rat()))
		require.Equal(t, a.Compare(b), difference.Rat().Sign())
		again, err := ParseDecimal(difference.String())
		require.NoError(t, err)
		require.Equal(t, difference, again)
	})
}

func FuzzParseDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-0.25", "1e9", "00", "-0", strconv.Itoa(1 << 60)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDecimal(text)
		if err != nil {
			return
		}
		if d.String() != text {
			t.Fatalf("%q became %q", text, d.String())
		}
		if again := roundDecimal(d.Rat(), d.Decimals()); again != d {
			t.Fatalf("%q has value %q", text, again.String())
		}
	})
}
