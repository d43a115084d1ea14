package metrology

import "time"

// RuleBook answers questions that need the right ruleset of many: the one in
// effect on a day, of the nearest region. Readers build it from all rulesets
// they know; those that nobody approved are left out.
type RuleBook struct {
	rulesets []Ruleset
	calendar Calendar
}

// NewRuleBook makes a book. Of two versions that answer alike the higher counts.
func NewRuleBook(rulesets []Ruleset) RuleBook {
	var book RuleBook
	latest := map[int]Ruleset{}
	for _, r := range rulesets {
		if !r.Approved() {
			continue
		}
		book.rulesets = append(book.rulesets, r)
		if r.Kind == RulesetCalendar && r.State != RulesetRepealed {
			if known, ok := latest[r.Body.Calendar.Year]; !ok || known.Version < r.Version || known.Version == r.Version && known.ID < r.ID {
				latest[r.Body.Calendar.Year] = r
			}
		}
	}
	years := make([]CalendarYear, 0, len(latest))
	for _, r := range latest {
		years = append(years, *r.Body.Calendar)
	}
	book.calendar = NewCalendar(years...)
	return book
}

// Calendar is the calendar of all approved years.
func (b RuleBook) Calendar() Calendar { return b.calendar }

// Due is a deadline with the rule it comes from.
type Due struct {
	Period
	Code   DeadlineCode  `json:"code"`
	Rule   RuleReference `json:"rule"`
	Region string        `json:"region"` // of the rule
}

// Deadline counts the period that the rules of a region set, from a day. found
// is false when no approved rule sets one: then there is no deadline to show.
func (b RuleBook) Deadline(code DeadlineCode, region string, from Date) (due Due, found bool) {
	var best Ruleset
	var bestRow DeadlineRow
	for _, r := range b.rulesets {
		if r.Kind != RulesetDeadline || !r.EffectiveOn(from) || !regionContains(r.Region, region) {
			continue
		}
		for _, row := range r.Body.Deadline.Rows {
			if row.Code == code && (!found || nearer(r, best)) {
				best, bestRow, found = r, row, true
			}
		}
	}
	if !found {
		return Due{}, false
	}
	return Due{Period: b.calendar.Add(from, bestRow.WorkingDays), Code: code, Rule: best.Reference(), Region: best.Region}, true
}

// InspectionDeadline is the period that runs for an inspection now: to publish
// it, to object to what is published, or to retest what was objected to. found
// is false when none runs or no approved rule sets it. Whether it is over is
// for the reader, who knows the day.
func (b RuleBook) InspectionDeadline(i Inspection, region string) (due Due, found bool) {
	switch i.State {
	case InspectionEntered, InspectionReviewed:
		return b.Deadline(DeadlinePublication, region, i.Visited)
	case InspectionPublished:
		return b.Deadline(DeadlineObjection, region, stampDate(i.Published))
	case InspectionCorrected:
		for _, r := range i.Revisions {
			if r.Number == i.Current() {
				return b.Deadline(DeadlineObjection, region, stampDate(r.Stamp))
			}
		}
	case InspectionObjected:
		if last := len(i.Objections) - 1; last >= 0 {
			return b.Deadline(DeadlineRetest, region, stampDate(i.Objections[last].Stamp))
		}
	}
	return Due{}, false
}

// stampDate is the civil date of a stored stamp in Asia/Shanghai; "", which no
// rule covers, for a malformed one.
func stampDate(stamp string) Date {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return ""
	}
	return DateOf(t)
}

// nearer prefers the smaller region, then the later effect, then the higher
// version, then the id, so that the order of reading does not matter.
func nearer(r, than Ruleset) bool {
	if r.Region != than.Region {
		return than.Region == RegionNational || r.Region != RegionNational && regionContains(than.Region, r.Region)
	}
	if r.EffectiveFrom != than.EffectiveFrom {
		return than.EffectiveFrom.Before(r.EffectiveFrom)
	}
	if r.Version != than.Version {
		return r.Version > than.Version
	}
	return r.ID > than.ID
}
