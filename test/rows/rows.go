// Package rows reads a SQLite file whole, so that tests can compare two of them.
// Whoever uses it links the driver "sqlite".
package rows

import (
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Of returns every row of every table, sorted as text. How the schema came to
// be is left out.
func Of(t testing.TB, file string) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(2000)")
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // it was only read
	var names string
	require.NoError(t, db.QueryRow(`SELECT group_concat(name) FROM sqlite_schema
		WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose%'`).Scan(&names))
	tables := map[string][]string{}
	for name := range strings.SplitSeq(names, ",") {
		tables[name] = table(t, db, name)
	}
	return tables
}

func table(t testing.TB, db *sql.DB, name string) []string {
	t.Helper()
	found, err := db.Query("SELECT * FROM " + name)
	require.NoError(t, err)
	defer found.Close() //nolint:errcheck // found.Err is checked
	columns, err := found.Columns()
	require.NoError(t, err)
	lines := []string{}
	for found.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, found.Scan(into...))
		lines = append(lines, fmt.Sprint(values...))
	}
	require.NoError(t, found.Err())
	slices.Sort(lines)
	return lines
}
