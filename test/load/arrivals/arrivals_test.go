package arrivals_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/test/load/arrivals"
)

// One slow answer delays nobody who arrives after it, and what waited counts
// from when it was due.
func TestOpen(t *testing.T) {
	report := arrivals.Open(t.Context(), 1000, 50, func(_ context.Context, number int) string {
		switch {
		case number == 0:
			time.Sleep(200 * time.Millisecond)
		case number%10 == 9:
			return "429"
		}
		return ""
	})
	require.Equal(t, 45, report.Done())
	require.Equal(t, map[string]int{"429": 5}, report.Failures)
	require.GreaterOrEqual(t, report.Quantile(1), 200*time.Millisecond)
	require.Less(t, report.Quantile(0.5), 200*time.Millisecond)
}

func TestClosed(t *testing.T) {
	seen := make(chan int, 100)
	report := arrivals.Closed(t.Context(), 7, 100, func(_ context.Context, number int) string {
		seen <- number
		return ""
	})
	require.Equal(t, 100, report.Done())
	require.Len(t, seen, 100)
	require.Positive(t, report.Rate())
}
