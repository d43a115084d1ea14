package intake

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Mapping says what the columns of a source's file mean. MAPPING.md describes
// the file it is read from.
type Mapping struct {
	Version int               `yaml:"version"` // 1
	Kind    string            `yaml:"kind"`    // what a row becomes, one of Kinds
	Sheet   string            `yaml:"sheet"`   // of an XLSX file; empty: the only one with content
	Source  []string          `yaml:"source"`  // headers of the source's own id, best first
	Columns []Column          `yaml:"columns"`
	Fixed   map[string]string `yaml:"fixed"` // member → text, for every row
	Copy    map[string]string `yaml:"copy"`  // member → member it is copied from where it has no value
	Dates   []string          `yaml:"dates"` // forms in Go's notation, or excel; empty: the usual ones
}

// Column says what one column means.
type Column struct {
	Header   []string          `yaml:"header"` // names it may have; letter case, spaces and width do not matter
	Member   string            `yaml:"member"` // path such as instruments[0].serial, or digests[].value
	Required bool              `yaml:"required"`
	As       As                `yaml:"as"`      // empty: text
	To       string            `yaml:"to"`      // kind that a reference is to
	Values   map[string]string `yaml:"values"`  // what a cell may hold → text of the member; empty: anything
	Default  string            `yaml:"default"` // text of the member where the cell is empty
	With     map[string]string `yaml:"with"`    // other members of the element that [] adds
}

// As is how a cell is read.
type As string

// The ways to read a cell.
const (
	AsText      As = "text"      // trimmed
	AsDate      As = "date"      // in one of the mapping's forms
	AsHex       As = "hex"       // hexadecimal digits, letter case and spaces do not matter
	AsInteger   As = "integer"   // a JSON number
	AsReference As = "reference" // the source's id of something imported as kind To
)

// The kinds of row that make the directories of a draw.
const (
	DrawObjects    = "draw-objects"
	DrawExclusions = "draw-exclusions"
	DrawInspectors = "draw-inspectors"
	DrawLeave      = "draw-leave"
	DrawIneligible = "draw-ineligible"
)

// Kinds are what a row can become.
var Kinds = []string{"certificates", "merchants", "sites", "instruments", DrawObjects, DrawExclusions, DrawInspectors, DrawLeave, DrawIneligible}

// maxMapping bounds a mapping file, in bytes.
const maxMapping = 64 << 10

//go:embed mappings/*.yaml
var shipped embed.FS

// Shipped returns the mapping of a name, one of those in mappings/.
func Shipped(name string) (Mapping, error) {
	if !metrology.ValidID(name) {
		return Mapping{}, metrology.FieldErrorf(metrology.CodeInvalid, "mapping", "%q is not the name of a mapping", name)
	}
	content, err := fs.ReadFile(shipped, "mappings/"+name+".yaml")
	if err != nil {
		return Mapping{}, metrology.FieldErrorf(metrology.CodeInvalid, "mapping", "there is no mapping %q; there are %s", name, strings.Join(ShippedNames(), ", "))
	}
	return ParseMapping(content)
}

// ShippedNames lists the mappings that come with the program.
func ShippedNames() []string {
	entries, _ := fs.ReadDir(shipped, "mappings") // embedded, so it is there
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".yaml")
	}
	return names
}

// ParseMapping reads a mapping file. Errors carry metrology.CodeInvalid and
// the field "mapping".
func ParseMapping(content []byte) (Mapping, error) {
	var m Mapping
	if len(content) > maxMapping {
		return m, mappingError("has %d bytes, more than %d", len(content), maxMapping)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&m); err != nil {
		return Mapping{}, mappingError("%v", err)
	}
	if err := m.check(); err != nil {
		return Mapping{}, mappingError("%v", err)
	}
	if len(m.Dates) == 0 {
		m.Dates = defaultDates
	}
	return m, nil
}

func mappingError(format string, args ...any) error {
	return metrology.FieldErrorf(metrology.CodeInvalid, "mapping", format, args...)
}

func (m Mapping) check() error {
	if m.Version != 1 {
		return fmt.Errorf("version %d is unknown", m.Version)
	}
	if !slices.Contains(Kinds, m.Kind) {
		return fmt.Errorf("kind %q is not one of %v", m.Kind, Kinds)
	}
	if len(m.Columns) == 0 {
		return fmt.Errorf("it names no columns")
	}
	headers := make(map[string]bool)
	for i, column := range m.Columns {
		if err := column.check(headers); err != nil {
			return fmt.Errorf("columns[%d]: %w", i, err)
		}
	}
	for member := range m.Fixed {
		if _, err := parsePath(member); err != nil {
			return fmt.Errorf("fixed: %w", err)
		}
	}
	for member, from := range m.Copy {
		for _, text := range []string{member, from} {
			if path, err := parsePath(text); err != nil || len(path) != 1 || path[0].list {
				return fmt.Errorf("copy: %q is not the name of a member", text)
			}
		}
	}
	return nil
}

// check refuses a column that cannot be applied. headers holds those taken.
func (c Column) check(headers map[string]bool) error {
	if len(c.Header) == 0 {
		return fmt.Errorf("it has no header")
	}
	for _, header := range c.Header {
		folded := fold(header)
		if folded == "" || headers[folded] {
			return fmt.Errorf("header %q is empty or stands twice", header)
		}
		headers[folded] = true
	}
	path, err := parsePath(c.Member)
	if err != nil {
		return err
	}
	if len(c.With) > 0 && (len(path) != 2 || !path[0].grows()) {
		return fmt.Errorf("with needs a member such as digests[].value")
	}
	switch c.As {
	case "", AsText, AsDate, AsHex, AsInteger:
		if c.To != "" {
			return fmt.Errorf("to goes with as: reference")
		}
	case AsReference:
		if !slices.Contains(Kinds, c.To) {
			return fmt.Errorf("a reference needs to: one of %v", Kinds)
		}
	default:
		return fmt.Errorf("as: %q is unknown", c.As)
	}
	return nil
}
