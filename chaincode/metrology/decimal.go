package metrology

import (
	"math/big"
	"strings"
)

// Decimal is an exact decimal number, written in JSON as a string such as
// "-0.25". Measured values, limits and errors are decimals; no float ever
// touches them. The number of written decimals is kept, since it tells the
// resolution: "0.30" stays "0.30".
//
// The zero value is the absent number; it prints as "".
type Decimal struct {
	text string
}

// maxDecimalDigits bounds what one decimal may hold; no balance resolves more.
const maxDecimalDigits = 24

// ParseDecimal reads digits with an optional leading minus and an optional
// point followed by digits. A plus sign, leading zeros, exponents and "-0" are
// refused: one number has one spelling per resolution.
func ParseDecimal(text string) (Decimal, error) {
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, pointed := strings.Cut(digits, ".")
	ok := len(digits) <= maxDecimalDigits && decimalDigits(whole) && (!pointed || decimalDigits(fraction)) &&
		(len(whole) == 1 || whole != "" && whole[0] != '0')
	if ok && digits != text && strings.Trim(digits, "0.") == "" {
		ok = false // minus zero
	}
	if !ok {
		return Decimal{}, Errorf(CodeInvalid, "%q is not a decimal number such as -0.25", shorten(text))
	}
	return Decimal{text: text}, nil
}

// MustDecimal is ParseDecimal for constants in tests and tables.
func MustDecimal(text string) Decimal {
	d, err := ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

func decimalDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// IsZero reports whether the number is absent. encoding/json's omitzero uses it.
func (d Decimal) IsZero() bool { return d.text == "" }

// String returns the written form.
func (d Decimal) String() string { return d.text }

// MarshalText writes the decimal as text, so JSON shows a string.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.text), nil }

// UnmarshalText reads what MarshalText wrote; the empty text is the absent number.
func (d *Decimal) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Decimal{}
		return nil
	}
	parsed, err := ParseDecimal(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}

// Rat returns the exact value; the absent number is 0.
func (d Decimal) Rat() *big.Rat {
	value, ok := new(big.Rat).SetString(d.text)
	if !ok {
		return new(big.Rat)
	}
	return value
}

// Decimals returns how many digits stand behind the point.
func (d Decimal) Decimals() int {
	_, fraction, _ := strings.Cut(d.text, ".")
	return len(fraction)
}

// Compare returns -1, 0 or 1 as d is less than, equal to or greater than other.
func (d Decimal) Compare(other Decimal) int { return d.Rat().Cmp(other.Rat()) }

// Sub returns d − other with the finer resolution of the two.
func (d Decimal) Sub(other Decimal) Decimal {
	return roundDecimal(new(big.Rat).Sub(d.Rat(), other.Rat()), max(d.Decimals(), other.Decimals()))
}

// roundDecimal writes value with the given number of decimals, halves rounded
// away from zero (四舍五入).
func roundDecimal(value *big.Rat, decimals int) Decimal {
	text := value.FloatString(decimals)
	if strings.HasPrefix(text, "-") && strings.Trim(text, "-0.") == "" {
		text = text[1:]
	}
	return Decimal{text: text}
}
