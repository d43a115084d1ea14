// Package readmodel is the SQL projection of the ledger that every public read
// comes from. One database transaction takes a block, or some that came
// together: their rows and the position, so that the projection is at a block
// or before it, never between. It can be dropped and rebuilt to the same rows.
package readmodel

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	_ "modernc.org/sqlite" // driver "sqlite"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

//go:embed schema/*.sql
var schema embed.FS

// Config says where the read model is.
type Config struct {
	Driver string // "sqlite" or "pgx"
	DSN    string // file of SQLite, or a PostgreSQL connection string

	// The ledger it is a projection of, and the chaincode whose writes count.
	Channel   string
	Chaincode string
	Genesis   ledger.Hash

	// Of a PostgreSQL database that several gateways share: the name under which
	// this one projects, the same after a restart (empty: a random one), and how
	// long a projector may be silent (0: 5 s).
	Holder string
	Lease  time.Duration
	// Between, if set, stands between the store and its driver, for measuring
	// or for making it fail.
	Between func(driver.Connector) driver.Connector
}

// Store is an open read model. It is safe for concurrent use; one Apply runs
// at a time.
type Store struct {
	channel   string
	chaincode string
	genesis   ledger.Hash
	dialect   dialect
	write     *sql.DB // one connection
	read      *sql.DB
	prepared  statements // of read
	lookups   *lookups   // by key; nil for PostgreSQL, whose driver does them well
	single    cache      // status, institutions, batches and instruments, which many answers need
	unwiped   atomic.Bool
	lease     lease
}

// Open opens the read model and brings its schema up to date.
func Open(ctx context.Context, config Config) (*Store, error) {
	d, known := dialects[config.Driver]
	if !known {
		return nil, fmt.Errorf("open read model: driver %q is neither sqlite nor pgx", config.Driver)
	}
	s := &Store{channel: config.Channel, chaincode: config.Chaincode, genesis: config.Genesis, dialect: d}
	s.lease.prepare(config)
	var err error
	if s.write, err = connect(config, d.dsn(config.DSN, true)); err != nil {
		return nil, err
	}
	s.write.SetMaxOpenConns(1)
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	if s.read, err = connect(config, d.dsn(config.DSN, false)); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if !d.shared {
		s.lookups = newLookups(connector(config, s.read.Driver(), d.dsn(config.DSN, false)))
	}
	s.unwiped.Store(true) // by a process that was killed
	if err := s.wipe(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// connect makes a pool of connections.
func connect(config Config, dsn string) (*sql.DB, error) {
	db, err := sql.Open(config.Driver, dsn)
	if err != nil {
		return nil, fmt.Errorf("open read model: %w", err)
	}
	if config.Between == nil {
		return db, nil
	}
	defer db.Close() //nolint:errcheck // it has no connections; only its driver is wanted
	return sql.OpenDB(connector(config, db.Driver(), dsn)), nil
}

// connector makes single connections.
func connector(config Config, d driver.Driver, dsn string) driver.Connector {
	if config.Between == nil {
		return opener{d, dsn}
	}
	return config.Between(opener{d, dsn})
}

// opener is the connector of a driver that may know only data source names.
type opener struct {
	driver driver.Driver
	dsn    string
}

func (o opener) Connect(context.Context) (driver.Conn, error) { return o.driver.Open(o.dsn) }

func (o opener) Driver() driver.Driver { return o.driver }

// prepare makes sure that the database is fit and has the newest schema.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.dialect.check(ctx, s.write); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil || !s.dialect.shared {
		return err
	}
	return s.makeLease(ctx)
}

// makeLease makes the table of the lease, which is no part of the projection
// and stays when that is dropped. Two at once would both find none.
func (s *Store) makeLease(ctx context.Context) error {
	const query = `DO $$ BEGIN PERFORM pg_advisory_xact_lock(` + schemaLock + `); ` + leaseSchema + `; END $$`
	if _, err := s.write.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("make the lease: %w", err)
	}
	return nil
}

// schemaLock is the advisory lock of PostgreSQL under which the schema changes.
const schemaLock = "4097083626"

// readers bounds the connections that serve reads.
const readers = 8

// migrationWait is how many seconds a gateway waits for another one that is
// bringing the schema of the same database up to date.
const migrationWait = 300

func (s *Store) migrations() (*goose.Provider, error) {
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	options := []goose.ProviderOption{goose.WithGoMigrations(keyCertificates(s.dialect))}
	if s.dialect.shared {
		one, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, migrationWait))
		if err != nil {
			return nil, fmt.Errorf("prepare schema: %w", err)
		}
		options = append(options, goose.WithSessionLocker(one))
	}
	provider, err := goose.NewProvider(s.dialect.goose, s.write, files, options...)
	if err != nil {
		return nil, fmt.Errorf("prepare schema: %w", err)
	}
	return provider, nil
}

func (s *Store) migrate(ctx context.Context) error {
	provider, err := s.migrations()
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring schema up to date: %w", err)
	}
	return nil
}

// Close closes the databases.
func (s *Store) Close() error {
	if s.lookups != nil {
		s.lookups.close()
	}
	return errors.Join(s.prepared.close(), s.read.Close(), s.write.Close())
}

// Position returns the last block applied; nil before block 0. A database of
// another ledger is refused.
func (s *Store) Position(ctx context.Context) (*ledger.Position, error) {
	return s.position(ctx, s.write)
}

// querier is a database, or a transaction on it.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Store) position(ctx context.Context, from querier) (*ledger.Position, error) {
	const query = `SELECT channel, number, block_hash, genesis_hash FROM position`
	var channel, hash, genesis string
	var number uint64
	err := from.QueryRowContext(ctx, query).Scan(&channel, &number, &hash, &genesis)
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
	provider, err := s.migrations()
	if err != nil {
		return err
	}
	defer s.changing()()
	defer s.single.forget()
	if _, err := provider.DownTo(ctx, 0); err != nil {
		return fmt.Errorf("drop schema: %w", err)
	}
	return s.migrate(ctx)
}
