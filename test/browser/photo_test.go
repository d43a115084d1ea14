package browser

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
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

// A picture without a code, and a file that is none, are told apart from a bad
// answer; the box stays ready.
func TestPhotographMistakes(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	v.open("/")
	var blank bytes.Buffer
	require.NoError(t, png.Encode(&blank, image.NewGray(image.Rect(0, 0, 400, 300))))
	v.do(chromedp.SetUploadFiles("#photo", []string{photograph(t, blank.Bytes())}))
	ask(v, chromedp.Poll[bool](`document.querySelector('#photo-said').textContent.includes('No QR code was found')`))
	v.do(chromedp.SetUploadFiles("#photo", []string{sample(t, "dispenser.pdf")}))
	ask(v, chromedp.Poll[bool](`document.querySelector('#photo-said').textContent.includes('no picture')`))
	require.Equal(t, "/", v.address().Path)
	require.Empty(t, measure[[]string](v, faults))
	v.nothingSent()
}
