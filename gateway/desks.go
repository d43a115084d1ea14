package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"path/filepath"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/escrow"
	"github.com/steelyard-ledger/steelyard/gateway/observer"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
	"github.com/steelyard-ledger/steelyard/gateway/password"
	"github.com/steelyard-ledger/steelyard/gateway/web"
	"github.com/steelyard-ledger/steelyard/gateway/web/session"
)

// desks gives the desks what they need. handler is the router they stand on.
func (g *gateway) desks(handler http.Handler, log *slog.Logger) *web.DeskConfig {
	p := deskPosts{tokens: map[[sha256.Size]byte]session.Person{}, named: map[string]session.Person{},
		passwords: password.At(filepath.Join(g.config.Data, passwordFile)), log: log}
	for token, who := range bindTokens(g.tokens, g.identities) {
		p.tokens[sha256.Sum256([]byte(token))] = session.Person(who)
		p.named[who.Label] = session.Person(who)
	}
	return &web.DeskConfig{Posts: p, Operations: operations{handler}, Journal: journal{g.outbox}, Register: g.store,
		Beacons: g.pinned(), Contribution: g.contribution, Seal: g.seal, Unseal: g.unseal, Observes: g.config.Observes(), Directory: filepath.Join(g.config.Data, "desk-work"), Secure: g.config.SecureCookies}
}

// pinned are the beacons that a plan made at a desk may pin.
func (g *gateway) pinned() []web.Beacon {
	var beacons []web.Beacon
	for _, known := range g.beacons() {
		beacons = append(beacons, web.Beacon{Name: string(known.Kind), Chain: known.Chain})
	}
	return beacons
}

// contribution is an organisation's part of a draw's seed, as this gateway's
// observer makes it.
func (g *gateway) contribution(id, msp string) web.Contribution {
	secret := observer.Secret(g.observerKey(), id, msp)
	return web.Contribution{Commitment: draw.Commitment(id, msp, secret).String(), Secret: secret.String()}
}

// seal makes the secret of a sealed draw and encrypts it to its holders.
func (g *gateway) seal(ctx context.Context, id string) (string, []metrology.DrawEscrow, error) {
	keys, err := g.store.EscrowKeys(ctx)
	if err != nil {
		return "", nil, err
	}
	var secret draw.Digest
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	boxes, err := escrow.Boxes(id, secret, keys)
	return draw.Seal(id, secret).String(), boxes, err
}

// unseal opens the box of a holder whose key this gateway has.
func (g *gateway) unseal(d metrology.Draw, boxes []metrology.DrawEscrow, msp string) (string, error) {
	key, err := escrow.NewKey(g.observerKey(), msp)
	if err != nil {
		return "", err
	}
	for _, box := range boxes {
		if box.Holder == msp {
			secret, err := key.Open(d.ID, d.Terms.Seal, box)
			return secret.String(), err
		}
	}
	return "", metrology.Errorf(metrology.CodeNotFound, "%s holds no secret of draw %s", msp, d.ID)
}

// deskPosts knows the posts of the wallet by token and password.
type deskPosts struct {
	tokens    map[[sha256.Size]byte]session.Person // by the token's hash, so that a look-up tells nothing by its time
	named     map[string]session.Person
	passwords *password.File
	log       *slog.Logger
}

// ByToken implements web.Posts.
func (p deskPosts) ByToken(token string) (session.Person, bool) {
	who, known := p.tokens[sha256.Sum256([]byte(token))]
	return who, known
}

// ByPassword implements web.Posts. A file that cannot be read lets nobody in.
func (p deskPosts) ByPassword(name, secret string) (session.Person, bool) {
	good, err := p.passwords.Check(name, secret)
	if err != nil {
		p.log.Error("check a password", "error", err)
	}
	who, known := p.named[name]
	return who, good && known
}

// operations runs requests on the gateway's own router, in this process.
type operations struct{ handler http.Handler }

// Run implements web.Operations.
func (o operations) Run(ctx context.Context, who session.Person, asked web.Operation) (web.Answer, error) {
	ctx = api.WithPrincipal(ctx, api.Principal(who))
	if asked.Progress != nil {
		ctx = api.WithProgress(ctx, asked.Progress)
	}
	r, err := http.NewRequestWithContext(ctx, asked.Method, asked.Path, bytes.NewReader(asked.Body))
	if err != nil {
		return web.Answer{}, err
	}
	r.RequestURI = asked.Path
	if asked.Key != "" {
		r.Header.Set("Idempotency-Key", asked.Key)
	}
	if len(asked.Body) > 0 {
		r.Header.Set("Content-Type", asked.Media)
	}
	w := &recorder{header: http.Header{}}
	o.handler.ServeHTTP(w, r)
	return web.Answer{Status: w.status, Body: w.body.Bytes()}, ctx.Err()
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// journal is the outbox as the desks see it.
type journal struct{ store *outbox.Store }

// Find implements web.Journal.
func (j journal) Find(ctx context.Context, label, key string) (web.Sent, bool, error) {
	e, found, err := j.store.Find(ctx, label, key)
	return sentOf(e), found, err
}

// Recent implements web.Journal.
func (j journal) Recent(ctx context.Context, label, prefix string, limit int) ([]web.Sent, error) {
	entries, err := j.store.Recent(ctx, label, prefix, limit)
	all := make([]web.Sent, len(entries))
	for i, e := range entries {
		all[i] = sentOf(e)
	}
	return all, err
}

func sentOf(e outbox.Entry) web.Sent {
	return web.Sent{
		Key: e.Key, State: web.SentState(e.State), TransactionID: e.TransactionID, Block: e.Outcome.BlockNumber,
		Created: e.Created, Event: e.Outcome.Result, Refusal: e.Outcome.Refusal,
	}
}
