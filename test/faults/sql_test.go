package faults

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"
)

// database puts the faults between a database and its driver. A call is named
// by database, method and the first words of the statement.
func (p *plan) database(name string) func(driver.Connector) driver.Connector {
	return func(c driver.Connector) driver.Connector { return connector{c, p, name + " "} }
}

type connector struct {
	driver.Connector
	plan *plan
	name string
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := get(c.plan, c.name+"Connector.Connect", func() (driver.Conn, error) { return c.Connector.Connect(ctx) },
		func(lost driver.Conn) { _ = lost.Close() })
	if err != nil {
		return nil, err
	}
	return &connection{opened.(fullConn), c.plan, c.name}, nil
}

// fullConn is what both drivers' connections can do.
type fullConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
}

type connection struct {
	fullConn
	plan *plan
	name string
}

// CheckNamedValue lets a driver that converts values do so.
func (c *connection) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.fullConn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

// firstWords names a statement: enough to tell the table, and not the number of
// rows it inserts at once. What makes the schema counts as one.
func firstWords(query string) string {
	words := strings.Fields(query)
	if len(words) > 0 && slices.Contains([]string{"CREATE", "ALTER", "DROP"}, words[0]) {
		return words[0]
	}
	return strings.Join(words[:min(4, len(words))], " ")
}

func keep(driver.Result) {}

func closeRows(lost driver.Rows) { _ = lost.Close() }

func (c *connection) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return get(c.plan, c.name+"ExecerContext.ExecContext "+firstWords(query), func() (driver.Result, error) {
		return c.fullConn.ExecContext(ctx, query, args)
	}, keep)
}

func (c *connection) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return get(c.plan, c.name+"QueryerContext.QueryContext "+firstWords(query), func() (driver.Rows, error) {
		return c.fullConn.QueryContext(ctx, query, args)
	}, closeRows)
}

func (c *connection) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	prepared, err := get(c.plan, c.name+"ConnPrepareContext.PrepareContext "+firstWords(query), func() (driver.Stmt, error) {
		return c.fullConn.PrepareContext(ctx, query)
	}, func(lost driver.Stmt) { _ = lost.Close() })
	if err != nil {
		return nil, err
	}
	return &statement{prepared.(fullStatement), c.plan, c.name, firstWords(query)}, nil
}

func (c *connection) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	begun, err := get(c.plan, c.name+"ConnBeginTx.BeginTx", func() (driver.Tx, error) {
		return c.fullConn.BeginTx(ctx, options)
	}, func(lost driver.Tx) { _ = lost.Rollback() })
	if err != nil {
		return nil, err
	}
	return &transaction{begun, c.plan, c.name}, nil
}

type fullStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type statement struct {
	fullStatement
	plan  *plan
	name  string
	query string
}

func (s *statement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return get(s.plan, s.name+"StmtExecContext.ExecContext "+s.query, func() (driver.Result, error) {
		return s.fullStatement.ExecContext(ctx, args)
	}, keep)
}

func (s *statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return get(s.plan, s.name+"StmtQueryContext.QueryContext "+s.query, func() (driver.Rows, error) {
		return s.fullStatement.QueryContext(ctx, args)
	}, closeRows)
}

type transaction struct {
	driver.Tx
	plan *plan
	name string
}

// Commit that did not happen leaves the transaction open, as SQLite does when
// the disk is full.
func (t *transaction) Commit() error { return t.plan.meet(t.name+"Tx.Commit", t.Tx.Commit) }

func (t *transaction) Rollback() error {
	return t.plan.meet(t.name+"Tx.Rollback", t.Tx.Rollback)
}
