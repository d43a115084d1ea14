package readmodel

import (
	"context"
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
	return a.drawPart(parts[0], public.DrawPartObservation, parts[1], raw)
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
		if err := record.AddPart(part); err != nil {
			return record, fmt.Errorf("read %s of draw %s: %w", part.Name, id, err)
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

// drawParts loads a draw's directories, or all that is none of them.
func (s *Store) drawParts(ctx context.Context, id string, directories bool) ([]public.DrawPart, error) {
	condition := "NOT IN"
	if directories {
		condition = "IN"
	}
	query := `SELECT part, item, doc FROM draw_parts WHERE draw = ? AND part ` + condition +
		` ('objects', 'inspectors', 'ineligible', 'exclusions') ORDER BY part, item`
	return all(ctx, s, "parts of a draw", query, func(row scanner) (p public.DrawPart, err error) {
		var doc string
		err = row.Scan(&p.Name, &p.Item, &doc)
		p.Value = []byte(doc)
		return p, err
	}, id)
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
		if err := whole.AddPart(part); err != nil {
			return whole, fmt.Errorf("read directory of draw %s: %w", id, err)
		}
	}
	return whole, nil
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
