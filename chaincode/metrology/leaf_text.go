package metrology

import "unicode/utf8"

// runeRange is a closed range of code points.
type runeRange struct{ first, last rune }

// leafRepertoire lists the characters a leaf may contain, in order. It is
// fixed here instead of taken from the unicode package, whose tables change
// with the Go release: peers built with different releases must agree. None of
// its characters combines with a neighbour or has another normal form, so a
// text of them is in NFC (Unicode Standard Annex 15) and two texts that look
// normalised alike have the same bytes. Controls, the soft hyphen, spaces
// other than U+0020, invisible characters and direction marks are absent.
var leafRepertoire = []runeRange{
	{0x0020, 0x007E},   // ASCII
	{0x00A1, 0x00AC},   // Latin-1 signs
	{0x00AE, 0x02FF},   // Latin letters, phonetic and modifier letters
	{0x0370, 0x0373},   // Greek, without the characters that normalise to others
	{0x0375, 0x0377},   //
	{0x037A, 0x037D},   //
	{0x037F, 0x0386},   //
	{0x0388, 0x03FF},   //
	{0x0400, 0x0482},   // Cyrillic, without its combining marks
	{0x048A, 0x052F},   //
	{0x2010, 0x2027},   // dashes, quotation marks, ellipsis
	{0x2030, 0x205E},   // per mille, primes, brackets
	{0x2070, 0x20BF},   // superscripts, subscripts, currency signs
	{0x2100, 0x2125},   // letter-like symbols such as ℃ № ™, without Ohm, Kelvin and Ångström signs
	{0x2127, 0x2129},   //
	{0x212C, 0x218B},   // Roman numerals such as Ⅲ, fractions
	{0x2190, 0x2328},   // arrows, operators such as ≤ ±, technical signs
	{0x232B, 0x23FF},   //
	{0x2460, 0x2ADB},   // enclosed numbers such as ①, lines, symbols
	{0x2ADD, 0x2BFF},   //
	{0x3001, 0x3029},   // CJK punctuation
	{0x3030, 0x303F},   //
	{0x3041, 0x3096},   // Hiragana
	{0x309B, 0x30FF},   // Katakana
	{0x3105, 0x312F},   // Bopomofo
	{0x3190, 0x4DBF},   // enclosed CJK, squared units such as ㎏, ideographs extension A
	{0x4E00, 0x9FFF},   // CJK unified ideographs
	{0xAC00, 0xD7A3},   // Hangul syllables
	{0xFF01, 0xFF9D},   // full-width forms
	{0xFFE0, 0xFFE6},   // full-width signs
	{0x20000, 0x2F7FF}, // ideographs extensions B to F and I
	{0x30000, 0x323AF}, // ideographs extensions G and H
}

// checkText refuses a text that is too long, empty where it is required, has a
// space at an end or two in a row, or holds a character outside the repertoire.
func checkText(field, text string, required bool) error {
	if text == "" {
		if required {
			return FieldErrorf(CodeInvalid, field, "is required")
		}
		return nil
	}
	if len(text) > maxLeafText {
		return FieldErrorf(CodeInvalid, field, "%d bytes, more than %d", len(text), maxLeafText)
	}
	before := ' '
	for i, c := range text {
		if c == utf8.RuneError || !inRepertoire(c) {
			return FieldErrorf(CodeInvalid, field, "character %U at byte %d is not allowed", c, i)
		}
		if c == ' ' && before == ' ' {
			return FieldErrorf(CodeInvalid, field, "a space at the start or two in a row")
		}
		before = c
	}
	if before == ' ' {
		return FieldErrorf(CodeInvalid, field, "a space at the end")
	}
	return nil
}

func inRepertoire(c rune) bool {
	low, high := 0, len(leafRepertoire)
	for low < high {
		middle := (low + high) / 2
		if c > leafRepertoire[middle].last {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(leafRepertoire) && c >= leafRepertoire[low].first
}
