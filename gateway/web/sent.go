package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// Journal remembers what was sent, from before it was sent.
type Journal interface {
	// Find returns what was sent under a post's key.
	Find(ctx context.Context, label, key string) (Sent, bool, error)
	// Recent lists what a post sent under keys with a prefix, the newest first.
	Recent(ctx context.Context, label, prefix string, limit int) ([]Sent, error)
}

// SentState is what became of something that was sent.
type SentState string

// The states, as the gateway keeps them.
const (
	SentPending   SentState = "pending"
	SentUnknown   SentState = "unknown"
	SentCommitted SentState = "committed"
	SentInvalid   SentState = "invalid" // on the ledger, without effect
	SentRefused   SentState = "refused" // a rule broke; nothing was sent
)

// Sent is one write.
type Sent struct {
	Key           string
	State         SentState
	TransactionID string
	Block         uint64 // committed, invalid
	Created       time.Time
	Event         []byte           // committed: the event of the transaction
	Refusal       *metrology.Error // refused
}

// Nothing reports whether it is certain that nothing came of it.
func (s Sent) Nothing() bool { return s.State == SentRefused || s.State == SentInvalid }

// Transactions tells what the register has taken from a transaction.
type Transactions interface {
	Transaction(ctx context.Context, id string) (public.Transaction, error)
}

// Open reports whether it may still come to something.
func (s Sent) Open() bool { return s.State == SentPending || s.State == SentUnknown }

// Settled reports whether the ledger has it.
func (s Sent) Settled() bool { return s.State == SentCommitted || s.State == SentInvalid }

const sentPath = "/desk/sent/"

// sent is one write as a page shows it.
type sent struct {
	Sent
	Operation string
	Job       string // message that names it
	Tone      verdict.Tone
	When      string // RFC 3339
	ID        string // of what it changed
	Look      string // page of that; empty: none
}

// describe prepares a write for a page. One whose fate is open is looked up in
// the register, which may have learnt it since.
func (s *Server) describe(ctx context.Context, entry Sent) sent {
	operation, _, _ := splitKey(entry.Key)
	shown := sent{Sent: entry, Operation: operation, Job: "job." + operation, When: entry.Created.UTC().Format(time.RFC3339)}
	if entry.Open() && entry.TransactionID != "" {
		if found, err := s.register.Transaction(ctx, entry.TransactionID); err == nil {
			shown.Block, shown.State, shown.ID = found.Block, SentInvalid, found.Subject
			if found.Valid {
				shown.State = SentCommitted
				shown.Look = pageOf(found.Event, found.Subject)
			}
		}
	}
	var event struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
	if len(entry.Event) > 0 && json.Unmarshal(entry.Event, &event) == nil {
		shown.ID, shown.Look = event.ID, pageOf(event.Type, event.ID)
	}
	shown.Tone = sentTones[shown.State]
	return shown
}

// sentTones is how a state may be shown; what is not known is neither good nor bad.
var sentTones = map[SentState]verdict.Tone{
	SentPending: verdict.Unknown, SentUnknown: verdict.Unknown, SentCommitted: verdict.Good,
	SentInvalid: verdict.Bad, SentRefused: verdict.Bad,
}

// pageOf is the page of the thing an event is about; empty when it has none.
func pageOf(event, id string) string {
	family, what, _ := strings.Cut(event, ".")
	switch family {
	case "merchant", "site", "instrument", "issuer":
		return "/" + map[string]string{"merchant": "m", "site": "s", "instrument": "i", "issuer": "n"}[family] + "/" + url.PathEscape(id)
	case "draw":
		return "/draws/" + url.PathEscape(id)
	case "inspection":
		if what == "published" || what == "corrected" || what == "upheld" {
			return "/v/" + url.PathEscape(id)
		}
	}
	return ""
}

// showSent tells what became of one write.
func (s *Server) showSent(ctx context.Context, v visit) (reply, error) {
	entry, found, err := s.desks.Journal.Find(ctx, v.Person.Label, v.Param("key"))
	if err != nil {
		return reply{}, fmt.Errorf("find what was sent: %w", err)
	}
	if !found {
		return reply{}, errNoPage
	}
	body := s.describe(ctx, entry)
	return reply{view: "sent", title: s.say(v.lang, "sent.title"), body: body}, nil
}

// listedSent is how many writes the list shows.
const listedSent = 100

// listSent lists what this post sent.
func (s *Server) listSent(ctx context.Context, v visit) (reply, error) {
	recent, err := s.desks.Journal.Recent(ctx, v.Person.Label, deskKeys, listedSent)
	if err != nil {
		return reply{}, fmt.Errorf("list what was sent: %w", err)
	}
	all := make([]sent, len(recent))
	for i, entry := range recent {
		all[i] = s.describe(ctx, entry)
	}
	return reply{view: "sents", title: s.say(v.lang, "sents.title"), body: all}, nil
}
