package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// answering is compress around an answer of so many bytes.
func answering(t testing.TB, media string, size int) http.Handler {
	t.Helper()
	handler, err := compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", media)
		w.Header().Set("ETag", `"tag"`)
		if r.Header.Get("If-None-Match") == `"tag"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, strings.Repeat("x", size)) // into memory
	}))
	require.NoError(t, err)
	return handler
}

func ask(handler http.Handler, method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result()
}

func TestWhichAnswersAreCompressed(t *testing.T) {
	const page, script, object = "text/html; charset=utf-8", "text/javascript; charset=utf-8", "application/json"
	for _, test := range []struct {
		name, method, path, media, accepts string
		size                               int
		want                               bool
	}{
		{"page", "GET", "/m/M-1", page, "gzip, deflate, br", 4000, true},
		{"script", "GET", "/assets/0/box.js", script, "gzip", 4000, true},
		{"picture of lines", "GET", "/assets/0/beam.svg", "image/svg+xml", "gzip", 4000, true},
		{"list", "GET", "/v1/merchants", object, "gzip", 4000, true},
		{"problem", "GET", "/v1/merchants/x", "application/problem+json", "gzip", 4000, true},
		{"list for a client that cannot", "GET", "/v1/merchants", object, "", 4000, false},
		{"list for a client that will not", "GET", "/v1/merchants", object, "gzip;q=0", 4000, false},
		{"head", "HEAD", "/v1/merchants", object, "gzip", 4000, false},
		{"small list", "GET", "/v1/merchants", object, "gzip", leastCompressed - 1, false},
		{"archive", "GET", "/x", "application/zip", "gzip", 4000, false},
		{"event stream", "GET", "/x", "text/event-stream", "gzip", 4000, false},
		{"photograph", "GET", "/x", "image/png", "gzip", 4000, false},
		{"unnamed", "GET", "/x", "", "gzip", 4000, false},
		{"verification", "GET", "/v1/verify/sha256/00", object, "gzip", 4000, false},
		{"file of a draw", "GET", "/v1/draw-files/00", "text/csv", "gzip", 4000, false},
		{"desk", "GET", "/desk", page, "gzip", 4000, false},
		{"form of a desk", "POST", "/desk/do/createPledge", page, "gzip", 4000, false},
		{"a page that only starts like a desk", "GET", "/desks", page, "gzip", 4000, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := ask(answering(t, test.media, test.size), test.method, test.path, "Accept-Encoding", test.accepts)
			body, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			if !test.want {
				require.Empty(t, answer.Header.Get("Content-Encoding"))
				require.Equal(t, `"tag"`, answer.Header.Get("ETag"))
				require.Len(t, body, test.size)
				return
			}
			require.Equal(t, "gzip", answer.Header.Get("Content-Encoding"))
			require.Equal(t, `"tag-gzip"`, answer.Header.Get("ETag"), "other bytes, another strong tag")
			require.Contains(t, answer.Header.Values("Vary"), "Accept-Encoding")
			require.Less(t, len(body), test.size/2)
			unpacked, err := gzip.NewReader(strings.NewReader(string(body)))
			require.NoError(t, err)
			plain, err := io.ReadAll(unpacked)
			require.NoError(t, err)
			require.Equal(t, strings.Repeat("x", test.size), string(plain))
		})
	}
}

// A client asks again with the tag of what it got, compressed or not.
func TestTagOfACompressedAnswer(t *testing.T) {
	handler := answering(t, "application/json", 4000)
	for _, tag := range []string{`"tag-gzip"`, `"tag"`} {
		require.Equal(t, http.StatusNotModified, ask(handler, "GET", "/v1/merchants", "Accept-Encoding", "gzip", "If-None-Match", tag).StatusCode, tag)
	}
	require.Equal(t, http.StatusOK, ask(handler, "GET", "/v1/merchants", "If-None-Match", `"other-gzip"`).StatusCode)
}

// What it costs: a verification nothing, a list its compression.
func BenchmarkCompress(b *testing.B) {
	for name, path := range map[string]string{"verification": "/v1/verify/sha256/00", "list": "/v1/merchants"} {
		b.Run(name, func(b *testing.B) {
			handler := answering(b, "application/json", 2000)
			for b.Loop() {
				ask(handler, "GET", path, "Accept-Encoding", "gzip")
			}
		})
	}
}
