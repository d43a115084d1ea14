package browser

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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

// A merchant reads a pledge in full, sees its digest computed here, signs it,
// renews it after publication, and withdraws it.
func TestMerchantPledges(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		merchant, _ := newMerchant(t)
		v.signIn("merchant")
		v.open("/desk/mine")
		require.Empty(t, measure[[]string](v, faults))
		require.Contains(t, v.text("main"), "示例小店")
		v.picture("desk-mine-" + v.language)
		v.open(do("signPledge") + "?id=" + merchant)
		require.Empty(t, measure[[]string](v, faults))
		for _, e := range []entry{{"programme", "integrity-metrology"}, {"promise=answer-complaints", "on"}, {"promise:answer-complaints", "5"}} {
			v.enter(e.path, e.value)
		}
		v.tabTo(send)
		v.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#pledge-text"))
		require.Empty(t, measure[[]string](v, faults))
		sum := sha256.Sum256([]byte(measure[string](v, `document.getElementById('pledge-text').textContent`)))
		digest := hex.EncodeToString(sum[:])
		require.Equal(t, digest, v.text("#pledge-digest"))
		require.Eventually(t, func() bool { return strings.HasSuffix(strings.TrimSpace(v.text("#pledge-computed")), digest) }, 5*time.Second, 50*time.Millisecond)
		v.picture("desk-pledge-" + v.language)
		v.enter("agree", "on")
		v.tabTo(send)
		v.do(chromedp.KeyEvent(kb.Enter))
		require.Regexp(t, "Done|已完成", v.sent())
		pledge := rest(t, "merchant", "GET", "/v1/merchants/"+merchant+"/pledges", "")["items"].([]any)[0].(map[string]any)
		require.Equal(t, digest, pledge["terms"].([]any)[0].(map[string]any)["textDigest"], "the ledger holds the digest of what was read")
		id := pledge["id"].(string)
		rest(t, "association", "POST", "/v1/pledges/"+id+"/publication", "")

		v.open(do("renewPledge") + "?id=" + id + "&merchant=" + merchant)
		v.tabTo(send)
		v.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#pledge-text"))
		v.enter("agree", "on")
		v.tabTo(send)
		v.do(chromedp.KeyEvent(kb.Enter))
		require.Regexp(t, "Done|已完成", v.sent())
		v.done(do("withdrawPledge")+"?id="+id, entry{"reason", "own-wish"}, entry{"_sure", "on"})
	})
}

// A merchant registers a scale, puts it into use, sees that its verification
// is due, and retires it.
func TestMerchantInstruments(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		merchant, place := newMerchant(t)
		serial := unique("NS")
		v.signIn("merchant")
		v.done(do("registerInstrument")+"?owner="+merchant+"&user="+merchant+"&site="+place+"&region=310115",
			entry{"category", "non-automatic-scale"}, entry{"delivery", "sent"}, entry{"maker", "示例"}, entry{"mode", "periodic"}, entry{"model", "SY"},
			entry{"name", "电子秤"}, entry{"serial", serial}, entry{"use", "trade-settlement"})
		v.open("/desk/mine")
		require.Contains(t, v.text("main"), serial)
		id := rest(t, "merchant", "GET", "/v1/merchants/"+merchant+"/instruments", "")["items"].([]any)[0].(map[string]any)["id"].(string)
		v.done(do("putInUseInstrument") + "?id=" + id)
		v.open("/desk/stickers?merchant=" + merchant)
		require.Empty(t, measure[[]string](v, faults))
		require.Contains(t, v.text(".stickers"), site.url+"/i/"+id)
		v.picture("desk-stickers-" + v.language)
		v.done(do("retireInstrument")+"?id="+id, entry{"reason", "scrapped"}, entry{"_sure", "on"})
		v.open("/desk/drawn?site=" + place)
		require.Empty(t, measure[[]string](v, faults))
	})
}

// Three mistakes at the pledge: a missing programme, the session gone while
// reading, and the way back with a second click. Each ends well, and at most
// one pledge is made.
func TestMistakesAtThePledge(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	merchant, _ := newMerchant(t)
	v.signIn("merchant")
	v.open(do("signPledge") + "?chosen=on&id=" + merchant)
	require.Contains(t, v.text("main"), "This is needed")
	v.enter("programme", "integrity-metrology")
	v.tabTo(send)
	v.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#pledge-text"))
	address := v.address()
	command(v, network.ClearBrowserCookies, cdp.Empty{}) // the session ends elsewhere
	v.enter("agree", "on")
	v.tabTo(send)
	v.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#secret"))
	require.Contains(t, v.text("main"), "Sign in")
	v.signIn("merchant")
	v.open(address.RequestURI())
	v.enter("agree", "on")
	v.tabTo(send)
	v.do(chromedp.KeyEvent(kb.Enter))
	require.Contains(t, v.sent(), "Done")
	v.open(address.RequestURI())
	require.Contains(t, v.text("main"), "already", "the page says that this was sent")
	v.enter("agree", "on")
	v.tabTo(send)
	v.do(chromedp.KeyEvent(kb.Enter))
	require.Contains(t, v.sent(), "Done")
	require.Len(t, rest(t, "merchant", "GET", "/v1/merchants/"+merchant+"/pledges", "")["items"], 1)
	v.onlyOurs()
}
