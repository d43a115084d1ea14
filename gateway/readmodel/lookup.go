package readmodel

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
)

// lookups answers look-ups by key from a SQLite file. Most of what one costs
// through database/sql goes into the pool, into a watch for the end of its
// context, and into beginning and ending a read transaction, which are system
// calls. So each of a few connections keeps its statements prepared and, from
// one change of the read model to the next, its read transaction open.
type lookups struct {
	connector driver.Connector
	idle      chan *reader
	draining  sync.Mutex
	changes   atomic.Int64 // that are about to be visible, or have just become so: meanwhile nobody keeps a transaction
}

// reader is one connection. One look-up at a time uses it.
type reader struct {
	conn     driver.Conn // nil: not open
	prepared map[string]driver.StmtQueryContext
	kept     driver.Tx // nil: none
}

// newLookups opens no connection yet. There is one for each processor: SQLite
// never waits while it reads, other than for the disk.
func newLookups(connector driver.Connector) *lookups {
	l := &lookups{connector: connector, idle: make(chan *reader, runtime.GOMAXPROCS(0))}
	for range cap(l.idle) {
		l.idle <- &reader{}
	}
	return l
}

// pause ends the transactions that are kept, and until resume none is: a commit
// must be visible to every look-up after it, and a checkpoint must not find
// readers of an older state. It waits for look-ups under way.
func (l *lookups) pause() {
	l.changes.Add(1)
	l.all((*reader).release)
}

func (l *lookups) resume() { l.changes.Add(-1) }

// all does something with each reader when no look-up uses it.
func (l *lookups) all(do func(*reader)) {
	l.draining.Lock()
	defer l.draining.Unlock()
	readers := make([]*reader, cap(l.idle))
	for i := range readers {
		readers[i] = <-l.idle
	}
	for _, r := range readers {
		do(r)
		l.idle <- r
	}
}

func (l *lookups) close() { l.all((*reader).close) }

// find calls row for each row of a query that takes only a moment.
func (l *lookups) find(ctx context.Context, query string, args []any, row func(scanner) error) error {
	var r *reader
	select {
	case r = <-l.idle:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { l.idle <- r }()
	err := r.find(context.WithoutCancel(ctx), l, query, args, row)
	if err != nil {
		r.close() // whatever is the matter with it, the next look-up opens another
	}
	return err
}

func (r *reader) find(ctx context.Context, l *lookups, query string, args []any, row func(scanner) error) error {
	statement, err := r.statement(ctx, l.connector, query)
	if err != nil {
		return err
	}
	if r.kept == nil && l.changes.Load() == 0 {
		if r.kept, err = r.conn.(driver.ConnBeginTx).BeginTx(ctx, driver.TxOptions{ReadOnly: true}); err != nil {
			return err
		}
	}
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i].Ordinal = i + 1
		if named[i].Value, err = driver.DefaultParameterConverter.ConvertValue(arg); err != nil {
			return err
		}
	}
	rows, err := statement.QueryContext(ctx, named)
	if err != nil {
		return err
	}
	return errors.Join(each(rows, row), rows.Close())
}

// each reads all rows.
func each(rows driver.Rows, row func(scanner) error) error {
	found := make(values, len(rows.Columns()))
	for {
		switch err := rows.Next(found); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := row(found); err != nil {
			return err
		}
	}
}

// statement prepares a query once, on a connection that it opens if need be.
func (r *reader) statement(ctx context.Context, connector driver.Connector, query string) (driver.StmtQueryContext, error) {
	if r.conn == nil {
		conn, err := connector.Connect(ctx)
		if err != nil {
			return nil, err
		}
		r.conn, r.prepared = conn, map[string]driver.StmtQueryContext{}
	}
	if statement := r.prepared[query]; statement != nil {
		return statement, nil
	}
	statement, err := r.conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	r.prepared[query] = statement.(driver.StmtQueryContext)
	return r.prepared[query], nil
}

// release ends the transaction. A connection on which that fails is given up,
// which ends it too.
func (r *reader) release() {
	if r.kept == nil {
		return
	}
	err := r.kept.Rollback()
	if r.kept = nil; err != nil {
		r.close()
	}
}

// close gives the connection up. It has changed nothing, so nothing is lost
// when that fails.
func (r *reader) close() {
	if r.conn == nil {
		return
	}
	if r.kept != nil {
		_ = r.kept.Rollback()
	}
	for _, statement := range r.prepared {
		_ = statement.(driver.Stmt).Close()
	}
	_ = r.conn.Close()
	*r = reader{}
}

// values is a row as the driver gives it.
type values []driver.Value

// Scan implements scanner for the types that rows of this schema are read into.
func (v values) Scan(into ...any) error {
	if len(into) != len(v) {
		return fmt.Errorf("the row has %d columns, not %d", len(v), len(into))
	}
	for i, value := range v {
		if !assign(into[i], value) {
			return fmt.Errorf("column %d is a %T, which does not fit a %T", i, value, into[i])
		}
	}
	return nil
}

func assign(into any, value driver.Value) bool {
	switch value := value.(type) {
	case string:
		switch into := into.(type) {
		case *string:
			*into = value
			return true
		case *[]byte:
			*into = []byte(value)
			return true
		}
		if to := reflect.ValueOf(into).Elem(); to.Kind() == reflect.String {
			to.SetString(value)
			return true
		}
	case int64:
		switch to := reflect.ValueOf(into).Elem(); to.Kind() {
		case reflect.Int, reflect.Int64:
			to.SetInt(value)
			return true
		case reflect.Uint64:
			to.SetUint(uint64(value))
			return value >= 0
		case reflect.Bool:
			to.SetBool(value != 0)
			return true
		}
	}
	return false
}

// lookUp reads the few rows that a key names.
func lookUp[T any](ctx context.Context, s *Store, what, query string, scan func(scanner) (T, error), args ...any) ([]T, error) {
	if s.lookups == nil {
		return all(ctx, s, what, query, scan, args...)
	}
	found := []T{}
	err := s.lookups.find(ctx, query, storable(args), func(row scanner) error {
		value, err := scan(row)
		found = append(found, value)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return found, nil
}
