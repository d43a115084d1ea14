package browser

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// digest is one that no file has.
func digest() string { return fmt.Sprintf("%064x", time.Now().UnixNano()) }

// The institute sends a file of certificates, leaves, finds the work again, and
// gets the result and the evidence back.
func instituteSpreadsheet(t *testing.T, v *visitor) {
	number := unique("DESK")
	file := saved(t, number+".csv", "证书编号,证书类型,登记编号,出厂编号,目录编号,结论,检定规程,检定日期,有效期至,SHA256\n"+
		number+",检定证书,,NS-1,non-automatic-scale,合格,JJG 539-2016,"+today()+",2099-12-31,"+digest()+"\n"+
		number+"-late,检定证书,,NS-2,non-automatic-scale,合格,JJG 539-2016,"+today()+",2020-01-01,"+digest()+"\n")
	v.signIn("institute")
	v.begin("/desk/file/importCertificates")
	v.sound()
	v.enter("issuer", "N-INSTITUTE")
	v.give("#file", file)
	v.sendForm(func() {
		v.enter("issuer", "N-INSTITUTE")
		v.give("#file", file)
	})
	v.open("/desk") // the page is left while the work goes on
	v.follow(`main a[href="/desk/work"]`)
	v.sound()
	link := measure[string](v, `[...document.querySelectorAll('.rows li')].find((e) => e.textContent.includes('`+number+`.csv')).querySelector('a').getAttribute('href')`)
	v.follow(`a[href="` + link + `"]`)
	v.until(`!!document.querySelector('#work .card')`)
	require.Contains(t, v.text("#work"), "有效期至")
	require.Contains(t, v.text("#work"), number+"-late")
	v.sound()
	v.picture("desk-work-" + v.language)
	_, table := v.download(`#work a[href$="/result.csv"]`)
	require.Contains(t, string(table), number+"-late")
	_, archive := v.download(`#work a[href$="/evidence.zip"]`)
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	require.NoError(t, err)
	require.Len(t, files.File, 2, "the result, and the evidence of the good line")
	require.Len(t, items(t, "institute", "/v1/certificates?number="+number), 1, "anchored once")
}

// The institute anchors files by digests made in the browser; no byte of them
// leaves, and the public page then knows them.
func instituteFiles(t *testing.T, v *visitor) {
	const words = "the secret words of a file"
	var files []string
	for i := range 3 {
		files = append(files, saved(t, unique(fmt.Sprintf("C%d", i))+".pdf", words+unique("")))
	}
	v.signIn("institute")
	v.begin("/desk/anchor")
	choose := func() {
		v.give("#files", files...)
		v.until(`!document.querySelector('#files').disabled && document.getElementById('certificates[2].sha256')?.value.length === 64`)
	}
	entries := []entry{{"issuer", "N-INSTITUTE"}, {"validUntil", "2099-12-31"}, {"category", "non-automatic-scale"}, {"regulation", "JJG 539-2016"},
		{"certificates[0].serial", "X-1"}, {"certificates[1].serial", "X-2"}, {"certificates[2].serial", "X-3"}}
	fill := func() {
		choose()
		for _, e := range entries {
			v.enter(e.path, e.value)
		}
	}
	fill()
	v.sound()
	v.picture("desk-anchor-" + v.language)
	v.sendForm(fill)
	v.until(`!!document.querySelector('#work .card')`)
	require.Contains(t, v.text("#work .card"), "3")
	require.NotContains(t, v.text("#work"), "rejected")
	v.notSent(words)
	v.open("/")
	v.brings("#file", files[0])
	v.write("#serial", "X-1")
	v.follow(`form[action="/check"] button`)
	require.Contains(t, v.text("main"), strings.TrimSuffix(filepath.Base(files[0]), ".pdf"))
}

// Certificates are anchored one by one, replaced and revoked, and get a
// rendition.
func instituteCertificates(t *testing.T, v *visitor) {
	v.signIn("institute")
	var ids []string
	for i := range 3 {
		number := unique("DESK")
		if i == 0 {
			v.done(do("anchorCertificate"), entry{"instruments[0].conclusion", "pass"}, entry{"instruments[0].category", "non-automatic-scale"},
				entry{"instruments[0].serial", "NS-9"}, entry{"issued", today()}, entry{"issuer", "N-INSTITUTE"}, entry{"kind", "verification-certificate"},
				entry{"number", number}, entry{"performed", today()}, entry{"digests[0].algorithm", "sha256"}, entry{"digests[0].value", digest()},
				entry{"regulation", "JJG 539-2016"}, entry{"validUntil", "2099-12-31"})
		} else {
			rest(t, "institute", http.MethodPost, "/v1/certificates", `{"issuer":"N-INSTITUTE","number":"`+number+`","kind":"verification-certificate","regulation":"JJG 539-2016","performed":"`+today()+`","issued":"`+today()+`","validUntil":"2099-12-31",
				"digests":[{"algorithm":"sha256","value":"`+digest()+`"}],"instruments":[{"serial":"NS-9","category":"non-automatic-scale","conclusion":"pass"}]}`)
		}
		ids = append(ids, items(t, "institute", "/v1/certificates?number="+number)[0]["id"].(string))
	}
	v.done(do("addCertificateRendition"), entry{"{id}", ids[1]}, entry{"digests[0].algorithm", "sha256"}, entry{"digests[0].value", digest()})
	v.done(do("supersedeCertificate"), entry{"{id}", ids[0]}, entry{"reason", "amended"}, entry{"successor", ids[1]}, entry{"_sure", "on"})
	v.done(do("revokeCertificate"), entry{"{id}", ids[2]}, entry{"reason", "wrong-data"}, entry{"_sure", "on"})
	v.open("/c/" + ids[2])
	require.Contains(t, v.text(".verdict"), v.says("revoked", "撤销"))
	require.Equal(t, "superseded", rest(t, "institute", http.MethodGet, "/v1/certificates/"+ids[0], "")["status"])
}

// A signing key is registered by the regulator and ended by its institute.
func issuerKeys(t *testing.T, v *visitor) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	spki, err := x509.MarshalPKIXPublicKey(private.Public())
	require.NoError(t, err)
	v.signIn("regulator")
	v.done(do("addKeyIssuer"), entry{"{id}", "N-INSTITUTE"}, entry{"from", today()}, entry{"spki", base64.StdEncoding.EncodeToString(spki)}, entry{"until", "2030-12-31"})
	key := ""
	for _, k := range rest(t, "regulator", http.MethodGet, "/v1/issuers/N-INSTITUTE", "")["keys"].([]any) {
		if k.(map[string]any)["spki"] == base64.StdEncoding.EncodeToString(spki) {
			key = k.(map[string]any)["id"].(string)
		}
	}
	require.NotEmpty(t, key)
	v.signIn("institute")
	v.done(do("revokeKeyIssuer"), entry{"{id}", "N-INSTITUTE"}, entry{"{key}", key}, entry{"reason", "replaced"}, entry{"_sure", "on"})
}
