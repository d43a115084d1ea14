package metrology

import "strconv"

// RulesetKind says what a ruleset rules and so which member of its body is set.
type RulesetKind string

// The kinds of ruleset.
const (
	RulesetMPE       RulesetKind = "mpe"       // maximum permissible errors and deviations
	RulesetCycle     RulesetKind = "cycle"     // verification cycles 检定周期
	RulesetCalendar  RulesetKind = "calendar"  // working days of one year
	RulesetDeadline  RulesetKind = "deadline"  // periods in working days
	RulesetSampling  RulesetKind = "sampling"  // draw ratios per credit-risk class
	RulesetProgramme RulesetKind = "programme" // terms and duties of pledge programmes
	RulesetVisits    RulesetKind = "visits"    // inspections of one site in a calendar year
)

// RulesetKinds lists all kinds.
var RulesetKinds = []RulesetKind{RulesetMPE, RulesetCycle, RulesetCalendar, RulesetDeadline, RulesetSampling, RulesetProgramme, RulesetVisits}

// RegionNational stands for the whole country where a division code is asked for.
const RegionNational = "100000"

// Mark tells how well a ruleset's numbers are founded.
type Mark string

// The marks.
const (
	MarkFirm  Mark = "firm"  // the numbers were read in the source named
	MarkDraft Mark = "draft" // not confirmed in a source; no verdict uses them
)

// RulesetState is the state of one version of a ruleset.
type RulesetState string

// The states of a ruleset.
const (
	RulesetDraft     RulesetState = "draft"     // stored for discussion; can never come into force
	RulesetProposed  RulesetState = "proposed"  // waits for a second organisation
	RulesetInForce   RulesetState = "in-force"  // applies between its effective dates
	RulesetRepealing RulesetState = "repealing" // in force; its repeal waits for a second organisation
	RulesetRepealed  RulesetState = "repealed"  // applies to days up to EffectiveTo only
	RulesetRejected  RulesetState = "rejected"
)

// RulesetCommand is a command that may change a ruleset's state.
type RulesetCommand string

// The commands on a ruleset.
const (
	RulesetStore   RulesetCommand = "store" // of a draft
	RulesetPropose RulesetCommand = "propose"
	RulesetApprove RulesetCommand = "approve"
	RulesetReject  RulesetCommand = "reject"
	RulesetRepeal  RulesetCommand = "repeal"
)

// RulesetTransitions is the state machine of one version. The regulator
// proposes and asks for repeal; a second organisation approves or rejects.
var RulesetTransitions = Transitions[RulesetState, RulesetCommand]{
	"":               {RulesetStore: RulesetDraft, RulesetPropose: RulesetProposed},
	RulesetProposed:  {RulesetApprove: RulesetInForce, RulesetReject: RulesetRejected},
	RulesetInForce:   {RulesetRepeal: RulesetRepealing},
	RulesetRepealing: {RulesetApprove: RulesetRepealed, RulesetReject: RulesetInForce},
}

// Source is the document a ruleset was taken from.
type Source struct {
	Title    string `json:"title"`
	Document string `json:"document,omitempty"` // number of the document, such as JJG 443-2023
	Clause   string `json:"clause,omitempty"`
	URL      string `json:"url,omitempty"` // where it was read
	Note     string `json:"note,omitempty"`
}

// RuleReference names one version of a ruleset.
type RuleReference struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

// Ruleset is one version of a rule table as it stands on the ledger.
type Ruleset struct {
	RuleDocument
	State    RulesetState `json:"state"`
	Proposed string       `json:"proposed"`           // RFC 3339, the submitter's claim
	Approver string       `json:"approver,omitempty"` // MSP of the second organisation
	Decided  string       `json:"decided,omitempty"`  // RFC 3339 of the last approval or rejection
	RepealOn Date         `json:"repealOn,omitempty"` // last day of effect asked for by Repeal

}

// RuleDocument is the content of a ruleset; ProposeRuleset carries it. The
// shipped tables in package rules have the same form.
type RuleDocument struct {
	ID            string      `json:"id"`
	Version       int         `json:"version"` // from 1 on
	Kind          RulesetKind `json:"kind"`
	Region        string      `json:"region"` // GB/T 2260, or RegionNational
	Title         string      `json:"title"`
	Mark          Mark        `json:"mark"`
	Source        Source      `json:"source"`
	EffectiveFrom Date        `json:"effectiveFrom"`
	EffectiveTo   Date        `json:"effectiveTo,omitempty"` // last day included; empty: open
	Body          RuleBody    `json:"body"`
}

// RuleBody holds exactly the one member that the kind names.
type RuleBody struct {
	MPE       *MPETable       `json:"mpe,omitempty"`
	Cycle     *CycleTable     `json:"cycle,omitempty"`
	Calendar  *CalendarYear   `json:"calendar,omitempty"`
	Deadline  *DeadlineTable  `json:"deadline,omitempty"`
	Sampling  *SamplingTable  `json:"sampling,omitempty"`
	Programme *ProgrammeTable `json:"programme,omitempty"`
	Visits    *VisitCap       `json:"visits,omitempty"`
}

// CycleTable gives verification cycles by catalogue category.
type CycleTable struct {
	Rows []CycleRow `json:"rows"`
}

// CycleRow is the cycle of one category: Months, or FirstOnly for instruments
// verified once and then used up or rotated.
type CycleRow struct {
	Category  string `json:"category"`
	Months    int    `json:"months,omitempty"` // longest cycle
	FirstOnly bool   `json:"firstOnly,omitempty"`
}

// CalendarYear lists how one year departs from "Monday to Friday are working
// days".
type CalendarYear struct {
	Year     int    `json:"year"`
	Holidays []Date `json:"holidays"` // days off from Monday to Friday
	Workdays []Date `json:"workdays"` // Saturdays and Sundays worked (调休)
}

// DeadlineCode names a period that a rule sets.
type DeadlineCode string

// The deadlines.
const (
	DeadlinePublication DeadlineCode = "publication" // of an inspection's result, from the visit
	DeadlineObjection   DeadlineCode = "objection"   // to a result, from its publication
	DeadlineRetest      DeadlineCode = "retest"      // from the objection
	DeadlineWithdrawal  DeadlineCode = "withdrawal"  // of a record that was annulled
	DeadlineMatching    DeadlineCode = "matching"    // of inspectors, from the receipt of a drawn list
)

// DeadlineCodes lists all deadlines.
var DeadlineCodes = []DeadlineCode{DeadlinePublication, DeadlineObjection, DeadlineRetest, DeadlineWithdrawal, DeadlineMatching}

// DeadlineTable gives periods in working days.
type DeadlineTable struct {
	Rows []DeadlineRow `json:"rows"`
}

// DeadlineRow is one period.
type DeadlineRow struct {
	Code        DeadlineCode `json:"code"`
	WorkingDays int          `json:"workingDays"`
	Clause      string       `json:"clause,omitempty"`
}

// SamplingTable gives draw ratios per class.
type SamplingTable struct {
	Rows []SamplingRow `json:"rows"`
}

// SamplingRow is the ratio of one class, as a percentage such as "2.5".
type SamplingRow struct {
	Class   string  `json:"class"` // credit-risk class or tier, as the source names it
	Percent Decimal `json:"percent"`
}

// ProgrammeTable gives the pledge programmes of a region.
type ProgrammeTable struct {
	Rows []ProgrammeRow `json:"rows"`
}

// ProgrammeRow is what one programme asks of a pledge.
type ProgrammeRow struct {
	Programme string           `json:"programme"`
	Sectors   []Sector         `json:"sectors,omitempty"` // empty: all
	MinMonths int              `json:"minMonths"`
	MaxMonths int              `json:"maxMonths"`
	Required  []CommitmentCode `json:"required,omitempty"` // commitments every pledge must hold
}

// ProposeRuleset stores a draft or proposes a firm ruleset for approval.
type ProposeRuleset = RuleDocument

// DecideRuleset approves or rejects a proposal or a repeal.
type DecideRuleset struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

// RepealRuleset asks that a ruleset end with the day Until.
type RepealRuleset struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	Until   Date   `json:"until"`
}

// The events of the family. The event's id is "id/version".
const (
	EventRulesetStored   EventType = "ruleset.stored"
	EventRulesetProposed EventType = "ruleset.proposed"
	EventRulesetApproved EventType = "ruleset.approved"
	EventRulesetRejected EventType = "ruleset.rejected"
	EventRulesetRepeal   EventType = "ruleset.repeal-asked"
)

// RulesetKey is the key of one version of a ruleset.
func RulesetKey(id string, version int) string { return Key(KindRuleset, id, strconv.Itoa(version)) }
