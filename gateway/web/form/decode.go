package form

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// MaxRows bounds the rows of one list in a form.
const MaxRows = 500

// Fault is what is wrong with one control, before anything is sent.
type Fault struct {
	Path string
	Key  string // message
}

// The messages of faults.
const (
	FaultNumber = "form.not-a-number"
	FaultJSON   = "form.not-json"
)

// Decode makes the JSON body of an operation of what a form sent. A control
// left empty is a member that is not given.
func Decode(fields []Field, sent url.Values) (body []byte, faults []Fault) {
	d := decoder{sent: sent}
	members, _ := d.object(fields, "")
	raw, err := json.Marshal(members)
	if err != nil { // values are strings, numbers, and JSON that was checked
		return nil, append(d.faults, Fault{Key: FaultJSON})
	}
	return raw, d.faults
}

type decoder struct {
	sent   url.Values
	faults []Fault
}

func (d *decoder) fail(path, key string) { d.faults = append(d.faults, Fault{path, key}) }

// object reads the members of an object; given tells whether there is any.
func (d *decoder) object(fields []Field, prefix string) (members map[string]any, given bool) {
	members = make(map[string]any, len(fields))
	for _, f := range fields {
		value, has := d.value(f, prefix+f.Name)
		if has {
			members[f.Name], given = value, true
			continue
		}
		switch { // what is required and can be empty
		case f.Required && f.Kind == Group:
			members[f.Name] = value
		case f.Required && (f.Kind == Rows || f.Kind == Lines || f.Kind == Choices):
			members[f.Name] = []any{}
		case f.Required && f.Kind == Check:
			members[f.Name] = false
		}
	}
	return members, given
}

func (d *decoder) value(f Field, path string) (value any, given bool) {
	text := typed(d.sent, path)
	switch f.Kind {
	case Group:
		return d.object(f.Fields, path+".")
	case Rows:
		return d.rows(f, path)
	case Lines:
		lines := Split(text)
		return lines, len(lines) > 0
	case Choices:
		return d.sent[path], len(d.sent[path]) > 0
	case Check:
		return true, text != ""
	}
	if text == "" {
		return nil, false
	}
	switch f.Kind {
	case Number:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			d.fail(path, FaultNumber)
		}
		return n, true
	case JSON:
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(text)) != nil {
			d.fail(path, FaultJSON)
			return nil, false
		}
		return json.RawMessage(compact.Bytes()), true
	case Long:
		return strings.Join(strings.Fields(text), ""), true
	}
	return text, true
}

func typed(sent url.Values, path string) string { return strings.TrimSpace(sent.Get(path)) }

// rows reads the rows of a list; an empty one counts for nothing.
func (d *decoder) rows(f Field, path string) (rows []any, given bool) {
	for i := range RowCount(d.sent, path) {
		before := len(d.faults)
		row, has := d.object(f.Fields, rowPath(path, i))
		if has || len(d.faults) > before {
			rows = append(rows, row)
		}
	}
	return rows, len(rows) > 0
}

func rowPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]." }

// RowCount is how many rows of a list a form sent.
func RowCount(sent url.Values, path string) int {
	count := 0
	for name := range sent {
		rest, ok := strings.CutPrefix(name, path+"[")
		if !ok {
			continue
		}
		number, _, ok := strings.Cut(rest, "]")
		if i, err := strconv.Atoi(number); ok && err == nil && i >= count && i < MaxRows {
			count = i + 1
		}
	}
	return count
}

// Split gives the lines of a text that are not blank, trimmed.
func Split(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
