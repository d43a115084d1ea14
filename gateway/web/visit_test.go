package web_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
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
	d.visits = drawnVisits()
	d.signIn("inspector")
	return d
}

// drawnVisits are what draws gave: a place of the register, a sealed one under
// way, one that was visited, and one that is hostile and very long.
func drawnVisits() []public.DrawnVisit {
	assigned := []metrology.AssignedInspector{{Inspector: "I-1", Salt: strings.Repeat("0a", 32)}, {Inspector: "I-2", Salt: strings.Repeat("0b", 32)}}
	both := []string{"inspector-1", "inspector-2"}
	return []public.DrawnVisit{
		{Draw: "310115-000011", Site: "S-1", Rank: 3, Inspectors: both, Assigned: assigned, Post: "regulator-1", Inspection: "V-1"},
		{Draw: "310115-000014", Site: "S-1", Rank: 2, Inspectors: both, Assigned: assigned, Post: "regulator-1", Days: &public.VisitDays{From: "2026-03-01", To: "2026-03-31"}},
		{Draw: "310115-000016", Site: "S-2", Inspectors: []string{"inspector-1", ""}, Assigned: assigned, Leaf: json.RawMessage(`{"leaf":{"object":"S-2"}}`)},
		{Draw: "310115-000012", Site: hostile + strings.Repeat("长", 60), Rank: 1, Inspectors: []string{hostile, "inspector-1"}, Assigned: assigned},
	}
}

// TestGoldenVisits holds every view of an inspector against its file.
func TestGoldenVisits(t *testing.T) {
	for name, path := range map[string]string{
		"home-inspector": "/desk", "round": "/desk/round",
		"visit-drawn": "/desk/do/enterInspection?site=S-1&basis.draw=310115-000014", "visit-sealed": "/desk/do/enterInspection?site=S-2&basis.draw=310115-000016",
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

// Nobody types an id, a salt or a leaf: what a draw gave fills the form in, and
// what is sent is what the interface takes.
func TestVisitUnderADraw(t *testing.T) {
	d := visited(t)
	round := d.get("/desk/round", "en").Body.String()
	require.Contains(t, round, `href="/desk/do/enterInspection?basis.draw=310115-000014&amp;site=S-1"`)
	require.NotContains(t, round, `basis.draw=310115-000011&amp;`, "that visit was made")
	require.Contains(t, round, "still sealed")
	send := func(draw, site string) map[string]any {
		d.asked = nil
		form := formOf(d.get("/desk/do/enterInspection?site="+site+"&basis.draw="+draw, "en").Body.String())
		for name, value := range map[string]string{"visited": string(today), "post": "regulator-1", "inspection.outcome": "closed", "inspection.items[0].matter": "instruments-in-use"} {
			form.Set(name, value)
		}
		if form.Get("inspectors") == "" { // one who goes is not known here, so that they are asked for
			form.Set("inspectors", "inspector-1\ninspector-9")
		}
		w := d.send("POST", "/desk/do/enterInspection", "en", form)
		require.Equal(t, 303, w.Code, w.Body)
		var body map[string]any
		require.NoError(t, json.Unmarshal(d.asked[0].Body, &body))
		return body
	}
	body := send("310115-000014", "S-1")
	require.Equal(t, map[string]any{"kind": "draw", "draw": "310115-000014", "rank": 2.0}, body["basis"])
	require.Equal(t, []any{"inspector-1", "inspector-2"}, body["inspectors"])
	require.Equal(t, []any{map[string]any{"inspector": "I-1", "salt": strings.Repeat("0a", 32)}, map[string]any{"inspector": "I-2", "salt": strings.Repeat("0b", 32)}}, body["assigned"])
	require.NotContains(t, body, "leaf")
	body = send("310115-000016", "S-2")
	require.Equal(t, map[string]any{"leaf": map[string]any{"object": "S-2"}}, body["leaf"])
	require.Equal(t, map[string]any{"kind": "draw", "draw": "310115-000016"}, body["basis"])
	require.Equal(t, []any{"inspector-1", "inspector-9"}, body["inspectors"])
}

// ticket sends the file of a visit from the page of assignments.
func (d *desk) ticket(content []byte) *httptest.ResponseRecorder {
	d.t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	_, own, _ := strings.Cut(d.get("/desk/round", "en").Body.String(), `action="/desk/round"`)
	require.NoError(d.t, parts.WriteField("_token", hidden.FindStringSubmatch(own)[2]))
	if content != nil {
		file, err := parts.CreateFormFile("ticket", "visit.json")
		require.NoError(d.t, err)
		_, err = file.Write(content)
		require.NoError(d.t, err)
	}
	require.NoError(d.t, parts.Close())
	r := httptest.NewRequest("POST", "/desk/round", &body)
	r.Header.Set("Content-Type", parts.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "en")
	for name, value := range d.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	d.e.ServeHTTP(w, r)
	return w
}

// The file that the authority hands out fills the form in like the gateway does;
// another file is told apart, and nothing is sent.
func TestVisitFromAFile(t *testing.T) {
	authority := newDesk(t)
	authority.visits = drawnVisits()
	authority.signIn("regulator")
	file := authority.get("/desk/draws/310115-000016/visits/S-2", "en")
	require.Equal(t, 200, file.Code)
	require.Contains(t, file.Header().Get("Content-Disposition"), "attachment")
	require.Equal(t, 404, authority.get("/desk/draws/310115-000016/visits/S-99", "en").Code)

	d := visited(t)
	d.visits = nil // this gateway knows nothing of the draw
	w := d.ticket(file.Body.Bytes())
	require.Equal(t, 200, w.Code, w.Body)
	checkPage(t, w.Body.String())
	form := formOf(w.Body.String())
	require.JSONEq(t, `{"leaf":{"object":"S-2"}}`, form.Get("leaf"))
	require.Equal(t, strings.Repeat("0b", 32), form.Get("assigned[1].salt"))
	require.Equal(t, 404, d.get("/desk/draws/310115-000016/visits/S-2", "en").Code, "inspectors hand out nothing")

	mine, err := json.Marshal(drawnVisits()[0])
	require.NoError(t, err)
	for name, test := range map[string]struct {
		content []byte
		says    string
	}{
		"none":           {nil, "Choose the file"},
		"empty":          {[]byte{}, "Choose the file"},
		"a photograph":   {[]byte("\xff\xd8\xff\xe0"), "not the file of a visit"},
		"other JSON":     {[]byte(`{"draw":"310115-000014","seed":"00"}`), "not the file of a visit"},
		"cut short":      {mine[:len(mine)-1], "not the file of a visit"},
		"with more":      {append(mine, '{'), "not the file of a visit"},
		"without a site": {[]byte(`{"draw":"310115-000014"}`), "not the file of a visit"},
		"very long":      {append(mine, bytes.Repeat([]byte(" "), 70<<10)...), "not the file of a visit"},
		"of others":      {bytes.ReplaceAll(mine, []byte("inspector-1"), []byte("inspector-7")), "of other inspectors"},
	} {
		t.Run(name, func(t *testing.T) {
			w := d.ticket(test.content)
			require.Equal(t, 400, w.Code)
			checkPage(t, w.Body.String())
			require.Contains(t, w.Body.String(), test.says)
			require.Empty(t, d.asked)
		})
	}
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

// What only a draw has is folded where another ground is given, and open where
// it is the ground or holds something; so are rare results. A verification
// interval is asked for where tolerances are counted in it.
func TestVisitAsksWhatFits(t *testing.T) {
	d := visited(t)
	page := func(query string) string {
		return d.get("/desk/do/enterInspection?site=S-1&"+query, "en").Body.String()
	}
	const ofDraw, rare = `<details class="optional" data-ground="draw"`, "<summary>Further results</summary>"
	for query, open := range map[string]bool{"basis.kind=complaint": false, "basis.kind=draw": true, "basis.kind=complaint&basis.rank=3": true, "basis.kind=complaint&assigned[0].salt=x": true} {
		shown := page(query)
		require.Contains(t, shown, map[bool]string{true: ofDraw + " open>", false: ofDraw + ">"}[open], query)
		require.Contains(t, shown, `name="basis.draw"`, "nothing is lost without scripts")
	}
	for code, open := range map[string]bool{"none-found": false, "moved-away": true} {
		shown := page("basis.kind=complaint&inspection.items[0].results=" + code)
		require.Equal(t, open, strings.Contains(shown, `<details class="optional" open>`+rare), code)
		require.Contains(t, shown, `value="`+code+`" checked`)
	}
	const interval = `name="inspection.items[0].measurements[0].interval"`
	require.NotContains(t, page("basis.kind=complaint"), interval, "dispensers are held to percent")
	require.Contains(t, page("basis.kind=complaint&inspection.items[0].measurements[0].interval=5"), interval, "what was given is shown")
	d.register.rulesets = nil
	require.Contains(t, page("basis.kind=complaint"), interval, "no tolerance is known")
}
