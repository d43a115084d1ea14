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
}

// Overdue reports whether it should have been published before today.
func (i OpenInspection) Overdue(today metrology.Date) bool {
	return i.Published == "" && i.PublicationDue != nil && i.PublicationDue.Last.Before(today)
}
