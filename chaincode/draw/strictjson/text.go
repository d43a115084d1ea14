package strictjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// String reads a string. Control characters must be escaped, escapes must be
// those of RFC 8259, and surrogates must come in pairs.
func (d *Decoder) String() (string, error) {
	if d.peek() != '"' {
		return "", d.Errorf("a string expected")
	}
	d.pos++
	start := d.pos
	for d.pos < len(d.data) {
		switch c := d.data[d.pos]; {
		case c == '"':
			text := d.data[start:d.pos]
			d.pos++
			if !validText(text) {
				return "", d.Errorf("string is not valid UTF-8")
			}
			return string(text), nil
		case c == '\\':
			return d.escaped(start)
		case c < 0x20:
			return "", d.Errorf("control character in a string")
		}
		d.pos++
	}
	return "", d.Errorf("string without an end")
}

// escaped reads on from the first backslash of the string that begins at start.
func (d *Decoder) escaped(start int) (string, error) {
	out := append([]byte(nil), d.data[start:d.pos]...)
	for d.pos < len(d.data) {
		c := d.data[d.pos]
		d.pos++
		switch {
		case c == '"':
			if !validText(out) {
				return "", d.Errorf("string is not valid UTF-8")
			}
			return string(out), nil
		case c < 0x20:
			return "", d.Errorf("control character in a string")
		case c != '\\':
			out = append(out, c)
		default:
			r, err := d.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		}
	}
	return "", d.Errorf("string without an end")
}

// escape reads what follows a backslash.
func (d *Decoder) escape() (rune, error) {
	if d.pos >= len(d.data) {
		return 0, d.Errorf("string without an end")
	}
	c := d.data[d.pos]
	d.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return d.codePoint()
	}
	return 0, d.Errorf("unknown escape in a string")
}

func (d *Decoder) codePoint() (rune, error) {
	first, ok := d.hex4()
	if !ok {
		return 0, d.Errorf("four hex digits expected after \\u")
	}
	if !utf16.IsSurrogate(first) {
		return first, nil
	}
	if !d.literal(`\u`) {
		return 0, d.Errorf("lone surrogate in a string")
	}
	second, ok := d.hex4()
	r := utf16.DecodeRune(first, second)
	if !ok || r == utf8.RuneError {
		return 0, d.Errorf("lone surrogate in a string")
	}
	return r, nil
}

func (d *Decoder) hex4() (rune, bool) {
	if d.pos+4 > len(d.data) {
		return 0, false
	}
	var r rune
	for _, c := range d.data[d.pos : d.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	d.pos += 4
	return r, true
}
