package e2e

import (
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // driver "sqlite"
)

// rows returns every row of every table of a read model, sorted as text. How
// the schema came to be is left out.
func rows(t *testing.T, file string) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode=ro")
	require.NoError(t, err)
	defer db.Close()
	var names string
	require.NoError(t, db.QueryRow(`SELECT group_concat(name) FROM sqlite_schema
		WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose%'`).Scan(&names))
	tables := map[string][]string{}
	for name := range strings.SplitSeq(names, ",") {
		tables[name] = rowsOf(t, db, name)
	}
	return tables
}

func rowsOf(t *testing.T, db *sql.DB, table string) []string {
	t.Helper()
	found, err := db.Query("SELECT * FROM " + table)
	require.NoError(t, err)
	defer found.Close()
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
