package browser

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// maxScreenshot bounds one picture of the documentation.
const maxScreenshot = 150 << 10 // bytes

// TestScreenshots makes the pictures that the README shows, into the directory
// that STEELYARD_PICTURES names (scripts/screenshots.sh).
func TestScreenshots(t *testing.T) {
	into := os.Getenv("STEELYARD_PICTURES")
	if into == "" {
		t.Skip("STEELYARD_PICTURES names no directory for pictures")
	}
	id, assigned := drawn(t)
	var place string
	for place = range assigned {
		break
	}
	check := func(file, serial string) func(*visitor) {
		return func(v *visitor) {
			v.open("/")
			v.do(chromedp.SetUploadFiles("#file", []string{sample(t, file)}), chromedp.WaitVisible(".verdict"))
			if serial != "" {
				v.do(chromedp.SendKeys("#serial", serial+kb.Enter))
				v.until(`location.search.includes('serial=') && !!document.querySelector('.verdict')`)
			}
		}
	}
	at := func(path string) func(*visitor) { return func(v *visitor) { v.open(path) } }
	for name, shot := range map[string]struct {
		language, scheme string
		width, height    int64
		show             func(*visitor)
	}{
		"check-zh-phone":        {"zh-CN", "light", 390, 844, check("dispenser.pdf", "SY-D-10001")},
		"not-registered-en":     {"en", "light", 390, 844, check("unregistered.pdf", "")},
		"home-en-desktop":       {"en", "light", 1100, 800, at("/")},
		"home-zh-dark":          {"zh-CN", "dark", 390, 844, at("/")},
		"merchant-en-desktop":   {"en", "light", 1100, 800, at("/m/M-STATION")},
		"inspection-zh-dark":    {"zh-CN", "dark", 390, 844, at("/v/V-STATION-1")},
		"draw-en-desktop":       {"en", "light", 1100, 800, at("/draws/" + id + "?site=" + place)},
		"statistics-zh-desktop": {"zh-CN", "light", 1100, 800, at("/statistics")},
		"statistics-en-dark":    {"en", "dark", 1100, 800, at("/statistics")},
		"offline-checker-en": {"en", "light", 390, 844, func(v *visitor) {
			v.do(chromedp.Navigate("file://"+fetch(t, "/offline/checker.html", "en", "checker.html")), chromedp.WaitReady("#pinned dd"),
				chromedp.SetUploadFiles("#bundle", []string{evidenceOf(t, "DEMO-2026-0001")}),
				chromedp.SetUploadFiles("#file", []string{sample(t, "dispenser.pdf")}),
				chromedp.Click("#ask button"), chromedp.WaitVisible("#answer .verdict"))
			measure[bool](v, `document.getElementById('answer').scrollIntoView(), true`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			v := visit(t, shot.language, shot.width, shot.height)
			command(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: shot.scheme}},
			})
			shot.show(v)
			picture := ask(v, chromedp.CaptureScreenshot())
			require.Less(t, len(picture), maxScreenshot)
			require.NoError(t, os.MkdirAll(into, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(into, name+".png"), picture, 0o644))
		})
	}
}
