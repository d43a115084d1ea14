package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// visited is a desk of an inspector with an inspection of its own.
func visited(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	d.register.rulesets = shipped(t)
	d.register.open = openCases()
	for i := range d.register.open {
		d.register.open[i].State, d.register.open[i].Inspectors = metrology.InspectionEntered, []string{"inspector-1", hostile}
	}
	d.signIn("inspector")
	return d
}

// TestGoldenVisits holds every view of an inspector against its file.
func TestGoldenVisits(t *testing.T) {
	for name, path := range map[string]string{
		"home-inspector": "/desk", "round": "/desk/round", "round-assigned": "/desk/round?as=I-1", "round-none": "/desk/round?as=" + url.QueryEscape(hostile),
		"visit-where": "/desk/do/enterInspection", "visit": "/desk/do/enterInspection?site=S-1&basis.kind=complaint",
		"visit-nowhere": "/desk/do/enterInspection?site=" + url.QueryEscape(hostile+strings.Repeat("长", 60)), "visit-revise": "/desk/do/reviseInspection?id=V-7",
	} {
		for _, language := range []string{"zh", "en"} {
			t.Run(name+"/"+language, func(t *testing.T) {
				w := visited(t).get(path, language)
				require.Equal(t, 200, w.Code)
				checkPage(t, w.Body.String())
				golden(t, "desk-"+name+"."+language+".html", secrets.ReplaceAllString(w.Body.String(), "${1}MADE"))
			})
		}
	}
}

// Only inspectors have rounds.
func TestRoundIsForInspectors(t *testing.T) {
	d := newDesk(t)
	d.signIn("merchant")
	require.Equal(t, 404, d.get("/desk/round", "en").Code)
}

// Without a script a button computes error and verdict on the server, and sends
// nothing; what is sent then leaves out what was not measured.
func TestVisitWithoutScript(t *testing.T) {
	d := visited(t)
	page := d.get("/desk/do/enterInspection?site=S-1&basis.kind=complaint", "en").Body.String()
	form := formOf(page)
	at := "inspection.items[0].measurements[1]."
	require.NotEmpty(t, form.Get(at+"instrument"), "the place has two things to measure at least")
	form.Set(at+"indication", "20.200")
	form.Set(at+"reference", "20.000")
	form.Set(at+"unit", "L")
	form.Set("inspectors", "inspector-1\ninspector-2")
	form.Set("basis.kind", "complaint")
	form.Set("visited", string(today))
	form.Set("post", "regulator-1")
	form.Set("inspection.outcome", "done")
	form.Set("inspection.items[0].matter", "instruments-in-use")
	form.Set("inspection.items[0].results", "quality-breach")
	form.Set("_more", "verdicts")
	w := d.send("POST", "/desk/do/enterInspection", "en", form)
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), "&#43;0.200 L")
	require.Contains(t, w.Body.String(), "tone-bad")
	require.Empty(t, d.asked)
	form.Del("_more")
	w = d.send("POST", "/desk/do/enterInspection", "en", form)
	require.Equal(t, 303, w.Code, w.Body)
	require.Len(t, d.asked, 1)
	body := string(d.asked[0].Body)
	require.Equal(t, 1, strings.Count(body, `"indication"`), body)
	require.Contains(t, body, `"reference":"20.000"`)
}
