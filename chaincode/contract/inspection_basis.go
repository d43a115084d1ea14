package contract

import (
	"encoding/json"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// checkBasis refuses an inspection that claims a draw as its ground when the
// draw did not draw the site: chance must not be what a targeted visit is
// called. Standby objects count, since they take the place of drawn ones.
func (t *transaction) checkBasis(basis metrology.Basis, site string) error {
	if basis.Kind != metrology.BasisDraw {
		return nil
	}
	drawn, err := t.draw(basis.Draw)
	if err != nil {
		return err
	}
	if drawn.Phase != metrology.DrawDrawn {
		return metrology.FieldErrorf(metrology.CodeState, "basis.draw", "draw %q is %s", basis.Draw, drawn.Phase)
	}
	key := metrology.DrawKey(basis.Draw, metrology.DrawPartResult)
	result, err := worldstate.Require[metrology.DrawResult](t.Space, key, "result of draw", basis.Draw)
	if err != nil {
		return err
	}
	var outcome struct {
		Assignments map[string]json.RawMessage `json:"assignments"` // by object
	}
	if err := json.Unmarshal(result.Result, &outcome); err != nil {
		return metrology.Errorf(metrology.CodeInternal, "the result of draw %q cannot be read: %v", basis.Draw, err)
	}
	if _, selected := outcome.Assignments[site]; selected {
		return nil
	}
	if slices.ContainsFunc(result.Standby, func(s metrology.DrawStandby) bool { return slices.Contains(s.Objects, site) }) {
		return nil
	}
	return metrology.FieldErrorf(metrology.CodeInvalid, "basis.draw", "draw %q did not draw site %q", basis.Draw, site)
}
