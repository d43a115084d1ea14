package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// readRoute is one public reading route.
type readRoute struct {
	Path  string
	Query []string // the query parameters it knows; others are refused
	read  func(ctx context.Context, p params) (any, error)
}

// params are the path and query parameters of one request.
type params struct {
	path  func(name string) string
	query url.Values
}

func (p params) text(name string) string { return p.query.Get(name) }

func (p params) integer(name string) (int, error) {
	text := p.query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, metrology.FieldErrorf(metrology.CodeInvalid, name, "is not a whole number")
	}
	return n, nil
}

func (p params) page() (public.PageRequest, error) {
	limit, err := p.integer("limit")
	if err != nil {
		return public.PageRequest{}, err
	}
	if limit > public.MaxLimit {
		return public.PageRequest{}, metrology.FieldErrorf(metrology.CodeInvalid, "limit", "is more than %d", public.MaxLimit)
	}
	return public.PageRequest{Cursor: p.text("cursor"), Limit: limit}, nil
}

// serveRead handles a reading route: known parameters, one call, an ETag, and
// Link to the next page.
func serveRead(route readRoute) echo.HandlerFunc {
	return func(c echo.Context) error {
		query := c.QueryParams()
		for name, values := range query {
			if !contains(route.Query, name) {
				return metrology.FieldErrorf(metrology.CodeInvalid, name, "is not a parameter of this route")
			}
			if len(values) > 1 {
				return metrology.FieldErrorf(metrology.CodeInvalid, name, "is given more than once")
			}
		}
		view, err := route.read(c.Request().Context(), params{path: pathParameter(c), query: query})
		if err != nil {
			return err
		}
		linkNext(c, view)
		return answerTagged(c, view)
	}
}

// pathParameter undoes the percent-encoding that echo leaves in raw paths.
func pathParameter(c echo.Context) func(string) string {
	return func(name string) string {
		value, err := url.PathUnescape(c.Param(name))
		if err != nil {
			return c.Param(name)
		}
		return value
	}
}

// answerTagged sends a view with a strong ETag over its bytes, or 304.
func answerTagged(c echo.Context, view any) error {
	body, err := encodeView(view)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := c.Response().Header()
	h.Set("ETag", tag)
	h.Set(echo.HeaderCacheControl, "no-cache")
	if tagMatches(c.Request().Header.Get("If-None-Match"), tag) {
		return c.NoContent(http.StatusNotModified)
	}
	h.Set(echo.HeaderContentLength, strconv.Itoa(len(body))) // else a long one goes out in chunks
	return c.Blob(http.StatusOK, "application/json", body)
}

// encodeView encodes a view on one line.
func encodeView(view any) ([]byte, error) {
	if report, ok := view.(verdict.Report); ok {
		return append(verdict.AppendReport(make([]byte, 0, usualReport), report), '\n'), nil
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(view)
	return body.Bytes(), err
}

// usualReport is about how long the report on a digest is, in bytes.
const usualReport = 4 << 10

func tagMatches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == tag || candidate == "*" {
			return true
		}
	}
	return false
}

// paged is any page.
type paged interface{ NextCursor() string }

func linkNext(c echo.Context, view any) {
	page, ok := view.(paged)
	if !ok || page.NextCursor() == "" {
		return
	}
	next := *c.Request().URL
	query := next.Query()
	query.Set("cursor", page.NextCursor())
	next.RawQuery = query.Encode()
	c.Response().Header().Set("Link", "<"+next.RequestURI()+`>; rel="next"`)
}

func contains(set []string, s string) bool {
	for _, member := range set {
		if member == s {
			return true
		}
	}
	return false
}
