package browser

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// walk presses Tab through a page to its end and says where the focus cannot be
// seen: out of the window, or without an outline.
func (v *visitor) walk() []string {
	v.t.Helper()
	var unseen []string
	for range 120 {
		v.do(chromedp.KeyEvent(kb.Tab))
		where := measure[string](v, `(() => {
			const e = document.activeElement, box = e.getBoundingClientRect();
			if (e === document.body) return 'end';
			if (box.width < 1 || box.bottom <= 0 || box.top >= innerHeight) return 'out of sight: ' + e.outerHTML.slice(0, 80);
			return getComputedStyle(e).outlineStyle === 'none' ? 'no outline: ' + e.outerHTML.slice(0, 80) : '';
		})()`)
		if where == "end" {
			break
		}
		if where != "" {
			unseen = append(unseen, where)
		}
	}
	return unseen
}

// Whatever has the focus can be seen to have it.
func TestFocusIsSeen(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	for _, path := range allPages(t) {
		if path == "/docs" {
			continue // more stops than any other page, all of one kind
		}
		v.open(path)
		require.Empty(t, v.walk(), path)
	}
}

// Three mistakes, and more, on the pages that take something in: each ends with
// words that say what to do, and the way back works.
func TestStrangersMistakes(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	for path, want := range map[string]string{
		"/draws/none":                        "no such",             // a draw that is not
		"/i/M-STATION":                       "no such",             // a merchant in an instrument's place
		"/m/I-SCALE":                         "no such",             // and the reverse
		"/c/" + "zz":                         "no such",             // no certificate's id
		"/d/md5/00":                          "digest algorithm",    // a digest of another kind
		"/results?from=31.12.2026":           "not a date",          // a date of another form
		"/results?region=Shanghai":           "not a division code", // a name for a code
		"/results?cursor=bent":               "cut short",           // a bookmark cut short
		"/draws?cursor=bent":                 "cut short",
		"/check?q=" + "%20DEMO-2026-0001%0A": "DEMO-2026-0001", // spaces around
		"/check?q=ＤＥＭＯ－２０２６－０００１":                       "DEMO-2026-0001", // full-width letters
		"/check?q=https://other.example/m/M-STATION":    "示例东门加油站",        // a code of another host
		"/check?q=DEMO-2026-0001&serial=DEMO-2026-0001": "differs",        // the wrong box
		"/check?q=示例": "示例",                                // part of a name
		"/check":      "Check a certificate or a merchant", // nothing asked
	} {
		v.open(path)
		assert.Contains(t, v.text("main"), want, path)
		assert.NotEmpty(t, v.text("h1"), path)
	}
	// The way back and a second click lead where they should.
	v.open("/results")
	v.do(chromedp.SendKeys("#region", "31"), chromedp.DoubleClick(`form[action="/results"] button`))
	v.until(`location.search.includes('region=31')`)
	v.back()
	v.until(`location.pathname === '/results' && !location.search.includes('region=31')`)
	v.onlyOurs()
	v.nothingSent()
}

// A lost connection while the file is read costs nothing: the digest is made
// all the same, and what cannot be loaded is not called an answer.
func TestLostConnection(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	v.open("/")
	offline := func(lost bool) {
		command(v, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: lost, DownloadThroughput: -1, UploadThroughput: -1}},
		})
	}
	offline(true)
	v.do(chromedp.SetUploadFiles("#file", []string{sample(t, "dispenser.pdf")}))
	v.until(`!document.querySelector('#box') || document.querySelector('#box-said').textContent.includes('nothing was checked')`)
	require.Empty(t, measure[string](v, `document.querySelector('.verdict')?.textContent ?? ''`), "no answer is made up")
	offline(false)
	v.open("/")
	v.do(chromedp.SetUploadFiles("#file", []string{sample(t, "dispenser.pdf")}), chromedp.WaitVisible(".verdict"))
	require.Contains(t, v.text(".verdict h2"), "Agrees")
	v.nothingSent()
}

// Without scripts every public page says the same words and its forms work.
func TestPagesWithoutScripts(t *testing.T) {
	id, assigned := drawn(t)
	v := visit(t, "en", phoneWidth, phoneHeight)
	command(v, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	for _, path := range allPages(t) {
		v.open(path)
		require.NotEmpty(t, v.text("h1"), path)
		require.NotContains(t, v.text("main"), "Photograph a QR code", "what needs scripts is not offered")
	}
	v.open("/draws/" + id)
	require.NotContains(t, v.text("main"), "Recompute in this browser")
	for place := range assigned {
		v.do(chromedp.SendKeys("#site", place), chromedp.Click("form[action^='/draws/'] button"), chromedp.WaitVisible(".verdict"))
		break
	}
	require.Contains(t, v.text(".verdict"), "drawn")
	v.open("/results")
	v.do(chromedp.SendKeys("#region", "99"), chromedp.Click(`form[action="/results"] button`), chromedp.WaitVisible("main .card[role=status]"))
	v.onlyOurs()
	v.nothingSent()
	v.open("/") // without scripts its form is one for text and files, and posts
	v.do(chromedp.SendKeys("#q", "DEMO-2026-0001"), chromedp.Click("#box .asked button"), chromedp.WaitVisible(".verdict"))
	require.Contains(t, v.text("h1"), "DEMO-2026-0001")
}
