package metrology

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDateValid(t *testing.T) {
	for date, want := range map[Date]bool{
		"2026-03-01": true, "2024-02-29": true, "1900-01-01": true, "2199-12-31": true,
		"2026-02-29": false, "2026-13-01": false, "2026-00-10": false, "1899-12-31": false, "2200-01-01": false,
		"2026-3-1": false, "2026/03/01": false, "20260301": false, "": false, " 2026-03-01": false, "2026-03-01T00:00:00Z": false,
	} {
		require.Equal(t, want, date.Valid(), string(date))
		require.Equal(t, want, CheckDate("d", date) == nil, string(date))
	}
}

func TestAddMonths(t *testing.T) {
	for _, test := range []struct {
		from   Date
		months int
		until  Date
	}{
		{"2026-03-01", 12, "2027-02-28"},
		{"2026-03-02", 12, "2027-03-01"},
		{"2024-02-29", 12, "2025-02-28"},
		{"2026-01-31", 1, "2026-02-28"},
		{"2026-08-31", 6, "2027-02-28"},
		{"2026-12-15", 1, "2027-01-14"},
		{"2026-01-01", 36, "2028-12-31"},
	} {
		require.Equal(t, test.until, test.from.AddMonths(test.months), "%s + %d", test.from, test.months)
	}
}

// TestDateOf: the day is Shanghai's, whatever the zone of the instant.
func TestDateOf(t *testing.T) {
	require.Equal(t, Date("2026-03-01"), DateOf(time.Date(2026, 3, 1, 15, 59, 59, 0, time.UTC)))
	require.Equal(t, Date("2026-03-02"), DateOf(time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC)))
	require.Equal(t, Date("2026-03-02"), DateOf(time.Date(2026, 3, 1, 23, 0, 0, 0, time.FixedZone("", -5*3600))))
}

func TestDateArithmeticAgreesWithOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := DateOf(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), 0))
		days := rapid.IntRange(1, 5000).Draw(t, "days")
		require.True(t, from.Before(from.AddDays(days)))
		require.Equal(t, from, from.AddDays(days).AddDays(-days))
		months := rapid.IntRange(1, 60).Draw(t, "months")
		until := from.AddMonths(months)
		require.True(t, until.Valid() && from.Before(until))
		require.True(t, until.Before(from.AddMonths(months+1)))
	})
}
