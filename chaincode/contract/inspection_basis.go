package contract

import (
	"encoding/json"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// checkBasis refuses an inspection that claims a draw as its ground and is not
// what the draw assigned: the site drawn or substituted in, its rank, and its
// inspectors, no others. Chance must not be what a targeted visit is called.
func (t *transaction) checkBasis(cmd metrology.EnterInspection) error {
	if cmd.Basis.Kind != metrology.BasisDraw {
		return nil
	}
	d, err := t.draw(cmd.Basis.Draw)
	if err != nil {
		return err
	}
	var assigned []string
	switch {
	case d.Phase == metrology.DrawDrawn:
		assigned, err = t.assignedIn(d, cmd)
	case d.Phase == metrology.DrawSealed:
		assigned, err = t.assignedInLeaf(d, cmd)
	default:
		return metrology.FieldErrorf(metrology.CodeState, "basis.draw", "draw %q is %s", d.ID, d.Phase)
	}
	if err != nil {
		return err
	}
	return t.checkInspectors(d, cmd, assigned)
}

// assignedIn gives the inspectors of a site as the draw stands after its
// changes, and holds the rank against it.
func (t *transaction) assignedIn(d metrology.Draw, cmd metrology.EnterInspection) ([]string, error) {
	if len(cmd.Leaf) > 0 {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "leaf", "is for a draw that is sealed; draw %q is open", d.ID)
	}
	s, err := t.standsAs(d)
	if err != nil {
		return nil, err
	}
	assigned, drawn := s.assigned[cmd.Site]
	if !drawn {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "basis.draw", "draw %q did not draw site %q, or another took its place", d.ID, cmd.Site)
	}
	rank, err := t.rankIn(d, cmd.Site)
	if err != nil {
		return nil, err
	}
	if cmd.Basis.Rank != rank {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "basis.rank", "is %d; draw %q gives site %q rank %d", cmd.Basis.Rank, d.ID, cmd.Site, rank)
	}
	return assigned, nil
}

// rankIn is a drawn site's rank in its stratum: 0 if it was taken outright, and
// beyond the quota for what comes instead of another.
func (t *transaction) rankIn(d metrology.Draw, site string) (int, error) {
	result, err := worldstate.Require[metrology.DrawResult](t.Space, metrology.DrawKey(d.ID, metrology.DrawPartResult), "result of draw", d.ID)
	if err != nil {
		return 0, err
	}
	var outcome struct {
		Strata map[string]struct {
			Selected []struct {
				ID string `json:"id"`
			} `json:"selected"`
		} `json:"strata"`
	}
	if err := json.Unmarshal(result.Result, &outcome); err != nil {
		return 0, metrology.Errorf(metrology.CodeInternal, "the result of draw %q cannot be read: %v", d.ID, err)
	}
	for _, stratum := range outcome.Strata { // a site is in one stratum, so the order does not count
		for i, selected := range stratum.Selected {
			if selected.ID == site {
				return i + 1, nil
			}
		}
	}
	for _, standby := range result.Standby {
		if i := slices.Index(standby.Objects, site); i >= 0 {
			return len(outcome.Strata[standby.Stratum].Selected) + i + 1, nil
		}
	}
	return 0, nil
}

// assignedInLeaf gives the inspectors of a site from its leaf of a sealed
// result, which tells nothing of any other site.
func (t *transaction) assignedInLeaf(d metrology.Draw, cmd metrology.EnterInspection) ([]string, error) {
	if cmd.Basis.Rank != 0 {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "basis.rank", "is %d; draw %q is sealed and shows no ranks", cmd.Basis.Rank, d.ID)
	}
	if len(cmd.Leaf) == 0 {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "leaf", "is needed: draw %q is sealed", d.ID)
	}
	shown, err := decode[draw.SealedLeafProof](string(cmd.Leaf))
	if err != nil {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "leaf", "is not a leaf with its path: %v", err)
	}
	if shown.Leaf.Object != cmd.Site {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "leaf", "is that of %q", shown.Leaf.Object)
	}
	committed, err := t.committedLeaves(d.ID)
	if err != nil {
		return nil, err
	}
	for _, leaves := range committed {
		if leaves == nil {
			continue
		}
		root, err := draw.ParseDigest(leaves.Root)
		if err == nil && shown.Verify(root, uint64(leaves.Leaves)) == nil {
			return shown.Leaf.Inspectors, nil
		}
	}
	return nil, metrology.FieldErrorf(metrology.CodeInvalid, "leaf", "is not under what the holders of draw %q committed to", d.ID)
}

// checkInspectors refuses inspectors other than those assigned. The directory's
// commitments tell who they are.
func (t *transaction) checkInspectors(d metrology.Draw, cmd metrology.EnterInspection, assigned []string) error {
	if len(cmd.Assigned) != len(assigned) {
		return metrology.FieldErrorf(metrology.CodeInvalid, "inspectors", "are %d; draw %q assigned %d", len(cmd.Assigned), d.ID, len(assigned))
	}
	holders, err := t.holdersIn(d)
	if err != nil {
		return err
	}
	for i, a := range cmd.Assigned {
		switch {
		case !slices.Contains(assigned, a.Inspector):
			return metrology.FieldErrorf(metrology.CodeInvalid, "assigned", "inspector %q of draw %q is not assigned to site %q", a.Inspector, d.ID, cmd.Site)
		case slices.ContainsFunc(cmd.Assigned[:i], func(other metrology.AssignedInspector) bool { return other.Inspector == a.Inspector }):
			return metrology.FieldErrorf(metrology.CodeInvalid, "assigned", "inspector %q stands twice", a.Inspector)
		case holders[a.Inspector] == "":
			return metrology.FieldErrorf(metrology.CodeState, "assigned", "the directory of draw %q does not commit to who inspector %q is", d.ID, a.Inspector)
		}
		salt, err := draw.ParseDigest(a.Salt)
		if err != nil {
			return drawError(err)
		}
		if draw.InspectorHolder(d.ID, a.Inspector, cmd.Inspectors[i], salt).String() != holders[a.Inspector] {
			return metrology.FieldErrorf(metrology.CodeInvalid, "assigned", "%q is not who draw %q has as inspector %q", cmd.Inspectors[i], d.ID, a.Inspector)
		}
	}
	return nil
}

// holdersIn loads the commitments of a draw's directory to who its inspectors
// are.
func (t *transaction) holdersIn(d metrology.Draw) (map[string]string, error) {
	frozen, err := t.drawFreeze(d.ID)
	if err != nil {
		return nil, err
	}
	keys := make([]string, frozen.Chunks.Inspectors)
	for i := range keys {
		keys[i] = metrology.DrawChunkKey(d.ID, metrology.DrawPartInspectors, i)
	}
	chunks, err := worldstate.GetAll[metrology.DrawChunk](t.Space, keys)
	if err != nil {
		return nil, err
	}
	holders := map[string]string{}
	for _, chunk := range chunks {
		if chunk == nil {
			continue
		}
		for _, inspector := range chunk.Inspectors {
			holders[inspector.ID] = inspector.Holder
		}
	}
	return holders, nil
}
