package metrology

import "slices"

// A joint draw (联合抽查) is one draw of objects in which each department has
// its own slots. The definition needs nothing new for that: a department's code
// is a skill that its slots require and its inspectors have. The plan's member
// departments says which skills are departments, so that the ledger can hold
// plan and directory to it.

// DrawDepartment is a department that takes part in a joint draw.
type DrawDepartment struct {
	Code string `json:"code"` // the skill of its slots and inspectors
	Name string `json:"name"`
}

// The bounds of a joint draw.
const (
	minDepartments = 2
	maxDepartments = 16
)

// Joint says whether several departments take part.
func (t DrawTerms) Joint() bool { return len(t.Departments) > 0 }

// departmentIn is the code of the one department among skills; "" if there is
// none or more than one.
func (t DrawTerms) departmentIn(skills []string) string {
	found := ""
	for _, d := range t.Departments {
		if slices.Contains(skills, d.Code) {
			if found != "" {
				return ""
			}
			found = d.Code
		}
	}
	return found
}

// SlotDepartments gives the department of each slot, "" in a draw that is not
// joint.
func (t DrawTerms) SlotDepartments(slots [][]string) []string {
	departments := make([]string, len(slots))
	for i, skills := range slots {
		departments[i] = t.departmentIn(skills)
	}
	return departments
}

// CheckDepartments holds the slots of a joint draw's plan against its
// departments: each slot is one department's, and each department has at least
// the two that the law wants of who inspects (行政处罚法 Art. 42).
func (t DrawTerms) CheckDepartments(slots [][]string) error {
	if !t.Joint() {
		return nil
	}
	if len(t.Departments) < minDepartments || len(t.Departments) > maxDepartments {
		return FieldErrorf(CodeInvalid, "plan.departments", "are %d, not %d to %d", len(t.Departments), minDepartments, maxDepartments)
	}
	count := map[string]int{}
	for i, d := range t.Departments {
		field := "plan." + indexed("departments", i)
		if err := CheckText(field+".code", d.Code, 64); err != nil {
			return err
		}
		if err := CheckText(field+".name", d.Name, 100); err != nil {
			return err
		}
		if slices.ContainsFunc(t.Departments[:i], func(other DrawDepartment) bool { return other.Code == d.Code }) {
			return FieldErrorf(CodeInvalid, field+".code", "%q stands twice", d.Code)
		}
	}
	for i, department := range t.SlotDepartments(slots) {
		if department == "" {
			return FieldErrorf(CodeInvalid, "plan."+indexed("assign", i), "is not the slot of exactly one department")
		}
		count[department]++
	}
	for _, d := range t.Departments {
		if count[d.Code] < minInspectors {
			return FieldErrorf(CodeInvalid, "plan.assign", "has %d slots of department %q, at least %d are needed", count[d.Code], d.Code, minInspectors)
		}
	}
	return nil
}

// CheckInspectors refuses an inspector of a joint draw who is not of exactly
// one department: nobody acts for two.
func (t DrawTerms) CheckInspectors(inspectors []DrawInspector) error {
	if !t.Joint() {
		return nil
	}
	for i, inspector := range inspectors {
		if t.departmentIn(inspector.Skills) == "" {
			return FieldErrorf(CodeInvalid, indexed("inspectors", i)+".skills", "%q is not of exactly one department of this joint draw", inspector.ID)
		}
	}
	return nil
}
