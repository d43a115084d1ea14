package web_test

import (
	"archive/zip"
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/web"
)

// sendFile sends a form with a file; name empty: none was chosen.
func (d *desk) sendFile(path, name, content string, fields url.Values) *httptest.ResponseRecorder {
	d.t.Helper()
	return d.sendPart(path, "file", name, content, fields)
}

// sendPart sends a form with a file of a name of its own.
func (d *desk) sendPart(path, control, name, content string, fields url.Values) *httptest.ResponseRecorder {
	d.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for field, values := range fields {
		require.NoError(d.t, form.WriteField(field, values[0]))
	}
	part, err := form.CreateFormFile(control, name)
	require.NoError(d.t, err)
	_, err = io.WriteString(part, content)
	require.NoError(d.t, err)
	require.NoError(d.t, form.Close())
	r := httptest.NewRequest("POST", path, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "en")
	for name, value := range d.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	d.e.ServeHTTP(w, r)
	return w
}

// awaitWork follows work to its end.
func (d *desk) awaitWork(path string) string {
	d.t.Helper()
	var page string
	require.Eventually(d.t, func() bool {
		page = d.get(path, "en").Body.String()
		return !strings.Contains(page, "data-again")
	}, 10*time.Second, 5*time.Millisecond)
	return page
}

const batch = "/desk/file/importCertificates"

const partly = `{"lines":[
	{"line":2,"number":"A-1","outcome":"anchored","id":"` + "11" + `","root":"aa","transactionId":"bb"},
	{"line":3,"number":"=A-2","outcome":"rejected","code":"INVALID","field":"validUntil","column":"有效期至","message":"expires"},
	{"line":4,"number":"A-3","outcome":"unknown","transactionId":"cc"}],
	"counts":{"anchored":1,"rejected":1,"unknown":1},"unusedColumns":["备注"]}`

func TestFileIsWorkedOn(t *testing.T) {
	d := newDesk(t)
	d.signIn("institute")
	release := make(chan struct{})
	d.answer = func(o web.Operation) web.Answer {
		if o.Method == "GET" {
			return web.Answer{Status: 200, Body: []byte(`{"bundle":1}`)}
		}
		o.Progress(1, 4)
		<-release
		return web.Answer{Status: 200, Body: []byte(partly)}
	}
	form := formOf(d.get(batch, "en").Body.String())
	form.Set("issuer", "N-1")
	w := d.sendFile(batch, "day.csv", "a,b\n", form)
	require.Equal(t, 303, w.Code, w.Body)
	place := w.Header().Get("Location")
	require.Equal(t, "/desk/work/"+form.Get("_key"), place)
	require.Eventually(t, func() bool { return strings.Contains(d.get(place, "en").Body.String(), "1 of 4") }, 10*time.Second, 5*time.Millisecond)
	checkPage(t, d.get(place, "zh").Body.String())
	require.Equal(t, 404, d.get(place+"/result.csv", "en").Code, "there is no result yet")

	again := d.sendFile(batch, "day.csv", "a,b\n", form)
	require.Equal(t, place, again.Header().Get("Location"), "a second click follows the same work")
	close(release)
	page := d.awaitWork(place)
	checkPage(t, page)
	require.Contains(t, page, "Partly done")
	require.Contains(t, page, "有效期至")
	require.NotContains(t, page, "All of it is done")
	require.Contains(t, d.get("/desk/work", "en").Body.String(), "day.csv")
	require.Len(t, d.asked, 1)
	require.Equal(t, "/v1/certificate-batches?issuer=N-1", d.asked[0].Path)

	table := d.get(place+"/result.csv", "en").Body.String()
	require.Contains(t, table, "2,A-1,anchored,11,aa,bb,,,\r\n")
	require.Contains(t, table, "'=A-2", "no spreadsheet takes it for a formula")
	archive := d.get(place+"/evidence.zip", "en").Body.Bytes()
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	require.NoError(t, err)
	require.Len(t, files.File, 2)
	require.Equal(t, "evidence/11.steelyard.json", files.File[1].Name)

	d.signIn("regulator")
	require.Equal(t, 404, d.get(place, "en").Code, "work is one's own")
}

func TestFileRefused(t *testing.T) {
	d := newDesk(t)
	d.signIn("institute")
	form := formOf(d.get(batch, "en").Body.String())
	w := d.sendFile(batch, "", "", form)
	require.Equal(t, 400, w.Code)
	require.Contains(t, w.Body.String(), "No file was chosen")

	d.answer = problemAnswer(400, "INVALID", "issuer", hostile)
	place := d.sendFile(batch, "x.csv", "x", form).Header().Get("Location")
	page := d.awaitWork(place)
	checkPage(t, page)
	require.Contains(t, page, "Not accepted")

	form.Set("_token", "other")
	require.Contains(t, d.sendFile(batch, "x.csv", "x", form).Body.String(), "Check it and send it again")
	d.cookies["desk"] = "over"
	w = d.sendFile(batch, "x.csv", "x", form)
	require.Equal(t, 401, w.Code)
	require.Contains(t, w.Body.String(), "Files have to be chosen again")
}

func TestFilesAnchoredByDigest(t *testing.T) {
	d := newDesk(t)
	d.signIn("institute")
	d.answer = func(web.Operation) web.Answer {
		return web.Answer{Status: 200, Body: []byte(`{"lines":[],"counts":{}}`)}
	}
	form := formOf(d.get("/desk/anchor", "en").Body.String())
	require.Equal(t, 400, d.send("POST", "/desk/anchor", "en", form).Code, "no certificate yet")
	for name, value := range map[string]string{"issuer": "N-1", "kind": "verification-certificate", "performed": "2026-03-09", "issued": "2026-03-10",
		"conclusion": "pass", "category": "fuel-dispenser", "certificates[0].number": "A-1", "certificates[0].sha256": strings.Repeat("AB", 32),
		"certificates[2].number": "A-2", "certificates[2].serial": "S", "certificates[2].sha256": "x", "certificates[2].sm3": "y"} {
		form.Set(name, value)
	}
	w := d.send("POST", "/desk/anchor", "en", form)
	require.Equal(t, 303, w.Code, w.Body)
	d.awaitWork(w.Header().Get("Location"))
	lines := strings.Split(strings.TrimSpace(string(d.asked[0].Body)), "\n")
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], `{"algorithm":"sha256","value":"`+strings.Repeat("ab", 32)+`"}`)
	require.Contains(t, lines[1], `"serial":"S"`)
	require.Contains(t, lines[1], `{"algorithm":"sm3","value":"y"}`)

	d.signIn("notary")
	require.Equal(t, 404, d.get("/desk/anchor", "en").Code)
}

// A draw's directories come from several files; their account is shown, and
// nothing is called filed that is not.
func TestDirectoriesFromFiles(t *testing.T) {
	const answer = `{"draw":"310115-000012","filed":%s,"accounts":[{"source":"draw-objects","read":3,"taken":1,"excluded":{"closed":1},"rejected":1,
		"rows":[{"line":2,"outcome":"excluded","id":"S-2","reason":"closed"},{"line":3,"outcome":"rejected","id":"S-3","code":"INVALID","column":"层","message":"is empty"}]}],
		"chunks":{"objects":1,"inspectors":1}}`
	for filed, says := range map[string]string{"true": "chunks.objects=1", "false": "Nothing was filed"} {
		d := newDesk(t)
		d.signIn("regulator")
		d.answer = func(web.Operation) web.Answer {
			return web.Answer{Status: 200, Body: []byte(strings.Replace(answer, "%s", filed, 1))}
		}
		const page = "/desk/file/importDrawDirectories"
		form := formOf(d.get(page+"?id=310115-000012", "en").Body.String())
		form.Set("{id}", "310115-000012")
		w := d.sendPart(page, "objects", "places.csv", "id,stratum\n", form)
		require.Equal(t, 303, w.Code, w.Body)
		shown := d.awaitWork(w.Header().Get("Location"))
		checkPage(t, shown)
		require.Contains(t, shown, "Read 3, taken 1, rejected 1")
		require.Contains(t, shown, "is empty")
		require.Contains(t, shown, "<h2>Places</h2>")
		require.Contains(t, shown, says)
		require.Equal(t, filed == "true", !strings.Contains(shown, "Nothing was filed"))
		require.Equal(t, "/v1/draws/310115-000012/directories", d.asked[0].Path)
		require.Contains(t, d.asked[0].Media, "multipart/form-data")
		require.Contains(t, string(d.asked[0].Body), `name="objects"; filename="places.csv"`)
	}
}
