package metrology

import "time"

// Date is a civil date, "2006-01-02", as certificates and rules state it. It
// has no time zone; which day "today" is, is decided in Asia/Shanghai by
// whoever asks.
type Date string

// dateLayout is the only accepted form.
const dateLayout = "2006-01-02"

// Valid reports whether d is an existing day in the years 1900 to 2199.
func (d Date) Valid() bool {
	t, err := time.Parse(dateLayout, string(d))
	return err == nil && t.Year() >= 1900 && t.Year() < 2200
}

// Before reports whether d is an earlier day than other. Both must be valid;
// ISO dates order as text.
func (d Date) Before(other Date) bool { return d < other }

// AddDays returns the day n days later. d must be valid.
func (d Date) AddDays(n int) Date {
	t, _ := time.Parse(dateLayout, string(d))
	return Date(t.AddDate(0, 0, n).Format(dateLayout))
}

// AddMonths returns the last day of a period of n months that starts on d: the
// day before the same day n months on (one year from 2026-03-01 ends
// 2027-02-28), clamped to the end of a shorter month.
func (d Date) AddMonths(n int) Date {
	t, _ := time.Parse(dateLayout, string(d))
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	if t.Day() > last {
		return Date(first.AddDate(0, 0, last-1).Format(dateLayout))
	}
	return Date(first.AddDate(0, 0, t.Day()-1).AddDate(0, 0, -1).Format(dateLayout))
}

// shanghai is China Standard Time, which has had no daylight saving since 1991.
var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// DateOf returns the civil date of an instant in Asia/Shanghai.
func DateOf(t time.Time) Date { return Date(t.In(shanghai).Format(dateLayout)) }

// CheckDate refuses a malformed date. field is its JSON path.
func CheckDate(field string, d Date) error {
	if !d.Valid() {
		return FieldErrorf(CodeInvalid, field, "%q is not a date of the form 2006-01-02", shorten(string(d)))
	}
	return nil
}

// Year is the calendar year of a valid date; 0 of any other.
func (d Date) Year() int {
	t, err := time.Parse(dateLayout, string(d))
	if err != nil {
		return 0
	}
	return t.Year()
}
