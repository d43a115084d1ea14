package public

import "github.com/steelyard-ledger/steelyard/chaincode/metrology"

// OpenInspection is an inspection as its own authority sees it at its desk,
// in whatever state. It is never part of a public answer.
type OpenInspection struct {
	Inspection
	Region    string
	Post      string // subject of the post in charge
	EnteredBy string // subject
	Reviewer  string // subject; empty: not reviewed

	// Due is by when its authority has to deal with it: to publish it, or to
	// retest what was objected to. nil: no approved rule says.
	Due *metrology.Due
}

// Overdue reports whether its authority should have dealt with it before today.
func (i OpenInspection) Overdue(today metrology.Date) bool {
	return i.Due != nil && i.Due.Last.Before(today)
}
