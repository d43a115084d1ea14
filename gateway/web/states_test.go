package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web"
)

// everyView is how to come to each view: whose it is, and where it stands. A
// page is public where role is empty.
var everyView = map[string]struct {
	role, path string
	list       bool // it lists records, and is empty when there are none
}{
	"home":         {"", "/", true},
	"report":       {"", "/d/sha256/" + fileSum.Value + "?serial=" + url.QueryEscape(hostile), false},
	"found":        {"", "/check?q=%E7%A4%BA%E4%BE%8B", true},
	"certificate":  {"", "/c/" + leafID + "?serial=" + url.QueryEscape(hostile), false},
	"merchant":     {"", "/m/M-1", false},
	"instrument":   {"", "/i/I-1", false},
	"site":         {"", "/s/S-1", false},
	"issuer":       {"", "/n/N-1", false},
	"inspection":   {"", "/v/V-1", false},
	"transaction":  {"", "/t/" + asOf.TransactionID, false},
	"sheet":        {"", "/m/M-1/sheet", false},
	"differs":      {"", "/i/I-1/differs", false},
	"results":      {"", "/results", true},
	"overdue":      {"", "/results/overdue", true},
	"statistics":   {"", "/statistics", true},
	"draws":        {"", "/draws", true},
	"draw":         {"", "/draws/310115-000001", false},
	"directories":  {"", "/draws/310115-000001/directories", false},
	"offline":      {"", "/offline", true},
	"docs":         {"", "/docs", true},
	"status":       {"", "/status", true},
	"problem":      {"", "/m/" + url.PathEscape(hostile), true},
	"sign-in":      {"", "/desk?_to=" + url.QueryEscape(hostile), true},
	"desk":         {"regulator", "/desk", true},
	"desk-case":    {"regulator", "/desk/cases/V-7", false},
	"desk-cases":   {"regulator", "/desk/cases", true},
	"desk-overdue": {"regulator", "/desk/overdue", true},
	"desk-windows": {"notary", "/desk/windows", true},
	"desk-pledges": {"association", "/desk/pledges", true},
	"desk-sheet":   {"regulator", "/desk/cases/V-7/print/record", false},
	"desk-draw":    {"regulator", "/desk/draws/310115-000012", false},
	"desk-draws":   {"regulator", "/desk/draws", true},
	"desk-work":    {"institute", "", false},
	"desk-works":   {"institute", "/desk/work", true},
	"file-job":     {"institute", "/desk/file/importCertificates?issuer=" + url.QueryEscape(hostile), true},
	"anchor":       {"institute", "/desk/anchor?issuer=" + url.QueryEscape(hostile), true},
	"job":          {"regulator", "/desk/do/correctInspection?id=V-7", false},
	"sent":         {"regulator", "/desk/sent/desk-suspendPledge-" + strings.Repeat("c", 24), false},
	"sents":        {"regulator", "/desk/sent", true},
	"mine":         {"merchant", "/desk/mine", false},
	"drawn":        {"merchant", "/desk/drawn?site=S-1", true},
	"pledge":       {"merchant", strings.Replace(chosen, "M-1", url.QueryEscape(hostile), 1), false},
	"stickers":     {"merchant", "/desk/stickers?merchant=M-1", false},
	"round":        {"inspector", "/desk/round?as=" + url.QueryEscape(hostile), true},
	"visit":        {"inspector", "/desk/do/enterInspection?site=S-1&basis.kind=complaint", false},
}

// dressings are how the texts and lists of others can be. Each is held in one
// language; the ordinary state of every view is held in both (TestGolden and
// the tests of the desks).
var dressings = map[string]struct {
	language string
	file     string // name of a file that was sent
	dress    func(list reflect.Value)
}{
	"long": {"zh", strings.Repeat("很长的文件名", 30) + ".csv", func(list reflect.Value) {
		rewrite(list, func(text string) string { return strings.Repeat(text+"很长而且没有空格", 8) }, 6)
	}},
	"hostile": {"en", hostile + ".csv", func(list reflect.Value) {
		rewrite(list, func(text string) string { return hostile + text }, 1)
	}},
	"empty": {"en", "a.csv", func(list reflect.Value) {
		if list.Type() == reflect.TypeFor[[]public.Pledge]() {
			list.SetZero() // there is no pledge without a term
		}
		for i := range list.Len() {
			bare(list.Index(i))
		}
	}},
}

// dress changes every record of a register.
func (r *register) dress(change func(list reflect.Value)) {
	for _, list := range []any{
		&r.merchants, &r.pledges, &r.sites, &r.instruments, &r.issuers, &r.certificates, &r.inspections, &r.overdue, &r.draws, &r.transactions, &r.open, &r.rulesets, &r.due,
	} {
		change(reflect.ValueOf(list).Elem())
	}
}

// written are the members that hold words of others, as they typed them.
var written = []string{"Name", "Address", "Phone", "Title", "Serial", "Number", "Model", "Maker", "Range", "Accuracy", "Regulation", "Remark"}

// rewrite passes every text of others under v through words, and shows every
// list of records and of what they hold so many times.
func rewrite(v reflect.Value, words func(string) string, times int) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			rewrite(v.Elem(), words, times)
		}
	case reflect.Slice:
		for i := range v.Len() {
			rewrite(v.Index(i), words, times/3) // fewer of lists within lists
		}
		if v.Type().Elem().Kind() == reflect.Struct { // after their members, which the copies share
			once := v.Slice(0, v.Len())
			for range times - 1 {
				v.Set(reflect.AppendSlice(v, once))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			member := v.Field(i)
			switch {
			case !member.CanSet():
			case member.Kind() == reflect.String && slices.Contains(written, v.Type().Field(i).Name):
				member.SetString(words(member.String()))
			default:
				rewrite(member, words, times)
			}
		}
	}
}

// bare takes out of a record all lists and all that may be absent.
func bare(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice, reflect.Pointer:
		v.SetZero()
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				bare(v.Field(i))
			}
		}
	}
}

// Every view there is stands in the table, so none is forgotten.
func TestEveryViewIsListed(t *testing.T) {
	files, err := filepath.Glob("templates/*.html")
	require.NoError(t, err)
	var views []string
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".html"); !strings.HasPrefix(name, "_") {
			views = append(views, name)
		}
	}
	var listed []string
	for name := range everyView {
		listed = append(listed, name)
	}
	require.ElementsMatch(t, views, listed)
}

// workKeys are the addresses of work, which are new with every run.
var workKeys = regexp.MustCompile(`(/desk/work/)[^"/?]+`)

// Every view holds against texts that are very long, that would turn the page
// around or run in it, and against records without anything they may lack.
func TestViewStates(t *testing.T) {
	for state, dressing := range dressings {
		d := newDesk(t).busy()
		d.register.rulesets = shipped(t)
		seats := map[string]map[string]string{"": {}} // cookies by role
		for _, role := range []string{"regulator", "institute", "association", "notary", "merchant", "inspector"} {
			d.cookies = map[string]string{}
			d.signIn(role)
			seats[role] = d.cookies
		}
		records := full()
		shown, none := serve(t, records), serve(t, &register{})
		d.cookies = seats["institute"]
		work := d.sendWork(dressing.file)
		d.register.dress(dressing.dress)
		records.dress(dressing.dress)
		for view, at := range everyView {
			t.Run(state+"/"+view, func(t *testing.T) {
				d.t, d.cookies = t, seats[at.role]
				var w *httptest.ResponseRecorder
				switch {
				case view == "desk-work":
					w = d.get(work, dressing.language)
				case at.role != "" || view == "sign-in":
					w = d.get(at.path, dressing.language)
				case at.list && state == "empty":
					w = get(none, at.path, dressing.language)
				default:
					w = get(shown, at.path, dressing.language)
				}
				require.Equal(t, statusOf(view, state), w.Code, w.Body)
				page := workKeys.ReplaceAllString(secrets.ReplaceAllString(w.Body.String(), "${1}MADE"), "${1}MADE")
				checkSafe(t, page)
				golden(t, "state-"+view+"-"+state+"."+dressing.language+".html", page)
			})
		}
	}
}

// statusOf is the status that a view has: those that tell of absence have one
// of their own.
func statusOf(view, state string) int {
	switch {
	case view == "problem", view == "found" && state == "empty":
		return http.StatusNotFound
	case view == "sign-in":
		return http.StatusUnauthorized
	}
	return http.StatusOK
}

// sendWork sends a file of certificates and gives the address of its work.
func (d *desk) sendWork(name string) string {
	d.t.Helper()
	d.answer = func(web.Operation) web.Answer { return web.Answer{Status: 200, Body: []byte(partly)} }
	form := formOf(d.get(batch, "en").Body.String())
	form.Set("issuer", "N-1")
	place := d.sendFile(batch, name, "a,b\n", form).Header().Get("Location")
	d.awaitWork(place)
	return place
}

// A register that cannot be read is told as that on every view that needs it;
// none calls anything absent, invalid or wrong.
func TestViewsOfABrokenRegister(t *testing.T) {
	for _, language := range []string{"zh", "en"} {
		d := newDesk(t).busy()
		seats := map[string]map[string]string{"": {}}
		for _, role := range []string{"regulator", "institute", "association", "notary", "merchant", "inspector"} {
			d.cookies = map[string]string{}
			d.signIn(role)
			seats[role] = d.cookies
		}
		d.register.broken = true
		shown := serve(t, d.register)
		for view, at := range everyView {
			if at.path == "" {
				continue
			}
			t.Run(view+"/"+language, func(t *testing.T) {
				d.t, d.cookies = t, seats[at.role]
				w := d.get(at.path, language)
				if at.role == "" && view != "sign-in" {
					w = get(shown, at.path, language)
				}
				checkSafe(t, w.Body.String())
				require.Contains(t, w.Body.String(), map[string]string{"zh": "目前无法读取登记信息", "en": "The register cannot be read at the moment"}[language])
				require.NotEqual(t, http.StatusInternalServerError, w.Code)
				require.NotEqual(t, http.StatusNotFound, w.Code)
			})
		}
	}
}
