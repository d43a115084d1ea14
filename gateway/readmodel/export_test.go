package readmodel

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// Dump returns every row of every table, in the order of their text, so that
// two read models can be compared row by row.
func (s *Store) Dump(ctx context.Context) (map[string][]string, error) {
	const ofSQLite = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	const ofPostgres = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	query := ofPostgres
	if s.dialect.prepare {
		query = ofSQLite
	}
	text := func(row scanner) (name string, err error) { return name, row.Scan(&name) }
	names, err := all(ctx, s, "tables", query, text)
	if err != nil {
		return nil, err
	}
	tables := map[string][]string{}
	for _, name := range names {
		if strings.HasPrefix(name, "goose") || name == "lease" { // neither is of the ledger
			continue
		}
		if tables[name], err = s.dumpTable(ctx, name); err != nil {
			return nil, fmt.Errorf("dump %s: %w", name, err)
		}
	}
	return tables, nil
}

// Age empties the read model and brings it to an older schema, with a position
// and a row of that time.
func (s *Store) Age(ctx context.Context, version int64) error {
	provider, err := s.migrations()
	if err != nil {
		return err
	}
	if _, err := provider.DownTo(ctx, 0); err != nil {
		return err
	}
	if _, err := provider.UpTo(ctx, version); err != nil {
		return err
	}
	for _, statement := range []string{
		`INSERT INTO position VALUES (1, 'steelyard', 7, '` + s.genesis.String() + `', '` + s.genesis.String() + `', '')`,
		`INSERT INTO escrow_keys VALUES ('old', '{}')`,
	} {
		if _, err := s.write.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) dumpTable(ctx context.Context, name string) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT * FROM "+name)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err is checked
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	lines := []string{}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		var line strings.Builder
		for i, column := range columns {
			fmt.Fprintf(&line, "%s=%v ", column, values[i])
		}
		lines = append(lines, line.String())
	}
	slices.Sort(lines)
	return lines, rows.Err()
}

// Values is a row as the driver of SQLite gives it.
type Values = values

// LookUpStatus looks the position up and fails at the row that it finds.
func (s *Store) LookUpStatus(ctx context.Context, failure error) error {
	_, err := lookUp(ctx, s, "position", `SELECT number FROM position`, func(scanner) (int, error) { return 0, failure })
	return err
}

// RememberStatus keeps a status that load gives, as Status does.
func (s *Store) RememberStatus(ctx context.Context, load func() (public.Status, error)) (public.Status, error) {
	return remember(ctx, s, ofStatus, load)
}
