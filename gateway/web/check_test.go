package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// The box leads to the page of the one thing that was meant.
func TestBoxLeads(t *testing.T) {
	for name, test := range map[string]struct{ question, serial, to string }{
		"certificate number":     {"JL-1", "", "/c/" + leafID},
		"number with serial":     {"JL-1", "A 1&x", "/c/" + leafID + "?serial=A+1%26x"},
		"full-width number":      {"ＪＬ－１", "", "/c/" + leafID},
		"certificate id":         {leafID, "", "/c/" + leafID},
		"serial number":          {"SY-D-2", "", "/i/I-2"},
		"merchant's credit code": {"91310115MA0000001Y", "", "/m/M-1"},
		"merchant's name":        {"东门", "", "/m/M-1"},
		"merchant's id":          {"M-2", "", "/m/M-2"},
		"site's id":              {"S-1", "", "/s/S-1"},
		"issuer's id":            {"N-1", "", "/n/N-1"},
		"inspection's id":        {"V-1", "", "/v/V-1"},
		"draw's number":          {"310115-000001", "", "/draws/310115-000001"},
		"transaction's id":       {asOf.TransactionID, "", "/t/" + asOf.TransactionID},
		"address from a code":    {"https://a.example/c/" + leafID + "?lang=en", "", "/c/" + leafID},
		"nothing":                {" ", "", "/"},
	} {
		t.Run(name, func(t *testing.T) {
			w := get(serve(t, full()), "/check?q="+url.QueryEscape(test.question)+"&serial="+url.QueryEscape(test.serial), "en")
			require.Equal(t, http.StatusSeeOther, w.Code)
			require.Equal(t, test.to, w.Header().Get("Location"))
		})
	}
}

// A picture is answered as the file that it is where that is registered, and as
// the code in it where it is not. Without a code it is said that there was none.
func TestPictures(t *testing.T) {
	e := serve(t, full())
	w := get(e, "/check?local=1&q=M-2&sha256="+fileSum.Value, "en")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "this file is registered, byte for byte")
	unknown := "/check?local=1&sha256=" + strings.Repeat("00", 32)
	require.Equal(t, "/m/M-2", get(e, unknown+"&q=https%3A%2F%2Fa.example%2Fm%2FM-2", "en").Header().Get("Location"))
	w = get(e, unknown+"&picture=1", "en")
	require.Contains(t, w.Body.String(), "No QR code was found in this picture")
	require.Contains(t, w.Body.String(), "This file is not registered")
	require.NotContains(t, get(e, unknown, "en").Body.String(), "No QR code")
}

// What was answered for a file can be compared with the instrument, without
// the file; what the page says of the file stays true.
func TestCompareAfterwards(t *testing.T) {
	for query, local := range map[string]bool{"local=1&": true, "": false} {
		page := get(serve(t, full()), "/check?"+query+"xml=1&sha256="+fileSum.Value, "en").Body.String()
		require.Equal(t, local, strings.Contains(page, "did not leave your device"))
		compare := hiddenOf(page)
		require.Equal(t, fileSum.Value, compare.Get("sha256"))
		compare.Set("serial", "SY-D-2")
		page = get(serve(t, full()), "/check?"+compare.Encode(), "en").Body.String()
		require.Contains(t, page, "the serial number differs")
		require.Contains(t, page, `value="SY-D-2"`)
		require.Equal(t, local, strings.Contains(page, "did not leave your device"))
		require.Contains(t, page, "its content could not be read")
	}
	page := get(serve(t, full()), "/check?sha256="+strings.Repeat("00", 32), "en").Body.String()
	require.NotContains(t, page, `name="serial"`, "there is nothing to compare with")
	require.NotContains(t, get(serve(t, full()), "/", "en").Body.String(), `name="serial"`)
}

// hiddenOf are the hidden members of a page's forms.
func hiddenOf(page string) url.Values {
	values := url.Values{}
	for _, member := range hiddenMember.FindAllStringSubmatch(page, -1) {
		values.Set(member[1], member[2])
	}
	return values
}

var hiddenMember = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// A file's digest in the place of a certificate's id is answered all the same.
func TestDigestAsCertificate(t *testing.T) {
	w := get(serve(t, full()), "/c/"+strings.ToUpper(fileSum.Value), "en")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "this file is registered, byte for byte")
	require.Equal(t, http.StatusNotFound, get(serve(t, full()), "/c/none", "en").Code)
}

func TestBoxRefuses(t *testing.T) {
	for name, path := range map[string]string{
		"question too long":   "/check?q=" + strings.Repeat("x", 513),
		"serial too long":     "/check?q=JL-1&serial=" + strings.Repeat("x", 257),
		"digest too short":    "/check?sha256=ab",
		"unknown algorithm":   "/d/md5/" + strings.Repeat("ab", 32),
		"serial at a page":    "/c/" + leafID + "?serial=" + strings.Repeat("x", 257),
		"serial for a digest": "/d/sha256/" + fileSum.Value + "?serial=" + strings.Repeat("x", 257),
	} {
		t.Run(name, func(t *testing.T) {
			w := get(serve(t, full()), path, "zh")
			require.Equal(t, http.StatusBadRequest, w.Code)
			require.Contains(t, w.Body.String(), "输入的内容不符合要求")
		})
	}
}

// form is the upload as a browser without scripts sends it.
func form(t *testing.T, write func(*multipart.Writer)) *http.Request {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	write(w)
	require.NoError(t, w.Close())
	r := httptest.NewRequest("POST", "/", &body)
	r.Header.Set(echo.HeaderContentType, w.FormDataContentType())
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", "en")
	return r
}

func file(t *testing.T, w *multipart.Writer, name string, content []byte) {
	part, err := w.CreateFormFile("file", name)
	require.NoError(t, err)
	_, err = part.Write(content)
	require.NoError(t, err)
}

func TestUpload(t *testing.T) {
	content := []byte("certificate")
	sum := sha256.Sum256(content)
	known := full()
	known.certificates[0].Leaf.Digests = []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: hex.EncodeToString(sum[:])}}
	for name, test := range map[string]struct {
		write  func(*multipart.Writer)
		status int
		text   string
	}{
		"a registered file": {func(w *multipart.Writer) { file(t, w, "a.pdf", content) }, 200, "Agrees: registered and valid today"},
		"with its serial number": {func(w *multipart.Writer) {
			file(t, w, "a.pdf", content)
			require.NoError(t, w.WriteField("serial", " SY-D-1 "))
		}, 200, "the serial number agrees"},
		"another serial number": {func(w *multipart.Writer) {
			require.NoError(t, w.WriteField("serial", "SY-D-2"))
			file(t, w, "a.pdf", content)
		}, 200, "the serial number differs"},
		"an unknown file": {func(w *multipart.Writer) { file(t, w, "a.pdf", []byte("other")) }, 200, "This file is not registered"},
		"an empty file":   {func(w *multipart.Writer) { file(t, w, "a.pdf", nil) }, 400, "This file is empty"},
		"hostile XML":     {func(w *multipart.Writer) { file(t, w, "a.xml", []byte("<!DOCTYPE x><x/>")) }, 200, "its content could not be read"},
		"file and text: the file": {func(w *multipart.Writer) {
			require.NoError(t, w.WriteField("q", "JL-1"))
			file(t, w, "a.pdf", []byte("other"))
		}, 200, `value="JL-1"`},
		"an empty file and text": {func(w *multipart.Writer) {
			require.NoError(t, w.WriteField("q", "JL-1"))
			file(t, w, "a.pdf", nil)
		}, 400, `value="JL-1"`},
		"nothing was given": {func(w *multipart.Writer) {
			require.NoError(t, w.WriteField("q", " "))
			file(t, w, "", nil)
		}, 400, "Type something, or choose a file."},
		"no part at all": {func(*multipart.Writer) {}, 400, "Type something, or choose a file."},
		"too many parts": {func(w *multipart.Writer) {
			for range 9 {
				require.NoError(t, w.WriteField("x", "y"))
			}
		}, 400, "more than 8 parts"},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			serve(t, known).ServeHTTP(w, form(t, test.write))
			require.Equal(t, test.status, w.Code)
			require.Contains(t, w.Body.String(), test.text)
			require.Equal(t, "no-cache", w.Header().Get("Cache-Control"))
			checkPage(t, w.Body.String())
		})
	}
}

// Text in the same form, without scripts, has an address of its own.
func TestTextWithoutScripts(t *testing.T) {
	for text, to := range map[string]string{
		" JL-1 ":                 "/check?q=JL-1&serial=",
		"东门 & Söhne":             "/check?q=" + url.QueryEscape("东门 & Söhne") + "&serial=",
		strings.Repeat("x", 600): "/check?q=" + strings.Repeat("x", 513) + "&serial=", // where it is refused
	} {
		w := httptest.NewRecorder()
		serve(t, full()).ServeHTTP(w, form(t, func(w *multipart.Writer) {
			require.NoError(t, w.WriteField("q", text))
			file(t, w, "", nil)
		}))
		require.Equal(t, http.StatusSeeOther, w.Code)
		require.Equal(t, to, w.Header().Get("Location"))
	}
}

func TestUploadTooLarge(t *testing.T) {
	e := serve(t, full())
	e.Pre(func(next echo.HandlerFunc) echo.HandlerFunc { // as the gateway's router does
		return func(c echo.Context) error {
			c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, 1<<20)
			return next(c)
		}
	})
	w := httptest.NewRecorder()
	e.ServeHTTP(w, form(t, func(m *multipart.Writer) { file(t, m, "a.pdf", make([]byte, 2<<20)) }))
	require.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	require.Contains(t, w.Body.String(), "The file is too large")
	require.Contains(t, w.Body.String(), "1 MiB")
}

func TestUploadWithoutForm(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader("x"))
	w := httptest.NewRecorder()
	serve(t, full()).ServeHTTP(w, r)
	require.Equal(t, http.StatusBadRequest, w.Code)
}

// A verdict is never made of a failure, and a failure never of a verdict.
func TestCouldNotCheck(t *testing.T) {
	broken := full()
	broken.broken = true
	w := get(serve(t, broken), "/check?sha256="+fileSum.Value, "zh")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), "未能核验")
	require.NotContains(t, w.Body.String(), "tone-bad")
	require.NotContains(t, w.Body.String(), "tone-good")
	require.NotContains(t, w.Body.String(), "此文件未登记</h2>")

	w = get(serve(t, broken), "/check?q=JL-1", "zh")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), "这不说明文件或商户有任何问题")
}

func TestLanguageSwitch(t *testing.T) {
	e := serve(t, full())
	w := get(e, "/m/M-1?lang=en", "zh")
	require.Equal(t, "en", w.Header().Get("Content-Language"))
	require.Contains(t, w.Header().Get("Vary"), "Accept-Language")
	require.Contains(t, w.Body.String(), `href="/m/M-1?lang=zh"`)
	kept := w.Result().Cookies()
	require.Len(t, kept, 1)

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Language", "zh")
	r.AddCookie(kept[0])
	w = httptest.NewRecorder()
	e.ServeHTTP(w, r)
	require.Contains(t, w.Body.String(), `<html lang="en">`)

	w = get(e, "/m/M-1?lang=zh-CN", "en")
	require.Contains(t, w.Body.String(), `<html lang="zh-CN">`)

	w = get(e, "/check?q=nothing&lang=tlh", "en")
	require.Equal(t, "en", w.Header().Get("Content-Language"))
	require.Contains(t, w.Body.String(), "/check?lang=zh&amp;q=nothing")
}

func TestErrors(t *testing.T) {
	e := serve(t, full())
	e.HTTPErrorHandler = func(_ error, c echo.Context) { c.Response().WriteHeader(http.StatusTeapot) }
	w := get(e, "/none", "en")
	require.Equal(t, http.StatusTeapot, w.Code, "a route of nobody's is the router's to tell")

	e = serve(t, full())
	require.Contains(t, get(e, "/none", "en").Body.String(), "There is no such page or record")
	for path, accept := range map[string]string{"/v1/none": "text/html", "/none": "application/json"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept", accept)
		w = httptest.NewRecorder()
		e.ServeHTTP(w, r)
		require.Equal(t, http.StatusNotFound, w.Code)
		require.Contains(t, w.Header().Get("Content-Type"), "json", path)
	}
}

func TestAssets(t *testing.T) {
	e := serve(t, full())
	page := get(e, "/", "zh").Body.String()
	total := len(page)
	for _, address := range assetAddresses(page) {
		w := get(e, address, "zh")
		require.Equal(t, http.StatusOK, w.Code, address)
		require.Contains(t, w.Header().Get("Cache-Control"), "immutable")
		content, err := io.ReadAll(w.Body)
		require.NoError(t, err)
		if !strings.Contains(page, `data-worker="`+address) && !strings.Contains(page, `data-c14n="`+address) && !strings.Contains(page, `data-decoder="`+address) {
			total += len(content) // what the visitor has not asked for yet is loaded later
		}
		old := strings.Replace(address, "/assets/", "/assets/0", 1)
		require.Equal(t, http.StatusNotFound, get(e, old, "zh").Code)
	}
	require.Less(t, total, 30<<10, "the first view with all it loads, not even compressed")
}

func assetAddresses(page string) []string {
	return assetAddress.FindAllString(page, -1)
}

// A filter that nothing can fit is told beside it, in the visitor's language,
// and what was entered stays.
func TestFilterFaults(t *testing.T) {
	for query, words := range map[string][2]string{
		"from=31.12.2026": {"不是", "not a date"}, "from=2026-12-31&to=2026-01-01": {"晚于", "after the last"},
		"state=none": {"没有这种状态", "no such state"},
	} {
		for i, language := range []string{"zh", "en"} {
			w := get(serve(t, full()), "/results?region=31&"+query, language)
			require.Equal(t, http.StatusBadRequest, w.Code)
			require.Contains(t, w.Body.String(), `role="alert"`)
			require.Contains(t, w.Body.String(), words[i], query)
			require.Contains(t, w.Body.String(), `value="31"`)
			require.Equal(t, http.StatusBadRequest, get(serve(t, full()), "/results.csv?"+query, language).Code)
		}
	}
}

// A place's identifier is taken as people type it.
func TestPlaceAsTyped(t *testing.T) {
	for _, typed := range []string{"S-1", " s-1 ", "ｓ－１"} {
		w := get(serve(t, full()), "/draws/310115-000001?site="+url.QueryEscape(typed), "en")
		require.Equal(t, http.StatusOK, w.Code)
		require.Contains(t, w.Body.String(), `value="S-1"`)
	}
}

// A slash too many leads to the page that was meant, and never to another host.
func TestSlashTooMany(t *testing.T) {
	for path, to := range map[string]string{
		"/status/": "/status", "/draws//": "/draws", "/results/?region=31": "/results?region=31", "/m/M-1/": "/m/M-1", "/s/S-1/": "/s/S-1", "/s/none/": "/s/none",
		"//elsewhere.example/": "", "/%5Celsewhere.example/": "/%5Celsewhere.example", "/none": "",
	} {
		w := get(serve(t, full()), path, "en")
		require.Equal(t, to, w.Header().Get("Location"), path)
	}
}

// Whoever brings a round that is none is told so on the draw's page; whoever
// brings it twice, or comes back to the form's address, is led to the draw.
func TestBringRound(t *testing.T) {
	waiting := full()
	bring := func(answer error) *httptest.ResponseRecorder {
		e := serveRounds(t, waiting, func(string, string) error { return answer })
		r := httptest.NewRequest("POST", "/draws/310115-000006/beacon", strings.NewReader("signature=+AB+"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Accept-Language", "en")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w
	}
	const draw = "/draws/310115-000006"
	w := bring(metrology.FieldErrorf(metrology.CodeSignature, "signature", "does not verify"))
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "not the signature of this round")
	require.Contains(t, w.Body.String(), `href="`+draw+`?lang=zh"`, "the other language leads back to the draw")
	checkPage(t, w.Body.String())
	for _, err := range []error{nil, metrology.Errorf(metrology.CodeState, "awaits no round")} {
		w = bring(err)
		require.Equal(t, http.StatusSeeOther, w.Code)
		require.Equal(t, draw, w.Header().Get("Location"))
	}
	require.Equal(t, draw, get(serve(t, waiting), draw+"/beacon", "en").Header().Get("Location"))
}
