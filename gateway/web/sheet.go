package web

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/yeqown/go-qrcode/v2"

	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// sheetPage is the body of what a merchant prints for the shop window.
type sheetPage struct {
	Merchant public.Merchant
	Name     string
	Standing standing
	Address  string // that the code leads to
	Code     template.HTML
}

// sheet answers GET /m/{id}/sheet.
func (s *Server) sheet(ctx context.Context, r request) (reply, error) {
	merchant, err := s.register.Merchant(ctx, r.Param("id"), r.today)
	if err != nil {
		return reply{}, err
	}
	body := sheetPage{
		Merchant: merchant, Name: nameOf(merchant.Details, merchant.ID), Standing: standingOf(merchant.Pledge),
		Address: origin(r) + "/m/" + url.PathEscape(merchant.ID),
	}
	code, err := drawCode(body.Address)
	if err != nil {
		return reply{}, err
	}
	body.Code = template.HTML(code) // made of numbers alone
	return reply{view: "sheet", title: body.Name, body: body}, nil
}

// quietZone is the empty border a code needs, in modules (ISO/IEC 18004).
const quietZone = 4

// drawCode draws the QR code of an address as SVG, one path on white, whatever
// colours the page has.
func drawCode(address string) (string, error) {
	code, err := qrcode.NewWith(address, qrcode.WithErrorCorrectionLevel(qrcode.ErrorCorrectionMedium))
	if err != nil {
		return "", fmt.Errorf("make code: %w", err)
	}
	var drawing svgWriter
	if err := code.Save(&drawing); err != nil {
		return "", fmt.Errorf("draw code: %w", err)
	}
	return drawing.svg, nil
}

// svgWriter receives the modules of a code.
type svgWriter struct{ svg string }

// Write draws one unit square for each dark module.
func (w *svgWriter) Write(matrix qrcode.Matrix) error {
	var path strings.Builder
	matrix.Iterate(qrcode.IterDirection_ROW, func(x, y int, module qrcode.QRValue) {
		if module.IsSet() {
			fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quietZone, y+quietZone)
		}
	})
	width, height := matrix.Width()+2*quietZone, matrix.Height()+2*quietZone
	w.svg = fmt.Sprintf(`<svg class="qr" viewBox="0 0 %d %d" aria-hidden="true"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="%s"/></svg>`,
		width, height, width, height, path.String())
	return nil
}

// Close has nothing to do.
func (w *svgWriter) Close() error { return nil }

// badgeColours are fixed, since a badge stands on other people's pages. They
// keep a contrast of 4.5 on white text and more.
var badgeColours = map[verdict.Tone]string{
	verdict.Good: "#17633a", verdict.Neutral: "#2b4c6b", verdict.Caution: "#7a4f08", verdict.Bad: "#9c1c18", verdict.Unknown: "#4b4f63",
}

var badgeTemplate = template.Must(template.New("badge").Parse(
	`<svg xmlns="http://www.w3.org/2000/svg" width="{{.Width}}" height="28" viewBox="0 0 {{.Width}} 28" role="img" aria-label="{{.Label}}">` +
		`<title>{{.Label}}</title><rect width="{{.Width}}" height="28" rx="4" fill="{{.Colour}}"/>` +
		`<text x="12" y="19" fill="#fff" font-family="sans-serif" font-size="13">{{.Label}}</text></svg>`))

// badge answers GET /m/{id}/badge.svg: an image without script that says how
// the merchant's pledge stands on the day it is fetched.
func (s *Server) badge(c echo.Context) error {
	r := s.request(c)
	merchant, err := s.register.Merchant(c.Request().Context(), c.Param("id"), r.today)
	if err != nil {
		return s.fail(r, err)
	}
	standing := standingOf(merchant.Pledge)
	label := icons[standing.Tone] + " " + s.say(r.lang, standing.Key) + " · " + string(r.today) + " · " + s.say(r.lang, "brand.name")
	var out bytes.Buffer
	err = badgeTemplate.Execute(&out, struct {
		Label, Colour string
		Width         int
	}{label, badgeColours[standing.Tone], 24 + widthOf(label)})
	if err != nil {
		return s.fail(r, fmt.Errorf("draw badge: %w", err))
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "max-age=300")
	c.Response().Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	return c.Blob(http.StatusOK, "image/svg+xml", out.Bytes())
}

// widthOf estimates how wide a text is at 13 px: an ideograph takes a square.
func widthOf(text string) int {
	width := 0
	for _, c := range text {
		if c >= 0x2E80 {
			width += 13
		} else {
			width += 8
		}
	}
	return width
}
