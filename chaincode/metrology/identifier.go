package metrology

import "unicode/utf8"

// maxIDLength bounds every identifier on the ledger (draws.md section 1).
const maxIDLength = 64

// ValidID reports whether s is 1 to 64 bytes of A-Z a-z 0-9 . _ -.
func ValidID(s string) bool {
	if len(s) == 0 || len(s) > maxIDLength {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		alphanumeric := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alphanumeric && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// CheckID refuses a malformed identifier. field is its JSON path.
func CheckID(field, id string) error {
	if !ValidID(id) {
		return FieldErrorf(CodeInvalid, field, "%q is not an identifier (1 to 64 of A-Z a-z 0-9 . _ -)", shorten(id))
	}
	return nil
}

// CheckText refuses text that is empty, longer than max bytes, not UTF-8, or
// holds control characters.
func CheckText(field, text string, max int) error {
	switch {
	case text == "":
		return FieldErrorf(CodeInvalid, field, "is required")
	case len(text) > max:
		return FieldErrorf(CodeInvalid, field, "is longer than %d bytes", max)
	case !utf8.ValidString(text):
		return FieldErrorf(CodeInvalid, field, "is not UTF-8")
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f {
			return FieldErrorf(CodeInvalid, field, "holds a control character")
		}
	}
	return nil
}

// CheckRegion refuses anything but a six-digit division code of GB/T 2260.
func CheckRegion(field, code string) error {
	ok := len(code) == 6 && code[0] != '0'
	for i := 0; ok && i < len(code); i++ {
		ok = code[i] >= '0' && code[i] <= '9'
	}
	if !ok {
		return FieldErrorf(CodeInvalid, field, "%q is not a six-digit division code (GB/T 2260)", shorten(code))
	}
	return nil
}

// OneOf refuses a value that is not in the list of a closed set.
func OneOf[T ~string](field string, value T, set ...T) error {
	for _, v := range set {
		if v == value {
			return nil
		}
	}
	return FieldErrorf(CodeInvalid, field, "%q is not one of %v", shorten(string(value)), set)
}

// shorten bounds what an error message repeats of somebody's input.
func shorten(text string) string {
	const limit = 80
	if len(text) > limit {
		return text[:limit] + "…"
	}
	return text
}
