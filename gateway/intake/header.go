package intake

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// maxTitleRows is how many rows may stand above the header, such as a title.
const maxTitleRows = 10

// header is the row of names above the data.
type header struct{ names []string }

// findHeader returns the header and the index of the first row below it. It is
// the first row that has every column the mapping needs.
func (m Mapping) findHeader(table Table) (header, int, error) {
	missing := ""
	for i, row := range table.Rows[:min(len(table.Rows), maxTitleRows+1)] {
		if row.Err != nil {
			continue
		}
		head := header{names: row.Cells}
		lacking := head.lacks(m)
		if len(lacking) == 0 {
			return head, i + 1, head.checkUnique(m)
		}
		if len(lacking) < len(m.needed()) || missing == "" {
			missing = strings.Join(lacking, ", ")
		}
	}
	return header{}, 0, fileError("no header found: the columns %s are missing", missing)
}

// needed lists the alternative headers of each column that must be there.
func (m Mapping) needed() [][]string {
	var needed [][]string
	if len(m.Source) > 0 {
		needed = append(needed, m.Source)
	}
	for _, column := range m.Columns {
		if column.Required {
			needed = append(needed, column.Header)
		}
	}
	return needed
}

func (h header) lacks(m Mapping) []string {
	var lacking []string
	for _, alternatives := range m.needed() {
		if !slices.ContainsFunc(alternatives, h.has) {
			lacking = append(lacking, alternatives[0])
		}
	}
	return lacking
}

func (h header) has(name string) bool {
	return slices.ContainsFunc(h.names, func(n string) bool { return fold(n) == fold(name) })
}

// checkUnique refuses a column that the mapping reads and that stands twice,
// since only one could be read.
func (h header) checkUnique(m Mapping) error {
	known, seen := m.headers(), make(map[string]bool)
	for _, name := range h.names {
		folded := fold(name)
		if known[folded] && seen[folded] {
			return fileError("the column %q stands twice", trim(name))
		}
		seen[folded] = true
	}
	return nil
}

// cells finds a row's cells by folded header.
func (h header) cells(row Row) map[string]cell {
	cells := make(map[string]cell, len(h.names))
	for i, name := range h.names {
		folded := fold(name)
		if folded == "" {
			continue
		}
		c := cell{header: trim(name)}
		if i < len(row.Cells) {
			c.text, c.rounded = row.Cells[i], row.Rounded[i]
		}
		cells[folded] = c
	}
	return cells
}

// unused lists the columns that the mapping does not read. Where several mean
// the same, only the one that the mapping names first is read.
func (h header) unused(m Mapping) []string {
	read := make(map[string]bool)
	for _, group := range m.groups() {
		for _, name := range group {
			if h.has(name) {
				read[fold(name)] = true
				break
			}
		}
	}
	var unused []string
	for _, name := range h.names {
		if fold(name) != "" && !read[fold(name)] {
			unused = append(unused, trim(name))
		}
	}
	return unused
}

// groups lists for each thing that is read the headers it may have.
func (m Mapping) groups() [][]string {
	groups := [][]string{m.Source}
	for _, column := range m.Columns {
		groups = append(groups, column.Header)
	}
	return groups
}

func (m Mapping) headers() map[string]bool {
	known := make(map[string]bool)
	for _, group := range m.groups() {
		for _, name := range group {
			known[fold(name)] = true
		}
	}
	return known
}

// applyObjects reads NDJSON rows as flat objects whose members are columns.
func (m Mapping) applyObjects(table Table, resolve Resolve) (records []Record, unused []string) {
	known := m.headers()
	for _, row := range table.Rows {
		record := Record{Line: row.Line}
		if row.Err != nil {
			record.Fault = faultOf(row.Err)
			records = append(records, record)
			continue
		}
		cells, fault := flatten(row.Object)
		for folded, c := range cells {
			if !known[folded] && !slices.Contains(unused, c.header) {
				unused = append(unused, c.header)
			}
		}
		if record.Fault = fault; fault == nil {
			m.fill(&record, table, cells, resolve)
		}
		records = append(records, record)
	}
	slices.Sort(unused)
	return records, unused
}

// flatten turns an object of plain values into cells.
func flatten(object jsontext.Value) (map[string]cell, *Fault) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, faultOf(err)
	}
	cells := make(map[string]cell, len(members))
	for name, value := range members {
		c := cell{header: name}
		switch value.Kind() {
		case '"':
			if err := json.Unmarshal(value, &c.text); err != nil {
				return nil, faultOf(err)
			}
		case 'n':
		case '0', 't', 'f':
			c.text = string(value)
		default:
			return nil, &Fault{Column: name, Rule: metrology.CodeInvalid, Reason: "is not a plain value"}
		}
		folded := fold(name)
		if other, twice := cells[folded]; twice {
			return nil, &Fault{Column: name, Rule: metrology.CodeInvalid, Reason: "means the same as " + other.header}
		}
		cells[folded] = c
	}
	return cells, nil
}
