// Package readmodel is the SQL projection of the ledger that every public read
// comes from. One database transaction takes one block: its rows and the
// position, so that the projection is at a block or before it, never between.
// It can be dropped and rebuilt to the same rows.
package readmodel

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // driver "sqlite"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

//go:embed schema/*.sql
var schema embed.FS

// Config says where the read model is.
type Config struct {
	Driver  string // "sqlite" or "pgx"
	DSN     string // file of SQLite, or a PostgreSQL connection string
	Channel string // the ledger it is a projection of
	Genesis ledger.Hash
}

// Store is an open read model. It is safe for concurrent use; one Apply runs
// at a time.
type Store struct {
	channel string
	genesis ledger.Hash
	dialect dialect
	write   *sql.DB // one connection
	read    *sql.DB
}

// dialect is what differs between the two databases.
type dialect struct {
	goose       goose.Dialect
	placeholder func(n int) string
}

var dialects = map[string]dialect{
	"sqlite": {goose.DialectSQLite3, func(int) string { return "?" }},
	"pgx":    {goose.DialectPostgres, func(n int) string { return "$" + strconv.Itoa(n) }},
}

// Open opens the read model and brings its schema up to date.
func Open(ctx context.Context, config Config) (*Store, error) {
	d, known := dialects[config.Driver]
	if !known {
		return nil, fmt.Errorf("open read model: driver %q is neither sqlite nor pgx", config.Driver)
	}
	s := &Store{channel: config.Channel, genesis: config.Genesis, dialect: d}
	var err error
	if s.write, err = sql.Open(config.Driver, dsn(config, true)); err != nil {
		return nil, fmt.Errorf("open read model: %w", err)
	}
	s.write.SetMaxOpenConns(1)
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	if s.read, err = sql.Open(config.Driver, dsn(config, false)); err != nil {
		return nil, errors.Join(fmt.Errorf("open read model: %w", err), s.write.Close())
	}
	s.read.SetMaxOpenConns(8)
	s.read.SetMaxIdleConns(8)
	return s, nil
}

// dsn completes a SQLite file name. The read model can be rebuilt, but a
// position on disk must never be ahead of its rows: synchronous stays on. What
// is deleted is overwritten, since people have a right to that.
func dsn(config Config, writer bool) string {
	if config.Driver != "sqlite" {
		return config.DSN
	}
	options := "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(ON)&_pragma=cache_size(-65536)&_pragma=secure_delete(ON)"
	if writer {
		return "file:" + config.DSN + options + "&_txlock=immediate"
	}
	return "file:" + config.DSN + options + "&_pragma=query_only(ON)&_pragma=mmap_size(1073741824)"
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	provider, err := goose.NewProvider(s.dialect.goose, s.write, files)
	if err != nil {
		return fmt.Errorf("prepare schema: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring schema up to date: %w", err)
	}
	return nil
}

// Close closes the databases.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// rebind writes the placeholders of a query, given as "?", in the database's form.
func (s *Store) rebind(query string) string {
	if s.dialect.placeholder(1) == "?" {
		return query
	}
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r == '?' {
			n++
			b.WriteString(s.dialect.placeholder(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Position returns the last block applied; nil before block 0. A database of
// another ledger is refused.
func (s *Store) Position(ctx context.Context) (*ledger.Position, error) {
	const query = `SELECT channel, number, block_hash, genesis_hash FROM position`
	var channel, hash, genesis string
	var number uint64
	err := s.write.QueryRowContext(ctx, query).Scan(&channel, &number, &hash, &genesis)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read position: %w", err)
	}
	if channel != s.channel || genesis != s.genesis.String() {
		return nil, fmt.Errorf("the read model is of ledger %s (genesis %s), not of %s (genesis %s): %w",
			channel, genesis, s.channel, s.genesis, ledger.ErrForeignLedger)
	}
	position := &ledger.Position{Number: number}
	if position.Hash, err = parseHash(hash); err != nil {
		return nil, fmt.Errorf("read position: %w", err)
	}
	return position, nil
}

// Drop empties the read model, for a rebuild from block 0.
func (s *Store) Drop(ctx context.Context) error {
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	provider, err := goose.NewProvider(s.dialect.goose, s.write, files)
	if err != nil {
		return fmt.Errorf("prepare schema: %w", err)
	}
	if _, err := provider.DownTo(ctx, 0); err != nil {
		return fmt.Errorf("drop schema: %w", err)
	}
	return s.migrate(ctx)
}
