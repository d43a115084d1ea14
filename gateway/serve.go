package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/config"
	"github.com/steelyard-ledger/steelyard/gateway/drawfiles"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
	"github.com/steelyard-ledger/steelyard/gateway/relay"
	"github.com/steelyard-ledger/steelyard/gateway/signing"
	"github.com/steelyard-ledger/steelyard/gateway/wallet"
)

// shutdownGrace is how long requests under way may take to end.
const shutdownGrace = 15 * time.Second

// gateway is a running gateway: every part, wired.
type gateway struct {
	config     config.Config
	log        *slog.Logger
	listener   net.Listener
	lock       io.Closer // on the data directory
	link       *link
	identities []wallet.Identity
	tokens     map[string]string
	secret     api.Secret
	outbox     *outbox.Store
	store      *readmodel.Store
	client     *fabric.Client
	trust      ledger.Trust
	signer     *signing.Directory
	load       api.Load
	files      *drawfiles.Store
	beacon     *devbeacon.Beacon // nil unless this is a demonstration
	rounds     *relay.Watch      // of the beacons of others
	chains     []draw.Chain      // drand networks that the configuration names
}

// run serves until ctx ends or a part fails. What it needs is taken in order:
// the port first, so that a taken one is found before anything is written.
func run(ctx context.Context, c config.Config, out io.Writer) error {
	spareProcessor()
	g := &gateway{config: c, log: newLogger(c.LogFormat)}
	defer g.release()
	if err := g.open(ctx); err != nil {
		return err
	}
	return g.serve(ctx, out)
}

// More garbage than Go's default may gather between collections: little is live
// here and much is made, so that under writes a third of the processor's time
// went into collecting. The second bound is where memory counts for more again.
const (
	garbage    = 400     // per cent of what is live
	memorySoft = 2 << 30 // bytes
)

// spareProcessor applies these bounds, unless the environment sets its own.
func spareProcessor() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memorySoft)
	}
}

func newLogger(format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

func (g *gateway) open(ctx context.Context) (err error) {
	if g.listener, err = net.Listen("tcp", g.config.Listen); err != nil {
		return fmt.Errorf("listen on %s: %w (choose another address with --listen)", g.config.Listen, err)
	}
	if g.lock, err = lockData(g.config.Data); err != nil {
		return err
	}
	if g.config.Network == nil {
		g.link, err = startEmbedded(ctx, g.config.Data, g.config.PeerListen, g.log)
	} else {
		g.link, err = configured(g.config.Network)
	}
	if err != nil {
		return err
	}
	if g.identities, err = wallet.List(g.link.wallet); err != nil {
		return err
	}
	if g.tokens, err = loadTokens(g.config.Tokens, g.identities); err != nil {
		return err
	}
	if g.secret, err = loadSecret(filepath.Join(g.config.Data, "secret")); err != nil {
		return err
	}
	return g.openStores(ctx)
}

func (g *gateway) openStores(ctx context.Context) error {
	var err error
	if g.trust, err = ledger.ParseTrust(g.link.trust); err != nil {
		return err
	}
	if g.beacon, err = g.openBeacon(); err != nil {
		return err
	}
	if err = g.openRelays(); err != nil {
		return err
	}
	g.signer = signing.NewDirectory(filepath.Join(g.config.Data, "issuer-keys"))
	if g.files, err = drawfiles.Open(drawfiles.Config{Dir: filepath.Join(g.config.Data, "draw-files"), Sources: g.config.Gateways}); err != nil {
		return err
	}
	if g.outbox, err = outbox.Open(ctx, filepath.Join(g.config.Data, "outbox.db")); err != nil {
		return err
	}
	g.store, err = readmodel.Open(ctx, readmodel.Config{
		Driver: g.config.ReadModel.Driver, DSN: g.config.ReadModel.DSN,
		Channel: g.link.channel, Chaincode: g.link.chaincode, Genesis: g.trust.Genesis, Holder: g.secret.Name(),
	})
	if err != nil {
		return err
	}
	g.client, err = fabric.Connect(ctx, fabric.Config{
		Channel: g.link.channel, Chaincode: g.link.chaincode, Peers: g.link.peers, Wallet: g.link.wallet,
		Trust: g.trust, Outbox: g.outbox, Logger: g.log,
	})
	return err
}

// release closes what was opened, in the opposite order.
func (g *gateway) release() {
	var err error
	if g.client != nil {
		err = errors.Join(err, g.client.Close())
	}
	if g.store != nil {
		err = errors.Join(err, g.store.Close())
	}
	if g.outbox != nil {
		err = errors.Join(err, g.outbox.Close())
	}
	if g.link != nil {
		err = errors.Join(err, g.link.close())
	}
	if g.lock != nil {
		err = errors.Join(err, g.lock.Close())
	}
	if g.listener != nil {
		if closed := g.listener.Close(); !errors.Is(closed, net.ErrClosed) {
			err = errors.Join(err, closed)
		}
	}
	if err != nil {
		g.log.Error("closing", "error", err)
	}
}

func (g *gateway) serve(ctx context.Context, out io.Writer) error {
	handler, err := compress(g.handler(g.log))
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelWarn),
	}
	// Blocks are followed until the last request has its answer: a write under
	// way learns of its commit from them.
	answered, done := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return g.follow(answered) })
	group.Go(func() error { g.client.AskHeights(ctx); return nil })
	group.Go(func() error { return g.fill(ctx) })
	group.Go(func() error { return g.watch(ctx) })
	group.Go(func() error { return g.observe(ctx) })
	group.Go(func() error { g.rounds.Run(ctx); return nil })
	server.ConnState = watchState
	listener := &shedding{Listener: g.listener, bound: int64(g.limits().ConnectionsAtOnce), load: &g.load}
	group.Go(func() error { return g.collectFiles(ctx) })
	group.Go(func() error { return g.serveProfiles(ctx) })
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		defer done()
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		return server.Shutdown(grace)
	})
	group.Go(func() error { return g.prepare(ctx, out) })
	return group.Wait()
}

// follow projects the ledger until ctx ends.
func (g *gateway) follow(ctx context.Context) error {
	position, err := g.store.Position(ctx)
	if err != nil {
		return err
	}
	err = g.client.Follow(ctx, position, g.store.Take)
	if ctx.Err() != nil {
		return g.store.Resign(context.WithoutCancel(ctx))
	}
	return fmt.Errorf("follow the ledger: %w", err)
}

// watch ends the gateway when an embedded network ends by itself.
func (g *gateway) watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-g.link.done: // never for a network that is configured
		return fmt.Errorf("the embedded network ended: %w", g.link.failed())
	}
}

// prepare settles what an earlier run left open, has the ledger put up its
// gates, makes demonstration content where it is wanted, and says where to
// look. A network that is configured may come up later than its gateway.
func (g *gateway) prepare(ctx context.Context, out io.Writer) error {
	if open, err := g.client.Recover(ctx); err != nil && ctx.Err() == nil {
		g.log.Warn("submissions of an earlier run stay open", "count", open, "error", err)
	}
	if !g.config.Demonstrate() && g.config.Network != nil {
		return ignoreEnd(ctx, errors.Join(g.announce(out), g.awaitGates(ctx)))
	}
	if err := g.awaitGates(ctx); err != nil {
		return ignoreEnd(ctx, err)
	}
	if g.config.Demonstrate() {
		if err := g.demonstrate(ctx, g.handler(slog.New(slog.DiscardHandler))); err != nil {
			return ignoreEnd(ctx, fmt.Errorf("make demonstration content: %w", err))
		}
	}
	return g.announce(out)
}

// ignoreEnd drops an error that only says that the gateway was told to stop.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// announce prints the banner.
func (g *gateway) announce(out io.Writer) error {
	var b strings.Builder
	address := g.listener.Addr().(*net.TCPAddr)
	fmt.Fprintf(&b, "\nSteelyard %s  http://localhost:%d\n", release, address.Port)
	if g.config.Embedded() {
		fmt.Fprintf(&b, "%s\n", api.EmbeddedNotice)
	}
	fmt.Fprintf(&b, "\nTokens (%s):\n", g.config.Tokens)
	for _, identity := range g.identities {
		fmt.Fprintf(&b, "  %-12s %s\n", identity.Label, g.tokens[identity.Label])
	}
	b.WriteString("\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// today is the civil date in Asia/Shanghai.
func today() metrology.Date { return metrology.DateOf(time.Now()) }
