package directory

import (
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
)

// leaveRow is a row of intake.DrawLeave.
type leaveRow struct {
	From metrology.Date `json:"from"`
	To   metrology.Date `json:"to"`
}

// absence is a time in which an inspector is away, both days included.
type absence struct{ from, to metrology.Date }

func (c *compiling) absence(record intake.Record) (Row, error) {
	l, err := read[leaveRow](record)
	if err != nil {
		return Row{}, err
	}
	inspector, known := c.inspectors[record.Source]
	switch {
	case !known:
		return Row{}, metrology.FieldErrorf(metrology.CodeNotFound, "source", "is not in the list of inspectors")
	case c.Visits == nil:
		return Row{}, metrology.FieldErrorf(metrology.CodeInvalid, "from", "the plan names no days of visits (its member visits), so absences mean nothing")
	case l.To.Before(l.From):
		return Row{}, metrology.FieldErrorf(metrology.CodeInvalid, "to", "%s lies before %s", l.To, l.From)
	}
	c.absences[inspector] = append(c.absences[inspector], absence{l.From, l.To})
	return Row{Outcome: Taken}, nil
}

// applyAbsences bars an inspector from each place that could be visited only
// on days on which the inspector is away. One who is away on all days is left
// out of the directory: pairs with every place would publish the absence.
func (c *compiling) applyAbsences() {
	if len(c.absences) == 0 {
		return
	}
	away := map[string]bool{}
	for _, person := range c.result.Inspectors {
		if len(c.absences[person.ID]) == 0 {
			continue
		}
		if c.isAway(person.ID, c.Visits.From, c.Visits.To) {
			away[person.ID] = true
			continue
		}
		for _, object := range c.result.Objects {
			if day, planned := c.visit[object.ID]; planned && c.isAway(person.ID, day, day) {
				c.bar(person.ID, object.ID)
			}
		}
	}
	if len(away) > 0 {
		c.leaveOutInspectors(away)
	}
}

// isAway says whether absences cover every day from first to last.
func (c *compiling) isAway(inspector string, first, last metrology.Date) bool {
	for day := first; !last.Before(day); {
		covered := slices.IndexFunc(c.absences[inspector], func(a absence) bool { return !day.Before(a.from) && !a.to.Before(day) })
		if covered < 0 {
			return false
		}
		day = c.absences[inspector][covered].to.AddDays(1)
	}
	return true
}

// leaveOutInspectors takes inspectors out who are away all the time, and counts
// them as excluded among the inspectors.
func (c *compiling) leaveOutInspectors(away map[string]bool) {
	c.result.Inspectors = slices.DeleteFunc(c.result.Inspectors, func(i metrology.DrawInspector) bool { return away[i.ID] })
	c.result.Ineligible = slices.DeleteFunc(c.result.Ineligible, func(pair []string) bool { return away[pair[0]] })
	c.result.Staff = slices.DeleteFunc(c.result.Staff, func(s Staff) bool { return away[s.ID] })
	for i := range c.result.Accounts {
		account := &c.result.Accounts[i]
		if account.Source != intake.DrawInspectors {
			continue
		}
		for _, record := range c.sources[intake.DrawInspectors] {
			if id, taken := c.inspectors[record.Source]; taken && away[id] {
				delete(away, id)
				account.Taken--
				account.Excluded[ExcludedOnLeave]++
				account.Rows = append(account.Rows, Row{Line: record.Line, Outcome: Excluded, ID: id, Message: "is away on every day of the visits"})
			}
		}
	}
}
