package readmodel

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// draw projects a key of kind draw: its phase record or one of its parts.
func (a *applier) draw(c *change, parts []string, raw []byte) error {
	if len(parts) < 2 {
		return fmt.Errorf("a draw's key has an id and a part")
	}
	if parts[1] != metrology.DrawPartPhase {
		return a.drawPart(parts[0], parts[1], strings.Join(parts[2:], "/"), raw)
	}
	d, err := read[metrology.Draw](raw)
	if err != nil {
		return err
	}
	return a.exec(`INSERT INTO draws (id, authority, phase, doc, block, tx_id, claimed) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, doc = excluded.doc,
		block = excluded.block, tx_id = excluded.tx_id, claimed = excluded.claimed`,
		d.ID, d.Terms.Authority, string(d.Phase), string(raw), a.block.Number, c.ID, c.claimed)
}

// observation projects a key of kind obs.
func (a *applier) observation(parts []string, raw []byte) error {
	if len(parts) != 2 {
		return fmt.Errorf("an observation's key has a draw and an organisation")
	}
	return a.drawPart(parts[0], partObservation, parts[1], raw)
}

func (a *applier) drawPart(id, part, item string, raw []byte) error {
	return a.exec(`INSERT INTO draw_parts (draw, part, item, doc) VALUES (?, ?, ?, ?)
		ON CONFLICT (draw, part, item) DO UPDATE SET doc = excluded.doc`, id, part, item, string(raw))
}

const drawColumns = `SELECT d.doc, d.block, d.tx_id, d.claimed FROM draws d`

func scanDraw(row scanner) (public.Draw, error) {
	var d public.Draw
	var doc string
	err := row.Scan(append([]any{&doc}, asOf(&d.AsOf)...)...)
	if err != nil {
		return d, err
	}
	d.Draw, err = read[metrology.Draw]([]byte(doc))
	return d, err
}

// Draws lists draws by id, which is by authority and number.
func (s *Store) Draws(ctx context.Context, f public.DrawFilter) (public.Page[public.Draw], error) {
	var w where
	w.equal("d.authority", f.Authority)
	w.equal("d.phase", f.Phase)
	return list(ctx, s, "draws", drawColumns, "d.id", w, f.PageRequest, f.Authority+"\x00"+f.Phase,
		func(d public.Draw) string { return d.ID }, scanDraw)
}

// Draw returns one draw with all that its organisations have recorded.
func (s *Store) Draw(ctx context.Context, id string) (public.DrawRecord, error) {
	d, err := one(ctx, s, "draw", id, drawColumns+` WHERE d.id = ?`, scanDraw, id)
	if err != nil {
		return public.DrawRecord{}, err
	}
	record := public.DrawRecord{Draw: d}
	if record.History, err = s.history(ctx, string(metrology.KindDraw), id); err != nil {
		return record, err
	}
	parts, err := s.drawParts(ctx, id, false)
	if err != nil {
		return record, err
	}
	for _, part := range parts {
		if err := part.addTo(&record); err != nil {
			return record, fmt.Errorf("read %s of draw %s: %w", part.name, id, err)
		}
	}
	record.Numbers, err = s.drawNumbers(ctx, d.Terms.Authority)
	return record, err
}

// drawNumbers counts what became of an authority's draws.
func (s *Store) drawNumbers(ctx context.Context, authority string) (public.DrawNumbers, error) {
	const query = `SELECT COUNT(*), COALESCE(SUM(CASE WHEN phase = 'cancelled' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN phase = 'void' THEN 1 ELSE 0 END), 0) FROM draws WHERE authority = ?`
	return one(ctx, s, "draws of", authority, query, func(row scanner) (n public.DrawNumbers, err error) {
		err = row.Scan(&n.Filed, &n.Cancelled, &n.Void)
		return n, err
	}, authority)
}

// drawPart is one key of a draw beside its phase record.
type drawPart struct{ name, item, doc string }

// partObservation names the parts under kind obs.
const partObservation = "observation"

// drawParts loads a draw's directories, or all that is none of them.
func (s *Store) drawParts(ctx context.Context, id string, directories bool) ([]drawPart, error) {
	condition := "NOT IN"
	if directories {
		condition = "IN"
	}
	query := `SELECT part, item, doc FROM draw_parts WHERE draw = ? AND part ` + condition +
		` ('objects', 'inspectors', 'ineligible', 'exclusions') ORDER BY part, item`
	return all(ctx, s, "parts of a draw", query, func(row scanner) (p drawPart, err error) {
		err = row.Scan(&p.name, &p.item, &p.doc)
		return p, err
	}, id)
}

// addTo puts a part where it belongs. One it does not know is an error: a
// record that leaves something out would be a false statement.
func (p drawPart) addTo(r *public.DrawRecord) error {
	raw := []byte(p.doc)
	switch p.name {
	case metrology.DrawPartPlan:
		r.Plan = raw
		return nil
	case metrology.DrawPartFreeze:
		return json.Unmarshal(raw, &r.Frozen)
	case metrology.DrawPartCommitment:
		return appendRead(&r.Commitments, raw)
	case metrology.DrawPartReveal:
		return appendRead(&r.Reveals, raw)
	case metrology.DrawPartClose:
		return json.Unmarshal(raw, &r.Close)
	case partObservation:
		observation, err := read[metrology.DrawObservation](raw)
		if err == nil && observation.Time != 0 {
			r.Observations = append(r.Observations, observation)
		}
		return err
	case metrology.DrawPartBeacon:
		return json.Unmarshal(raw, &r.Beacon)
	case metrology.DrawPartResult:
		result, err := read[metrology.DrawResult](raw)
		if result.Refuted == nil { // else the one that was voided stands among those
			r.Result = &result
		}
		return err
	case metrology.DrawPartRefuted:
		return appendRead(&r.Refuted, raw)
	case metrology.DrawPartEscrow:
		return appendRead(&r.Escrow, raw)
	case metrology.DrawPartLeaves:
		return appendRead(&r.Leaves, raw)
	case metrology.DrawPartOpening:
		return json.Unmarshal(raw, &r.Opening)
	case metrology.DrawPartChanges:
		changes, err := read[metrology.DrawChanges](raw)
		r.Changes = changes.List
		return err
	}
	return fmt.Errorf("part %q is not known to this gateway: use a newer one", p.name)
}

func appendRead[T any](list *[]T, raw []byte) error {
	value, err := read[T](raw)
	*list = append(*list, value)
	return err
}

// DrawDirectories returns the four lists of a draw as they stand, chunks
// joined. Before the freeze they can change. Chunks beyond those that were
// frozen do not count.
func (s *Store) DrawDirectories(ctx context.Context, id string) (public.DrawDirectories, error) {
	record, err := s.Draw(ctx, id)
	if err != nil {
		return public.DrawDirectories{}, err
	}
	parts, err := s.drawParts(ctx, id, true)
	if err != nil {
		return public.DrawDirectories{}, err
	}
	whole := public.DrawDirectories{Record: record}
	for _, part := range parts {
		if record.Frozen != nil && !withinFreeze(record.Frozen.Chunks, part) {
			continue
		}
		chunk, err := read[metrology.DrawChunk]([]byte(part.doc))
		if err != nil {
			return whole, fmt.Errorf("read directory of draw %s: %w", id, err)
		}
		whole.Add(chunk)
	}
	return whole, nil
}

// withinFreeze says whether a chunk is one of those that were frozen.
func withinFreeze(chunks metrology.DrawChunks, part drawPart) bool {
	counts := map[string]int{
		metrology.DrawPartObjects: chunks.Objects, metrology.DrawPartInspectors: chunks.Inspectors,
		metrology.DrawPartIneligible: chunks.Ineligible, metrology.DrawPartExclusions: chunks.Exclusions,
	}
	return part.item < fmt.Sprintf("%04d", counts[part.name])
}

// DrawSteps lists the transactions that hold a draw's steps, in the order of
// the ledger.
func (s *Store) DrawSteps(ctx context.Context, id string) ([]public.Transaction, error) {
	const query = `SELECT id, block, idx, code, valid, function, msp, role, event, entity, claimed, endorsers FROM transactions
		WHERE id IN (SELECT tx_id FROM history WHERE family = 'draw' AND entity = ?) ORDER BY block, idx`
	return all(ctx, s, "steps of a draw", query, func(row scanner) (public.Transaction, error) {
		var t public.Transaction
		var endorsers string
		err := row.Scan(&t.ID, &t.Block, &t.Index, &t.Code, &t.Valid, &t.Function, &t.MSP, &t.Role, &t.Event, &t.Subject, &t.Time, &endorsers)
		t.Endorsers = splitList(endorsers)
		return t, err
	}, id)
}
