package main

import (
	"mime"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// leastCompressed is how many bytes an answer has at least before compressing
// it saves a packet.
const leastCompressed = 1 << 10

// compressedTag ends the ETag of a compressed answer: a strong tag names bytes,
// and these are others.
const compressedTag = "-gzip"

// compressible are the media types that shrink. What is not here is small, is
// compressed already or, as an event stream, must not wait in a buffer.
var compressible = map[string]bool{
	"text/html": true, "text/css": true, "text/javascript": true, "text/csv": true, "text/calendar": true,
	"image/svg+xml": true, "application/json": true, "application/problem+json": true, "application/atom+xml": true,
}

// compress has answers compressed with gzip for clients that take it.
func compress(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false), gzhttp.MinSize(leastCompressed),
		gzhttp.SuffixETag(compressedTag), gzhttp.ContentTypeFilter(func(given string) bool {
			media, _, err := mime.ParseMediaType(given)
			return err == nil && compressible[media]
		}))
	if err != nil {
		return nil, err
	}
	wrapped := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if uncompressed(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		if tags := r.Header.Get("If-None-Match"); strings.Contains(tags, compressedTag) {
			r.Header.Set("If-None-Match", strings.ReplaceAll(tags, compressedTag+`"`, `"`))
		}
		wrapped.ServeHTTP(w, r)
	}), nil
}

// uncompressed says whether answers at a path go out as they are:
//
//   - pages of the desks show a token of the session, and some a secret of a
//     draw, next to what the address or a form brought. The length of such a page
//     would tell of a secret whether it resembles what an attacker had put beside
//     it (BREACH); they are small enough to go without;
//   - a verification is answered thousands of times a second in about a packet;
//   - files of large draws are sent in ranges, which count bytes as they lie.
func uncompressed(path string) bool {
	return path == "/desk" || strings.HasPrefix(path, "/desk/") ||
		strings.HasPrefix(path, "/v1/verify/") || strings.HasPrefix(path, "/v1/draw-files/")
}
