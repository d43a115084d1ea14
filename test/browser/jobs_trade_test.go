package browser

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// newMerchant registers a merchant with a shop for the merchant's post.
func newMerchant(t *testing.T) (merchant, place string) {
	t.Helper()
	merchant, place = unique("M-DESK"), unique("S-DESK")
	rest(t, "merchant", "POST", "/v1/merchants", `{"id":"`+merchant+`","kind":"stall","sector":"shop","region":"310115","profile":{"name":"示例小店"}}`)
	rest(t, "merchant", "POST", "/v1/sites", `{"id":"`+place+`","kind":"shop","region":"310115","owner":"`+merchant+`","occupant":"`+merchant+`","from":"2026-01-01","profile":{"name":"示例小店"}}`)
	return merchant, place
}

// newPledge signs a pledge of a new merchant.
func newPledge(t *testing.T) (id string) {
	t.Helper()
	merchant, _ := newMerchant(t)
	id = unique("P-DESK")
	rest(t, "merchant", "POST", "/v1/merchants/"+merchant+"/pledges", `{"id":"`+id+`","programme":"integrity-metrology","from":"`+today()+`","months":12,"template":"integrity-pledge","templateVersion":"2026.1",
		"textDigest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","commitments":[{"code":"law-abidance"},{"code":"verified-instruments"},{"code":"show-quantity"},{"code":"compensate-shortage","value":3}],
		"signature":{"manner":"click","role":"legal-representative","signed":"`+today()+`"},"rule":{"id":"pledge-programmes","version":1}}`)
	return id
}

// saved is a file with a content.
func saved(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// sendSpreadsheet sends a file to the form that is shown and waits for its result.
func (v *visitor) sendSpreadsheet(path string) string {
	v.t.Helper()
	v.sound()
	v.give("#file", path)
	v.sendForm(func() { v.give("#file", path) })
	v.until(`!!document.querySelector('#work .card')`)
	v.sound()
	return v.text("#work")
}

// A market organiser brings its stalls and scales from spreadsheets. Wrong rows
// are named, the corrected file adds only what is new, and the codes of all are
// printed in one go.
func organiserSpreadsheets(t *testing.T, v *visitor) {
	const head = "商户编号,名称,主体类型,行业,行政区划\n"
	first, second := unique("T-1"), unique("T-2")
	v.signIn("association")
	v.begin("/desk/file/importRows-merchants")
	said := v.sendSpreadsheet(saved(t, "stalls.csv", head+first+",摊"+first+",无照摊贩,集贸市场,310115\n"+second+",第二摊,无照摊贩,集贸市场,上海\n"))
	require.Contains(t, said, "行政区划", "the wrong column is named")
	require.Contains(t, said, second, "and the row")
	v.picture("desk-spreadsheet-wrong-" + v.language)
	v.begin("/desk/file/importRows-merchants")
	said = v.sendSpreadsheet(saved(t, "stalls.csv", head+first+",摊"+first+",无照摊贩,集贸市场,310115\n"+second+",第二摊,无照摊贩,集贸市场,310115\n"))
	require.Regexp(t, "already|已登记|已有|此前", said, "what was there is not there twice")
	_, table := v.download(`#work a[href$="/result.csv"]`)
	require.Contains(t, string(table), second)
	stall := rest(t, "association", "GET", "/v1/merchants?q="+url.QueryEscape("摊"+first), "")["items"].([]any)[0].(map[string]any)["id"].(string)

	place, scale := unique("ST"), unique("IT")
	v.begin("/desk/file/importRows-sites")
	said = v.sendSpreadsheet(saved(t, "places.csv", "场所编号,名称,场所类型,行政区划,所有者编号,经营者编号,起始日期\n"+place+",第一摊,商店,310115,"+first+","+first+",2026-01-01\n"))
	require.NotContains(t, said, v.says("Line 2", "第 2 行"))
	v.begin("/desk/file/importRows-instruments")
	said = v.sendSpreadsheet(saved(t, "scales.csv", "器具编号,器具名称,目录编号,型号,制造单位,出厂编号,用途,检定方式,送检方式,行政区划,场所编号,所有者编号,使用者编号\n"+
		scale+",电子秤,non-automatic-scale,SY-1,示例,"+unique("NS")+",贸易结算,周期检定,送检,310115,"+place+","+first+","+first+"\n"))
	instruments := rest(t, "association", "GET", "/v1/merchants/"+stall+"/instruments", "")["items"].([]any)
	require.Len(t, instruments, 1, said)
	v.open("/desk")
	v.follow(`main a[href="/desk/stickers"]`)
	v.write("#merchant", stall)
	v.follow(`form[action="/desk/stickers"] button`)
	v.sound()
	require.Equal(t, []string{site.url + "/i/" + instruments[0].(map[string]any)["id"].(string)}, v.codes(".stickers .qr"))
	v.open("/desk")
	v.follow(`main a[href="/desk/mine"]`)
	v.write("#merchant", stall)
	v.follow(`form[action="/desk/mine"] button`)
	require.Contains(t, v.text("main"), "摊"+first)
	v.open("/desk/stickers?site=S-MARKET")
	require.Contains(t, v.codes(".stickers .qr"), site.url+"/i/I-SCALE", "a market with its stalls in one go")
}

// A pledge that was signed waits at the association's desk, is published from
// the list there, and is gone from it.
func publishPledge(t *testing.T, v *visitor) {
	id := newPledge(t)
	v.signIn("association")
	v.follow(`main a[href="/desk/pledges"]`)
	require.Contains(t, v.text("main"), "示例小店")
	v.sound()
	v.picture("desk-pledges-" + v.language)
	v.follow(`a[href="/desk/do/publishPledge?id=` + id + `"]`)
	v.sendForm(func() {})
	v.told()
	v.open("/desk/pledges")
	require.Zero(t, measure[int](v, `document.querySelectorAll('a[href$="`+id+`"]').length`))
}

// A merchant reads a pledge in full, sees its digest computed here, signs it,
// renews it after publication, and withdraws it.
func merchantPledges(t *testing.T, v *visitor) {
	merchant, _ := newMerchant(t)
	v.signIn("merchant")
	v.follow(`main a[href="/desk/mine"]`)
	v.sound()
	v.lookAfter(merchant)
	require.Contains(t, v.text("main"), "示例小店")
	v.picture("desk-mine-" + v.language)
	v.follow(`a[href="/desk/do/signPledge?id=` + merchant + `"]`)
	v.sound()
	for _, e := range []entry{{"programme", "integrity-metrology"}, {"promise=answer-complaints", "on"}, {"promise:answer-complaints", "5"}} {
		v.enter(e.path, e.value)
	}
	v.follow(send)
	v.sound()
	sum := sha256.Sum256([]byte(measure[string](v, `document.getElementById('pledge-text').textContent`)))
	digest := hex.EncodeToString(sum[:])
	require.Equal(t, digest, v.text("#pledge-digest"))
	v.until(`document.getElementById('pledge-computed').textContent.trim().endsWith('` + digest + `')`)
	v.picture("desk-pledge-" + v.language)
	agree := func() { v.enter("agree", "on") }
	agree()
	v.sendForm(agree)
	v.told()
	pledges := rest(t, "merchant", "GET", "/v1/merchants/"+merchant+"/pledges", "")["items"].([]any)
	require.Len(t, pledges, 1, "it is signed once")
	pledge := pledges[0].(map[string]any)
	require.Equal(t, digest, pledge["terms"].([]any)[0].(map[string]any)["textDigest"], "the ledger holds the digest of what was read")
	id := pledge["id"].(string)
	rest(t, "association", "POST", "/v1/pledges/"+id+"/publication", "")

	v.lookAfter(merchant)
	v.follow(`a[href^="/desk/do/renewPledge?id=` + id + `"]`)
	v.follow(send)
	agree()
	v.sendForm(agree)
	v.told()
	v.lookAfter(merchant)
	v.follow(`a[href^="/desk/do/withdrawPledge?id=` + id + `"]`)
	v.enter("reason", "own-wish")
	v.enter("_sure", "on")
	v.sendForm(func() {})
	v.told()
}

// lookAfter opens the page of one merchant at its desk. The post of the
// demonstration acts for more, as tests go on, than one page shows.
func (v *visitor) lookAfter(merchant string) {
	v.t.Helper()
	v.open("/desk/mine?merchant=" + merchant)
	v.sound()
}

// A merchant registers itself, a shop and a scale, puts it into use, sees that
// its verification is due, prints its code, and retires it.
func merchantInstruments(t *testing.T, v *visitor) {
	serial := unique("NS")
	v.signIn("merchant")
	v.done(do("registerMerchant"), entry{"kind", "stall"}, entry{"profile.name", "示例摊 " + serial}, entry{"region", "310115"}, entry{"sector", "shop"})
	merchant := v.text(".facts .code")
	v.done(do("registerSite"), entry{"from", "2026-01-01"}, entry{"kind", "shop"}, entry{"occupant", merchant}, entry{"owner", merchant}, entry{"profile.name", "示例摊"}, entry{"region", "310115"})
	place := v.text(".facts .code")
	v.lookAfter(merchant)
	v.follow(`a[href^="/desk/do/registerInstrument?owner=` + merchant + `"]`)
	for _, e := range []entry{{"category", "non-automatic-scale"}, {"delivery", "sent"}, {"maker", "示例"}, {"mode", "periodic"}, {"model", "SY"},
		{"name", "电子秤"}, {"region", "310115"}, {"serial", serial}, {"site", place}, {"use", "trade-settlement"}} {
		v.enter(e.path, e.value)
	}
	v.sendForm(func() {})
	v.told()
	id := rest(t, "merchant", "GET", "/v1/merchants/"+merchant+"/instruments", "")["items"].([]any)[0].(map[string]any)["id"].(string)
	v.lookAfter(merchant)
	require.Contains(t, v.text("main"), serial)
	v.follow(`a[href="/desk/do/putInUseInstrument?id=` + id + `"]`)
	v.sendForm(func() {})
	v.told()
	v.lookAfter(merchant)
	require.Regexp(t, serial+`[^\n]*`+v.says("(?i)(none|no verification|never|due)", "(未|应|没有|待)"), strings.ReplaceAll(v.text("main"), "\n", " "), "what is due")
	v.follow(`a[href="/desk/stickers?merchant=` + merchant + `"]`)
	v.sound()
	require.Equal(t, []string{site.url + "/i/" + id}, v.codes(".stickers .qr"))
	v.picture("desk-stickers-" + v.language)
	v.lookAfter(merchant)
	v.follow(`a[href="/desk/do/retireInstrument?id=` + id + `"]`)
	v.enter("reason", "scrapped")
	v.enter("_sure", "on")
	v.sendForm(func() {})
	v.told()
}

// A merchant asks why its place was drawn, and objects to a published result.
func merchantDrawn(t *testing.T, v *visitor) {
	_, assigned := drawn(t)
	inspection := publishedInspection(t)
	v.signIn("merchant")
	v.follow(`main a[href="/desk/drawn"]`)
	for place := range assigned {
		v.write("#site", place)
		v.follow(`form[action="/desk/drawn"] button`)
		require.Contains(t, v.text("main"), v.says("– drawn", "被抽中"))
		v.sound()
		break
	}
	v.lookAfter("M-STATION")
	v.follow(`a[href="/desk/do/objectInspection?id=` + inspection + `"]`)
	v.enter("ground", measure[string](v, `[...document.getElementById('ground').options].map((o) => o.value).find(Boolean)`))
	v.sendForm(func() {})
	v.told()
}

// Whoever signs in with the wrong token is told; whoever signs out is out, also
// for the way back.
func signInAndOut(t *testing.T, v *visitor) {
	v.open("/")
	v.follow(`footer a[href="/desk"]`)
	v.write("#secret", "not a token")
	v.follow(send)
	require.NotEmpty(t, v.text(".fault"))
	v.sound()
	v.identify("notary")
	v.follow(`main a[href="/desk/sent"]`)
	v.sound()
	v.follow(".desk-bar button")
	require.Equal(t, "/", v.address().Path)
	for _, path := range []string{"/desk", "/desk/sign-in", "/desk/sign-out"} { // the addresses of forms are come back to
		v.open(path)
		require.Equal(t, 1, measure[int](v, `document.querySelectorAll('#secret').length`), path)
		require.Equal(t, "/desk", v.address().Path)
	}
	v.leaving()
	v.back()
	v.arrived()
	require.Zero(t, measure[int](v, `document.querySelectorAll('.desk-bar').length`))
}
