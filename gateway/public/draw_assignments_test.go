package public

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// TestAssignments: each department of a joint draw has its own slots, as they
// stand after the changes in force.
func TestAssignments(t *testing.T) {
	var r DrawRecord
	r.ID = "440300-000001"
	r.Plan = json.RawMessage(`{"quota":{"A":1},"assign":[["dept-m","lead"],["dept-m"],["dept-f"],["dept-f"]]}`)
	r.Terms.Departments = []metrology.DrawDepartment{{Code: "dept-m", Name: "市场监管"}, {Code: "dept-f", Name: "消防"}}
	none, err := r.Assignments("")
	require.NoError(t, err)
	require.Empty(t, none.Assignments, "there is no result yet")
	r.Result = &metrology.DrawResult{Result: json.RawMessage(`{"assignments":{"S-2":["M-1","M-2","F-1","F-2"],"S-1":["M-3","M-2","F-1","F-3"]}}`)}
	r.Changes = []metrology.DrawChange{
		{Kind: metrology.DrawRecusal, State: metrology.DrawChangeApproved, Object: "S-2", Inspectors: []string{"M-1", "M-2", "F-4", "F-2"}},
		{Kind: metrology.DrawSubstitution, State: metrology.DrawChangeRejected, Object: "S-2", By: "S-9", Inspectors: []string{"M-1", "M-2", "F-4", "F-2"}},
		{Kind: metrology.DrawSubstitution, State: metrology.DrawChangeApproved, Object: "S-1", By: "S-3", Inspectors: []string{"M-3", "M-2", "F-1", "F-3"}},
	}
	all, err := r.Assignments("")
	require.NoError(t, err)
	require.Len(t, all.Assignments, 2)
	require.Equal(t, "S-2", all.Assignments[0].Object)
	require.Equal(t, "S-3", all.Assignments[1].Object)
	fire, err := r.Assignments("dept-f")
	require.NoError(t, err)
	require.Equal(t, []AssignedSlot{{2, "dept-f", "F-4"}, {3, "dept-f", "F-2"}}, fire.Assignments[0].Slots)
	_, err = r.Assignments("dept-x")
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))
}
