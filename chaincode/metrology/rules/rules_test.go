package rules

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

func TestAll(t *testing.T) {
	documents, err := All()
	require.NoError(t, err)
	seen := map[metrology.RuleReference]bool{}
	kinds := map[metrology.RulesetKind]int{}
	for _, d := range documents {
		reference := metrology.RuleReference{ID: d.ID, Version: d.Version}
		require.False(t, seen[reference], "%v stands twice", reference)
		seen[reference] = true
		kinds[d.Kind]++
	}
	for _, kind := range metrology.RulesetKinds {
		require.NotZero(t, kinds[kind], kind)
	}
}

// inForce brings every firm table into force and stores the drafts.
func inForce(t *testing.T) map[string]metrology.Ruleset {
	documents, err := All()
	require.NoError(t, err)
	regulator := metrology.Caller{MSP: metrology.RegulatorMSP, Role: metrology.RoleRegulator, Subject: "r"}
	notary := metrology.Caller{MSP: metrology.NotaryMSP, Role: metrology.RoleNotary, Subject: "n"}
	all := map[string]metrology.Ruleset{}
	for _, d := range documents {
		r, err := metrology.NewRuleset(d, regulator, "2026-01-01T00:00:00Z")
		require.NoError(t, err)
		approved, err := r.Decide(metrology.RulesetApprove, notary, "2026-01-01T00:00:00Z")
		if d.Mark == metrology.MarkFirm {
			require.NoError(t, err)
			r = approved
		} else {
			require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "a draft cannot come into force")
		}
		all[d.ID] = r
	}
	return all
}

func TestFirmTablesGiveVerdicts(t *testing.T) {
	rules := inForce(t)
	for name, c := range map[string]struct {
		rule, category, indication, reference, unit string
		verdict                                     metrology.Verdict
		reason                                      metrology.NoVerdictReason
	}{
		"dispenser at +0.30 %":    {"fuel-dispenser", "fuel-dispenser", "20.060", "20.000", "L", metrology.VerdictPass, ""},
		"dispenser above +0.30 %": {"fuel-dispenser", "fuel-dispenser", "20.061", "20.000", "L", metrology.VerdictFail, ""},
		"dispenser at -0.30 %":    {"fuel-dispenser", "fuel-dispenser", "19.940", "20.000", "L", metrology.VerdictPass, ""},
		"dispenser below -0.30 %": {"fuel-dispenser", "fuel-dispenser", "19.939", "20.000", "L", metrology.VerdictFail, ""},
		"vegetables 20 g short":   {"retail-weighing", "goods-grain-vegetables-fruit", "1000", "980", "g", metrology.VerdictPass, ""},
		"vegetables 21 g short":   {"retail-weighing", "goods-grain-vegetables-fruit", "1.000", "0.979", "kg", metrology.VerdictFail, ""},
		"vegetables given more":   {"retail-weighing", "goods-grain-vegetables-fruit", "1000", "1200", "g", metrology.VerdictPass, ""},
		"2 kg is not confirmed":   {"retail-weighing", "goods-grain-vegetables-fruit", "2000", "1900", "g", metrology.VerdictNone, metrology.NoVerdictRow},
		"meat 6 g short":          {"retail-weighing", "goods-meat-eggs-seafood", "2.500", "2.494", "kg", metrology.VerdictFail, ""},
		"gold 0.02 g short":       {"retail-weighing", "goods-gold", "10.00", "9.98", "g", metrology.VerdictFail, ""},
		"a draft gives none":      {"retail-weighing-full", "goods-grain-vegetables-fruit", "2000", "1900", "g", metrology.VerdictNone, metrology.NoVerdictDraft},
	} {
		t.Run(name, func(t *testing.T) {
			rule := rules[c.rule]
			result := metrology.Measurement{
				Category: c.category, Occasion: metrology.OccasionInService, Unit: c.unit, Rule: rule.Reference(),
				Indication: metrology.MustDecimal(c.indication), Reference: metrology.MustDecimal(c.reference),
			}.Evaluate(&rule, "2026-03-02", "440305")
			require.Equal(t, c.verdict, result.Verdict)
			require.Equal(t, c.reason, result.Reason)
		})
	}
}

// The number of working days of a year stands in calendars of the time:
// 248 in 2025 and 248 in 2026 follow from the notices.
func TestCalendarsCountWorkingDays(t *testing.T) {
	rules := inForce(t)
	for id, want := range map[string]int{"calendar-2025": 248, "calendar-2026": 248} {
		year := *rules[id].Body.Calendar
		calendar := metrology.NewCalendar(year)
		count := 0
		for day := rules[id].EffectiveFrom; !rules[id].EffectiveTo.Before(day); day = day.AddDays(1) {
			working, known := calendar.Working(day)
			require.True(t, known)
			if working {
				count++
			}
		}
		require.Equal(t, want, count, id)
	}
}

func TestDeadlines(t *testing.T) {
	var all []metrology.Ruleset
	for _, r := range inForce(t) {
		all = append(all, r)
	}
	book := metrology.NewRuleBook(all)
	for name, c := range map[string]struct {
		code   metrology.DeadlineCode
		region string
		from   metrology.Date
		last   metrology.Date
		firm   bool
	}{
		// 9 to 14 February is six working days (Saturday the 14th is worked), then the holiday until the 23rd.
		"over the Spring Festival of 2026": {metrology.DeadlinePublication, "440305", "2026-02-06", "2026-03-12", true},
		// Both make-up days, 28 September and 11 October, count.
		"over the National Day of 2025":  {metrology.DeadlinePublication, "110101", "2025-09-19", "2025-10-23", true},
		"into a year without a calendar": {metrology.DeadlinePublication, "440305", "2026-12-21", "2027-01-18", false},
		"objection in Shandong":          {metrology.DeadlineObjection, "370102", "2026-03-02", "2026-03-23", true},
		"retest in Shandong":             {metrology.DeadlineRetest, "370102", "2026-03-02", "2026-03-16", true},
	} {
		t.Run(name, func(t *testing.T) {
			due, found := book.Deadline(c.code, c.region, c.from)
			require.True(t, found)
			require.Equal(t, c.last, due.Last)
			require.Equal(t, c.firm, due.Firm())
		})
	}
	_, found := book.Deadline(metrology.DeadlineObjection, "440305", "2026-03-02")
	require.False(t, found, "no source for a national period to object was read")
}
