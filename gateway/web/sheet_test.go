package web_test

import (
	"encoding/xml"
	"image"
	"image/color"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"
)

var (
	codePath = regexp.MustCompile(`<path fill="#000" d="([^"]+)"`)
	codeBox  = regexp.MustCompile(`class="qr" viewBox="0 0 (\d+) (\d+)"`)
	module   = regexp.MustCompile(`M(\d+) (\d+)h1v1h-1z`)
)

// decode reads the first code drawn in a page with another program.
func decode(t *testing.T, page string) string {
	t.Helper()
	size, err := strconv.Atoi(codeBox.FindStringSubmatch(page)[1])
	require.NoError(t, err)
	const scale = 4
	picture := image.NewGray(image.Rect(0, 0, size*scale, size*scale))
	for i := range picture.Pix {
		picture.Pix[i] = 0xff
	}
	for _, m := range module.FindAllStringSubmatch(codePath.FindStringSubmatch(page)[1], -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		for dx := range scale {
			for dy := range scale {
				picture.SetGray(x*scale+dx, y*scale+dy, color.Gray{})
			}
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	require.NoError(t, err)
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	require.NoError(t, err)
	return result.GetText()
}

// The code on a printed sheet is read back by another program.
func TestSheetCode(t *testing.T) {
	for _, merchant := range []string{"M-1", "M-2", "M-3"} {
		page := get(serve(t, full()), "/m/"+merchant+"/sheet", "zh").Body.String()
		checkPage(t, page)
		address := decode(t, page)
		require.Equal(t, "http://example.com/m/"+merchant, address)
		require.Contains(t, page, address, "the address stands beside the code")
	}
}

func TestBadge(t *testing.T) {
	e := serve(t, full())
	active, none := get(e, "/m/M-1/badge.svg", "en"), get(e, "/m/M-2/badge.svg", "zh")
	require.Equal(t, "image/svg+xml", active.Header().Get("Content-Type"))
	require.Contains(t, active.Body.String(), "Pledge in force · 2026-03-10")
	require.Contains(t, active.Body.String(), "#17633a")
	require.Contains(t, none.Body.String(), "没有登记承诺")
	require.NotContains(t, none.Body.String(), "#17633a", "only a pledge in force is green")
	require.NotContains(t, active.Body.String(), "script")
	require.NoError(t, xml.Unmarshal(active.Body.Bytes(), new(struct{})))
	require.Equal(t, 404, get(e, "/m/none/badge.svg", "en").Code)
}

func TestFeed(t *testing.T) {
	w := get(serve(t, full()), "/feeds/results.atom", "en")
	require.Equal(t, "application/atom+xml; charset=utf-8", w.Header().Get("Content-Type"))
	var document struct {
		ID      string `xml:"id"`
		Updated string `xml:"updated"`
		Entries []struct {
			ID, Title, Updated string
			Link               struct {
				Address string `xml:"href,attr"`
			} `xml:"link"`
		} `xml:"entry"`
	}
	require.NoError(t, xml.Unmarshal(w.Body.Bytes(), &document))
	require.Equal(t, "urn:steelyard:"+strings.Repeat("aa", 32)+":results", document.ID)
	require.Equal(t, stamp, document.Updated)
	require.Len(t, document.Entries, 1)
	require.Equal(t, "http://example.com/v/V-1", document.Entries[0].Link.Address)

	broken := full()
	broken.broken = true
	require.Equal(t, 503, get(serve(t, broken), "/feeds/results.atom", "en").Code)
}

// What is long goes on by the link "next"; draws have a feed and a calendar too.
func TestFeedOfDraws(t *testing.T) {
	r := full()
	r.next = "a cursor"
	for path, about := range map[string]string{"/feeds/draws.atom": "/draws/310115-000001", "/feeds/results.atom": "/v/V-1"} {
		text := get(serve(t, r), path, "zh").Body.String()
		require.Contains(t, text, `<link rel="next" href="http://example.com`+path+`?cursor=a+cursor">`)
		require.Contains(t, text, `href="http://example.com`+about+`"`)
	}
	w := get(serve(t, full()), "/draws.ics", "zh")
	require.Equal(t, "text/calendar; charset=utf-8", w.Header().Get("Content-Type"))
	text := w.Body.String()
	require.True(t, strings.HasPrefix(text, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"))
	require.True(t, strings.HasSuffix(text, "END:VCALENDAR\r\n"))
	require.Equal(t, strings.Count(text, "BEGIN:VEVENT\r\n"), strings.Count(text, "END:VEVENT\r\n"))
	for _, line := range strings.Split(text, "\r\n") {
		require.LessOrEqual(t, len(line), 75)
		require.True(t, utf8.ValidString(line), "a line is folded between characters")
	}
	require.Contains(t, strings.ReplaceAll(text, "\r\n ", ""), "URL:http://example.com/draws/310115-000002\r\n")
}

// A tally reads the register once for each block.
func TestTalliedOnce(t *testing.T) {
	r := full()
	e := serve(t, r)
	for range 3 {
		require.Equal(t, 200, get(e, "/statistics", "en").Code)
	}
	lists := 0
	for _, asked := range r.asked {
		if asked == "inspections" {
			lists++
		}
	}
	require.Equal(t, 1, lists)
}
