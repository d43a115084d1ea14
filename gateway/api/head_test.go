package api

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// Whatever answers GET answers HEAD, with the same status and headers and
// without a body; what only takes writes does not.
func TestHead(t *testing.T) {
	e := NewEcho(slog.New(slog.DiscardHandler), DefaultLimits(), NewTokens(nil))
	New(Config{
		Register: &stuck{entered: make(chan struct{}, 2), leave: closed()}, Clock: time.Now, Ready: func() error { return nil },
		Following: func() public.Following { return public.Following{Current: "2026-07-01T00:00:00Z"} },
	}).Mount(e)
	server := httptest.NewServer(e)
	defer server.Close()
	for path, status := range map[string]int{
		"/v1/status": http.StatusOK, "/v1/verify/md5/00": http.StatusBadRequest, "/v1/identity": http.StatusUnauthorized, "/healthz": http.StatusOK,
		"/v1/nothing": http.StatusNotFound, "/v1/instruments/i1/commissioning": http.StatusMethodNotAllowed,
	} {
		got, err := http.Get(server.URL + path)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, got.Body)
		require.NoError(t, err)
		require.NoError(t, got.Body.Close())
		head, err := http.Head(server.URL + path)
		require.NoError(t, err)
		body, err := io.ReadAll(head.Body)
		require.NoError(t, err)
		require.NoError(t, head.Body.Close())
		require.Equal(t, status, got.StatusCode, path)
		require.Equal(t, status, head.StatusCode, path)
		require.Empty(t, body)
		for _, h := range []http.Header{got.Header, head.Header} { // of each request, or left to the server
			for _, own := range []string{"X-Request-Id", "Date", "Content-Length"} {
				h.Del(own)
			}
		}
		require.Equal(t, got.Header, head.Header, path)
	}
}

// closed is a channel that lets through.
func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
