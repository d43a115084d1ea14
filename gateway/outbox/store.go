package outbox

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // database/sql driver "sqlite"
)

//go:embed schema.sql
var schema string

// applicationID marks the file as an outbox ("SYob"), so that no other
// database is taken for one; version is the schema's.
const (
	applicationID = 0x53596f62
	version       = 1
)

// readers bounds the reading connections; all writing goes through one.
const readers = 2

// Store is an open outbox. It is safe for concurrent use; only one process may
// have it open, which whoever owns the data directory sees to.
type Store struct {
	write *sql.DB
	read  *sql.DB

	insertRow, settleRow *sql.Stmt // on write
	findRow              *sql.Stmt // on read

	secret []byte

	retention, pruneEvery time.Duration
	between               func(driver.Connector) driver.Connector // nil: nothing

	changes chan change
	closing chan struct{}
	stopped chan struct{}
}

// Option changes how an outbox is kept.
type Option func(*Store)

// WithRetention keeps settled submissions so long, and looks for old ones so
// often, instead of 30 days and every hour.
func WithRetention(keep, every time.Duration) Option {
	return func(s *Store) { s.retention, s.pruneEvery = keep, every }
}

// WithDriver puts something between the outbox and its database driver, for
// measuring or for making it fail.
func WithDriver(between func(driver.Connector) driver.Connector) Option {
	return func(s *Store) { s.between = between }
}

// Open opens or makes the outbox at path. Every change is on disk (WAL,
// synchronous=FULL) when the method that makes it returns.
func Open(ctx context.Context, path string, options ...Option) (*Store, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	source := (&url.URL{Scheme: "file", Path: absolute, RawQuery: url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
	}}.Encode()}).String()
	s := &Store{
		changes: make(chan change, batchLimit), closing: make(chan struct{}), stopped: make(chan struct{}),
		retention: retention, pruneEvery: pruneEvery,
	}
	for _, option := range options {
		option(s)
	}
	if s.write, err = s.connect(source); err != nil {
		return nil, fmt.Errorf("open outbox %s: %w", path, err)
	}
	s.write.SetMaxOpenConns(1)
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open outbox %s: %w", path, err), s.write.Close())
	}
	if err := s.prepareStatements(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open outbox %s: %w", path, err), s.write.Close())
	}
	if s.read, err = s.connect(source); err != nil {
		return nil, errors.Join(fmt.Errorf("open outbox %s: %w", path, err), s.write.Close())
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if s.findRow, err = s.read.PrepareContext(ctx, selectSQL+byKey); err != nil {
		return nil, errors.Join(fmt.Errorf("open outbox %s: prepare: %w", path, err), s.read.Close(), s.write.Close())
	}
	go s.run()
	return s, nil
}

// connect makes a pool of connections.
func (s *Store) connect(source string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", source)
	if err != nil || s.between == nil {
		return db, err
	}
	defer db.Close() //nolint:errcheck // it has no connections; only its driver is wanted
	return sql.OpenDB(s.between(opener{db.Driver(), source})), nil
}

// opener is the connector of a driver that knows only data source names.
type opener struct {
	driver driver.Driver
	source string
}

func (o opener) Connect(context.Context) (driver.Conn, error) { return o.driver.Open(o.source) }

func (o opener) Driver() driver.Driver { return o.driver }

// prepare makes the schema in an empty file and refuses one it does not know.
func (s *Store) prepare(ctx context.Context) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // no effect after Commit
	var id, found, tables int
	if err := tx.QueryRowContext(ctx, `SELECT * FROM pragma_application_id, pragma_user_version, (SELECT count(*) FROM sqlite_schema)`).
		Scan(&id, &found, &tables); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	switch {
	case tables == 0:
		if err := create(ctx, tx); err != nil {
			return err
		}
	case id != applicationID:
		return errors.New("the file is another program's database")
	case found != version:
		return fmt.Errorf("the file has version %d, this program knows %d", found, version)
	}
	if err := tx.QueryRowContext(ctx, `SELECT value FROM secret`).Scan(&s.secret); err != nil {
		return fmt.Errorf("read secret: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func create(ctx context.Context, tx *sql.Tx) error {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return fmt.Errorf("draw secret: %w", err)
	}
	marks := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, version)
	if _, err := tx.ExecContext(ctx, schema+marks); err != nil {
		return fmt.Errorf("create schema: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO secret (value) VALUES (?)`, secret); err != nil {
		return fmt.Errorf("keep secret: %w", err)
	}
	return nil
}

// Operation is the ledger's name for what caller does under key: always the
// same one. It is keyed with a secret of this file, because a client may put
// anything into its key, and what stands on the ledger stands there for good.
func (s *Store) Operation(caller, key string) string {
	mac := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(mac, "%d:%s%s", len(caller), caller, key)
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// Close waits for the changes under way and closes the file.
func (s *Store) Close() error {
	select {
	case <-s.closing:
	default:
		close(s.closing)
	}
	<-s.stopped
	return errors.Join(s.read.Close(), s.write.Close())
}
