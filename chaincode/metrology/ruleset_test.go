package metrology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// yearly is a well-formed cycle table.
func yearly() RuleDocument {
	return RuleDocument{
		ID: "cycles", Version: 1, Kind: RulesetCycle, Region: RegionNational, Title: "Cycles", Mark: MarkFirm,
		Source: Source{Title: "JJG 443"}, EffectiveFrom: "2026-01-01",
		Body: RuleBody{Cycle: &CycleTable{Rows: []CycleRow{{Category: "fuel-dispenser", Months: 6}, {Category: "thermometer", FirstOnly: true}}}},
	}
}

func TestRuleDocument_Validate(t *testing.T) {
	require.NoError(t, yearly().Validate())
	for name, c := range map[string]struct {
		change func(*RuleDocument)
		field  string
	}{
		"ErrID":              {func(d *RuleDocument) { d.ID = "a/b" }, "id"},
		"ErrVersion":         {func(d *RuleDocument) { d.Version = 0 }, "version"},
		"ErrKind":            {func(d *RuleDocument) { d.Kind = "weather" }, "kind"},
		"ErrRegion":          {func(d *RuleDocument) { d.Region = "GD" }, "region"},
		"ErrMark":            {func(d *RuleDocument) { d.Mark = "" }, "mark"},
		"ErrNoSource":        {func(d *RuleDocument) { d.Source.Title = "" }, "source.title"},
		"ErrEnd":             {func(d *RuleDocument) { d.EffectiveTo = "2025-12-31" }, "effectiveTo"},
		"ErrBodyMissing":     {func(d *RuleDocument) { d.Body = RuleBody{} }, "body"},
		"ErrBodyOfOtherKind": {func(d *RuleDocument) { d.Kind = RulesetMPE }, "body"},
		"ErrTwoBodies":       {func(d *RuleDocument) { d.Body.Deadline = &DeadlineTable{} }, "body"},
		"ErrNoRows":          {func(d *RuleDocument) { d.Body.Cycle.Rows = nil }, "body.cycle.rows"},
		"ErrSecondRow":       {func(d *RuleDocument) { d.Body.Cycle.Rows[1].Category = "fuel-dispenser" }, "body.cycle.rows[1]"},
		"ErrNoCycle":         {func(d *RuleDocument) { d.Body.Cycle.Rows[0].Months = 0 }, "body.cycle.rows[0]"},
		"ErrDeadlineCode": {func(d *RuleDocument) {
			d.Kind, d.Body = RulesetDeadline, RuleBody{Deadline: &DeadlineTable{Rows: []DeadlineRow{{Code: "lunch", WorkingDays: 1}}}}
		}, "body.deadline.rows[0].code"},
		"ErrPercent": {func(d *RuleDocument) {
			d.Kind, d.Body = RulesetSampling, RuleBody{Sampling: &SamplingTable{Rows: []SamplingRow{{Class: "A", Percent: MustDecimal("100.1")}}}}
		}, "body.sampling.rows[0].percent"},
		"ErrTerms": {func(d *RuleDocument) {
			d.Kind, d.Body = RulesetProgramme, RuleBody{Programme: &ProgrammeTable{Rows: []ProgrammeRow{{Programme: "p", MinMonths: 12, MaxMonths: 6}}}}
		}, "body.programme.rows[0].maxMonths"},
		"ErrRequired": {func(d *RuleDocument) {
			d.Kind, d.Body = RulesetProgramme, RuleBody{Programme: &ProgrammeTable{Rows: []ProgrammeRow{{Programme: "p", MinMonths: 1, MaxMonths: 6,
				Required: []CommitmentCode{"be-nice"}}}}}
		}, "body.programme.rows[0].required[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			document := yearly()
			c.change(&document)
			var broken *Error
			require.ErrorAs(t, document.Validate(), &broken)
			require.Equal(t, c.field, broken.Field)
		})
	}
}

// deadline is an approved period of objection.
func deadline(id, region string, version, days int, from Date) Ruleset {
	return Ruleset{State: RulesetInForce, RuleDocument: RuleDocument{ID: id, Version: version, Kind: RulesetDeadline, Region: region, EffectiveFrom: from,
		Body: RuleBody{Deadline: &DeadlineTable{Rows: []DeadlineRow{{Code: DeadlineObjection, WorkingDays: days}}}}}}
}

func TestRuleBook_Deadline(t *testing.T) {
	proposed := deadline("proposed", "440305", 1, 99, "2020-01-01")
	proposed.State = RulesetProposed
	all := []Ruleset{
		deadline("nation", RegionNational, 1, 5, "2020-01-01"), deadline("province", "440000", 1, 10, "2020-01-01"),
		deadline("city", "440300", 1, 15, "2025-01-01"), deadline("city", "440300", 2, 20, "2025-01-01"),
		deadline("city-later", "440300", 1, 25, "2026-06-01"), proposed,
	}
	for name, c := range map[string]struct {
		region string
		from   Date
		days   int
	}{
		"another province has the nation's": {"110101", "2026-03-02", 5},
		"another city has the province's":   {"440103", "2026-03-02", 10},
		"before the city's took effect":     {"440305", "2024-12-31", 10},
		"the higher version":                {"440305", "2026-03-02", 20},
		"the later effect":                  {"440305", "2026-06-01", 25},
	} {
		t.Run(name, func(t *testing.T) {
			for range all {
				all = append(all[1:], all[0]) // the order of reading must not matter
				due, found := NewRuleBook(all).Deadline(DeadlineObjection, c.region, c.from)
				require.True(t, found)
				require.Equal(t, c.days, due.WorkingDays)
			}
		})
	}
	_, found := NewRuleBook(all).Deadline(DeadlineRetest, "440305", "2026-03-02")
	require.False(t, found)
	_, found = NewRuleBook(all).Deadline(DeadlineObjection, "440305", "2019-12-31")
	require.False(t, found)
}

func TestRuleBook_Calendar(t *testing.T) {
	approved := Ruleset{State: RulesetInForce, RuleDocument: RuleDocument{ID: "c", Version: 1, Kind: RulesetCalendar, Body: RuleBody{Calendar: &week}}}
	later := approved
	later.Version, later.Body = 2, RuleBody{Calendar: &CalendarYear{Year: 2026}}
	proposed := approved
	proposed.State = RulesetProposed
	working, known := NewRuleBook([]Ruleset{later, approved}).Calendar().Working("2026-03-04")
	require.True(t, working, "the later version counts")
	require.True(t, known)
	_, known = NewRuleBook([]Ruleset{proposed}).Calendar().Working("2026-03-04")
	require.False(t, known, "what nobody approved is not a calendar")
}

func TestRuleBook_InspectionDeadline(t *testing.T) {
	rule := deadline("all", RegionNational, 1, 15, "2020-01-01")
	rule.Body.Deadline.Rows = []DeadlineRow{{Code: DeadlinePublication, WorkingDays: 20}, {Code: DeadlineObjection, WorkingDays: 15},
		{Code: DeadlineRetest, WorkingDays: 10}}
	book := NewRuleBook([]Ruleset{rule})
	inspection := Inspection{
		Visited: "2026-03-02", Published: "2026-03-05T16:30:00Z", // the 6th in Shanghai
		Objections: []Objection{{Stamp: "2026-03-10T02:00:00Z"}},
		Revisions: []InspectionRevision{{Number: 1, Kind: RevisionOriginal, Stamp: "2026-03-02T09:00:00Z"},
			{Number: 2, Kind: RevisionCorrection, Stamp: "2026-03-20T02:00:00Z"}},
	}
	for state, want := range map[InspectionState]struct {
		code DeadlineCode
		from Date
		days int
	}{
		InspectionEntered:   {DeadlinePublication, "2026-03-02", 20},
		InspectionReviewed:  {DeadlinePublication, "2026-03-02", 20},
		InspectionPublished: {DeadlineObjection, "2026-03-06", 15},
		InspectionObjected:  {DeadlineRetest, "2026-03-10", 10},
		InspectionCorrected: {DeadlineObjection, "2026-03-20", 15},
	} {
		inspection.State = state
		due, found := book.InspectionDeadline(inspection, "440305")
		require.True(t, found, state)
		require.Equal(t, want.code, due.Code, state)
		require.Equal(t, want.from, due.From, state)
		require.Equal(t, want.days, due.WorkingDays, state)
		require.False(t, due.Firm(), "there is no calendar")
	}
	for _, state := range []InspectionState{InspectionRetested, InspectionUpheld, InspectionWithdrawn} {
		inspection.State = state
		_, found := book.InspectionDeadline(inspection, "440305")
		require.False(t, found, state)
	}
}
