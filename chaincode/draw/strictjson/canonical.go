package strictjson

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"
)

// member is one name and value of an object tree.
type member struct {
	name  string
	value any
}

// value reads any value into nil, bool, int64, string, []any or []member.
func (d *Decoder) value() (any, error) {
	switch c := d.peek(); {
	case c == '{':
		out := []member{}
		err := d.Object(func(name string) error {
			v, err := d.value()
			out = append(out, member{name, v})
			return err
		})
		return out, err
	case c == '[':
		out := []any{}
		err := d.Array(func(int) error {
			v, err := d.value()
			out = append(out, v)
			return err
		})
		return out, err
	case c == '"':
		return d.String()
	case c == '-' || (c >= '0' && c <= '9'):
		return d.Integer(-maxInteger, maxInteger)
	case c == 't' || c == 'f':
		return d.Bool()
	case c == 'n' && d.Null():
		return nil, nil
	}
	return nil, d.Errorf("a JSON value expected")
}

// Canonical returns the RFC 8785 form of a document: no white space, members
// sorted by the UTF-16 code units of their names, shortest escapes. Since only
// integers pass, no rule about floating point is ever needed.
func Canonical(data []byte) ([]byte, error) {
	d := NewDecoder(data)
	v, err := d.value()
	if err != nil {
		return nil, err
	}
	if err := d.End(); err != nil {
		return nil, err
	}
	return appendValue(make([]byte, 0, len(data)), v)
}

func appendValue(out []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(out, "null"...), nil
	case bool:
		return strconv.AppendBool(out, v), nil
	case int64:
		return strconv.AppendInt(out, v, 10), nil
	case string:
		return appendString(out, v), nil
	case []any:
		return appendArray(out, v)
	case []member:
		return appendObject(out, v)
	}
	return nil, fmt.Errorf("write canonical JSON: unexpected %T", v)
}

func appendArray(out []byte, elements []any) ([]byte, error) {
	out = append(out, '[')
	for i, e := range elements {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendValue(out, e); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func appendObject(out []byte, members []member) ([]byte, error) {
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b member) int { return compareUTF16(a.name, b.name) })
	out = append(out, '{')
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, m.name), ':')
		var err error
		if out, err = appendValue(out, m.value); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// compareUTF16 orders names by UTF-16 code units, which differs from the order
// of their bytes once characters outside the basic plane meet U+E000–U+FFFF.
func compareUTF16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// appendString writes a string with the escapes of RFC 8785 section 3.2.2.2.
func appendString(out []byte, s string) []byte {
	const digits = "0123456789abcdef"
	out = append(out, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c == '\b':
			out = append(out, '\\', 'b')
		case c == '\f':
			out = append(out, '\\', 'f')
		case c == '\n':
			out = append(out, '\\', 'n')
		case c == '\r':
			out = append(out, '\\', 'r')
		case c == '\t':
			out = append(out, '\\', 't')
		case c < 0x20:
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
