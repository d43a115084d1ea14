// Package observer takes an organisation through draws: it watches the read
// model, checks what was frozen by recomputing it, commits, reveals, observes
// the close, closes, and brings the beacon's round, each with that
// organisation's own identity. Holders of a sealed draw's secret confirm it,
// commit to the result and open it at its time. Approving a plan or a freeze is consent and
// stays with people.
//
// One process that acts for several organisations makes their secrets one
// operator's: its draws are demonstrations and say so.
package observer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// Register is the read model that is watched.
type Register interface {
	Draws(ctx context.Context, f public.DrawFilter) (public.Page[public.Draw], error)
	Draw(ctx context.Context, id string) (public.DrawRecord, error)
	DrawDirectories(ctx context.Context, id string) (public.DrawDirectories, error)
	EscrowKeys(ctx context.Context) ([]metrology.EscrowKey, error)
}

// Submit runs a transaction as the identity with this label, once per key.
type Submit func(ctx context.Context, label, key, function string, request []byte) error

// Rounds gives the verified signature of a pinned beacon's round, or false
// while it is not known.
type Rounds func(pin metrology.DrawChain, round uint64) (signature []byte, known bool)

// Officer is an identity that acts for its organisation.
type Officer struct {
	Label string // in the wallet
	MSP   string
}

// Files are the files beside large draws, with the way to those that other
// gateways have.
type Files interface {
	FetchDirectory(ctx context.Context, root string) error
	FetchDrawn(ctx context.Context, root string) error
	KeepDrawn(list draw.DrawnList) error
	Directory(root string) draw.Directory
	Drawn(root string) (draw.DrawnList, error)
}

// Config gives an observer its parts.
type Config struct {
	Officers []Officer // one for each organisation that is acted for
	Register Register
	Files    Files
	Submit   Submit
	Rounds   Rounds            // nil: others bring the beacon's round
	Key      [sha256.Size]byte // from which the secrets follow; never leaves this gateway
	Clock    func() time.Time
	Every    time.Duration // between two looks
	Logger   *slog.Logger
}

// Observer is ready to run.
type Observer struct {
	Config
	checked   map[string]bool // draws whose freeze was recomputed; false: it is wrong
	told      map[string]string
	published bool                     // the escrow keys are on the ledger
	outcomes  map[string]sealedOutcome // by draw
	large     map[string]*recomputed   // large draws
	looks     int
}

// New makes an observer.
func New(config Config) *Observer {
	return &Observer{
		Config: config, checked: map[string]bool{}, told: map[string]string{}, outcomes: map[string]sealedOutcome{}, large: map[string]*recomputed{},
	}
}

// active are the phases in which an observer has something to do.
var active = []metrology.DrawPhase{
	metrology.DrawPlanned, metrology.DrawApproved, metrology.DrawFrozen, metrology.DrawCommitting, metrology.DrawRevealing,
	metrology.DrawClosed, metrology.DrawSeeded, metrology.DrawSealed,
}

// idle says whether nothing is to do for a draw before its freeze: only the
// escrow of a sealed one is.
func idle(d public.Draw) bool {
	return (d.Phase == metrology.DrawPlanned || d.Phase == metrology.DrawApproved) && (!d.Sealed() || d.Escrowed != 0)
}

// ended are the phases in which a posted result can be wrong.
var ended = []metrology.DrawPhase{metrology.DrawDrawn, metrology.DrawInfeasible}

// seldom is how many looks pass between two at what has ended.
const seldom = 6

// phases are those to look at now.
func (o *Observer) phases() []metrology.DrawPhase {
	o.looks++
	if o.looks%seldom == 1 {
		return slices.Concat(active, ended)
	}
	return active
}

// Run watches until ctx ends. A step that fails is tried again at the next
// look.
func (o *Observer) Run(ctx context.Context) {
	ticker := time.NewTicker(o.Every)
	defer ticker.Stop()
	for {
		if err := o.publishKeys(ctx); err != nil && ctx.Err() == nil {
			o.Logger.ErrorContext(ctx, "publishing escrow keys", "error", err)
		}
		for _, phase := range o.phases() {
			if err := o.look(ctx, phase); err != nil && ctx.Err() == nil {
				o.Logger.ErrorContext(ctx, "watching draws", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look acts on every draw in a phase.
func (o *Observer) look(ctx context.Context, phase metrology.DrawPhase) error {
	page := public.PageRequest{Limit: public.MaxLimit}
	for {
		draws, err := o.Register.Draws(ctx, public.DrawFilter{Phase: string(phase), PageRequest: page})
		if err != nil {
			return err
		}
		for _, d := range draws.Items {
			if idle(d) || slices.Contains(ended, d.Phase) && o.settled(d.Draw) {
				continue
			}
			if err := o.attend(ctx, d.ID); err != nil {
				return err
			}
		}
		if page.Cursor = draws.Next; page.Cursor == "" {
			return nil
		}
	}
}

// attend takes the next step of each organisation in one draw.
func (o *Observer) attend(ctx context.Context, id string) error {
	for _, officer := range o.Officers {
		record, err := o.Register.Draw(ctx, id) // as the officer before has left it
		if err != nil {
			return err
		}
		step := o.next(ctx, record, officer)
		if step == nil {
			continue
		}
		o.submit(ctx, id, officer, id+"/"+step.function+step.again, *step)
	}
	return nil
}

// submit sends a step under an idempotency key.
func (o *Observer) submit(ctx context.Context, id string, officer Officer, key string, s step) {
	request, err := json.Marshal(s.request)
	if err == nil {
		err = o.Submit(ctx, officer.Label, "observer/"+key, s.function, request)
	}
	o.tell(ctx, id, officer, s.function, err)
}

// tell logs what a step came to, and a failure that repeats only once.
func (o *Observer) tell(ctx context.Context, id string, officer Officer, function string, err error) {
	at := id + "/" + officer.MSP + "/" + function
	log := o.Logger.With("step", function, "organization", officer.MSP)
	if id != "" { // else it is for all draws, such as a key
		log = log.With("draw", id)
	}
	if err == nil {
		log.InfoContext(ctx, "draw")
		delete(o.told, at)
		return
	}
	if text := err.Error(); o.told[at] != text && ctx.Err() == nil {
		o.told[at] = text
		log.WarnContext(ctx, "draw", "error", err)
	}
}

// secret is an organisation's contribution to a draw. It follows from the
// observer's key, so that a restart between commitment and reveal loses
// nothing.
func (o *Observer) secret(id, org string) draw.Digest { return Secret(o.Key, id, org) }

// Secret is the contribution of an organisation to a draw that an observer
// with this key makes, so that a person can bring what the observer did not.
func Secret(key [sha256.Size]byte, id, org string) draw.Digest {
	mac := hmac.New(sha256.New, key[:])
	fmt.Fprintf(mac, "%d:%s%s", len(id), id, org)
	return draw.Digest(mac.Sum(nil))
}
