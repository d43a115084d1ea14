package public

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// DrawAssignments says who inspects what, as the draw stands after its changes.
type DrawAssignments struct {
	Draw        string                     `json:"draw"`
	Departments []metrology.DrawDepartment `json:"departments,omitempty"` // of a joint draw
	Department  string                     `json:"department,omitempty"`  // whose slots alone are listed
	Assignments []DrawAssignment           `json:"assignments"`           // by object; none while there is no result on the ledger
}

// DrawAssignment is one object with its slots.
type DrawAssignment struct {
	Object string         `json:"object"`
	Slots  []AssignedSlot `json:"slots"`
}

// AssignedSlot is one slot of an object.
type AssignedSlot struct {
	Slot       int    `json:"slot"`                 // from 0
	Department string `json:"department,omitempty"` // of a joint draw
	Inspector  string `json:"inspector"`            // id of the draw
}

// Assignments lists who inspects what; department, if any, keeps its slots
// alone.
func (r DrawRecord) Assignments(department string) (DrawAssignments, error) {
	shown := DrawAssignments{Draw: r.ID, Departments: r.Terms.Departments, Department: department, Assignments: []DrawAssignment{}}
	if department != "" && !slices.ContainsFunc(r.Terms.Departments, func(d metrology.DrawDepartment) bool { return d.Code == department }) {
		return shown, metrology.FieldErrorf(metrology.CodeInvalid, "department", "%q takes no part in draw %s", department, r.ID)
	}
	if r.Result == nil || r.Result.Result == nil {
		return shown, nil
	}
	plan, err := draw.ParsePlan(r.Plan)
	if err != nil {
		return shown, fmt.Errorf("read plan of draw %s: %w", r.ID, err)
	}
	departments := r.Terms.SlotDepartments(plan.Slots)
	assigned, err := r.assigned()
	if err != nil {
		return shown, err
	}
	for _, object := range slices.Sorted(maps.Keys(assigned)) {
		entry := DrawAssignment{Object: object, Slots: []AssignedSlot{}}
		for slot, inspector := range assigned[object] {
			if of := departments[slot]; department == "" || of == department {
				entry.Slots = append(entry.Slots, AssignedSlot{slot, of, inspector})
			}
		}
		shown.Assignments = append(shown.Assignments, entry)
	}
	return shown, nil
}

// assigned are the inspectors of each object after the changes in force.
func (r DrawRecord) assigned() (map[string][]string, error) {
	var outcome struct {
		Assignments map[string][]string `json:"assignments"`
	}
	if err := json.Unmarshal(r.Result.Result, &outcome); err != nil {
		return nil, fmt.Errorf("read result of draw %s: %w", r.ID, err)
	}
	for _, change := range r.Changes {
		if change.State != metrology.DrawChangeApproved {
			continue
		}
		object := change.Object
		if change.Kind == metrology.DrawSubstitution {
			delete(outcome.Assignments, change.Object)
			object = change.By
		}
		outcome.Assignments[object] = change.Inspectors
	}
	return outcome.Assignments, nil
}

// Places are the objects that the draw has drawn, after its changes; none while
// it has no result in force whose lists stand on the ledger.
func (r DrawRecord) Places() ([]string, error) {
	if r.Phase != metrology.DrawDrawn || r.Result == nil || r.Result.Result == nil {
		return nil, nil
	}
	assigned, err := r.assigned()
	return slices.Sorted(maps.Keys(assigned)), err
}

// VisitDays are the days that a plan names for its visits, both included.
type VisitDays struct {
	From metrology.Date `json:"from"`
	To   metrology.Date `json:"to"`
}

// VisitDays reads the plan's member visits; nil: it names none.
func (r DrawRecord) VisitDays() (*VisitDays, error) {
	var plan struct {
		Visits *VisitDays `json:"visits"`
	}
	if err := json.Unmarshal(r.Plan, &plan); err != nil {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "plan.visits", "is not {from, to}")
	}
	if plan.Visits == nil {
		return nil, nil
	}
	if !plan.Visits.From.Valid() || !plan.Visits.To.Valid() || plan.Visits.To.Before(plan.Visits.From) {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "plan.visits", "is not a period of days")
	}
	return plan.Visits, nil
}

// VisitYear is the calendar year (Asia/Shanghai) in which the places drawn are
// visited: of the first day that the plan names, or of the draw's result.
func (r DrawRecord) VisitYear() int {
	if days, err := r.VisitDays(); err == nil && days != nil {
		return days.From.Year()
	}
	if r.Result == nil {
		return 0
	}
	return metrology.DateOf(time.Unix(r.Result.Time, 0)).Year()
}
