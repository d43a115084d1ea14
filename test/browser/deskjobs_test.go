package browser

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// rest makes a request to the interface as a post.
func rest(t *testing.T, post, method, path, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, site.url+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token(t, post))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Less(t, answer.StatusCode, 300, string(raw))
	var read map[string]any
	require.NoError(t, json.Unmarshal(raw, &read))
	return read
}

func today() string { return time.Now().In(time.FixedZone("", 8*3600)).Format(time.DateOnly) }

// unique makes names that no earlier run of a test has used.
func unique(prefix string) string { return fmt.Sprintf("%s-%d", prefix, time.Now().UnixNano()) }

// everywhere runs a job on a phone in Chinese and on a desktop in English.
func everywhere(t *testing.T, job func(t *testing.T, v *visitor)) {
	t.Helper()
	for name, test := range map[string]struct {
		language      string
		width, height int64
	}{
		"phone, Chinese":   {"zh-CN", phoneWidth, phoneHeight},
		"desktop, English": {"en", desktopWidth, desktopHeight},
	} {
		t.Run(name, func(t *testing.T) {
			v := visit(t, test.language, test.width, test.height)
			job(t, v)
			v.onlyOurs()
		})
	}
}

// done sends a form and waits until it is told as done.
func (v *visitor) done(address string, entries ...entry) {
	v.t.Helper()
	v.submit(address, entries...)
	headline := v.sent()
	require.True(v.t, strings.Contains(headline, "Done") || strings.Contains(headline, "已完成"), headline)
}

// The institute sends a file of certificates and gets its evidence back.
func TestInstituteSendsAFile(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		number := unique("DESK")
		sum := fmt.Sprintf("%064x", time.Now().UnixNano())
		file := filepath.Join(t.TempDir(), "day.csv")
		require.NoError(t, os.WriteFile(file, []byte("证书编号,证书类型,登记编号,出厂编号,目录编号,结论,检定规程,检定日期,有效期至,SHA256\n"+
			number+",检定证书,,NS-1,non-automatic-scale,合格,JJG 539-2016,"+today()+",2099-12-31,"+sum+"\n"+
			number+"-late,检定证书,,NS-2,non-automatic-scale,合格,JJG 539-2016,"+today()+",2020-01-01,"+sum+"\n"), 0o600))
		v.signIn("institute")
		v.open("/desk/file/importCertificates")
		require.Empty(t, measure[[]string](v, faults))
		v.enter("issuer", "N-INSTITUTE")
		v.do(chromedp.SetUploadFiles("#file", []string{file}))
		v.tabTo(send)
		v.do(chromedp.KeyEvent("\r"), chromedp.WaitVisible("#work .card"))
		require.Contains(t, v.text("#work"), "有效期至")
		require.Contains(t, v.text("#work"), number+"-late")
		require.Empty(t, measure[[]string](v, faults))
		v.picture("desk-work-" + v.language)
		archive := measure[string](v, `(() => {
			const request = new XMLHttpRequest();
			request.open('GET', location.pathname + '/evidence.zip', false);
			request.overrideMimeType('text/plain; charset=x-user-defined');
			request.send();
			return btoa([...request.responseText].map((c) => String.fromCharCode(c.charCodeAt(0) & 255)).join(''));
		})()`)
		raw, err := base64.StdEncoding.DecodeString(archive)
		require.NoError(t, err)
		files, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		require.NoError(t, err)
		require.Len(t, files.File, 2, "the result, and the evidence of the good line")

		v.do(chromedp.Navigate(site.url+"/desk/work"), chromedp.WaitVisible(".rows"))
		require.Contains(t, v.text(".rows"), "day.csv", "it is found again")
	})
}

// The institute anchors files by digests made in the browser; no byte of them
// leaves, and the public page then knows them.
func TestInstituteAnchorsFiles(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		directory := t.TempDir()
		var files []string
		for i := range 3 {
			path := filepath.Join(directory, unique(fmt.Sprintf("C%d", i))+".pdf")
			require.NoError(t, os.WriteFile(path, []byte("the secret words of "+path), 0o600))
			files = append(files, path)
		}
		v.signIn("institute")
		v.open("/desk/anchor")
		v.do(chromedp.SetUploadFiles("#files", files))
		ask(v, chromedp.Poll[bool](`!document.querySelector('#files').disabled && document.getElementById('certificates[2].sha256')?.value.length === 64`))
		require.Empty(t, measure[[]string](v, faults))
		v.picture("desk-anchor-" + v.language)
		for _, e := range []entry{{"issuer", "N-INSTITUTE"}, {"validUntil", "2099-12-31"}, {"category", "non-automatic-scale"}, {"regulation", "JJG 539-2016"},
			{"certificates[0].serial", "X-1"}, {"certificates[1].serial", "X-2"}, {"certificates[2].serial", "X-3"}} {
			v.enter(e.path, e.value)
		}
		v.tabTo(send)
		v.do(chromedp.KeyEvent("\r"), chromedp.WaitVisible("#work .card"))
		require.Contains(t, v.text("#work .card"), "3")
		require.NotContains(t, v.text("#work"), "rejected")
		v.mu.Lock()
		for _, r := range v.requests {
			for _, entry := range r.PostDataEntries {
				require.NotContains(t, entry.Bytes, base64.StdEncoding.EncodeToString([]byte("the secret words"))[:16])
			}
		}
		v.mu.Unlock()
		v.open("/")
		v.do(chromedp.SetUploadFiles("#file", files[:1]), chromedp.SendKeys("#file-serial", "X-1"), chromedp.Click("#file-form button"), chromedp.WaitVisible(".verdict"))
		require.Contains(t, v.text("main"), strings.TrimSuffix(filepath.Base(files[0]), ".pdf"))
	})
}

// Certificates are replaced and revoked, keys registered and ended.
func TestCertificatesAndKeys(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		v.signIn("institute")
		var ids []string
		for range 3 {
			sum := fmt.Sprintf("%064x", time.Now().UnixNano())
			number := unique("DESK")
			v.done(do("anchorCertificate"), entry{"instruments[0].conclusion", "pass"}, entry{"instruments[0].category", "non-automatic-scale"},
				entry{"instruments[0].serial", "NS-9"}, entry{"issued", today()}, entry{"issuer", "N-INSTITUTE"}, entry{"kind", "verification-certificate"},
				entry{"number", number}, entry{"performed", today()}, entry{"digests[0].algorithm", "sha256"}, entry{"digests[0].value", sum},
				entry{"regulation", "JJG 539-2016"}, entry{"validUntil", "2099-12-31"})
			page := rest(t, "institute", "GET", "/v1/certificates?number="+number, "")
			ids = append(ids, page["items"].([]any)[0].(map[string]any)["id"].(string))
		}
		v.done(do("supersedeCertificate"), entry{"{id}", ids[0]}, entry{"reason", "amended"}, entry{"successor", ids[1]}, entry{"_sure", "on"})
		v.done(do("revokeCertificate"), entry{"{id}", ids[2]}, entry{"reason", "wrong-data"}, entry{"_sure", "on"})
		v.open("/c/" + ids[2])
		require.NotEqual(t, "valid", rest(t, "institute", "GET", "/v1/certificates/"+ids[2], "")["status"])

		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		spki, err := x509.MarshalPKIXPublicKey(private.Public())
		require.NoError(t, err)
		v.signIn("regulator")
		v.done(do("addKeyIssuer"), entry{"{id}", "N-INSTITUTE"}, entry{"from", today()}, entry{"spki", base64.StdEncoding.EncodeToString(spki)}, entry{"until", "2030-12-31"})
		keys := rest(t, "regulator", "GET", "/v1/issuers/N-INSTITUTE", "")["keys"].([]any)
		key := keys[len(keys)-1].(map[string]any)["id"].(string)
		v.signIn("institute")
		v.done(do("revokeKeyIssuer"), entry{"{id}", "N-INSTITUTE"}, entry{"{key}", key}, entry{"reason", "replaced"}, entry{"_sure", "on"})
	})
}

// An inspection goes from its entry to publication, correction and withdrawal,
// over the authority's desk; its documents are printed on the way.
func TestInspectionOverTheDesk(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		subject := func(post string) string { return rest(t, post, "GET", "/v1/identity", "")["subject"].(string) }
		id := unique("V-DESK")
		rest(t, "inspector", "POST", "/v1/inspections", `{"id":"`+id+`","site":"S-STATION","basis":{"kind":"complaint"},"inspectors":["`+subject("inspector")+`","`+subject("inspector2")+
			`"],"visited":"`+today()+`","post":"`+subject("regulator")+`","inspection":{"merchant":"M-STATION","outcome":"done","items":[{"matter":"units","results":["none-found"]}]}}`)
		v.signIn("regulator")
		require.Contains(t, v.text("main"), id, "it waits at the desk")
		v.open("/desk/cases/" + id)
		require.Empty(t, measure[[]string](v, faults))
		v.picture("desk-case-" + v.language)
		for _, sheet := range []string{"approval", "notice", "record", "sampling", "inquest", "questioning", "feedback"} {
			v.open("/desk/cases/" + id + "/print/" + sheet)
			require.Empty(t, measure[[]string](v, faults), sheet)
			require.Contains(t, v.text(".paper"), "东门加油站", sheet)
			v.picture("desk-print-" + sheet + "-" + v.language)
		}
		at := func(operation string) string { return do(operation) + "?id=" + id }
		v.done(at("reviewInspection"))
		v.done(at("returnInspection"), entry{"reason", "incomplete"})
		v.done(at("reviewInspection"))
		v.done(at("publishInspection"))
		v.open("/v/" + id)
		v.done("/desk/do/correctInspection?id="+id, entry{"reason", "entry-error"}, entry{"inspection.remark", "corrected"})
		v.done(at("handOverInspection"), entry{"to", "another-post"})
		v.open("/desk/cases/" + id)
		require.Contains(t, v.text("main"), "another-post")
		v.done(at("handOverInspection"), entry{"to", subject("regulator")})
		v.done(at("withdrawInspection"), entry{"reason", "duplicate"}, entry{"_sure", "on"})
		v.do(chromedp.Navigate(site.url + "/v/" + id))
		require.NotContains(t, v.text("main"), "S-STATION", "it is gone from the public pages")
	})
}

// Rules are proposed by the regulator and approved by a second organisation.
func TestRulesOverTheDesk(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		id := strings.ToLower(unique("desk-calendar"))
		v.signIn("regulator")
		v.submit(do("proposeRuleset"), entry{"effectiveFrom", "2026-01-01"}, entry{"id", id}, entry{"kind", "deadline"}, entry{"mark", "firm"}, entry{"region", "310115"},
			entry{"source.title", "示例"}, entry{"title", "示例"}, entry{"version", "1"})
		v.do(chromedp.WaitVisible(".verdict.tone-bad"))
		require.Contains(t, v.address().Path, do("proposeRuleset"), "a table without rows is refused, and what was typed stays")
		require.Equal(t, id, measure[string](v, `document.getElementById('id').value`))
		for _, e := range []entry{{"body.deadline.rows[0].code", "publication"}, {"body.deadline.rows[0].workingDays", "20"}} {
			v.enter(e.path, e.value)
		}
		v.tabTo(send)
		v.do(chromedp.KeyEvent("\r"))
		v.sent()
		v.signIn("association")
		require.Contains(t, v.text("main"), id, "it waits for a second organisation")
		v.done(do("rejectRuleset") + "?id=" + id + "&version=1")
	})
}

// A draw from its plan to its result, each organisation at its own desk. What
// its observer does by itself the desk shows.
func TestDrawOverTheDesks(t *testing.T) {
	v := visit(t, "en", desktopWidth, desktopHeight)
	v.signIn("regulator")
	v.submit(do("planDraw"),
		entry{"authority", "310199"}, entry{"title", "Demonstration at the desks"}, entry{"scope", "four places"},
		entry{"strata[0].stratum", "K1"}, entry{"strata[0].quota", "2"}, entry{"margin", "4"}, entry{"beacon", "development"})
	require.Contains(t, v.sent(), "Done")
	id := measure[string](v, `document.querySelector('.facts a').textContent`)
	v.picture("desk-draw-planned")

	v.signIn("notary")
	require.Contains(t, v.text("main"), id, "it waits for the notary")
	v.open("/desk/draws/" + id)
	require.Empty(t, measure[[]string](v, faults))
	v.done(do("approveDraw") + "?id=" + id)

	v.signIn("regulator")
	files := t.TempDir()
	for name, content := range map[string]string{
		"objects": "id,stratum,weight\nS-STATION,K1,1\nS-MARKET,K1,1\nS-STALL-12,K1,1\n", "inspectors": "staff,cap,skills\nA,4,\nB,4,\nC,4,\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(files, name+".csv"), []byte(content), 0o600))
	}
	v.open("/desk/draws/" + id)
	v.do(chromedp.Navigate(site.url+"/desk/file/importDrawDirectories?id="+id), chromedp.WaitVisible("#objects"))
	require.Empty(t, measure[[]string](v, faults))
	v.do(chromedp.SetUploadFiles("#objects", []string{filepath.Join(files, "objects.csv")}), chromedp.SetUploadFiles("#inspectors", []string{filepath.Join(files, "inspectors.csv")}))
	v.tabTo(send)
	v.do(chromedp.KeyEvent("\r"), chromedp.WaitVisible("#work .card"))
	require.Contains(t, v.text("#work"), "Read 3, taken 3, rejected 0")
	v.picture("desk-directories")
	freeze := measure[string](v, `document.querySelector('a[href^="/desk/do/freezeDraw"]').getAttribute('href')`)
	v.done(freeze)

	for _, post := range []string{"institute", "association"} {
		v.signIn(post)
		v.done(do("approveDrawFreeze") + "?id=" + id)
	}
	require.Eventually(t, func() bool {
		return rest(t, "notary", "GET", "/v1/draws/"+id, "")["phase"] == "drawn"
	}, 80*time.Second, 500*time.Millisecond)
	v.open("/desk/draws/" + id)
	require.Contains(t, v.text("main"), "drawn")
	v.picture("desk-draw-drawn")
	v.onlyOurs()
}

// Each desk opens in both languages and sizes and holds what every page owes.
func TestEveryDeskIsUsable(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		for _, post := range []string{"regulator", "association", "notary", "institute", "inspector", "merchant"} {
			v.signIn(post)
			require.Empty(t, measure[[]string](v, faults), post)
			v.picture("desk-" + post + "-" + v.language)
			for _, path := range []string{"/desk/draws", "/desk/sent", "/desk/work"} {
				v.open(path)
				require.Empty(t, measure[[]string](v, faults), path)
			}
		}
	})
}

// Signing out ends the session, also for the way back.
func TestSignOut(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	v.signIn("notary")
	v.tabTo(".desk-bar button")
	v.do(chromedp.KeyEvent("\r"), chromedp.WaitVisible("#file-form"))
	v.open("/desk")
	require.Contains(t, v.text("h1"), "Sign in")
}
