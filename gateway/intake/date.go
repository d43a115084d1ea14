package intake

import (
	"math"
	"strconv"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// excelDate stands in a mapping's list of date forms for Excel's serial days.
const excelDate = "excel"

// defaultDates are the forms that exports really use, in Go's notation.
var defaultDates = []string{
	"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日", "20060102",
	"2006-1-2 15:04:05", "2006/1/2 15:04:05", "2006-1-2 15:04", "2006/1/2 15:04", "2006-01-02T15:04:05", excelDate,
}

// parseDate reads a civil date in one of the forms. Serial days are only read
// from XLSX, where a number in a date's column can be nothing else.
func parseDate(text string, forms []string, table Table) (metrology.Date, bool) {
	for _, form := range forms {
		var day time.Time
		var err error
		if form == excelDate {
			if table.Format != XLSX {
				continue
			}
			day, err = serialDay(text, table.Date1904)
		} else {
			day, err = time.Parse(form, text)
		}
		if err != nil {
			continue
		}
		if date := metrology.Date(day.Format("2006-01-02")); date.Valid() {
			return date, true
		}
	}
	return "", false
}

// serialDay converts a serial day of Excel (ECMA-376 part 1, 18.17.4.1). The
// 1900 system counts a 29 February 1900 that never was, so days before March
// of that year are not accepted.
func serialDay(text string, date1904 bool) (time.Time, error) {
	serial, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.Time{}, err
	}
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	first := 61.0
	if date1904 {
		epoch, first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC), 0
	}
	if math.IsNaN(serial) || serial < first || serial > 110_000 { // beyond the year 2199
		return time.Time{}, strconv.ErrRange
	}
	return epoch.AddDate(0, 0, int(serial)), nil
}
