package public

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// DrawPart is one key of a draw on the ledger.
type DrawPart struct {
	Name  string // the part of the key after the draw's id; DrawPartObservation for the kind obs
	Item  string // the rest of the key: an organisation, or the number of a chunk
	Value []byte
}

// DrawPartObservation names the parts under kind obs.
const DrawPartObservation = "observation"

// NewDrawPart reads a key of kind draw or obs.
func NewDrawPart(key string, value []byte) (draw string, part DrawPart, err error) {
	kind, parts := metrology.SplitKey(key)
	switch {
	case kind == metrology.KindDraw && len(parts) > 1:
		return parts[0], DrawPart{parts[1], strings.Join(parts[2:], "/"), value}, nil
	case kind == metrology.KindObservation && len(parts) == 2:
		return parts[0], DrawPart{DrawPartObservation, parts[1], value}, nil
	}
	return "", DrawPart{}, fmt.Errorf("%q is not the key of a draw", key)
}

// ReadDraw puts together what the ledger holds of one draw.
func ReadDraw(values map[string][]byte) (DrawDirectories, error) {
	var parts []DrawPart
	var whole DrawDirectories
	for key, value := range values {
		_, part, err := NewDrawPart(key, value)
		if err != nil {
			return whole, err
		}
		parts = append(parts, part)
	}
	slices.SortFunc(parts, func(a, b DrawPart) int {
		return strings.Compare(a.Name+"\x00"+a.Item, b.Name+"\x00"+b.Item)
	})
	for _, part := range parts {
		if part.directory() {
			continue
		}
		if err := whole.Record.AddPart(part); err != nil {
			return whole, fmt.Errorf("read %s of a draw: %w", part.Name, err)
		}
	}
	for _, part := range parts {
		if part.directory() {
			if err := whole.AddPart(part); err != nil {
				return whole, fmt.Errorf("read %s of a draw: %w", part.Name, err)
			}
		}
	}
	return whole, nil
}

// directory reports whether the part is a chunk of a directory.
func (p DrawPart) directory() bool {
	switch p.Name {
	case metrology.DrawPartObjects, metrology.DrawPartInspectors, metrology.DrawPartIneligible, metrology.DrawPartExclusions:
		return true
	}
	return false
}

// AddPart puts a part where it belongs. One it does not know is an error: a
// record that leaves something out would be a false statement.
func (r *DrawRecord) AddPart(p DrawPart) error {
	switch p.Name {
	case metrology.DrawPartPhase:
		return json.Unmarshal(p.Value, &r.Draw.Draw)
	case metrology.DrawPartPlan:
		r.Plan = p.Value
		return nil
	case metrology.DrawPartFreeze:
		return json.Unmarshal(p.Value, &r.Frozen)
	case metrology.DrawPartCommitment:
		return appendRead(&r.Commitments, p.Value)
	case metrology.DrawPartReveal:
		return appendRead(&r.Reveals, p.Value)
	case metrology.DrawPartClose:
		return json.Unmarshal(p.Value, &r.Close)
	case DrawPartObservation:
		var observation metrology.DrawObservation
		err := json.Unmarshal(p.Value, &observation)
		if err == nil && observation.Time != 0 {
			r.Observations = append(r.Observations, observation)
		}
		return err
	case metrology.DrawPartBeacon:
		return json.Unmarshal(p.Value, &r.Beacon)
	case metrology.DrawPartResult:
		var result metrology.DrawResult
		err := json.Unmarshal(p.Value, &result)
		if result.Refuted == nil { // else the one that was voided stands among those
			r.Result = &result
		}
		return err
	case metrology.DrawPartRefuted:
		return appendRead(&r.Voided, p.Value)
	case metrology.DrawPartEscrow:
		return appendRead(&r.Escrow, p.Value)
	case metrology.DrawPartLeaves:
		return appendRead(&r.Leaves, p.Value)
	case metrology.DrawPartOpening:
		return json.Unmarshal(p.Value, &r.Opening)
	case metrology.DrawPartChanges:
		var changes metrology.DrawChanges
		err := json.Unmarshal(p.Value, &changes)
		r.Changes = changes.List
		return err
	}
	return fmt.Errorf("part %q is not known to this gateway: use a newer one", p.Name)
}

func appendRead[T any](list *[]T, raw []byte) error {
	var value T
	err := json.Unmarshal(raw, &value)
	*list = append(*list, value)
	return err
}

// AddPart adds a chunk of a directory. Before the freeze the lists can change;
// chunks beyond those that were frozen do not count.
func (d *DrawDirectories) AddPart(p DrawPart) error {
	if frozen := d.Record.Frozen; frozen != nil {
		counts := map[string]int{
			metrology.DrawPartObjects: frozen.Chunks.Objects, metrology.DrawPartInspectors: frozen.Chunks.Inspectors,
			metrology.DrawPartIneligible: frozen.Chunks.Ineligible, metrology.DrawPartExclusions: frozen.Chunks.Exclusions,
		}
		if p.Item >= fmt.Sprintf("%04d", counts[p.Name]) {
			return nil
		}
	}
	var chunk metrology.DrawChunk
	if err := json.Unmarshal(p.Value, &chunk); err != nil {
		return err
	}
	d.Add(chunk)
	return nil
}
