package wire_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/test/load/wire"
)

func host(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

// Whatever form an answer has, it is read to its end, so that the next is read
// from its begin.
func TestAnswers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/length":
			_, _ = io.WriteString(w, "0123456789")
		case "/chunks":
			_, _ = io.WriteString(w, strings.Repeat("x", 5000))
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, "end")
		case "/full":
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/last":
			w.Header().Set("Connection", "close")
		case "/echo":
			w.Header().Set("X-Said", r.Header.Get("Authorization")+r.Header.Get("Idempotency-Key")+r.Header.Get("Content-Type"))
			w.WriteHeader(http.StatusCreated)
			_, _ = io.Copy(w, r.Body)
		}
	}))
	defer server.Close()
	c := wire.New(host(server))
	defer c.Close()
	for range 2 {
		for _, test := range []struct {
			request wire.Request
			want    wire.Answer
		}{
			{wire.Request{Path: "/length"}, wire.Answer{Status: 200, Length: 10}},
			{wire.Request{Path: "/chunks"}, wire.Answer{Status: 200, Length: 5003}},
			{wire.Request{Path: "/full"}, wire.Answer{Status: 503, RetryAfter: 2 * time.Second}},
			{wire.Request{Path: "/echo", Token: "t", Key: "k", Body: `{"a":1}`}, wire.Answer{Status: 201, Length: 7}},
			{wire.Request{Path: "/last"}, wire.Answer{Status: 200}},
		} {
			test.request.Method = http.MethodPost
			require.Equal(t, test.want, c.Send(t.Context(), test.request.Encode(host(server))), test.request.Path)
		}
	}
}

// What is no whole answer is none, and the next request has a connection of its own.
func TestNoAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	said := []string{
		"", "SSH-2.0\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
		"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"HTTP/1.1 204 No Content\r\n\r\n",
	}
	go func() {
		for _, words := range said {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, words)
			_ = c.Close()
		}
	}()
	c := wire.New(listener.Addr().String())
	defer c.Close()
	for i, words := range said {
		want := wire.Answer{}
		if i == len(said)-1 {
			want.Status = http.StatusNoContent
		}
		require.Equal(t, want, c.Send(t.Context(), wire.Request{Method: "GET", Path: "/"}.Encode("x")), words)
	}
	require.NoError(t, listener.Close())
	c.Close()
	require.Zero(t, c.Send(t.Context(), nil).Status)
}
