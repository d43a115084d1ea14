package metrology

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// week has its Wednesday off and its Saturday worked.
var week = CalendarYear{Year: 2026, Holidays: []Date{"2026-03-04"}, Workdays: []Date{"2026-03-07"}}

func TestAddWorkingDays(t *testing.T) {
	calendar := NewCalendar(week)
	for name, c := range map[string]struct {
		from Date
		days int
		last Date
	}{
		"next day":                   {"2026-03-02", 1, "2026-03-03"},
		"a holiday does not count":   {"2026-03-03", 1, "2026-03-05"},
		"a worked Saturday counts":   {"2026-03-06", 1, "2026-03-07"},
		"Sunday does not":            {"2026-03-07", 1, "2026-03-09"},
		"from a holiday":             {"2026-03-04", 2, "2026-03-06"},
		"no days end where it began": {"2026-03-04", 0, "2026-03-04"},
		"two weeks":                  {"2026-03-02", 10, "2026-03-16"},
	} {
		t.Run(name, func(t *testing.T) {
			period := calendar.Add(c.from, c.days)
			require.Equal(t, c.last, period.Last)
			require.True(t, period.Firm())
		})
	}
}

func TestAddWorkingDays_WithoutCalendar(t *testing.T) {
	period := NewCalendar(week).Add("2026-12-30", 3)
	require.Equal(t, Date("2027-01-04"), period.Last)
	require.Equal(t, []int{2027}, period.Guessed, "the guess is said")
	require.False(t, NewCalendar().Add("2026-03-02", 1).Firm())
}

func TestCalendarYear_Check(t *testing.T) {
	for name, year := range map[string]CalendarYear{
		"ErrOtherYear":        {Year: 2026, Holidays: []Date{"2025-01-01"}},
		"ErrHolidayOnWeekend": {Year: 2026, Holidays: []Date{"2026-03-07"}},
		"ErrWorkdayOnWeekday": {Year: 2026, Workdays: []Date{"2026-03-04"}},
		"ErrOrder":            {Year: 2026, Holidays: []Date{"2026-03-05", "2026-03-04"}},
		"ErrTwice":            {Year: 2026, Holidays: []Date{"2026-03-04", "2026-03-04"}},
		"ErrNoDate":           {Year: 2026, Holidays: []Date{"2026-02-30"}},
		"ErrYear":             {Year: 20},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, CodeInvalid, ErrorCode(year.check("body.calendar"))) })
	}
	require.NoError(t, week.check("body.calendar"))
}

// The last day of a period is a working day, and between the ends lie exactly
// as many working days as asked for.
func TestAddWorkingDays_Invariant(t *testing.T) {
	calendar := NewCalendar(week)
	rapid.Check(t, func(t *rapid.T) {
		from := Date("2026-01-01").AddDays(rapid.IntRange(0, 500).Draw(t, "from"))
		days := rapid.IntRange(1, 60).Draw(t, "days")
		period := calendar.Add(from, days)
		working, _ := calendar.Working(period.Last)
		require.True(t, working)
		count := 0
		for day := from.AddDays(1); !period.Last.Before(day); day = day.AddDays(1) {
			if ok, _ := calendar.Working(day); ok {
				count++
			}
		}
		require.Equal(t, days, count)
	})
}
