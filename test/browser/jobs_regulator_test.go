package browser

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An inspection goes from its entry to publication, correction and withdrawal
// over the authority's desk; it is handed over and its documents are printed on
// the way.
func regulatorInspection(t *testing.T, v *visitor) {
	id := enteredInspection(t, today())
	v.signIn("regulator")
	require.Contains(t, v.text("main"), id, "it waits at the desk")
	v.follow(`main a[href="/desk/cases"]`)
	v.sound()
	v.follow(`main a[href="/desk/cases/` + id + `"]`)
	v.sound()
	v.picture("desk-case-" + v.language)
	for _, sheet := range []string{"approval", "notice", "record", "sampling", "inquest", "questioning", "feedback"} {
		v.follow(`main a[href="/desk/cases/` + id + `/print/` + sheet + `"]`)
		v.sound(sheet)
		require.Contains(t, v.text(".paper"), "东门加油站", sheet)
		v.picture("desk-print-" + sheet + "-" + v.language)
		v.follow(`main a[href="/desk/cases/` + id + `"]`)
	}
	step := func(operation string, entries ...entry) {
		t.Helper()
		v.open("/desk/cases/" + id)
		v.follow(`main a[href="/desk/do/` + operation + `?id=` + id + `"]`)
		for _, e := range entries {
			v.enter(e.path, e.value)
		}
		v.sendForm(func() {
			for _, e := range entries {
				if e.path == "_sure" {
					v.enter(e.path, e.value)
				}
			}
		})
		v.told()
	}
	step("reviewInspection")
	step("returnInspection", entry{"reason", "incomplete"})
	step("reviewInspection")
	step("publishInspection")
	v.open("/v/" + id)
	step("correctInspection", entry{"reason", "entry-error"}, entry{"inspection.remark", "corrected"})
	v.open("/v/" + id)
	require.Contains(t, v.text("main"), "corrected")
	step("handOverInspection", entry{"to", "another-post"})
	v.open("/desk/cases/" + id)
	require.Contains(t, v.text("main"), "another-post")
	rest(t, "regulator", http.MethodPost, "/v1/inspections/"+id+"/hand-over", `{"to":"`+subjectOf(t, "regulator")+`"}`)
	step("withdrawInspection", entry{"reason", "duplicate"}, entry{"_sure", "on"})
	v.open("/v/" + id)
	require.NotContains(t, v.text("main"), "S-STATION", "it is gone from the public pages")
}

// What should have been published by now stands in the public list and at the
// desk as late; published, it is gone from both.
func overdueLists(t *testing.T, v *visitor) {
	id := enteredInspection(t, time.Now().AddDate(0, 0, -90).Format(time.DateOnly))
	v.open("/results")
	v.follow(`main a[href="/results/overdue"]`)
	v.sound()
	row := `[...document.querySelectorAll('main .rows li')].find((e) => e.textContent.includes('` + id + `'))`
	require.Contains(t, measure[string](v, row+`.textContent`), "!", "it is late")
	require.NotContains(t, measure[string](v, row+`.textContent`), "S-STATION", "and names nobody")
	v.signIn("regulator")
	v.follow(`main a[href="/desk/cases"]`)
	require.Contains(t, measure[string](v, row+`.querySelector('.tag.tone-caution').textContent`), "!")
	v.follow(`main a[href="/desk/overdue"]`)
	require.Contains(t, v.text("main"), id)
	v.sound()
	v.open("/desk/cases/" + id)
	require.Contains(t, v.text("main"), v.says("overdue", "逾期"))
	v.done(do("reviewInspection") + "?id=" + id)
	v.done(do("publishInspection") + "?id=" + id)
	v.open("/results/overdue")
	require.NotContains(t, v.text("main"), id)
	v.open("/v/" + id)
	v.sound()
}

// Rules are proposed by the regulator, approved or rejected by a second
// organisation, and repealed.
func regulatorRules(t *testing.T, v *visitor) {
	propose := func() (id string) {
		id = strings.ToLower(unique("desk-calendar"))
		v.signIn("regulator")
		v.fill(do("proposeRuleset"), entry{"effectiveFrom", "2026-01-01"}, entry{"id", id}, entry{"kind", "deadline"}, entry{"mark", "firm"}, entry{"region", "998877"},
			entry{"source.title", "示例"}, entry{"title", "示例"}, entry{"version", "1"})
		mishap := v.mishap
		v.mishap = "" // it befalls what is accepted
		v.sendForm(func() {})
		v.mishap = mishap
		require.Contains(t, v.address().Path, do("proposeRuleset"), "a table without rows is refused, and what was typed stays")
		require.Equal(t, id, measure[string](v, `document.getElementById('id').value`))
		for _, e := range []entry{{"body.deadline.rows[0].code", "publication"}, {"body.deadline.rows[0].workingDays", "20"}} {
			v.enter(e.path, e.value)
		}
		v.sendForm(func() {})
		v.told()
		return id
	}
	second := func(id string) {
		v.signIn("association")
		require.Contains(t, v.text("main"), id, "it waits for a second organisation")
	}
	id := propose()
	second(id)
	v.done(do("rejectRuleset") + "?id=" + id + "&version=1")
	id = propose()
	second(id)
	v.follow(`main a[href="/desk/do/approveRuleset?id=` + id + `&version=1"]`)
	v.sendForm(func() {})
	v.told()
	v.signIn("regulator")
	v.done(do("repealRuleset")+"?id="+id+"&version=1", entry{"until", "2099-12-31"})
}

// A pledge gets a card, is restored, and is revoked.
func regulatorPledge(t *testing.T, v *visitor) {
	id := newPledge(t)
	rest(t, "association", http.MethodPost, "/v1/pledges/"+id+"/publication", "")
	v.signIn("regulator")
	v.picture("desk-regulator-" + v.language)
	for _, step := range []struct {
		operation string
		choices   []entry
	}{
		{"suspendPledge", []entry{{"card", "yellow"}, {"reason", "failed-spot-check"}}},
		{"restorePledge", []entry{{"reason", "remedied"}}},
		{"revokePledge", []entry{{"reason", "penalty"}, {"_sure", "on"}}},
	} {
		v.done(do(step.operation), append([]entry{{"{id}", id}}, step.choices...)...)
		v.sound(step.operation)
		v.picture("desk-sent-" + step.operation + "-" + v.language)
	}
	v.open("/desk/sent")
	require.Equal(t, 3, measure[int](v, `[...document.querySelectorAll('.rows li')].filter((e) => e.textContent.includes('`+id[:12]+`')).length`), "each is there once")
}
