package web_test

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web"
)

// openCases are inspections at the authority's desk: one to publish, overdue
// and hostile; one of another post to review, without a body.
func openCases() []public.OpenInspection {
	first := public.OpenInspection{Inspection: inspections()[0], Region: "310115", Post: "regulator-1", EnteredBy: "x"}
	first.ID, first.State, first.Published, first.Reason = "V-7", metrology.InspectionReviewed, "", ""
	first.Due = &metrology.Due{
		Period: metrology.Period{From: "2026-02-02", WorkingDays: 20, Last: "2026-03-02"}, Code: metrology.DeadlinePublication,
		Rule: metrology.RuleReference{ID: "deadline-publication", Version: 1}, Region: metrology.RegionNational,
	}
	second := public.OpenInspection{Inspection: public.Inspection{
		ID: "V-8", Site: "S-none", Basis: metrology.Basis{Kind: metrology.BasisComplaint}, State: metrology.InspectionEntered,
		Inspectors: []string{"x", strings.Repeat("very-long-", 12)}, Visited: "2026-03-09", AsOf: asOf,
	}, Region: "310115", Post: "regulator-2", EnteredBy: "x"}
	return []public.OpenInspection{first, second}
}

// openDraws are draws that wait for somebody, one in each phase that does.
func openDraws() []public.DrawRecord {
	var all []public.DrawRecord
	base := draws()[0]
	for i, phase := range []metrology.DrawPhase{metrology.DrawPlanned, metrology.DrawApproved, metrology.DrawFrozen,
		metrology.DrawCommitting, metrology.DrawRevealing, metrology.DrawClosed, metrology.DrawSeeded} {
		d := base
		d.ID, d.Phase = metrology.DrawID("310115", i+11), phase
		d.RoundTime += 7200
		d.Numbers.Filed = 17
		d.Terms.Margin, d.Terms.Beacon.Period, d.Terms.Beacon.GenesisTime = 600, 3, 1692803367
		all = append(all, d)
	}
	return all
}

// busy fills a desk with work.
func (d *desk) busy() *desk {
	d.register.open, d.register.draws = openCases(), openDraws()
	term := metrology.PledgeTerm{From: "2026-04-01", Until: "2027-03-31"}
	d.register.waiting = []public.Pledge{
		{Pledge: metrology.Pledge{ID: "P-7", Merchant: d.register.merchants[0].ID, Programme: "integrity-metrology", State: metrology.PledgePublished, Terms: []metrology.PledgeTerm{{}, term}}},
		{Pledge: metrology.Pledge{ID: strings.Repeat("P-long-", 9), Merchant: hostile, Programme: "of a newer contract", State: metrology.PledgeSigned, Terms: []metrology.PledgeTerm{term}}},
	}
	d.visits = drawnVisits()
	drawn := openDraws()[0]
	drawn.ID, drawn.Phase = "310115-000019", metrology.DrawDrawn
	for i := range d.visits {
		d.visits[i].Draw = drawn.ID
	}
	d.register.draws = append(d.register.draws, drawn)
	d.register.rulesets = []public.Ruleset{{Ruleset: metrology.Ruleset{RuleDocument: metrology.RuleDocument{ID: "deadlines", Version: 2}, State: metrology.RulesetProposed}}}
	for i, state := range []web.SentState{web.SentPending, web.SentUnknown, web.SentCommitted, web.SentInvalid, web.SentRefused} {
		key := "desk-suspendPledge-" + strings.Repeat(string(rune('a'+i)), 24)
		s := web.Sent{Key: key, State: state, TransactionID: asOf.TransactionID, Created: time.Date(2026, 3, 9, 23, i, 0, 0, time.UTC)}
		switch state {
		case web.SentCommitted:
			s.Block, s.Event = 9, []byte(`{"type":"pledge.suspended","version":1,"id":"`+strings.Repeat("P-1", 20)+`"}`)
		case web.SentRefused:
			s.TransactionID, s.Refusal = "", &metrology.Error{Code: metrology.CodeState, Field: "id", Message: hostile}
		}
		d.journal[key] = s
	}
	return d
}

var secrets = regexp.MustCompile(`(name="(?:_token|kept\._key|_key|key)" value="|[?&;]key=)(?:desk-[A-Za-z]+-[0-9a-f]+|[A-Za-z0-9_-]{43}|[0-9a-f]{24})`)

// TestGoldenDesks holds every view of the desks against its file.
func TestGoldenDesks(t *testing.T) {
	open := func(path string) func(*desk, string) *httptest.ResponseRecorder {
		return func(d *desk, language string) *httptest.ResponseRecorder { return d.get(path, language) }
	}
	send := func(path string, form url.Values) func(*desk, string) *httptest.ResponseRecorder {
		return func(d *desk, language string) *httptest.ResponseRecorder {
			filled := formOf(d.get(path, language).Body.String())
			for name, values := range form {
				filled[name] = values
			}
			return d.send("POST", strings.SplitN(path, "?", 2)[0], language, filled)
		}
	}
	refuse := func(role string, view func(*desk, string) *httptest.ResponseRecorder) func(*desk, string) *httptest.ResponseRecorder {
		return func(d *desk, language string) *httptest.ResponseRecorder {
			d.answer = problemAnswer(409, "STATE", "reason", hostile+strings.Repeat(" 很长的原因", 40))
			return view(d, language)
		}
	}
	form := url.Values{"{id}": {hostile}, "card": {"red"}, "reason": {"penalty"}}
	views := map[string]struct {
		role   string // empty: not signed in
		status int
		view   func(*desk, string) *httptest.ResponseRecorder
	}{
		"sign-in":           {"", 401, open("/desk/cases")},
		"home":              {"regulator", 200, open("/desk")},
		"overdue":           {"regulator", 200, open("/desk/overdue")},
		"windows":           {"notary", 200, open("/desk/windows")},
		"home-association":  {"association", 200, open("/desk")},
		"home-notary":       {"notary", 200, open("/desk")},
		"home-institute":    {"institute", 200, open("/desk")},
		"job":               {"regulator", 200, open("/desk/do/suspendPledge?id=P-1")},
		"job-problem":       {"regulator", 409, refuse("regulator", send("/desk/do/suspendPledge", form))},
		"job-missing":       {"regulator", 400, send("/desk/do/revokePledge", nil)},
		"job-stale":         {"regulator", 200, send("/desk/do/suspendPledge", url.Values{"{id}": {"P-1"}, "_token": {"x"}})},
		"job-sent":          {"regulator", 200, open("/desk/do/suspendPledge?key=desk-suspendPledge-" + strings.Repeat("c", 24))},
		"job-rows":          {"regulator", 200, send("/desk/do/registerIssuer", url.Values{"_more": {"grants"}, "grants[0].number": {hostile}})},
		"job-correct":       {"regulator", 200, open("/desk/do/correctInspection?id=V-7")},
		"job-plan":          {"regulator", 200, open("/desk/do/planDraw")},
		"job-rules":         {"regulator", 200, open("/desk/do/proposeRuleset")},
		"job-reveal":        {"notary", 200, open("/desk/do/commitToDraw?id=310115-000014")},
		"sent-pending":      {"regulator", 200, open("/desk/sent/desk-suspendPledge-" + strings.Repeat("a", 24))},
		"sent-unknown":      {"regulator", 200, open("/desk/sent/desk-suspendPledge-" + strings.Repeat("b", 24))},
		"sent-committed":    {"regulator", 200, open("/desk/sent/desk-suspendPledge-" + strings.Repeat("c", 24))},
		"sent-invalid":      {"regulator", 200, open("/desk/sent/desk-suspendPledge-" + strings.Repeat("d", 24))},
		"sent-refused":      {"regulator", 200, open("/desk/sent/desk-suspendPledge-" + strings.Repeat("e", 24))},
		"sents":             {"regulator", 200, open("/desk/sent")},
		"draws":             {"regulator", 200, open("/desk/draws")},
		"draw-planned":      {"notary", 200, open("/desk/draws/310115-000011")},
		"draw-revealing":    {"notary", 200, open("/desk/draws/310115-000015")},
		"draw-of-regulator": {"regulator", 200, open("/desk/draws/310115-000012")},
		"draw-visits":       {"regulator", 200, open("/desk/draws/310115-000019")},
		"pledges":           {"association", 200, open("/desk/pledges")},
		"pledges-of-notary": {"notary", 404, open("/desk/pledges")},
		"cases":             {"regulator", 200, open("/desk/cases")},
		"case":              {"regulator", 200, open("/desk/cases/V-7")},
		"case-bare":         {"regulator", 200, open("/desk/cases/V-8")},
		"file-job":          {"institute", 200, open("/desk/file/importCertificates")},
		"anchor":            {"institute", 200, open("/desk/anchor")},
		"works-none":        {"institute", 200, open("/desk/work")},
		"cases-of-notary":   {"notary", 404, open("/desk/cases")},
	}
	for _, name := range []string{"approval", "notice", "record", "sampling", "inquest", "questioning", "feedback"} {
		view := views["case"]
		view.view = open("/desk/cases/V-7/print/" + name)
		views["print-"+name] = view
	}
	seated := map[string]*desk{} // by role
	for name, test := range views {
		for _, language := range []string{"zh", "en"} {
			t.Run(name+"/"+language, func(t *testing.T) {
				d, known := seated[test.role]
				if !known {
					d = newDesk(t).busy()
					seated[test.role] = d
					if test.role != "" {
						d.signIn(test.role)
					}
				}
				d.t, d.answer = t, committed
				w := test.view(d, language)
				require.Equal(t, test.status, w.Code)
				checkPage(t, w.Body.String())
				golden(t, "desk-"+name+"."+language+".html", secrets.ReplaceAllString(w.Body.String(), "${1}MADE"))
			})
		}
	}
}

// An empty desk and a register that cannot be read end well too.
func TestGoldenDesksEmptyAndBroken(t *testing.T) {
	for _, language := range []string{"zh", "en"} {
		d := newDesk(t)
		d.register.draws = nil
		d.signIn("regulator")
		for name, path := range map[string]string{"home": "/desk", "sents": "/desk/sent", "draws": "/desk/draws", "cases": "/desk/cases", "pledges": "/desk/pledges"} {
			page := d.get(path, language).Body.String()
			checkPage(t, page)
			golden(t, "desk-none-"+name+"."+language+".html", secrets.ReplaceAllString(page, "${1}MADE"))
		}
		d.register.broken = true
		w := d.get("/desk", language)
		require.Equal(t, 503, w.Code)
		checkPage(t, w.Body.String())
		golden(t, "desk-broken."+language+".html", w.Body.String())
	}
}
