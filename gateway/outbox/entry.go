// Package outbox keeps what the gateway has sent to the ledger, from before it
// is sent until its fate is known, in a SQLite file of its own: the read model
// can be dropped and rebuilt, this cannot. After a crash the signed envelopes
// whose fate is open are all still here, and their transaction ids say what to
// ask the ledger.
package outbox

import (
	"errors"
	"slices"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// State is where a submission stands.
type State string

// The states of a submission.
const (
	Pending   State = "pending"   // an envelope is kept and may have been sent; somebody waits for word
	Unknown   State = "unknown"   // the same, but no word came in time
	Committed State = "committed" // on the ledger, valid; final
	Invalid   State = "invalid"   // on the ledger, without effect
	Refused   State = "refused"   // a rule broke when it was executed; nothing was sent
)

// transitions is the one table of legal changes; "" is a key not used before.
// Pending follows Pending when an envelope the ledger found invalid is
// replaced by a new one.
var transitions = map[State][]State{
	"":      {Pending, Refused},
	Pending: {Pending, Unknown, Committed, Invalid},
	Unknown: {Pending, Unknown, Committed, Invalid},
	Invalid: {Pending, Refused},
	Refused: {Pending, Refused},
}

// follows reports whether a submission in state from may go to state to.
func (to State) follows(from State) bool { return slices.Contains(transitions[from], to) }

// Open reports whether the fate of the submission is still to be found out.
func (s State) Open() bool { return s == Pending || s == Unknown }

// ErrState is a change that the table of states does not allow: a fault of the
// caller, never of a client.
var ErrState = errors.New("submission is not in a state for this")

// Entry is one submission, known by who made it and under which idempotency key.
type Entry struct {
	Caller        string
	Key           string
	RequestHash   [32]byte // of what the caller asked for
	Operation     string   // id that the ledger knows the business action by
	TransactionID string   // of the last envelope
	Envelope      []byte   // signed, as Client.Submit sends it; nil once its fate is known
	State         State
	Outcome       Outcome
	Created       time.Time
	Updated       time.Time
}

// Outcome is what became of a submission, told apart from any protocol.
type Outcome struct {
	BlockNumber uint64                // Committed, Invalid
	Timestamp   time.Time             // of the transaction, as its submitter claimed
	Code        peer.TxValidationCode // Committed: VALID
	Result      []byte                // Committed: payload of the chaincode's response
	Refusal     *metrology.Error      // Refused
}
