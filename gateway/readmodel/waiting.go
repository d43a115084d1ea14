package readmodel

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// markWaitingPledges notes with a pledge whether it awaits publication, for
// those projected before too.
func markWaitingPledges(d dialect) *goose.Migration {
	return goose.NewGoMigration(7,
		&goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			if err := statementsOf(
				`ALTER TABLE pledges ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0`, // whether it awaits publication
				`CREATE INDEX pledges_waiting ON pledges (id) WHERE waiting = 1`,
			)(ctx, tx); err != nil {
				return err
			}
			return markWaiting(ctx, tx, d)
		}},
		&goose.GoFunc{RunTx: statementsOf()}) // going down only happens to drop everything
}

func markWaiting(ctx context.Context, tx *sql.Tx, d dialect) error {
	rows, err := tx.QueryContext(ctx, `SELECT doc FROM pledges`)
	if err != nil {
		return fmt.Errorf("list pledges: %w", err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var doc string
		if err := rows.Scan(&doc); err != nil {
			return fmt.Errorf("list pledges: %w", err)
		}
		p, err := read[metrology.Pledge]([]byte(doc))
		if err != nil {
			return err
		}
		if p.AwaitsPublication() {
			found = append(found, p.ID)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list pledges: %w", err)
	}
	for _, id := range found {
		if _, err := tx.ExecContext(ctx, `UPDATE pledges SET waiting = 1 WHERE id = `+d.placeholder(1), id); err != nil {
			return fmt.Errorf("mark pledge %s: %w", id, err)
		}
	}
	return nil
}

// waiting is how a pledge's awaiting publication is stored.
func waiting(p metrology.Pledge) int {
	if p.AwaitsPublication() {
		return 1
	}
	return 0
}

// WaitingPledges lists the pledges whose latest term awaits publication, by id.
func (s *Store) WaitingPledges(ctx context.Context, request public.PageRequest, today metrology.Date) (public.Page[public.Pledge], error) {
	var w where
	w.add(`p.waiting = 1`)
	return list(ctx, s, "waiting pledges", pledgeColumns, "p.id", w, request, "", func(p public.Pledge) string { return p.ID }, scanPledge(today))
}
