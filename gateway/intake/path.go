package intake

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// step is one part of a member's path: a name, and for a list which element.
type step struct {
	name  string
	list  bool
	index int // appendElement: a new one
}

const appendElement = -1

// maxIndex bounds the elements a mapping can address.
const maxIndex = 16

func (s step) grows() bool { return s.list && s.index == appendElement }

var stepForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9]*)(\[([0-9]{0,2})\])?$`)

// parsePath reads a path such as instruments[0].serial. A list stands only
// before the last name.
func parsePath(text string) ([]step, error) {
	var path []step
	for part := range strings.SplitSeq(text, ".") {
		match := stepForm.FindStringSubmatch(part)
		if match == nil {
			return nil, fmt.Errorf("%q is not a member's path", text)
		}
		s := step{name: match[1], list: match[2] != ""}
		switch {
		case s.list && match[3] == "":
			s.index = appendElement
		case s.list:
			s.index, _ = strconv.Atoi(match[3]) // two digits
		}
		if s.index > maxIndex {
			return nil, fmt.Errorf("%q: elements above %d cannot be addressed", text, maxIndex)
		}
		path = append(path, s)
	}
	if path[len(path)-1].list {
		return nil, fmt.Errorf("%q ends in a list", text)
	}
	return path, nil
}

// set puts a value into an object and returns the path it stands at, with the
// index of an element that was added. ok is false when another value or
// another kind of value stands there.
func set(object map[string]any, path []step, with map[string]string, value any) (at string, ok bool) {
	var b strings.Builder
	for i, s := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		if i == len(path)-1 {
			if existing, taken := object[s.name]; taken && existing != value {
				return b.String(), false
			}
			object[s.name] = value
			return b.String(), true
		}
		next, index, fits := descend(object, s)
		if !fits {
			return b.String(), false
		}
		if s.list {
			fmt.Fprintf(&b, "[%d]", index)
		}
		for name, text := range with {
			next[name] = text
		}
		object = next
	}
	return b.String(), false
}

// descend returns the object a step leads to, made if it is not there yet.
func descend(object map[string]any, s step) (next map[string]any, index int, ok bool) {
	if !s.list {
		if object[s.name] == nil {
			object[s.name] = map[string]any{}
		}
		next, ok = object[s.name].(map[string]any)
		return next, 0, ok
	}
	if object[s.name] == nil {
		object[s.name] = []any{}
	}
	elements, ok := object[s.name].([]any)
	if !ok {
		return nil, 0, false
	}
	index = s.index
	if index == appendElement {
		index = len(elements)
	}
	for len(elements) <= index {
		elements = append(elements, map[string]any{})
	}
	object[s.name] = elements
	next, ok = elements[index].(map[string]any)
	return next, index, ok
}
