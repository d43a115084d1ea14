// Package strictjson reads JSON the way a signed document has to be read: one
// meaning or none. It refuses duplicate and unknown members, invalid UTF-8,
// lone surrogates, numbers that are not plain integers within ±(2⁵³−1) (the
// range of I-JSON, RFC 7493), deep nesting and anything after the value.
//
// It is a pull decoder: the caller asks for what it expects, so a directory of
// a million entries costs no intermediate tree. Errors carry the path of the
// offending entry, such as objects[3].weight.
package strictjson

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxDepth bounds nesting, so that hostile input cannot exhaust the stack.
const MaxDepth = 64

// maxInteger is the largest integer that every JSON reader holds exactly.
const maxInteger = 1<<53 - 1

// Error reports where a document breaks the rules and how.
type Error struct {
	Path   string // such as plan.assign[1]; empty for the document itself
	Reason string
	cause  error
}

// Unwrap gives the error a caller's own check returned, if one did.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

// step is one element of the path: a member name, or an index if name is empty
// and index is not negative.
type step struct {
	name  string
	index int
}

// Decoder reads one JSON document held in memory.
type Decoder struct {
	data []byte
	pos  int
	path []step
}

// NewDecoder returns a decoder at the start of data. It does not copy data.
func NewDecoder(data []byte) *Decoder {
	return &Decoder{data: data}
}

// Decode reads the whole of data with read and refuses anything after it.
func Decode(data []byte, read func(*Decoder) error) error {
	d := NewDecoder(data)
	if err := read(d); err != nil {
		return err
	}
	return d.End()
}

// Errorf makes an error that carries the current path.
func (d *Decoder) Errorf(format string, args ...any) error {
	return &Error{Path: d.Path(), Reason: fmt.Sprintf(format, args...)}
}

// Path names the entry being read.
func (d *Decoder) Path() string {
	var out []byte
	for _, s := range d.path {
		if s.index >= 0 {
			out = fmt.Appendf(out, "[%d]", s.index)
			continue
		}
		if len(out) > 0 {
			out = append(out, '.')
		}
		out = append(out, s.name...)
	}
	return string(out)
}

// End refuses anything but white space after the value.
func (d *Decoder) End() error {
	if c := d.peek(); c != 0 || d.pos < len(d.data) {
		return d.Errorf("unexpected text after the document")
	}
	return nil
}

// peek skips white space and returns the next byte, 0 at the end.
func (d *Decoder) peek() byte {
	for d.pos < len(d.data) {
		switch c := d.data[d.pos]; c {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return c
		}
	}
	return 0
}

func (d *Decoder) expect(c byte, what string) error {
	if d.peek() != c {
		return d.Errorf("%s expected", what)
	}
	d.pos++
	return nil
}

// Object reads an object and calls member for each of its members; member must
// consume the value. It refuses a name that occurs twice.
func (d *Decoder) Object(member func(name string) error) error {
	if err := d.expect('{', "an object"); err != nil {
		return err
	}
	if d.peek() == '}' {
		d.pos++
		return nil
	}
	var seen names
	for {
		name, err := d.String()
		if err != nil {
			return err
		}
		if !seen.add(name) {
			return d.Errorf("duplicate member %q", name)
		}
		if err := d.expect(':', "a colon"); err != nil {
			return err
		}
		if err := d.enter(step{name: name, index: -1}, func() error { return member(name) }); err != nil {
			return err
		}
		done, err := d.closes('}')
		if done || err != nil {
			return err
		}
	}
}

// Array reads an array and calls element for each of its elements; element
// must consume the value.
func (d *Decoder) Array(element func(index int) error) error {
	if err := d.expect('[', "an array"); err != nil {
		return err
	}
	if d.peek() == ']' {
		d.pos++
		return nil
	}
	for i := 0; ; i++ {
		if err := d.enter(step{index: i}, func() error { return element(i) }); err != nil {
			return err
		}
		done, err := d.closes(']')
		if done || err != nil {
			return err
		}
	}
}

func (d *Decoder) enter(s step, read func() error) error {
	if len(d.path) >= MaxDepth {
		return d.Errorf("nested more than %d deep", MaxDepth)
	}
	d.path = append(d.path, s)
	err := read()
	if err != nil {
		return d.located(err)
	}
	d.path = d.path[:len(d.path)-1]
	return nil
}

// located gives an error without a path the path of the entry being read.
func (d *Decoder) located(err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return &Error{Path: d.Path(), Reason: err.Error(), cause: err}
}

// closes consumes a comma, or the closing bracket and reports true.
func (d *Decoder) closes(bracket byte) (bool, error) {
	switch d.peek() {
	case ',':
		d.pos++
		return false, nil
	case bracket:
		d.pos++
		return true, nil
	}
	return false, d.Errorf("a comma or %q expected", bracket)
}

// Null consumes a null if one is next and says whether it did.
func (d *Decoder) Null() bool {
	d.peek()
	return d.literal("null")
}

// Bool reads true or false.
func (d *Decoder) Bool() (bool, error) {
	d.peek()
	if d.literal("true") {
		return true, nil
	}
	if d.literal("false") {
		return false, nil
	}
	return false, d.Errorf("true or false expected")
}

func (d *Decoder) literal(word string) bool {
	end := d.pos + len(word)
	if end > len(d.data) || string(d.data[d.pos:end]) != word {
		return false
	}
	d.pos = end
	return true
}

// Integer reads a plain integer within [min, max]. Fractions, exponents,
// leading zeros and -0 are refused even where their value is an integer.
func (d *Decoder) Integer(min, max int64) (int64, error) {
	c := d.peek()
	negative := c == '-'
	if negative {
		d.pos++
	}
	start := d.pos
	var v int64
	for d.pos < len(d.data) && d.data[d.pos] >= '0' && d.data[d.pos] <= '9' {
		v = v*10 + int64(d.data[d.pos]-'0')
		if v > maxInteger {
			return 0, d.Errorf("integer beyond 2^53-1")
		}
		d.pos++
	}
	digits := d.pos - start
	if digits == 0 {
		return 0, d.Errorf("an integer expected")
	}
	if d.data[start] == '0' && (digits > 1 || negative) {
		return 0, d.Errorf("integer with a leading zero or a negative zero")
	}
	if d.pos < len(d.data) && (d.data[d.pos] == '.' || d.data[d.pos] == 'e' || d.data[d.pos] == 'E') {
		return 0, d.Errorf("an integer expected, not a fraction or an exponent")
	}
	if negative {
		v = -v
	}
	if v < min || v > max {
		return 0, d.Errorf("%d is outside %d to %d", v, min, max)
	}
	return v, nil
}

// Raw consumes one value of any kind and returns its bytes, not copied. The
// value is checked by the same rules as all others.
func (d *Decoder) Raw() ([]byte, error) {
	d.peek()
	start := d.pos
	if _, err := d.value(); err != nil {
		return nil, err
	}
	return d.data[start:d.pos], nil
}

// Unknown refuses the member that was just named.
func (d *Decoder) Unknown(name string) error {
	return d.Errorf("unknown member %q", name)
}

// names is the set of member names of one object: a slice while short, since
// most objects are, and a map beyond.
type names struct {
	few  []string
	many map[string]struct{}
}

func (n *names) add(name string) bool {
	if n.many != nil {
		_, found := n.many[name]
		n.many[name] = struct{}{}
		return !found
	}
	for _, known := range n.few {
		if known == name {
			return false
		}
	}
	n.few = append(n.few, name)
	if len(n.few) > 16 {
		n.many = make(map[string]struct{}, 64)
		for _, known := range n.few {
			n.many[known] = struct{}{}
		}
	}
	return true
}

// validText refuses what has no single meaning in UTF-8.
func validText(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return utf8.Valid(b)
		}
	}
	return true
}
