// Package directory makes the directories of a draw out of what bureaus export
// from their registers: places with strata, inspectors with skills and caps,
// their absences, and the pairs that must not meet. Every row that was read is
// accounted for: taken, excluded with its reason, or rejected with the rule it
// breaks. It does no I/O.
//
// Places of the register come with the reason to exclude them that the register
// knows: closed, too new, or at the cap of visits of their region. Inspections
// recorded in the year of the draw's visits count, and places that draws with a
// result on the ledger have drawn and not visited. Not counted, because the
// ledger does not say, are visits recorded elsewhere, draws that are still
// sealed, and draws whose lists stand in files. A file's place at its cap is
// rejected with the rule, so that somebody states the exclusion.
//
// What is personal stays out of the result: inspectors get ids made for the
// draw, and neither absences nor reasons for recusal leave this package.
package directory

import (
	"fmt"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
)

// Sources are the rows of each file, by the kinds of package intake. A kind
// without a file has none.
type Sources map[string][]intake.Record

// Visits are the days on which the draw's visits take place, both included.
type Visits struct {
	From metrology.Date `json:"from"`
	To   metrology.Date `json:"to"`
}

// Rules are what the rows are held against.
type Rules struct {
	InspectorID func(staff string) string // makes an id of this draw
	// Holder commits to the post that stands behind an id of this draw
	// (draw.InspectorHolder); nil: the lists commit to nobody.
	Holder   func(id, post string) string
	Strata   map[string]string     // what the file says → opaque label; nil: the file has labels
	Place    func(id string) error // refuses a place that the register does not hold; nil: any goes
	Visits   *Visits               // nil: the plan names no days, and absences cannot be read
	Register []Place               // places that the ledger's register holds, taken before those of files
}

// Place is a place of the register.
type Place struct {
	ID        string
	Stratum   string
	Exclusion metrology.ExclusionReason // empty: taken
}

// Outcome says what became of a row.
type Outcome string

// The outcomes.
const (
	Taken    Outcome = "taken"
	Excluded Outcome = "excluded" // left out, for a reason
	Rejected Outcome = "rejected" // breaks a rule
)

// Row is a row that was not taken.
type Row struct {
	Line    int                       `json:"line"` // in its file, from 1; 0: of the register
	Outcome Outcome                   `json:"outcome"`
	ID      string                    `json:"id,omitempty"`     // of the place or inspector, as far as it is known
	Reason  metrology.ExclusionReason `json:"reason,omitempty"` // of an exclusion; absent for inspectors
	Code    metrology.Code            `json:"code,omitempty"`   // of the rule that is broken
	Field   string                    `json:"field,omitempty"`
	Column  string                    `json:"column,omitempty"` // the file's name for it
	Message string                    `json:"message,omitempty"`
}

// Reconciliation accounts for the rows of one source: read = taken + excluded
// + rejected.
type Reconciliation struct {
	Source   string         `json:"source"` // a kind of package intake, or "register"
	Read     int            `json:"read"`
	Taken    int            `json:"taken"`
	Excluded map[string]int `json:"excluded"` // by reason
	Rejected int            `json:"rejected"`
	Rows     []Row          `json:"rows"` // all but those taken
}

// SourceRegister names the ledger's own register.
const SourceRegister = "register"

// ExcludedOnLeave is why an inspector is left out who is away on every day of
// the visits. It is told to whoever filed the absences and to nobody else.
const ExcludedOnLeave = "on-leave"

// Staff is an inspector's number in the staff list with the id of this draw.
type Staff struct {
	Staff string `json:"staff"`
	ID    string `json:"id"`
	Post  string `json:"post,omitempty"` // subject of its certificate, to which the list commits
}

// Directories are the lists of a draw with the account of where they come from.
type Directories struct {
	metrology.DrawChunk
	Accounts []Reconciliation
	Staff    []Staff // in the order of the file; for the regulator alone
}

// Rejected counts the rows that break a rule.
func (d Directories) Rejected() (count int) {
	for _, account := range d.Accounts {
		count += account.Rejected
	}
	return count
}

// Compile makes the directories. Rows that break a rule are accounted for; the
// lists are complete only if there are none.
func Compile(sources Sources, rules Rules) Directories {
	c := &compiling{
		Rules: rules, sources: sources, listed: map[string]string{}, excluded: map[string]bool{}, visit: map[string]metrology.Date{},
		inspectors: map[string]string{}, paired: map[[2]string]bool{}, absences: map[string][]absence{},
	}
	c.takeRegister()
	c.each(intake.DrawObjects, c.object)
	c.each(intake.DrawExclusions, c.exclusion)
	c.dropExcluded()
	c.each(intake.DrawInspectors, c.inspector)
	c.each(intake.DrawIneligible, c.pair)
	c.each(intake.DrawLeave, c.absence)
	c.applyAbsences()
	return c.result
}

// compiling is the work under way.
type compiling struct {
	Rules
	sources Sources
	result  Directories
	account *Reconciliation // of the source at work

	listed     map[string]string // place → where it was listed first
	excluded   map[string]bool
	origins    []origin // of result.Objects
	visit      map[string]metrology.Date
	inspectors map[string]string // staff number → id
	paired     map[[2]string]bool
	absences   map[string][]absence // by the inspector's id
}

// origin says which row brought an object.
type origin struct {
	account int // index in result.Accounts
	line    int
}

// open begins the account of a source.
func (c *compiling) open(source string) {
	c.result.Accounts = append(c.result.Accounts, Reconciliation{Source: source, Excluded: map[string]int{}, Rows: []Row{}})
	c.account = &c.result.Accounts[len(c.result.Accounts)-1]
}

// each accounts for every row of a file. take adds the row to the lists, or
// returns why it is excluded or which rule it breaks.
func (c *compiling) each(kind string, take func(record intake.Record) (Row, error)) {
	records, given := c.sources[kind]
	if !given {
		return
	}
	c.open(kind)
	for _, record := range records {
		c.account.Read++
		if record.Fault != nil {
			c.reject(record, record.Fault)
			continue
		}
		row, err := take(record)
		switch {
		case err != nil:
			c.reject(record, faultOf(record, err))
		case row.Outcome == Excluded:
			row.Line = record.Line
			c.exclude(row, string(row.Reason))
		default:
			c.account.Taken++
		}
	}
}

func (c *compiling) reject(record intake.Record, fault *intake.Fault) {
	c.account.Rejected++
	c.account.Rows = append(c.account.Rows, Row{
		Line: record.Line, Outcome: Rejected, Code: fault.Rule, Field: fault.Field, Column: fault.Column, Message: fault.Reason,
	})
}

func (c *compiling) exclude(row Row, reason string) {
	c.account.Excluded[reason]++
	c.account.Rows = append(c.account.Rows, row)
}

// list notes that a place was listed and refuses a second time.
func (c *compiling) list(id, where string) error {
	if err := checkID("id", id); err != nil {
		return err
	}
	if earlier, twice := c.listed[id]; twice {
		return metrology.FieldErrorf(metrology.CodeConflict, "id", "%q stands in %s too", id, earlier)
	}
	c.listed[id] = where
	return nil
}

// takeRegister lists the places of the ledger's register.
func (c *compiling) takeRegister() {
	if len(c.Register) == 0 {
		return
	}
	c.open(SourceRegister)
	for _, p := range c.Register { // whose ids are unique
		c.account.Read++
		c.listed[p.ID] = "the register"
		if p.Exclusion != "" {
			c.exclude(c.leaveOut(p.ID, p.Exclusion), string(p.Exclusion))
			continue
		}
		c.account.Taken++
		c.add(metrology.DrawObject{ID: p.ID, Stratum: p.Stratum, Weight: 1}, 0)
	}
}

func (c *compiling) add(object metrology.DrawObject, line int) {
	c.result.Objects = append(c.result.Objects, object)
	c.origins = append(c.origins, origin{len(c.result.Accounts) - 1, line})
}

// dropExcluded takes places out that the list of exclusions names: they count
// as excluded where they were listed.
func (c *compiling) dropExcluded() {
	reasons := make(map[string]metrology.ExclusionReason, len(c.result.Exclusions))
	for _, e := range c.result.Exclusions {
		reasons[e.ID] = e.Reason
	}
	kept := c.result.Objects[:0]
	for i, object := range c.result.Objects {
		reason, excluded := reasons[object.ID]
		if !excluded {
			kept = append(kept, object)
			continue
		}
		account := &c.result.Accounts[c.origins[i].account]
		account.Taken--
		account.Excluded[string(reason)]++
		account.Rows = append(account.Rows, Row{Line: c.origins[i].line, Outcome: Excluded, ID: object.ID, Reason: reason})
	}
	c.result.Objects = kept
	for i := range c.result.Accounts {
		slices.SortStableFunc(c.result.Accounts[i].Rows, func(a, b Row) int { return a.Line - b.Line })
	}
}

func where(record intake.Record) string { return fmt.Sprintf("line %d", record.Line) }
