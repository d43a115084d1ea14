package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The statements of the usual way of a submission: a key that was not used
// before, and a transaction whose fate was open. They are prepared once; a
// change that they do not fit looks first and then writes.
const (
	insertSQL = `INSERT INTO submission (` + columns + `) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (caller, key) DO NOTHING`
	settleSQL = `UPDATE submission SET state = ?1, envelope = CASE WHEN ?1 = 'unknown' THEN envelope END,
		block_number = ?2, timestamp = ?3, code = ?4, result = ?5, updated = ?6
		WHERE transaction_id = ?7 AND transaction_id <> '' AND state IN ('pending', 'unknown')`
	updateSQL = `UPDATE submission SET request_hash = ?, operation = ?, transaction_id = ?, envelope = ?, state = ?, block_number = ?,
		timestamp = ?, code = ?, result = ?, refusal = ?, updated = ? WHERE ` + byKey
)

// prepareStatements prepares what runs for every submission.
func (s *Store) prepareStatements(ctx context.Context) (err error) {
	if s.insertRow, err = s.write.PrepareContext(ctx, insertSQL); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if s.settleRow, err = s.write.PrepareContext(ctx, settleSQL); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	return nil
}

// insert writes a row under a new key; fresh is false when the key is in use.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, e Entry) (fresh bool, err error) {
	if !e.State.follows("") {
		return false, nil
	}
	result, err := tx.StmtContext(ctx, s.insertRow).ExecContext(ctx,
		e.Caller, e.Key, e.RequestHash[:], e.Operation, e.TransactionID, e.Envelope, e.State,
		int64(e.Outcome.BlockNumber), nanoseconds(e.Outcome.Timestamp), int32(e.Outcome.Code), e.Outcome.Result, e.Outcome.refusal(),
		e.Created.UnixMilli(), e.Updated.UnixMilli())
	return changed(result, err)
}

// settle writes the fate of an open transaction; settled is false when there is
// none of that id. Every state it is called with follows both open states.
func (s *Store) settle(ctx context.Context, tx *sql.Tx, id string, state State, outcome Outcome) (settled bool, err error) {
	result, err := tx.StmtContext(ctx, s.settleRow).ExecContext(ctx,
		state, int64(outcome.BlockNumber), nanoseconds(outcome.Timestamp), int32(outcome.Code), outcome.Result, time.Now().UnixMilli(), id)
	return changed(result, err)
}

// update writes a row over an earlier one; Created stays.
func update(ctx context.Context, tx *sql.Tx, e Entry) error {
	result, err := tx.ExecContext(ctx, updateSQL,
		e.RequestHash[:], e.Operation, e.TransactionID, e.Envelope, e.State, int64(e.Outcome.BlockNumber),
		nanoseconds(e.Outcome.Timestamp), int32(e.Outcome.Code), e.Outcome.Result, e.Outcome.refusal(), e.Updated.UnixMilli(), e.Caller, e.Key)
	if ok, err := changed(result, err); err != nil || ok {
		return err
	}
	return errors.New("write submission: its row has gone")
}

func changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, fmt.Errorf("write submission: %w", err)
	}
	rows, err := result.RowsAffected()
	return rows > 0, err
}

// nanoseconds since 1970; 0 for the zero time.
func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// refusal is the broken rule as text, as metrology.ParseError reads it.
func (o Outcome) refusal() string {
	if o.Refusal == nil {
		return ""
	}
	return strings.ToValidUTF8(o.Refusal.Error(), "\uFFFD")
}
