package browser

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/draw"
	"image/png"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"
)

// says picks the words of the visitor's language.
func (v *visitor) says(english, chinese string) string {
	if v.language == "en" {
		return english
	}
	return chinese
}

// brings gives a file to the box, which goes to the answer at once.
func (v *visitor) brings(selector, file string) {
	v.t.Helper()
	v.leaving()
	v.give(selector, file)
	v.arrived()
}

// A file is checked by the digests that the browser makes; the certificate that
// it is leads to the evidence.
func verifyFile(t *testing.T, v *visitor) {
	v.open("/")
	v.brings("#file", sample(t, "dispenser.pdf"))
	require.Equal(t, "/check", v.address().Path)
	v.write("#serial", "SY-D-10001")
	v.follow(`form[action="/check"] button`)
	require.Contains(t, v.text(".verdict"), v.says("the serial number agrees", "出厂编号与证书一致"))
	require.Contains(t, v.text(".verdict h2"), v.says("Agrees: registered and valid today", "核验相符"))
	v.sound()
	v.follow(`main a[href^="/c/"]`)
	require.Contains(t, v.text("h1"), "DEMO-2026-0001")
	_, evidence := v.download(`a[href$="/proof"]`)
	require.True(t, json.Valid(evidence))
	v.open("/")
	v.brings("#file", sample(t, "unregistered.pdf"))
	require.Contains(t, v.text(".verdict h2"), v.says("This file is not registered", "此文件未登记"))
	v.nothingSent()
}

// A digest, a number, a merchant's name and its code find what they name in the
// one box.
func verifyByBox(t *testing.T, v *visitor) {
	ask := func(question, serial string) {
		t.Helper()
		v.open("/")
		v.write("#q", question)
		v.follow("#box button")
		v.sound(question)
		if serial != "" {
			v.write("#serial", serial)
			v.follow(`form[action^="/c/"] button`)
		}
	}
	content, err := os.ReadFile(sample(t, "dispenser.pdf"))
	require.NoError(t, err)
	sum := sha256.Sum256(content)
	ask(hex.EncodeToString(sum[:]), "")
	require.Contains(t, v.text("main"), "DEMO-2026-0001")
	ask("DEMO-2026-0001", "SY-D-10001")
	require.Contains(t, v.text("h1"), "DEMO-2026-0001")
	require.Contains(t, v.text(".verdict"), v.says("the serial number agrees", "出厂编号与证书一致"))
	v.write("#serial", "SY-D-10002")
	v.follow(`form[action^="/c/"] button`)
	require.Contains(t, v.text(".verdict"), v.says("the serial number differs", "出厂编号与证书不一致"))
	v.follow(`main a[href="/differs"]`)
	v.sound()
	ask("东门加油站", "")
	if v.address().Path == "/check" { // of several a list
		v.follow(`main a[href="/m/M-STATION"]`)
	}
	require.Contains(t, v.text("h1"), "示例东门加油站")
	ask("91310115MA0000001Y", "")
	require.Equal(t, "/m/M-STATION", v.address().Path)
	ask("no such thing", "")
	require.Contains(t, v.text("main"), v.says("Nothing is registered under this", "没有找到相同的登记"))
	v.nothingSent()
}

// A photographed code leads to the page it names, and the scale there to whom
// to tell that it is another.
func verifyPhotograph(t *testing.T, v *visitor) {
	v.open("/m/M-STATION/sheet")
	taken := photograph(t, ask(v, chromedp.Screenshot(".qr")))
	v.open("/")
	if v.manner.keys { // the button for the camera is there where a finger is
		v.brings("#file", taken)
	} else {
		v.brings("#photo", taken)
	}
	require.Equal(t, "/m/M-STATION", v.address().Path)
	v.follow(`main a[href="/i/I-DISPENSER"]`)
	v.follow(`a[href="/i/I-DISPENSER/differs"]`)
	require.Contains(t, v.text("main"), "12315")
	require.Contains(t, v.text("main"), "SY-D-10001")
	v.sound()
	v.nothingSent()
}

// The downloaded checker, opened from the disk, checks downloaded evidence.
func checkOffline(t *testing.T, v *visitor) {
	v.open("/check?q=DEMO-2026-0001&lang=" + v.says("en", "zh")) // the browser's own language is not the visitor's when it saves a file
	v.follow(`main a[href="/offline"]`)
	v.sound()
	_, trust := v.download(`a[href="/offline/trust.json"]`)
	require.True(t, json.Valid(trust))
	name, checker := v.download(`a[href="/offline/checker.html"]`)
	require.Contains(t, name, "checker")
	v.mu.Lock()
	before := len(v.requests)
	v.mu.Unlock()
	copied := "file://" + saved(t, name, string(checker))
	v.do(chromedp.Navigate(copied), chromedp.WaitReady("#pinned dd"))
	v.give("#bundle", evidenceOf(t, "DEMO-2026-0001"))
	v.give("#file", sample(t, "dispenser.pdf"))
	v.write("#serial", "SY-D-10001")
	v.press("#ask button")
	v.until(`!!document.querySelector('#answer .verdict')`)
	require.Contains(t, v.text("#answer"), v.says("this file is registered, byte for byte", "此文件已登记，内容逐字节一致"))
	require.Contains(t, v.text("#answer"), v.says("The evidence holds", "证据成立"))
	v.sound()
	v.mu.Lock()
	defer v.mu.Unlock()
	require.Len(t, v.requests, before+1, "the page itself")
	require.Equal(t, copied, v.requests[before].URL)
	v.requests = v.requests[:before]
}

// A merchant's page has its pledge with history, instruments with due dates and
// inspections with signed errors; its badge and its print sheet are made here.
func merchantPage(t *testing.T, v *visitor) {
	v.open("/results")
	v.follow(`main a[href="/v/V-STATION-1"]`)
	v.sound()
	v.follow(`main a[href="/m/M-STATION"]`)
	require.Equal(t, v.says("Pledge in force", "承诺有效"), strings.TrimSpace(strings.TrimLeft(v.text(".pledge"), "✓ ")))
	require.Greater(t, measure[int](v, `document.querySelectorAll('svg.strip[role=img][aria-label]').length`), 3, "errors against their tolerance")
	require.Contains(t, v.text("main"), "SY-D-10001")
	transaction := measure[string](v, `document.querySelector('.asof a').getAttribute('href')`)
	v.follow(`.asof a`)
	require.Equal(t, transaction, v.address().Path)
	v.sound()
	v.open("/m/M-STATION")
	v.press("article details > summary")
	v.until(`!!document.querySelector('article details[open]')`)
	v.sound()
	badge := v.reads(`a[href="/m/M-STATION/badge.svg"]`)
	require.Contains(t, badge, v.says("Pledge in force", "承诺有效"))
	v.open("/m/M-STATION")
	v.follow(`a[href="/m/M-STATION/sheet"]`)
	require.Equal(t, []string{site.url + "/m/M-STATION"}, v.codes(".qr"))
	v.sound()
	v.follow(`main a[href="/m/M-STATION"]`)
	v.follow(`main a[href="/i/I-DISPENSER"]`)
	v.follow(`main a[href="/s/S-STATION"]`)
	v.sound()
	v.nothingSent()
}

// codes reads each code of a page as it is shown, with a decoder that has
// nothing to do with what drew it.
func (v *visitor) codes(selector string) []string {
	v.t.Helper()
	boxes := measure[[]struct{ X, Y, Width, Height float64 }](v, `[...document.querySelectorAll(`+"`"+selector+"`"+`)].map((e) => {
		const b = e.getBoundingClientRect();
		return { x: b.left + scrollX, y: b.top + scrollY, width: b.width, height: b.height };
	})`)
	var read []string
	for _, b := range boxes {
		beyond := true
		shot, err := chromedp.Call(v.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Clip: &page.Viewport{X: b.X, Y: b.Y, Width: b.Width, Height: b.Height, Scale: 3}, CaptureBeyondViewport: &beyond,
		})
		require.NoError(v.t, err)
		read = append(read, decode(v, shot.Data))
	}
	return read
}

// decode reads the code of a picture.
func decode(v *visitor, picture []byte) string {
	v.t.Helper()
	shown, err := png.Decode(bytes.NewReader(picture))
	require.NoError(v.t, err)
	grey := image.NewGray(shown.Bounds())
	draw.Draw(grey, grey.Bounds(), shown, shown.Bounds().Min, draw.Src)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(grey)
	require.NoError(v.t, err)
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	require.NoError(v.t, err)
	return result.GetText()
}

// A draw is found in the calendar, asked for a place, recomputed and checked
// step by step here; its lists and its transcript are downloaded.
func publicDraw(t *testing.T, v *visitor) {
	id, assigned := drawn(t)
	v.open("/")
	v.follow(`nav a[href="/draws"]`)
	require.Contains(t, v.text("main"), v.says("demonstration", "演示"))
	v.sound()
	_, calendar := v.download(`a[href="/draws.ics"]`)
	require.Contains(t, string(calendar), id)
	v.follow(`main a[href="/draws/` + id + `"]`)
	v.sound()
	for place := range assigned {
		v.write("#site", place)
		v.follow(`form[action^="/draws/"] button`)
		require.Contains(t, v.text(".verdict"), v.says("drawn", "抽中"))
		break
	}
	v.press("#recompute")
	v.until(`document.querySelector('#recompute-said').textContent.includes('` + v.says("is the one on the ledger", "与账本上的一致") + `')`)
	v.press("#steps")
	v.until(`!document.querySelector('#steps').disabled && !document.querySelector('#steps-list').hidden`)
	require.Empty(t, measure[[]string](v, `[...document.querySelectorAll('#steps-list li:has(.tone-bad)')].map((e) => e.dataset.step)`))
	v.sound()
	v.follow(`main a[href="/draws/` + id + `/directories"]`)
	v.sound()
	require.Contains(t, v.reads(`a[href="/v1/draws/`+id+`/directories/objects"]`), "DEMO-S00001")
	v.open("/draws/" + id)
	require.Contains(t, v.reads(`a[href="/v1/draws/`+id+`/transcript"]`), `"reveals"`)
	v.nothingSent()
}

// Results are found by a filter, read, exported; the charts stand beside their
// numbers, and what is late has a list.
func results(t *testing.T, v *visitor) {
	v.open("/")
	v.follow(`nav a[href="/results"]`)
	v.write("#region", "310115")
	v.write("#state", "published")
	v.write("#from", "2026-01-01")
	v.follow(`form[action="/results"] button`)
	require.Contains(t, v.address().RawQuery, "region=310115")
	require.NotEmpty(t, measure[[]string](v, `[...document.querySelectorAll('.inspection a[href^="/v/"]')].map((a) => a.href)`))
	v.sound()
	list := v.address().RequestURI()
	name, table := v.download(`a[href^="/results.csv"]`)
	require.True(t, strings.HasSuffix(name, ".csv"), name)
	require.Contains(t, string(table), "V-STATION-1")
	require.Contains(t, v.reads(`a[href^="/v1/inspections"]`), "V-STATION-1")
	v.open(list)
	v.write("#region", "99")
	v.follow(`form[action="/results"] button`)
	require.Contains(t, v.text("main .card[role=status]"), v.says("No", "没有"))
	v.follow(`main a[href="/statistics"]`)
	require.Positive(t, measure[int](v, `document.querySelectorAll('svg.bars').length`))
	require.Zero(t, measure[int](v, `[...document.querySelectorAll('svg.bars')].filter((bar) => !/\d/.test(bar.closest('tr')?.querySelector('td.number')?.textContent)).length`), "numbers beside every bar")
	v.sound()
	v.nothingSent()
}

// Feeds, the reference of the interface, and the state of this gateway.
func feedsAndStatus(t *testing.T, v *visitor) {
	id, _ := drawn(t)
	v.open("/results")
	require.Contains(t, v.reads(`main a[href="/feeds/results.atom"]`), "V-STATION-1")
	v.open("/draws")
	require.Contains(t, v.reads(`main a[href="/feeds/draws.atom"]`), id)
	v.open("/")
	v.follow(`footer a[href="/docs"]`)
	v.press("details:first-of-type > summary")
	v.until(`!!document.querySelector('details[open] h3')`)
	v.sound()
	require.Contains(t, v.reads(`main a[href="/openapi.json"]`), `"openapi"`)
	v.open("/")
	v.follow(`footer a[href="/status"]`)
	require.Contains(t, v.text("main"), "steelyard")
	v.follow("main ~ footer a[href='/status']")
	v.follow("a.switch")
	require.NotEqual(t, strings.Split(v.language, "-")[0], measure[string](v, `document.documentElement.lang.slice(0, 2)`))
	v.nothingSent()
}
