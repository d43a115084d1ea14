package api

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// Under more load than it can bear a gateway answers as many requests as it
// can, as fast as ever, and refuses the others at once: a queue would make all
// of them late, and its memory would grow with the load. So the requests under
// way are bounded, apart for each class, by its gate; a request that is refused
// is so before its body is read. What is under way stays bounded in memory too.

// class is what a request costs.
type class int

// The classes, from cheap to dear.
const (
	classRead     class = iota // from the read model
	classWrite                 // a transaction: held until its block is committed
	classUpload                // a whole file in memory
	classDownload              // a file of any size, as fast as its reader takes it
	classes
)

func (c class) String() string { return [classes]string{"read", "write", "upload", "download"}[c] }

// downloadRoutes serve files of large draws.
var downloadRoutes = map[string]bool{directoryRoute: true, drawFileRoute: true, "/v1/draws/:id/transcript": true}

// unbounded are the routes by which others watch this gateway.
var unbounded = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true}

func classOf(c echo.Context) class {
	switch method := c.Request().Method; {
	case method == http.MethodGet || method == http.MethodHead:
		if downloadRoutes[c.Path()] {
			return classDownload
		}
		return classRead
	case uploadRoutes[c.Path()] || takesDrawFile(c):
		return classUpload
	}
	return classWrite
}

// Load bounds and counts the requests under way. The zero value is ready;
// NewEcho sets its bounds.
type Load struct {
	// Connections in the middle of a request, and those refused because of them.
	Connections        atomic.Int64
	RefusedConnections atomic.Uint64

	gates [classes]*gate
}

// Latencies that are never too long, whatever they are without load: to refuse
// a burst of reads that could all be answered at once helps nobody.
const (
	quickRead = 10 * time.Millisecond
	anyTime   = time.Hour // a file takes as long as it is big
)

// bound sets how many requests of each class may be under way.
// Two routers of one gateway share them.
func (l *Load) bound(limits Limits) {
	if l.gates[classRead] != nil {
		return
	}
	l.gates = [classes]*gate{
		classRead:     newGate(limits.Reads, quickRead),
		classWrite:    newGate(limits.Writes, limits.QuickWrite),
		classUpload:   newGate(limits.Uploads, anyTime),
		classDownload: newGate(limits.Downloads, anyTime),
	}
}

// Each tells how it stands with every class: requests under way, refused since
// the start, and how many may be under way now.
func (l *Load) Each(tell func(class string, underWay int64, refused uint64, limit float64)) {
	for c, g := range l.gates {
		underWay, refused, limit := g.load()
		tell(class(c).String(), underWay, refused, limit)
	}
}

// errAtLimit is why a request is refused. It is no fault to be logged: there
// may be thousands a second.
var errAtLimit = errors.New("too many requests are under way")

// admit lets requests through the gates of their classes.
func admit(limits Limits) echo.MiddlewareFunc {
	load := limits.Load
	if load == nil {
		load = &Load{}
	}
	load.bound(limits)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			if unbounded[c.Path()] {
				return next(c)
			}
			of := classOf(c)
			p := load.gates[of].enter(c.Request().Context())
			if p == nil {
				return overloaded(c, of)
			}
			answered := false
			defer func() { p.leave(answered) }() // also when the handler panics
			if of == classWrite {
				c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), seatKey{}, p)))
			}
			err = next(c)
			answered = err == nil
			return err
		}
	}
}

type seatKey struct{}

// StepAside tells the gate of the request in ctx that it waits, until it is
// back, for others that change the same thing. That is no sign of a gateway at
// its limit, and no reason to refuse those who change other things.
func StepAside(ctx context.Context) (back func()) {
	if p, ok := ctx.Value(seatKey{}).(*seat); ok {
		return p.stepAside()
	}
	return func() {}
}

// overloaded refuses a request. Those who are refused together are told
// different times, so that they do not all come back together.
func overloaded(c echo.Context, of class) error {
	wait := time.Duration(1+rand.IntN(3)) * time.Second
	c.Response().Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	return &Fault{Kind: FaultOverloaded, RetryAfter: wait, Err: fmt.Errorf("%w of class %s: %w", errAtLimit, of, echo.ErrServiceUnavailable)}
}
