// Package wire is an HTTP/1.1 client for load: one connection, one request
// after the other, bytes that were encoded before. net/http's client takes two
// goroutines and about as much processor time for a request as a gateway does
// to refuse it: on a machine that both share it would measure itself.
package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"slices"
	"strconv"
	"time"
)

// patience is how long an answer may take.
const patience = time.Minute

// Request is one to be encoded.
type Request struct {
	Method, Path string
	Token        string // of who asks; empty: nobody
	Key          string // the idempotency key; empty: none
	Body         string // JSON; empty: none
}

// Encode makes the bytes of a request to a host.
func (r Request) Encode(host string) []byte {
	b := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.Path, host)
	if r.Token != "" {
		b = fmt.Appendf(b, "Authorization: Bearer %s\r\n", r.Token)
	}
	if r.Key != "" {
		b = fmt.Appendf(b, "Idempotency-Key: %s\r\n", r.Key)
	}
	if r.Body != "" {
		b = fmt.Appendf(b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(r.Body))
	}
	return append(append(b, "\r\n"...), r.Body...)
}

// Answer is how a request ended.
type Answer struct {
	Status     int           // 0: there is no whole answer
	RetryAfter time.Duration // 0: not said
	Length     int64         // of the body, in bytes
}

// Conn is a connection that is opened when it is needed. One goroutine uses it.
type Conn struct {
	host   string
	open   net.Conn // nil: to be opened
	reader *bufio.Reader
}

// New makes a connection to a host and port.
func New(host string) *Conn { return &Conn{host: host} }

// Send sends an encoded request and reads the answer to its end.
func (c *Conn) Send(ctx context.Context, encoded []byte) Answer {
	if c.open == nil {
		opened, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.host)
		if err != nil {
			return Answer{}
		}
		c.open, c.reader = opened, bufio.NewReader(opened)
	}
	got, keep, err := c.exchange(encoded)
	if err != nil || !keep {
		c.Close()
	}
	if err != nil {
		return Answer{}
	}
	return got
}

// Close gives the connection up; the next request opens another.
func (c *Conn) Close() {
	if c.open != nil {
		_ = c.open.Close()
		c.open = nil
	}
}

// exchange reports whether the connection can carry a further request.
func (c *Conn) exchange(encoded []byte) (got Answer, keep bool, err error) {
	if err := c.open.SetDeadline(time.Now().Add(patience)); err != nil {
		return got, false, err
	}
	// A refusal may arrive while the request is still being sent.
	_, unsent := c.open.Write(encoded)
	h, err := c.head()
	if err != nil {
		return got, false, err
	}
	body := io.LimitReader(c.reader, h.length)
	if h.chunked {
		body = httputil.NewChunkedReader(c.reader)
	}
	got = Answer{Status: h.status, RetryAfter: h.retryAfter}
	if got.Length, err = io.Copy(io.Discard, body); err != nil {
		return got, false, err
	}
	if h.chunked {
		if _, err := c.line(); err != nil { // behind the last chunk; no trailers are asked for
			return got, false, err
		}
	} else if got.Length < h.length {
		return got, false, io.ErrUnexpectedEOF
	}
	return got, unsent == nil && !h.closes, nil
}

// head is what an answer's header says of it.
type head struct {
	status          int
	retryAfter      time.Duration
	length          int64
	chunked, closes bool
}

var errHead = errors.New("no header of HTTP/1.1")

func (c *Conn) head() (h head, err error) {
	line, err := c.line()
	if err != nil {
		return h, err
	}
	parts := bytes.SplitN(line, []byte(" "), 3)
	if len(parts) < 2 || string(parts[0]) != "HTTP/1.1" {
		return h, errHead
	}
	if h.status, err = strconv.Atoi(string(parts[1])); err != nil {
		return h, errHead
	}
	for {
		line, err := c.line()
		if err != nil || len(line) == 0 {
			return h, err
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if err := h.read(name, string(bytes.TrimSpace(value))); err != nil {
			return h, err
		}
	}
}

func (h *head) read(name []byte, value string) (err error) {
	is := func(known string) bool { return bytes.EqualFold(name, []byte(known)) }
	switch {
	case is("Content-Length"):
		h.length, err = strconv.ParseInt(value, 10, 64)
	case is("Retry-After"):
		var seconds int
		seconds, err = strconv.Atoi(value)
		h.retryAfter = time.Duration(seconds) * time.Second
	case is("Transfer-Encoding"):
		h.chunked = value == "chunked"
	case is("Connection"):
		h.closes = value == "close"
	}
	return err
}

// line is the next line without its end, until the next is read.
func (c *Conn) line() ([]byte, error) {
	line, err := c.reader.ReadSlice('\n')
	return slices.Clip(bytes.TrimRight(line, "\r\n")), err
}
