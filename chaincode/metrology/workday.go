package metrology

import (
	"slices"
	"time"
)

// Calendar knows the working days of the years it was given. For other years
// it takes Monday to Friday and says so.
type Calendar struct {
	years map[int]CalendarYear
}

// NewCalendar makes a calendar from approved years; of two for one year the
// later counts.
func NewCalendar(years ...CalendarYear) Calendar {
	c := Calendar{years: make(map[int]CalendarYear, len(years))}
	for _, year := range years {
		c.years[year.Year] = year
	}
	return c
}

// Period is a number of working days counted from a day.
type Period struct {
	From        Date  `json:"from"` // not counted itself
	WorkingDays int   `json:"workingDays"`
	Last        Date  `json:"last"`                   // last day of the period
	Guessed     []int `json:"guessedYears,omitempty"` // years without an approved calendar: public holidays of these years are not taken into account
}

// Firm reports whether the whole period is covered by approved calendars. One
// that is not must be shown as provisional.
func (p Period) Firm() bool { return len(p.Guessed) == 0 }

// Working reports whether day, which must be valid, is a working day, and
// whether an approved calendar says so.
func (c Calendar) Working(day Date) (working, known bool) {
	t, _ := time.Parse(dateLayout, string(day))
	year, known := c.years[t.Year()]
	weekend := t.Weekday() == time.Saturday || t.Weekday() == time.Sunday
	switch {
	case slices.Contains(year.Workdays, day):
		return true, known
	case slices.Contains(year.Holidays, day):
		return false, known
	}
	return !weekend, known
}

// Add counts days working days; the first is the first working day after from,
// which must be valid.
func (c Calendar) Add(from Date, days int) Period {
	p := Period{From: from, WorkingDays: days, Last: from}
	for counted := 0; counted < days; {
		p.Last = p.Last.AddDays(1)
		working, known := c.Working(p.Last)
		if working {
			counted++
		}
		t, _ := time.Parse(dateLayout, string(p.Last))
		if !known && !slices.Contains(p.Guessed, t.Year()) {
			p.Guessed = append(p.Guessed, t.Year())
		}
	}
	return p
}

// check refuses a year whose lists do not say what CalendarYear's comments say.
func (y CalendarYear) check(field string) error {
	if y.Year < 1900 || y.Year >= 2200 {
		return FieldErrorf(CodeInvalid, field+".year", "%d is out of range", y.Year)
	}
	if err := y.checkDays(field+".holidays", y.Holidays, false); err != nil {
		return err
	}
	return y.checkDays(field+".workdays", y.Workdays, true)
}

func (y CalendarYear) checkDays(field string, days []Date, weekend bool) error {
	for i, day := range days {
		at := indexed(field, i)
		if err := CheckDate(at, day); err != nil {
			return err
		}
		t, _ := time.Parse(dateLayout, string(day))
		isWeekend := t.Weekday() == time.Saturday || t.Weekday() == time.Sunday
		switch {
		case t.Year() != y.Year:
			return FieldErrorf(CodeInvalid, at, "%s is not in %d", day, y.Year)
		case isWeekend != weekend:
			return FieldErrorf(CodeInvalid, at, "%s is a %s: holidays list days from Monday to Friday, workdays Saturdays and Sundays", day, t.Weekday())
		case i > 0 && !days[i-1].Before(day):
			return FieldErrorf(CodeInvalid, at, "%s is out of order", day)
		}
	}
	return nil
}
