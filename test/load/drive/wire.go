package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// wire is one connection to the gateway that carries one request after the
// other. net/http's client takes two goroutines and about as much processor
// time for a request as the gateway does to refuse it: on a machine that both
// share it would measure itself.
type wire struct {
	target *target
	open   net.Conn // nil: to be opened anew
	reader *bufio.Reader
}

// wireTime is how long an answer may take.
const wireTime = time.Minute

// encode makes the bytes of a request.
func (g *target) encode(r request) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.method, r.path, g.address)
	if r.body != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", g.token, len(r.body))
	}
	if r.key != "" {
		fmt.Fprintf(&b, "Idempotency-Key: %s\r\n", r.key)
	}
	b.WriteString("\r\n" + r.body)
	return []byte(b.String())
}

// send asks and reads the answer to its end.
func (w *wire) send(ctx context.Context, encoded []byte) answer {
	if w.open == nil {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.target.address)
		if err != nil {
			return answer{}
		}
		w.open, w.reader = c, bufio.NewReader(c)
	}
	got, keep := w.exchange(encoded)
	if !keep {
		w.close()
	}
	return got
}

// exchange reports whether the connection can carry a further request.
func (w *wire) exchange(encoded []byte) (got answer, keep bool) {
	if w.open.SetDeadline(time.Now().Add(wireTime)) != nil {
		return answer{}, false
	}
	// A refusal may arrive while the request is still being sent.
	_, failed := w.open.Write(encoded)
	response, err := http.ReadResponse(w.reader, nil)
	if err != nil {
		return answer{}, false
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return answer{}, false
	}
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // absent is 0
	return answer{response.StatusCode, time.Duration(seconds) * time.Second}, failed == nil && !response.Close
}

func (w *wire) close() {
	if w.open != nil {
		_ = w.open.Close()
		w.open = nil
	}
}
