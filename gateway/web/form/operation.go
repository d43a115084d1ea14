package form

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is how a member is asked for.
type Kind string

// The kinds of field.
const (
	Text    Kind = "text"
	Number  Kind = "number"
	Decimal Kind = "decimal"
	Date    Kind = "date"
	Choice  Kind = "choice"  // one of Options
	Choices Kind = "choices" // any of Options: a list
	Check   Kind = "check"   // true or absent
	Lines   Kind = "lines"   // a list of texts, one a line
	Long    Kind = "long"    // a text of many lines, such as base64
	JSON    Kind = "json"    // any JSON value, as text
	Group   Kind = "group"   // an object
	Rows    Kind = "rows"    // a list of objects
)

// Field is one member of a body.
type Field struct {
	Name     string
	Type     string // name of its schema, such as metrology.Date; may be empty
	Kind     Kind
	Required bool
	Options  []string // codes
	Fields   []Field  // of an object, or of each in a list
	Aside    bool     // filled in as is usual: shown folded
}

// Operation is one operation of the interface.
type Operation struct {
	ID         string
	Method     string
	Path       string   // with {parameters}
	Parameters []string // of the path, in its order
	Fields     []Field  // of the JSON body; none if it takes none
	Query      []Field  // parameters after the path
}

// document is as much of an OpenAPI document as forms need.
type document struct {
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas    map[string]schema    `json:"schemas"`
		Parameters map[string]parameter `json:"parameters"`
	} `json:"components"`
}

type parameter struct {
	Ref      string `json:"$ref"`
	Name     string `json:"name"`
	In       string `json:"in"`
	Required bool   `json:"required"`
}

type schema struct {
	Ref             string            `json:"$ref"`
	Type            string            `json:"type"`
	Enum            []string          `json:"enum"`
	ContentEncoding string            `json:"contentEncoding"`
	Items           *schema           `json:"items"`
	Properties      map[string]schema `json:"properties"`
	Required        []string          `json:"required"`
}

// methods are those that write.
var methods = []string{"post", "put", "delete"}

// Read lists the writing operations of a document by their ids.
func Read(raw []byte) (map[string]Operation, error) {
	var d struct {
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas    map[string]json.RawMessage `json:"schemas"`
			Parameters map[string]parameter       `json:"parameters"`
		} `json:"components"`
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("read API document: %w", err)
	}
	known := document{Paths: d.Paths}
	known.Components.Parameters = d.Components.Parameters
	known.Components.Schemas = make(map[string]schema, len(d.Components.Schemas))
	for name, raw := range d.Components.Schemas {
		var s schema
		if json.Unmarshal(raw, &s) == nil { // others, such as lists of types, belong to answers
			known.Components.Schemas[name] = s
		}
	}
	operations := make(map[string]Operation)
	for path, item := range d.Paths {
		for _, method := range methods {
			described, has := item[method]
			if !has {
				continue
			}
			o, err := known.operation(strings.ToUpper(method), path, described)
			if err != nil {
				return nil, fmt.Errorf("read API document: %s %s: %w", method, path, err)
			}
			operations[o.ID] = o
		}
	}
	return operations, nil
}

func (d document) operation(method, path string, described json.RawMessage) (Operation, error) {
	var read struct {
		ID         string      `json:"operationId"`
		Parameters []parameter `json:"parameters"`
		Body       struct {
			Content map[string]json.RawMessage `json:"content"`
		} `json:"requestBody"`
	}
	if err := json.Unmarshal(described, &read); err != nil {
		return Operation{}, err
	}
	o := Operation{ID: read.ID, Method: method, Path: path, Parameters: parameters(path)}
	for _, p := range read.Parameters {
		if p.Ref != "" {
			p = d.Components.Parameters[nameOf(p.Ref)]
		}
		if p.In == "query" {
			o.Query = append(o.Query, Field{Name: p.Name, Kind: Text, Required: p.Required})
		}
	}
	content, has := read.Body.Content["application/json"]
	if !has {
		return o, nil
	}
	var body struct {
		Schema schema `json:"schema"`
	}
	if err := json.Unmarshal(content, &body); err != nil {
		return Operation{}, err
	}
	o.Fields = d.members(d.resolve(body.Schema), maxDepth)
	return o, nil
}

// parameters are the names in braces of a path.
func parameters(path string) []string {
	var names []string
	for rest := path; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			return names
		}
		name, tail, _ := strings.Cut(after, "}")
		names, rest = append(names, name), tail
	}
}

// maxDepth bounds how deep objects may stand in objects.
const maxDepth = 6

func (d document) resolve(s schema) schema {
	for s.Ref != "" {
		s = d.Components.Schemas[nameOf(s.Ref)]
	}
	return s
}

func nameOf(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// members makes the fields of an object: those it requires first, each half by name.
func (d document) members(s schema, depth int) []Field {
	var fields []Field
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		f := d.field(name, s.Properties[name], depth)
		f.Required = slices.Contains(s.Required, name)
		fields = append(fields, f)
	}
	slices.SortStableFunc(fields, func(a, b Field) int { return rank(a) - rank(b) })
	return fields
}

func rank(f Field) int {
	if f.Required {
		return 0
	}
	return 1
}

func (d document) field(name string, s schema, depth int) Field {
	f := Field{Name: name, Type: nameOf(s.Ref)}
	s = d.resolve(s)
	switch {
	case depth == 0:
		f.Kind = JSON
	case len(s.Enum) > 0:
		f.Kind, f.Options = Choice, s.Enum
	case f.Type == "metrology.Date":
		f.Kind = Date
	case f.Type == "metrology.Decimal":
		f.Kind = Decimal
	case s.ContentEncoding != "":
		f.Kind = Long
	case s.Type == "string":
		f.Kind = Text
	case s.Type == "integer":
		f.Kind = Number
	case s.Type == "boolean":
		f.Kind = Check
	case s.Type == "object" && s.Properties != nil:
		f.Kind, f.Fields = Group, d.members(s, depth-1)
	case s.Type == "array" && s.Items != nil:
		d.list(&f, *s.Items, depth)
	default:
		f.Kind = JSON
	}
	return f
}

// list makes a field of a list by what its items are.
func (d document) list(f *Field, items schema, depth int) {
	f.Type = nameOf(items.Ref)
	item := d.resolve(items)
	switch {
	case len(item.Enum) > 0:
		f.Kind, f.Options = Choices, item.Enum
	case item.Type == "string":
		f.Kind = Lines
	case item.Type == "object" && item.Properties != nil:
		f.Kind, f.Fields = Rows, d.members(item, depth-1)
	default:
		f.Kind = JSON
	}
}
