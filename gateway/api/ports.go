package api

import (
	"context"
	"time"
)

// Principal is who a bearer token stands for: one identity of the gateway's
// wallet, as its certificate describes it.
type Principal struct {
	Label   string // of the wallet
	MSP     string
	Role    string
	Subject string
}

// Call is one transaction to submit.
type Call struct {
	Function  string            // "family:Action"
	Request   []byte            // JSON, the same bytes for the same Idempotency-Key
	Transient map[string][]byte // private documents; they never enter a block
}

// Receipt says what became of a submitted transaction.
type Receipt struct {
	TransactionID string
	Committed     bool // false: not known in time; neither success nor failure
	BlockNumber   uint64
	Timestamp     time.Time // the submitter's claim
	Result        []byte    // the event of the transaction, when committed
}

// Writer submits transactions.
type Writer interface {
	// Submit sends call once for each (who, key) and returns when the commit is
	// known and the reads show it, or when it cannot be known in time. A second
	// Submit with the same key and call returns the first one's receipt or asks
	// what became of it; it never runs the call twice. Another call under a
	// used key is a metrology.CodeOperationReused error.
	Submit(ctx context.Context, who Principal, key string, call Call) (Receipt, error)
	// Evaluate runs a reading transaction on a peer.
	Evaluate(ctx context.Context, who Principal, function string, request []byte) ([]byte, error)
}

// FaultKind says why the ledger gave no answer.
type FaultKind string

// The kinds of fault.
const (
	FaultUnavailable FaultKind = "unavailable" // no peer or orderer could be reached; nothing was written
	FaultOverloaded  FaultKind = "overloaded"  // a peer or this gateway is at its limit; nothing was written
	FaultTooMany     FaultKind = "too-many"    // this client asks too often; nothing was written
)

// Fault is a failure of the ledger's network, apart from broken rules.
type Fault struct {
	Kind       FaultKind
	RetryAfter time.Duration
	Err        error
}

func (f *Fault) Error() string { return string(f.Kind) + ": " + f.Err.Error() }

func (f *Fault) Unwrap() error { return f.Err }
