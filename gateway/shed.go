package main

import (
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/steelyard-ledger/steelyard/gateway/api"
)

// shedding is a listener that refuses a connection while too many others are in
// the middle of a request. To parse a request costs as much as to answer a small
// one, so under a flood the cheapest answer has to come before that. Idle
// connections, which browsers keep, do not count.
type shedding struct {
	net.Listener
	bound int64
	load  *api.Load
}

// refusal is what a refused connection gets, whatever it asks for.
const refusal = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: 144\r\n\r\n" +
	`{"type":"/problems/overloaded","title":"The gateway is at its limit","status":503,"code":"OVERLOADED","retryable":true,"requestId":"connection"}`

// refusalTime is how long a refused client has to take its answer.
const refusalTime = time.Second

func (s *shedding) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if s.load.Connections.Load() < s.bound {
			return &counted{Conn: c, load: s.load}, nil
		}
		s.load.RefusedConnections.Add(1)
		go refuse(c)
	}
}

// refuse answers and hangs up. What the client sends meanwhile is read and
// dropped: closing on it would reset the connection and lose the answer.
func refuse(c net.Conn) {
	defer c.Close() //nolint:errcheck // there is nobody to tell
	if c.SetDeadline(time.Now().Add(refusalTime)) != nil {
		return
	}
	// A client that has asked nothing yet would not take this for its answer.
	if _, err := c.Read(make([]byte, 4<<10)); err != nil {
		return
	}
	if _, err := io.WriteString(c, refusal); err != nil {
		return
	}
	if half, ok := c.(*net.TCPConn); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, c, 64<<10)
	}
}

// counted is a connection that counts while it is in the middle of a request.
type counted struct {
	net.Conn
	load *api.Load
	busy atomic.Bool
}

// watchState keeps the count.
func watchState(c net.Conn, state http.ConnState) {
	connection, ok := c.(*counted)
	if !ok {
		return
	}
	if busy := state == http.StateActive; connection.busy.Swap(busy) != busy {
		if busy {
			connection.load.Connections.Add(1)
		} else {
			connection.load.Connections.Add(-1)
		}
	}
}
