// Package api is the gateway's REST interface: the OpenAPI document, one file
// of handlers per resource, and the one table of problems. A handler decodes,
// makes one call, and encodes.
package api

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"
)

// Limits bound what one client may ask of the gateway.
type Limits struct {
	Body         int64         // bytes of a JSON body
	Upload       int64         // bytes of an uploaded file or batch
	DrawFile     int64         // bytes of an uploaded directory of a large draw
	ReadsPerSec  float64       // per client address, sustained; bursts of four times that
	WritesPerSec float64       // per token, sustained; bursts of four times that
	Handler      time.Duration // longest time for one request

	// Requests under way at once, of all clients.
	Reads, Writes, Downloads AtOnce
	Uploads                  AtOnce // each may hold Upload bytes and what is read from them

	// QuickWrite is a latency that is not too long for a write, whatever it is
	// without load.
	QuickWrite time.Duration

	// Connections that are in the middle of a request; further ones are refused
	// before what they ask is looked at.
	ConnectionsAtOnce int

	Load *Load // counts them; nil: not counted
}

// AtOnce bounds the requests of one class; what is above it is refused.
type AtOnce struct {
	Most   int // under way
	First  int // of them at work, until their latencies show how many can be
	InLine int // waiting a moment for a place, as long as nobody is refused
}

// DefaultLimits suit one small machine.
func DefaultLimits() Limits {
	return Limits{
		Body: 1 << 20, Upload: 64 << 20, DrawFile: 4 << 30, ReadsPerSec: 2000, WritesPerSec: 1000, Handler: 50 * time.Second,
		Reads:   AtOnce{Most: 64, First: 4 * runtime.GOMAXPROCS(0), InLine: 56},
		Writes:  AtOnce{Most: 256, First: 16, InLine: 8},
		Uploads: AtOnce{Most: 4, First: 4}, Downloads: AtOnce{Most: 64, First: 64},
		ConnectionsAtOnce: 512, QuickWrite: 20 * time.Millisecond,
	}
}

// OfNetwork widens the limits for a network of several machines, or of several
// programs on one: its ordering nodes agree on each block, which takes longer
// and costs this gateway little. Fewer writes at once would not make it faster
// but the blocks smaller, and each block costs all nodes the same: refusing them
// after 2 s halved what 200 clients wrote. So the bound is half the time after
// which a write is answered as unknown.
func (l Limits) OfNetwork() Limits {
	l.Writes, l.ConnectionsAtOnce, l.QuickWrite = AtOnce{Most: 600, First: 600}, 1024, 10*time.Second
	return l
}

// NewEcho makes the router every part of the gateway registers on: request
// ids, logs, limits, security headers, bearer tokens, and problem documents for
// every error.
func NewEcho(log *slog.Logger, limits Limits, tokens Tokens) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Binder = strictBinder{}
	answerHead(e)
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = func(err error, c echo.Context) { writeProblem(log, err, c) }
	e.Pre(requestID)
	e.Use(
		requestLog(log),
		middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: func(_ echo.Context, err error, stack []byte) error {
			log.Error("handler panicked", "error", err, "stack", string(stack))
			return err
		}}),
		securityHeaders,
		admit(limits),
		limitBody(limits),
		tokens.authenticate,
		limitRate(limits),
		middleware.ContextTimeoutWithConfig(middleware.ContextTimeoutConfig{
			Timeout: limits.Handler, Skipper: func(c echo.Context) bool { return awaited(c.Request().Context()) },
		}),
	)
	return e
}

// answerHead has whatever answers GET answer HEAD too (RFC 9110, 9.3.2), which
// the router would refuse. The server sends no body then.
func answerHead(e *echo.Echo) {
	e.OnAddRouteHandler = func(_ string, route echo.Route, handle echo.HandlerFunc, _ []echo.MiddlewareFunc) {
		if route.Method == http.MethodGet {
			e.Router().Add(http.MethodHead, route.Path, handle)
		}
	}
}

// requestID gives each request an id of our own; a client's is not trusted to
// be unique or harmless.
func requestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var id [8]byte
		_, _ = rand.Read(id[:]) // never fails (crypto/rand)
		c.Response().Header().Set(echo.HeaderXRequestID, hex.EncodeToString(id[:]))
		return next(c)
	}
}

func requestLog(log *slog.Logger) echo.MiddlewareFunc {
	return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		LogMethod: true, LogRoutePath: true, LogStatus: true, LogLatency: true, LogRequestID: true, LogError: true, HandleError: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			level := slog.LevelDebug
			if errors.Is(v.Error, errAtLimit) {
				level = slog.LevelDebug
			} else if v.Status >= 500 {
				level = slog.LevelError
			} else if method := c.Request().Method; method != http.MethodGet && method != http.MethodHead {
				level = slog.LevelInfo
			}
			log.LogAttrs(c.Request().Context(), level, "request",
				slog.String("method", v.Method), slog.String("route", v.RoutePath), slog.Int("status", v.Status),
				slog.Duration("latency", v.Latency), slog.String("request", c.Response().Header().Get(echo.HeaderXRequestID)),
				slog.String("transaction", c.Response().Header().Get(headerTransaction)))
			return nil
		},
	})
}

// headerTransaction carries the transaction id of a write's answer.
const headerTransaction = "Transaction-Id"

// securityHeaders keep pages to our own scripts and styles and away from frames.
func securityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		return next(c)
	}
}

// uploadRoutes take files; every other route takes small JSON.
var uploadRoutes = map[string]bool{
	"/v1/verify": true, "/v1/certificate-batches": true, "/v1/imports/:kind": true, directoriesPath: true, "/": true, "/desk/file/:job": true,
}

func limitBody(limits Limits) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			limit := limits.Body
			switch {
			case uploadRoutes[c.Path()]:
				limit = limits.Upload
			case takesDrawFile(c):
				limit = limits.DrawFile
			}
			r := c.Request()
			if r.ContentLength > limit {
				return &http.MaxBytesError{Limit: limit}
			}
			r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
			return next(c)
		}
	}
}

// limitRate bounds reads per client address and writes per token.
func limitRate(limits Limits) echo.MiddlewareFunc {
	store := func(perSecond float64) *middleware.RateLimiterMemoryStore {
		return middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{
			Rate: rate.Limit(perSecond), Burst: int(4 * perSecond), ExpiresIn: time.Minute,
		})
	}
	reads, writes := store(limits.ReadsPerSec), store(limits.WritesPerSec)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			allowed, err := true, error(nil)
			if who, known := principal(c.Request().Context()); known == nil {
				allowed, err = writes.Allow(who.Label)
			} else {
				allowed, err = reads.Allow(clientAddress(c.Request()))
			}
			if err != nil {
				return err
			}
			if !allowed {
				return &Fault{Kind: FaultTooMany, RetryAfter: time.Second, Err: echo.ErrTooManyRequests}
			}
			return next(c)
		}
	}
}

func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// writeProblem renders every error as a problem document.
func writeProblem(log *slog.Logger, err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := problemOf(err)
	p.RequestID = c.Response().Header().Get(echo.HeaderXRequestID)
	p.TransactionID = c.Response().Header().Get(headerTransaction)
	if p.Status >= 500 && !errors.Is(err, errAtLimit) {
		log.ErrorContext(c.Request().Context(), "request failed", "request", p.RequestID, "error", err)
	}
	h := c.Response().Header()
	if p.Status == http.StatusUnauthorized {
		h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="steelyard"`)
	}
	if p.Retryable {
		h.Set("Retry-After", strconv.Itoa(retryAfter(err)))
	}
	h.Set(echo.HeaderContentType, "application/problem+json")
	c.Response().WriteHeader(p.Status)
	if c.Request().Method == http.MethodHead {
		return
	}
	if err := json.NewEncoder(c.Response()).Encode(p); err != nil {
		log.WarnContext(c.Request().Context(), "write problem", "error", err)
	}
}
