package intake

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Fault is what is wrong with a row.
type Fault struct {
	Column string // header in the file; empty: not one column's
	Field  string // member, such as instruments[0].serial; may be empty
	Rule   metrology.Code
	Reason string
}

// Record is one row as a JSON object.
type Record struct {
	Line    int
	Source  string         // the source's own id; empty where the mapping names none
	Members jsontext.Value // with a Fault: of what was read before it; may be nil
	Fault   *Fault

	columns map[string]string // path of a member → header
}

// Column returns the header of the column that gave the member at a path, or
// the nearest member around it.
func (r Record) Column(field string) string {
	for field != "" {
		if header, found := r.columns[field]; found {
			return header
		}
		cut := strings.LastIndexAny(field, ".[")
		if cut < 0 {
			return ""
		}
		field = field[:cut]
	}
	return ""
}

// FaultOf tells a rule that the record broke later, in the words of the file.
func (r Record) FaultOf(e *metrology.Error) *Fault {
	return &Fault{Column: r.Column(e.Field), Field: e.Field, Rule: e.Code, Reason: e.Message}
}

// Resolve finds the identifier on the ledger for a source's id.
type Resolve func(kind, source string) string

// Objects returns the rows of an NDJSON file as they are: each object already
// has the members of the request. member names the one that holds the
// source's own id, which is taken out; empty: there is none.
func Objects(table Table, member string) ([]Record, error) {
	if table.Format != NDJSON {
		return nil, mappingError("%s has columns, so it needs a mapping", table.Format)
	}
	records := make([]Record, len(table.Rows))
	for i, row := range table.Rows {
		records[i] = Record{Line: row.Line, Members: row.Object}
		if row.Err != nil {
			records[i].Fault = faultOf(row.Err)
			continue
		}
		if member != "" {
			records[i].takeSource(member)
		}
	}
	return records, nil
}

func (r *Record) takeSource(member string) {
	var members map[string]jsontext.Value
	err := json.Unmarshal(r.Members, &members)
	if err == nil {
		err = json.Unmarshal(members[member], &r.Source)
	}
	if err != nil || r.Source == "" {
		r.Members, r.Fault = nil, &Fault{Field: member, Rule: metrology.CodeInvalid, Reason: "is required: the source's own id, a text"}
		return
	}
	delete(members, member)
	if r.Members, err = json.Marshal(members, json.Deterministic(true)); err != nil {
		r.Members, r.Fault = nil, faultOf(err)
	}
}

// Apply turns the rows of a table into records. unused lists columns that the
// mapping does not know; nothing of them is read. An error means that the file
// does not fit the mapping: a column it needs is missing or stands twice.
func (m Mapping) Apply(table Table, resolve Resolve) (records []Record, unused []string, err error) {
	if table.Format == NDJSON {
		records, unused = m.applyObjects(table, resolve)
		return records, unused, nil
	}
	head, start, err := m.findHeader(table)
	if err != nil {
		return nil, nil, err
	}
	for _, row := range table.Rows[start:] {
		record := Record{Line: row.Line}
		switch {
		case row.Err != nil:
			record.Fault = faultOf(row.Err)
		case tooWide(row.Cells, len(head.names)):
			record.Fault = &Fault{Rule: metrology.CodeInvalid, Reason: "the row has more columns than the header"}
		default:
			m.fill(&record, table, head.cells(row), resolve)
		}
		records = append(records, record)
	}
	if len(records) == 0 {
		return nil, nil, fileError("the file holds no rows below the header")
	}
	return records, head.unused(m), nil
}

func tooWide(cells []string, columns int) bool {
	return len(cells) > columns && !blank(cells[columns:])
}

func faultOf(err error) *Fault {
	var rule *metrology.Error
	if errors.As(err, &rule) {
		return &Fault{Field: rule.Field, Rule: rule.Code, Reason: rule.Message}
	}
	return &Fault{Rule: metrology.CodeInvalid, Reason: err.Error()}
}

// cell is one value of a row with the header it stands under.
type cell struct {
	header, text string
	rounded      bool
}

// fill makes the record's members of a row's cells, by folded header.
func (m Mapping) fill(record *Record, table Table, cells map[string]cell, resolve Resolve) {
	record.columns = make(map[string]string)
	object := make(map[string]any)
	if source := first(cells, m.Source); len(m.Source) > 0 {
		record.Source = trim(source.text)
		record.columns["source"] = source.header
		if record.Source == "" {
			record.Fault = &Fault{Column: source.header, Field: "source", Rule: metrology.CodeInvalid, Reason: "is required: the system's own id"}
			return
		}
	}
	for _, column := range m.Columns {
		if record.Fault = m.put(record, object, table, column, cells, resolve); record.Fault != nil {
			break
		}
	}
	if record.Fault == nil {
		record.Fault = m.complete(record, object)
	}
	members, err := json.Marshal(object, json.Deterministic(true))
	if err != nil {
		record.Fault = &Fault{Rule: metrology.CodeInvalid, Reason: "a cell holds characters that are not UTF-8"}
		return
	}
	record.Members = members
}

// complete sets the members that no column gives.
func (m Mapping) complete(record *Record, object map[string]any) *Fault {
	for _, member := range slices.Sorted(maps.Keys(m.Fixed)) {
		path, _ := parsePath(member) // checked when the mapping was read
		if _, ok := set(object, path, nil, m.Fixed[member]); !ok {
			return &Fault{Field: member, Column: record.Column(member), Rule: metrology.CodeInvalid, Reason: "differs from the value that the mapping fixes"}
		}
	}
	for member, from := range m.Copy {
		if _, given := object[member]; !given && object[from] != nil {
			object[member] = object[from]
			record.columns[member] = record.columns[from]
		}
	}
	return nil
}

// put sets the member of one column.
func (m Mapping) put(record *Record, object map[string]any, table Table, column Column, cells map[string]cell, resolve Resolve) *Fault {
	found := first(cells, column.Header)
	if _, given := record.columns[column.Member]; found.header != "" && !given {
		record.columns[column.Member] = found.header // an empty cell can be at fault too
	}
	if found.header == "" {
		found.header = column.Header[0]
	}
	fault := func(reason string) *Fault {
		return &Fault{Column: found.header, Field: column.Member, Rule: metrology.CodeInvalid, Reason: reason}
	}
	text := trim(found.text)
	if found.rounded {
		return fault(strconv.Quote(text) + " is a number that the spreadsheet has rounded; format the column as text and enter it again")
	}
	value, reason := m.value(text, column, table, resolve)
	if reason != "" {
		return fault(reason)
	}
	if value == nil {
		if column.Required {
			return fault("is required")
		}
		return nil
	}
	path, _ := parsePath(column.Member) // checked when the mapping was read
	at, ok := set(object, path, column.With, value)
	if !ok {
		return fault("contradicts the column " + strconv.Quote(record.Column(at)))
	}
	record.columns[at] = found.header
	return nil
}

// first finds the cell under the first of the headers that is there.
func first(cells map[string]cell, headers []string) cell {
	for _, header := range headers {
		if found, ok := cells[fold(header)]; ok {
			return found
		}
	}
	return cell{}
}

// value reads a cell. nil means that there is none.
func (m Mapping) value(text string, column Column, table Table, resolve Resolve) (value any, reason string) {
	if len(column.Values) > 0 && text != "" {
		mapped, known := lookUp(column.Values, text)
		if !known {
			return nil, strconv.Quote(text) + " is not a value that the mapping knows"
		}
		text = mapped
	}
	if text == "" {
		text = column.Default
	}
	if text == "" {
		return nil, ""
	}
	switch column.As {
	case AsDate:
		date, ok := parseDate(text, m.Dates, table)
		if !ok {
			return nil, strconv.Quote(text) + " is not a date"
		}
		return string(date), ""
	case AsHex:
		return strings.ToLower(strings.Join(strings.Fields(text), "")), ""
	case AsInteger:
		n, err := strconv.ParseInt(text, 10, 53)
		if err != nil {
			return nil, strconv.Quote(text) + " is not a whole number"
		}
		return n, ""
	case AsReference:
		return resolve(column.To, text), ""
	}
	return text, ""
}

func lookUp(values map[string]string, text string) (string, bool) {
	if mapped, known := values[text]; known {
		return mapped, true
	}
	for from, mapped := range values {
		if fold(from) == fold(text) {
			return mapped, true
		}
	}
	return "", false
}

// trim takes away white space at the ends, the ideographic space included.
func trim(text string) string {
	return strings.TrimFunc(text, func(c rune) bool { return unicode.IsSpace(c) || c == '\u200b' || c == '\ufeff' })
}

// fold takes away of a header what exports vary: spaces, letter case, width,
// and the marks of a required column.
func fold(header string) string {
	return strings.ToLower(strings.Map(func(c rune) rune {
		switch {
		case c >= 0xFF01 && c <= 0xFF5E: // full-width ASCII
			c -= 0xFEE0
		case unicode.IsSpace(c), c == '\u200b', c == '\ufeff':
			return -1
		}
		if c == '*' || c == ':' {
			return -1
		}
		return c
	}, header))
}
