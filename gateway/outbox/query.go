package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

const columns = `caller, key, request_hash, operation, transaction_id, envelope, state,
	block_number, timestamp, code, result, refusal, created, updated`

const selectSQL = `SELECT ` + columns + ` FROM submission WHERE `

// The ways to one row. The second condition lets SQLite use the partial index.
const (
	byKey         = `caller = ? AND key = ?`
	byTransaction = `transaction_id = ? AND transaction_id <> ''`
)

// Find returns what is kept under a caller's key.
func (s *Store) Find(ctx context.Context, caller, key string) (e Entry, found bool, err error) {
	return ifAny(scanEntry(s.findRow.QueryRowContext(ctx, caller, key)))
}

// FindTransaction returns the submission whose last envelope has this id.
func (s *Store) FindTransaction(ctx context.Context, transactionID string) (e Entry, found bool, err error) {
	return queryEntry(ctx, s.read, byTransaction, transactionID)
}

// Recent lists what a caller submitted under keys with a prefix of ASCII, the
// newest first.
func (s *Store) Recent(ctx context.Context, caller, prefix string, limit int) ([]Entry, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+columns+` FROM submission
		WHERE caller = ? AND key >= ? AND key < ? ORDER BY created DESC, key LIMIT ?`, caller, prefix, prefix+"\x7f", limit)
	return scanEntries(rows, err)
}

// Unsettled lists the submissions whose fate is open, oldest first.
func (s *Store) Unsettled(ctx context.Context) ([]Entry, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+columns+` FROM submission WHERE state IN ('pending', 'unknown') ORDER BY created, caller, key`)
	return scanEntries(rows, err)
}

func scanEntries(rows *sql.Rows, err error) ([]Entry, error) {
	if err != nil {
		return nil, fmt.Errorf("query submissions: %w", err)
	}
	defer rows.Close()
	var entries []Entry
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("query submissions: %w", err)
	}
	return entries, nil
}

// queryer is what reading needs of a database or a transaction on it.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func queryEntry(ctx context.Context, db queryer, where string, args ...any) (Entry, bool, error) {
	return ifAny(scanEntry(db.QueryRowContext(ctx, selectSQL+where, args...)))
}

// ifAny tells an entry that is not there from one that could not be read.
func ifAny(e Entry, err error) (Entry, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return Entry{}, false, nil
	}
	return e, err == nil, err
}

func scanEntry(row interface{ Scan(...any) error }) (Entry, error) {
	var e Entry
	var hash []byte
	var refusal string
	var code int32
	var timestamp, created, updated int64
	err := row.Scan(&e.Caller, &e.Key, &hash, &e.Operation, &e.TransactionID, &e.Envelope, &e.State,
		&e.Outcome.BlockNumber, &timestamp, &code, &e.Outcome.Result, &refusal, &created, &updated)
	if err != nil {
		return Entry{}, fmt.Errorf("read submission: %w", err)
	}
	if copy(e.RequestHash[:], hash) != len(e.RequestHash) {
		return Entry{}, fmt.Errorf("read submission %s: request hash of %d bytes", e.TransactionID, len(hash))
	}
	e.Outcome.Code = peer.TxValidationCode(code)
	if timestamp != 0 {
		e.Outcome.Timestamp = time.Unix(0, timestamp).UTC()
	}
	if refusal != "" {
		rule, ok := metrology.ParseError(refusal)
		if !ok {
			return Entry{}, fmt.Errorf("read submission: refusal %q has no code", refusal)
		}
		e.Outcome.Refusal = rule
	}
	e.Created, e.Updated = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
	return e, nil
}
