package metrology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDepartments(t *testing.T) {
	two := []DrawDepartment{{Code: "m", Name: "market"}, {Code: "f", Name: "fire"}}
	slots := [][]string{{"lead", "m"}, {"m"}, {"f"}, {"f"}}
	for _, c := range []struct {
		name        string
		departments []DrawDepartment
		slots       [][]string
		field       string // of the refusal; "": none
	}{
		{"Joint", two, slots, ""},
		{"Alone", nil, [][]string{{}, {}}, ""},
		{"One", two[:1], slots[:2], "plan.departments"},
		{"Unnamed", []DrawDepartment{{Code: "m"}, two[1]}, slots, "plan.departments[0].name"},
		{"Twice", []DrawDepartment{two[0], two[0]}, slots, "plan.departments[1].code"},
		{"SlotOfNone", two, append([][]string{{"lead"}}, slots...), "plan.assign[0]"},
		{"SlotOfBoth", two, append([][]string{{"m", "f"}}, slots...), "plan.assign[0]"},
		{"OneSlot", two, slots[:3], "plan.assign"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := DrawTerms{Departments: c.departments}.CheckDepartments(c.slots)
			if c.field == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, CodeInvalid, ErrorCode(err))
			require.ErrorContains(t, err, c.field+":")
		})
	}
	terms := DrawTerms{Departments: two}
	require.Equal(t, []string{"m", "m", "f", "f"}, terms.SlotDepartments(slots))
	require.NoError(t, terms.CheckInspectors([]DrawInspector{{ID: "I-1", Skills: []string{"lead", "f"}}}))
	for _, skills := range [][]string{{}, {"lead"}, {"m", "f"}} {
		require.ErrorContains(t, terms.CheckInspectors([]DrawInspector{{ID: "I-1", Skills: skills}}), "inspectors[0].skills")
	}
	require.NoError(t, DrawTerms{}.CheckInspectors([]DrawInspector{{ID: "I-1"}}))
}
