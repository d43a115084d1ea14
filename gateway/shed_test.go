package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/api"
)

// TestShedding: connections in the middle of a request are bounded; one more is
// answered 503 with Retry-After unread, also when it sends a body; an idle one
// takes nobody's place.
func TestShedding(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var load api.Load
	entered, leave := make(chan struct{}), make(chan struct{})
	server := &http.Server{ConnState: watchState, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stuck" {
			entered <- struct{}{}
			<-leave
		}
		_, _ = io.WriteString(w, "answered")
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(&shedding{Listener: listener, bound: 2, load: &load}) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	url := "http://" + listener.Addr().String()
	ask := func(client *http.Client, path, body string) (*http.Response, string) {
		answer, err := client.Post(url+path, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		defer answer.Body.Close()
		content, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer, string(content)
	}
	fresh := func() *http.Client {
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport, Timeout: 10 * time.Second}
	}
	for range 3 { // keep-alive connections without a request
		_, content := ask(fresh(), "/", "")
		require.Equal(t, "answered", content)
	}
	// The server calls a connection idle a little after its answer has arrived.
	idle := func() bool { return load.Connections.Load() == 0 }
	require.Eventually(t, idle, 10*time.Second, time.Millisecond)
	stuck := make(chan string, 2)
	for range 2 {
		client := fresh()
		go func() {
			answer, err := client.Get(url + "/stuck")
			if err != nil {
				stuck <- err.Error()
				return
			}
			defer answer.Body.Close()
			content, _ := io.ReadAll(answer.Body)
			stuck <- string(content)
		}()
		<-entered
	}
	for _, body := range []string{"", strings.Repeat("x", 32<<10)} {
		refused, content := ask(fresh(), "/", body)
		require.Equal(t, http.StatusServiceUnavailable, refused.StatusCode)
		require.Equal(t, "2", refused.Header.Get("Retry-After"))
		require.JSONEq(t, `{"type":"/problems/overloaded","title":"The gateway is at its limit","status":503,"code":"OVERLOADED","retryable":true,"requestId":"connection"}`, content)
	}
	require.Equal(t, uint64(2), load.RefusedConnections.Load())
	close(leave)
	require.Equal(t, "answered", <-stuck)
	require.Equal(t, "answered", <-stuck)
	require.Eventually(t, idle, 10*time.Second, time.Millisecond)
	_, content := ask(fresh(), "/", "")
	require.Equal(t, "answered", content)
}
