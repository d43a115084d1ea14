package relay

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// again is how long a round that no relay gave is not asked for.
const again = 10 * time.Second

// maxRemembered bounds the rounds whose fate is remembered.
const maxRemembered = 1000

// Watch fetches rounds beside the work of those who need them. Ask as often as
// is convenient; run Run once.
type Watch struct {
	relays *Relays
	clock  func() time.Time
	log    *slog.Logger
	wanted chan wish

	mu   sync.Mutex
	told map[key]fate
}

type key struct {
	chain draw.Digest
	round uint64
}

// wish is a round to fetch.
type wish struct {
	chain draw.Chain
	round uint64
}

// fate is what is known of a round.
type fate struct {
	signature []byte // nil while it is not known
	notBefore time.Time
	failure   string // of the last try
}

// NewWatch makes a watch over relays.
func NewWatch(relays *Relays, clock func() time.Time, log *slog.Logger) *Watch {
	return &Watch{relays: relays, clock: clock, log: log, wanted: make(chan wish, 64), told: map[key]fate{}}
}

// Round gives the verified signature of a round, or false while it is not
// known; then it is fetched. A round that is not due is not asked for.
func (w *Watch) Round(chain draw.Chain, round uint64) ([]byte, bool) {
	now := w.clock()
	if len(w.relays.addresses) == 0 || now.Unix() < chain.Time(round) {
		return nil, false
	}
	at := key{chain.Hash(), round}
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.told[at]
	if known.signature != nil {
		return known.signature, true
	}
	if now.Before(known.notBefore) {
		return nil, false
	}
	select {
	case w.wanted <- wish{chain, round}:
		known.notBefore = now.Add(again)
		w.remember(at, known)
	default: // enough is under way
	}
	return nil, false
}

// remember notes a fate; the lock is held.
func (w *Watch) remember(at key, known fate) {
	if len(w.told) >= maxRemembered {
		clear(w.told)
	}
	w.told[at] = known
}

// Run fetches what is asked for until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case wanted := <-w.wanted:
			w.fetch(ctx, wanted)
		}
	}
}

func (w *Watch) fetch(ctx context.Context, wanted wish) {
	signature, err := w.relays.Fetch(ctx, wanted.chain, wanted.round)
	if ctx.Err() != nil {
		return
	}
	at := key{wanted.chain.Hash(), wanted.round}
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.told[at]
	switch {
	case err == nil:
		known.signature = signature
		w.log.InfoContext(ctx, "fetched a round of the beacon", "chain", at.chain, "round", wanted.round)
	case known.failure != err.Error(): // once, however often it fails alike
		known.failure = err.Error()
		w.log.WarnContext(ctx, "the beacon's round is not to be had", "chain", at.chain, "round", wanted.round, "error", err)
	}
	known.notBefore = w.clock().Add(again)
	w.remember(at, known)
}
