package readmodel

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// dialect is what differs between the two databases.
type dialect struct {
	goose       goose.Dialect
	placeholder func(n int) string
	dsn         func(dsn string, writer bool) string
	check       func(ctx context.Context, db *sql.DB) error
	// prepare says to keep statements prepared; pgx does so by itself.
	prepare bool
	// insert begins a statement that adds many rows. Whatever fails undoes the
	// whole transaction, so SQLite need not be ready to undo one statement.
	insert string
	// clustered ends the definition of a table that is stored in the order of
	// its primary key.
	clustered string
	// wipe is the statement after which nothing deleted is left on disk. It is
	// empty for PostgreSQL, which keeps deleted rows in its files and its log
	// until its own housekeeping overwrites them; no answer shows them.
	wipe string
	// member names a member of the JSON document in column doc as text.
	member func(name string) string
	// shared says that several gateways may use one database.
	shared bool
}

var dialects = map[string]dialect{
	"sqlite": {
		goose: goose.DialectSQLite3, placeholder: func(int) string { return "?" }, dsn: sqliteDSN, insert: `INSERT OR FAIL INTO `,
		check: func(context.Context, *sql.DB) error { return nil }, prepare: true, clustered: `WITHOUT ROWID`,
		wipe:   `PRAGMA wal_checkpoint(TRUNCATE)`,
		member: func(name string) string { return "json_extract(doc, '$." + name + "')" },
	},
	"pgx": {
		goose: goose.DialectPostgres, placeholder: func(n int) string { return "$" + strconv.Itoa(n) },
		dsn: func(dsn string, _ bool) string { return dsn }, check: checkPostgres, insert: `INSERT INTO `, shared: true,
		member: func(name string) string { return "(doc::json ->> '" + name + "')" },
	},
}

// sqliteDSN completes a SQLite file name. The read model can be rebuilt, but a
// position on disk must never be ahead of its rows: synchronous stays on. What
// is deleted is overwritten, since people have a right to that. As much of the
// file as SQLite allows, 2 GiB, is read in place.
func sqliteDSN(file string, writer bool) string {
	dsn := "file:" + (&url.URL{Path: file}).EscapedPath() + "?_pragma=busy_timeout(2000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(NORMAL)&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint(8192)&_pragma=cache_size(-65536)&_pragma=mmap_size(2147418112)&_pragma=secure_delete(ON)"
	if writer {
		return dsn + "&_txlock=immediate"
	}
	return dsn + "&_pragma=query_only(ON)"
}

// checkPostgres refuses a database that orders or stores text otherwise than
// by its UTF-8 bytes: every gateway of one ledger must list alike.
func checkPostgres(ctx context.Context, db *sql.DB) error {
	var encoding string
	var byBytes bool
	const query = `SELECT current_setting('server_encoding'), 'a' > 'B' AND '_' > 'Z' AND 'a-c' < 'ab'`
	if err := db.QueryRowContext(ctx, query).Scan(&encoding, &byBytes); err != nil {
		return fmt.Errorf("open read model: %w", err)
	}
	if encoding != "UTF8" || !byBytes {
		return fmt.Errorf("open read model: the database must order text by its UTF-8 bytes; make it with: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
	}
	return nil
}

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

// storable replaces what PostgreSQL cannot store in a text, so that an envelope
// with a strange function name stops neither database, and both hold the same.
func storable(args []any) []any {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
		}
	}
	return args
}
