package main

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web"
)

// limits are those of the network that the gateway talks to.
func (g *gateway) limits() api.Limits {
	limits := api.DefaultLimits()
	if !g.config.Embedded() {
		return limits.OfNetwork()
	}
	return limits
}

// handler puts the routes of all parts on one router, which logs its requests.
func (g *gateway) handler(log *slog.Logger) http.Handler {
	limits := g.limits()
	if reads := g.config.Limits.Reads; reads > 0 {
		limits.ReadsPerSec = reads
	}
	if writes := g.config.Limits.Writes; writes > 0 {
		limits.WritesPerSec = writes
	}
	limits.Load = &g.load
	tokens := api.NewTokens(bindTokens(g.tokens, g.identities))
	e := api.NewEcho(log, limits, tokens)
	server := g.api(limits)
	server.Mount(e)
	g.mountMetrics(e)
	pages := web.New(web.Config{
		Register: g.register(), Reports: server, Rounds: carrier{server}, Following: g.following, Clock: time.Now, Embedded: g.config.Embedded(),
		Version: release, Upload: limits.Upload, Document: api.Document(), Trust: g.link.trust, Desks: g.desks(e, log), Log: log,
	})
	pages.Mount(e)
	e.HTTPErrorHandler = pages.Errors(e.HTTPErrorHandler)
	return e
}

// api makes the REST interface.
func (g *gateway) api(limits api.Limits) *api.Server {
	return api.New(api.Config{
		Writer: writer{g.client}, Register: g.register(), Files: g.files, Signer: g.signer,
		Evidence: prover{g.store, g.client, g.trust, g.identities[0].Label},
		Secret:   g.secret, Clock: time.Now, Version: release, Embedded: g.config.Embedded(),
		Ready: g.ready, Following: g.following, Upload: limits.Upload,
		Beacons: g.beacons(), Courier: principalOf(g.identities[0]), Leaves: g.sealedLeaves, Posts: g.posts(),
	})
}

// ready says why the gateway cannot serve, or nil.
func (g *gateway) ready() error {
	stream := g.client.Stream()
	if stream.Peer == "" {
		return errNoStream
	}
	return nil
}

// following says how the gateway keeps up with the ledger.
func (g *gateway) following() public.Following {
	stream := g.client.Stream()
	f := public.Following{Connected: stream.Peer != "", Behind: stream.Behind()}
	if !stream.Current.IsZero() {
		f.Current = stream.Current.UTC().Format(time.RFC3339)
	}
	return f
}

func (g *gateway) mountMetrics(e *echo.Echo) {
	e.GET("/metrics", echo.WrapHandler(g.metrics()))
}
