package browser

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// photograph makes of a clean code what a hand-held camera sees of it: turned,
// in the corner of a larger picture, in uneven light, pressed as JPEG.
func photograph(t *testing.T, code []byte) string {
	t.Helper()
	clean, err := png.Decode(bytes.NewReader(code))
	require.NoError(t, err)
	const width, height, side, turned = 1600, 1200, 520, 9 * math.Pi / 180
	taken := image.NewRGBA(image.Rect(0, 0, width, height))
	sin, cos := math.Sincos(turned)
	scale := float64(clean.Bounds().Dx()) / side
	for y := range height {
		for x := range width {
			light := 0.55 + 0.45*float64(x)/width
			value := uint32(0x9000) // the wall behind
			dx, dy := float64(x-1100), float64(y-700)
			u, v := (dx*cos+dy*sin+side/2)*scale, (-dx*sin+dy*cos+side/2)*scale
			at := image.Pt(int(u), int(v)).Add(clean.Bounds().Min)
			if u >= 0 && v >= 0 && at.In(clean.Bounds()) {
				value, _, _, _ = clean.At(at.X, at.Y).RGBA()
			}
			shade := uint8(float64(value>>8)*light*0.8 + 20)
			taken.SetRGBA(x, y, color.RGBA{shade, shade, shade, 255})
		}
	}
	path := filepath.Join(t.TempDir(), "photograph.jpg")
	out, err := os.Create(path)
	require.NoError(t, err)
	defer out.Close()
	require.NoError(t, jpeg.Encode(out, taken, &jpeg.Options{Quality: 55}))
	return path
}

// A picture without a code is told as that, and a file that is no picture is
// checked as what it is, whichever control it came by; the box stays ready.
func TestPhotographMistakes(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	command(v, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true})
	v.open("/")
	var blank bytes.Buffer
	require.NoError(t, png.Encode(&blank, image.NewGray(image.Rect(0, 0, 400, 300))))
	v.brings("#photo", photograph(t, blank.Bytes()))
	require.Contains(t, v.text("main"), "No QR code was found")
	require.Contains(t, v.text(".verdict h2"), "This file is not registered")
	require.Empty(t, measure[[]string](v, faults))
	v.brings("#photo", sample(t, "dispenser.pdf"))
	require.Contains(t, v.text(".verdict h2"), "Agrees")
	require.NotContains(t, v.text("main"), "No QR code")
	broken := filepath.Join(t.TempDir(), "broken.png")
	require.NoError(t, os.WriteFile(broken, []byte("no picture"), 0o600))
	v.brings("#file", broken)
	require.Contains(t, v.text("main"), "No QR code was found")
	v.nothingSent()
}

// A picture of a code is recognised however it comes: chosen as any file,
// dropped, pasted; what is pasted beside the box goes into it.
func TestBoxTakesWhatIsBrought(t *testing.T) {
	v := visit(t, "zh-CN", desktopWidth, desktopHeight)
	v.open("/m/M-STATION/sheet")
	taken := photograph(t, ask(v, chromedp.Screenshot(".qr")))
	v.open("/")
	v.brings("#file", taken)
	require.Equal(t, "/m/M-STATION", v.address().Path)
	raw, err := os.ReadFile(taken)
	require.NoError(t, err)
	for _, event := range []string{
		`document.querySelector('h1').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))`,
		`document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))`,
		`document.querySelector('#q').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))`,
	} {
		v.open("/")
		v.leaving()
		measure[bool](v, fmt.Sprintf(`(() => {
			const data = new DataTransfer();
			data.items.add(new File([Uint8Array.from(atob(%q), (c) => c.charCodeAt(0))], 'photo.jpg', { type: 'image/jpeg' }));
			%s;
			return true;
		})()`, base64.StdEncoding.EncodeToString(raw), event))
		v.arrived()
		require.Equal(t, "/m/M-STATION", v.address().Path, event)
	}
	v.open("/")
	pasted := measure[string](v, `(() => {
		const data = new DataTransfer();
		data.setData('text/plain', ' DEMO-2026-0001 ');
		data.setData('text/html', '<td>DEMO-2026-0001</td>');
		data.items.add(new File(['x'], 'cell.png', { type: 'image/png' }));
		document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
		return document.activeElement.id + ' ' + document.querySelector('#q').value;
	})()`)
	require.Equal(t, "q DEMO-2026-0001", pasted, "of a spreadsheet's cell the text, not its picture")
	v.leaving()
	v.do(chromedp.KeyEvent(kb.Enter))
	v.arrived()
	require.Contains(t, v.text("h1"), "DEMO-2026-0001")
	v.nothingSent()
}
