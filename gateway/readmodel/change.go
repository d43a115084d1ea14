package readmodel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// applier is one database transaction that writes what blocks say, one after
// the other.
type applier struct {
	*Store
	ctx      context.Context
	tx       *sql.Tx
	block    ledger.Block         // at hand
	prepared map[string]*sql.Stmt // of tx; empty where the driver does it
	digests  []digestRow          // to be inserted at the end
	deleted  bool                 // a value that had to go was there
}

// change runs work in one database transaction. When something deletable was
// deleted, its traces on disk go before change returns.
func (s *Store) change(ctx context.Context, work func(*applier) error) error {
	if err := s.lead(ctx); err != nil {
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing; before, the error at hand says more
	a := &applier{Store: s, ctx: ctx, tx: tx, prepared: map[string]*sql.Stmt{}}
	if err := work(a); err != nil {
		return err
	}
	if err := a.insertDigests(); err != nil {
		return err
	}
	defer s.changing()()
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	s.single.forget()
	if a.deleted {
		s.unwiped.Store(true)
	}
	return s.wipe(ctx)
}

// changing is called before rows change for readers, and what it returns
// afterwards. Between, every look-up begins by itself.
func (s *Store) changing() (done func()) {
	if s.lookups == nil {
		return func() {}
	}
	s.lookups.pause()
	return s.lookups.resume
}

// wipe removes deleted values from where the database keeps them besides its
// tables. While readers hold an older state it cannot; the next change tries
// again.
func (s *Store) wipe(ctx context.Context) error {
	if s.dialect.wipe == "" || !s.unwiped.Load() {
		return nil
	}
	var busy, pages, moved int
	if err := s.write.QueryRowContext(ctx, s.dialect.wipe).Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("wipe deleted values: %w", err)
	}
	s.unwiped.Store(busy != 0)
	return nil
}

// exec runs one statement.
func (a *applier) exec(query string, args ...any) error {
	_, err := a.count(query, args...)
	return err
}

// count runs one statement and returns how many rows it changed.
func (a *applier) count(query string, args ...any) (int64, error) {
	result, err := a.run(query, storable(args))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", firstWords(query), err)
	}
	return result.RowsAffected()
}

func (a *applier) run(query string, args []any) (sql.Result, error) {
	if !a.dialect.prepare {
		return a.tx.ExecContext(a.ctx, a.rebind(query), args...)
	}
	statement, err := a.statement(query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(a.ctx, args...)
}

// rows asks for rows.
func (a *applier) rows(query string, args ...any) (*sql.Rows, error) {
	if !a.dialect.prepare {
		return a.tx.QueryContext(a.ctx, a.rebind(query), storable(args)...)
	}
	statement, err := a.statement(query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(a.ctx, storable(args)...)
}

// row asks for one row.
func (a *applier) row(query string, args ...any) scanner {
	if !a.dialect.prepare {
		return a.tx.QueryRowContext(a.ctx, a.rebind(query), storable(args)...)
	}
	statement, err := a.statement(query)
	if err != nil {
		return failed{err}
	}
	return statement.QueryRowContext(a.ctx, storable(args)...)
}

// failed is the row of a query that could not be asked.
type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

func (a *applier) statement(query string) (*sql.Stmt, error) {
	if statement, ok := a.prepared[query]; ok {
		return statement, nil
	}
	statement, err := a.tx.PrepareContext(a.ctx, a.rebind(query)) // closed with the transaction
	if err != nil {
		return nil, err
	}
	a.prepared[query] = statement
	return statement, nil
}

// chunk is how many rows one statement inserts. Both databases bound the
// parameters of a statement, SQLite at 32,766.
const chunk = 100

// insert adds rows of equal length; into stands between INTO and VALUES, conflict says what
// to do about rows that are there.
func (a *applier) insert(into, conflict string, rows [][]any) error {
	for len(rows) > 0 {
		part := rows[:min(chunk, len(rows))]
		rows = rows[len(part):]
		one := "(" + strings.Repeat("?, ", len(part[0])-1) + "?)"
		args := make([]any, 0, len(part)*len(part[0]))
		for _, row := range part {
			args = append(args, row...)
		}
		if err := a.exec(a.dialect.insert+into+" VALUES "+strings.Repeat(one+", ", len(part)-1)+one+" "+conflict, args...); err != nil {
			return err
		}
	}
	return nil
}

func firstWords(query string) string {
	words := strings.Fields(query)
	return strings.Join(words[:min(4, len(words))], " ")
}

// statements keeps prepared statements by their text. The texts are few: what
// varies between two queries of a kind is in their arguments.
type statements struct {
	mutex sync.RWMutex
	kept  map[string]*sql.Stmt
}

func (s *statements) prepare(ctx context.Context, db *sql.DB, query string) (*sql.Stmt, error) {
	s.mutex.RLock()
	statement := s.kept[query]
	s.mutex.RUnlock()
	if statement != nil {
		return statement, nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if statement = s.kept[query]; statement != nil {
		return statement, nil
	}
	statement, err := db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if s.kept == nil {
		s.kept = map[string]*sql.Stmt{}
	}
	s.kept[query] = statement
	return statement, nil
}

func (s *statements) close() (err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, statement := range s.kept {
		err = errors.Join(err, statement.Close())
	}
	s.kept = nil
	return err
}
