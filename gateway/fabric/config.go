// Package fabric is the only user of the Fabric Gateway client. It submits
// transactions so that each happens once whatever breaks on the way, evaluates
// queries, and follows the ledger as one stream of verified blocks.
//
// A write goes: endorse, keep the signed envelope in the outbox, send it, wait
// until the block stream shows it. An error after keeping means "unknown": the
// transaction id is asked, and the same envelope is sent again; a second copy
// is invalid on the ledger by its id. Only when the ledger itself says that the
// transaction had no effect is a new one made, with the same operation id, and
// the contract makes a second commit under an operation id a no-op.
package fabric

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// Config says which network to join, and as whom.
type Config struct {
	Channel   string
	Chaincode string
	Peers     []Peer // in order of preference; an identity is served by its own organisation's first
	Wallet    string // directory of <label>.id files
	Reader    string // label of the identity that follows the ledger; empty: the first one of the first peer's organisation
	Trust     ledger.Trust
	Outbox    Outbox
	Logger    *slog.Logger // nil: discard
	Timeouts  Timeouts
	InFlight  int               // submissions at once; more are refused as overload. 0: 500, the limit of a peer's gateway
	Dial      []grpc.DialOption // further gRPC options, such as interceptors
}

// Peer is where one peer serves Fabric's Gateway and Deliver.
type Peer struct {
	MSPID      string
	Endpoint   string // host:port
	ServerName string // that its TLS certificate names; empty: the host
	TLSRoots   []byte // PEM

	// Connection reaches a peer that runs in this process; nil: it is dialled.
	Connection grpc.ClientConnInterface
}

// Timeouts bound each step. Zero values take the defaults given here.
type Timeouts struct {
	Evaluate time.Duration // 10 s
	Endorse  time.Duration // 15 s, Fabric's own default for clients
	Submit   time.Duration // 10 s per sending
	Commit   time.Duration // 20 s from the first sending until the outcome is called unknown
	Resend   time.Duration // 500 ms, doubled each time, between sendings of an envelope whose sending failed
	Retry    time.Duration // 20 ms, doubled each time and jittered, before a conflicting transaction is made anew
	Stream   time.Duration // 1 s between attempts to open a broken block stream
	Height   time.Duration // 5 s between questions for the peers' heights, and for an answer
}

// The bounds on repeating.
const (
	defaultInFlight   = 500
	maxConflicts      = 24                      // new transactions for one submission after read conflicts
	maxDisagreements  = 5                       // proposals for one transaction while endorsers disagree
	maxBackoff        = 1500 * time.Millisecond // between new transactions
	maxMessage        = 100 << 20               // bytes of one gRPC message, Fabric's own limit
	maxOperationBytes = 64
)

func (t *Timeouts) setDefaults() {
	for _, d := range []struct {
		value   *time.Duration
		initial time.Duration
	}{
		{&t.Evaluate, 10 * time.Second},
		{&t.Endorse, 15 * time.Second},
		{&t.Submit, 10 * time.Second},
		{&t.Commit, 20 * time.Second},
		{&t.Resend, 500 * time.Millisecond},
		{&t.Retry, 20 * time.Millisecond},
		{&t.Stream, time.Second},
		{&t.Height, 5 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.initial
		}
	}
}

// validate refuses what cannot work and fills in defaults.
func (c *Config) validate() error {
	switch {
	case c.Channel == "":
		return errors.New("no channel")
	case c.Chaincode == "":
		return errors.New("no chaincode")
	case len(c.Peers) == 0:
		return errors.New("no peers")
	case c.Wallet == "":
		return errors.New("no wallet")
	case c.Outbox == nil:
		return errors.New("no outbox")
	case c.Trust.Channel != c.Channel:
		return fmt.Errorf("the trust file is for channel %q, want %q", c.Trust.Channel, c.Channel)
	}
	for _, peer := range c.Peers {
		if _, ok := c.Trust.Organizations[peer.MSPID]; !ok {
			return fmt.Errorf("peer %s is of %q, which the trust file does not name", peer.Endpoint, peer.MSPID)
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.InFlight == 0 {
		c.InFlight = defaultInFlight
	}
	c.Timeouts.setDefaults()
	return nil
}
