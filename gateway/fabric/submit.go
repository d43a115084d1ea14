package fabric

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
)

// Outbox remembers submissions across crashes. What a method has returned for
// is on disk. *outbox.Store is one.
type Outbox interface {
	// Find returns what is kept under a caller's key.
	Find(ctx context.Context, caller, key string) (e outbox.Entry, found bool, err error)
	// Keep records an envelope before it is sent, in place of one named by its
	// transaction id that had no effect.
	Keep(ctx context.Context, e outbox.Entry, replaces string) error
	// Refuse records that a rule broke and nothing was sent.
	Refuse(ctx context.Context, e outbox.Entry, refusal *metrology.Error) error
	// Settle records what became of a transaction.
	Settle(ctx context.Context, transactionID string, state outbox.State, outcome outbox.Outcome) error
	// Unsettled lists the submissions whose fate is open.
	Unsettled(ctx context.Context) ([]outbox.Entry, error)
	// Operation names a key towards the ledger, always alike.
	Operation(caller, key string) string
}

// Call is one transaction to submit.
type Call struct {
	Identity               string            // label in the wallet
	Function               string            // "family:Action"
	Request                []byte            // canonical JSON
	Operation              string            // operation id on the ledger; empty: one that belongs to identity and key
	Transient              map[string][]byte // never enters a block
	EndorsingOrganizations []string          // MSP ids; empty: the peer plans by the policies

	// Aside is called when the submission begins to wait in line behind others
	// that change the same, and what it returns when that ends; nil: nobody is told.
	Aside func() (back func())
}

// hash identifies what is asked for, so that a key cannot stand for two things.
func (call Call) hash() [32]byte {
	digest := sha256.New()
	add := func(part []byte) { fmt.Fprintf(digest, "%d:%s", len(part), part) }
	add([]byte(call.Function))
	add(call.Request)
	for _, name := range slices.Sorted(maps.Keys(call.Transient)) {
		add([]byte(name))
		add(call.Transient[name])
	}
	return [32]byte(digest.Sum(nil))
}

// submission is one Submit at work.
type submission struct {
	*Client
	call  Call
	entry outbox.Entry // its identity in the outbox; no envelope
	dead  string       // id of an envelope in the outbox that had no effect; the next one replaces it
}

// Submit makes call happen once for each (call.Identity, key) and returns when
// the block stream has shown it, after Follow's apply has taken the block.
//
// A second Submit with the same key and call returns what the first one did, or
// finds out and, if need be, sends the first one's envelope again. Another call
// under a used key is a metrology.CodeOperationReused error. A broken rule is a
// *metrology.Error. Neither it nor a transaction that the ledger found invalid
// is remembered as an answer: nothing happened, and the same key may try again.
// Other errors are *Fault: kind Unknown, with the transaction id, when it was
// sent and there is no word in time; it may still happen. After any other kind
// nothing has been written.
func (c *Client) Submit(ctx context.Context, key string, call Call) (Receipt, error) {
	leave, ok := c.enter()
	if !ok {
		return Receipt{}, &Fault{Kind: Unavailable, Err: errClosing}
	}
	defer leave()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	default:
		c.counters.overloaded.Add(1)
		return Receipt{}, &Fault{Kind: Overloaded, Err: fmt.Errorf("%d submissions are under way", cap(c.slots))}
	}
	release, _, err := c.keys.take(ctx, call.Aside, call.Identity+"/"+key) // labels hold no slash
	if err != nil {
		return Receipt{}, &Fault{Kind: Unavailable, Err: fmt.Errorf("wait for another submission with the same key: %w", err)}
	}
	defer release()
	if call.Operation == "" {
		call.Operation = c.config.Outbox.Operation(call.Identity, key)
	}
	s := &submission{Client: c, call: call, entry: outbox.Entry{
		Caller: call.Identity, Key: key, RequestHash: call.hash(), Operation: call.Operation,
	}}
	receipt, err := s.run(ctx)
	return receipt, classify(err)
}

// classify leaves rules and faults as they are and calls the rest internal:
// failures of the outbox or of this program.
func classify(err error) error {
	var rule *metrology.Error
	var fault *Fault
	if err == nil || errors.As(err, &rule) || errors.As(err, &fault) {
		return err
	}
	if errors.Is(err, ErrNoIdentity) {
		return &Fault{Kind: Unauthenticated, Err: err}
	}
	return &Fault{Kind: Internal, Err: err}
}

func (s *submission) run(ctx context.Context) (Receipt, error) {
	earlier, found, err := s.config.Outbox.Find(ctx, s.entry.Caller, s.entry.Key)
	if err != nil {
		return Receipt{}, err
	}
	if !found {
		return s.execute(ctx)
	}
	if earlier.RequestHash != s.entry.RequestHash {
		return Receipt{}, outbox.Reused(s.entry.Key)
	}
	s.entry.Operation, s.call.Operation = earlier.Operation, earlier.Operation
	switch earlier.State {
	case outbox.Committed:
		return receiptOf(earlier.TransactionID, earlier.Outcome), nil
	case outbox.Pending, outbox.Unknown:
		return s.resume(ctx, earlier)
	}
	return s.execute(ctx) // refused, or invalid on the ledger: nothing has happened yet
}

// resume finds out what became of an envelope sent earlier. Only when no peer
// knows its id it is sent, the same one again.
func (s *submission) resume(ctx context.Context, earlier outbox.Entry) (Receipt, error) {
	outcome, found, err := s.lookUp(ctx, s.call.Identity, earlier.TransactionID)
	if err != nil {
		return Receipt{}, &Fault{Kind: Unknown, TransactionID: earlier.TransactionID, Err: err}
	}
	if !found {
		if outcome, err = s.send(ctx, earlier.TransactionID, earlier.Envelope); err != nil {
			return Receipt{}, err
		}
	}
	receipt, again, err := s.conclude(ctx, earlier.TransactionID, outcome)
	if again {
		return s.execute(ctx)
	}
	return receipt, err
}

// execute makes a transaction, and a new one as long as conflicting writes get
// in its way.
func (s *submission) execute(ctx context.Context) (Receipt, error) {
	for attempt := range maxConflicts {
		if attempt > 0 && !s.pause(ctx, attempt) {
			break
		}
		receipt, again, err := s.attempt(ctx)
		if !again {
			return receipt, err
		}
	}
	s.bury(ctx)
	return Receipt{}, &Fault{Kind: Contended, TransactionID: s.dead, Err: errors.New("conflicting writes came first every time")}
}

// attempt makes one transaction and sees it through.
func (s *submission) attempt(ctx context.Context) (receipt Receipt, again bool, err error) {
	transaction, release, err := s.prepare(ctx)
	if err != nil {
		return Receipt{}, false, s.refused(ctx, err)
	}
	release = sync.OnceFunc(release)
	defer release()
	s.entry.TransactionID, s.entry.Envelope = transaction.id, transaction.prepared
	if err := s.config.Outbox.Keep(ctx, s.entry, s.dead); err != nil {
		return Receipt{}, false, err
	}
	outcome, err := s.send(ctx, transaction.id, transaction.prepared)
	if err != nil {
		return Receipt{}, false, err
	}
	release() // who changes the same need not wait until this is written down
	return s.conclude(ctx, transaction.id, outcome)
}

// prepare endorses the call and takes its turn for the keys it changes. When
// another submission of this gateway is changing one of them, what was endorsed
// meanwhile would only conflict: it waits and has the call executed anew.
// Conflicts are then left to happen between gateways.
func (s *submission) prepare(ctx context.Context) (*endorsed, func(), error) {
	var held []string
	release := func() {}
	for range maxDisagreements {
		transaction, err := s.endorse(ctx)
		if err != nil {
			release()
			return nil, nil, err
		}
		names := transaction.contested
		if held != nil && !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(held, name) }) {
			return transaction, release, nil
		}
		release()
		var waited bool
		if release, waited, err = s.hot.take(ctx, s.call.Aside, names...); err != nil {
			return nil, nil, &Fault{Kind: Unavailable, Err: fmt.Errorf("wait for another submission that changes the same: %w", err)}
		}
		if !waited {
			return transaction, release, nil
		}
		s.counters.waits.Add(1)
		held = append(names, "") // not nil, even without names
	}
	release()
	return nil, nil, &Fault{Kind: Contended, Err: errors.New("each execution changed other keys")}
}

// conclude settles a transaction that the ledger has shown. again says that it
// had no effect for a reason that a new transaction can escape; it is then
// settled when that one replaces it.
func (s *submission) conclude(ctx context.Context, id string, outcome outbox.Outcome) (receipt Receipt, again bool, err error) {
	if conflict(outcome.Code) {
		s.dead = id
		s.counters.conflicts.Add(1)
		return Receipt{}, true, nil
	}
	// The ledger has spoken: neither a lost caller nor a failing disk changes
	// the answer. Unsettled, the submission is asked for again at the next start.
	if err := s.settle(context.WithoutCancel(ctx), id, outcome); err != nil {
		s.config.Logger.ErrorContext(ctx, "settle submission", "transaction", id, "error", err)
	}
	if !valid(outcome) {
		return Receipt{}, false, invalidated(id, outcome.Code)
	}
	s.counters.committed.Add(1)
	return receiptOf(id, outcome), false, nil
}

// refused records a broken rule and passes the error on.
func (s *submission) refused(ctx context.Context, err error) error {
	s.bury(ctx)
	var rule *metrology.Error
	if !errors.As(err, &rule) {
		return err
	}
	s.counters.refused.Add(1)
	if kept := s.config.Outbox.Refuse(ctx, s.entry, rule); kept != nil {
		s.config.Logger.ErrorContext(ctx, "record refusal", "operation", s.entry.Operation, "error", kept)
	}
	return err
}

// bury settles an envelope without effect that nothing will replace now.
func (s *submission) bury(ctx context.Context) {
	if s.dead == "" {
		return
	}
	outcome := outbox.Outcome{Code: peer.TxValidationCode_MVCC_READ_CONFLICT}
	if err := s.config.Outbox.Settle(context.WithoutCancel(ctx), s.dead, outbox.Invalid, outcome); err != nil {
		s.config.Logger.ErrorContext(ctx, "settle submission", "transaction", s.dead, "error", err)
	}
}

// pause waits before a new attempt, longer each time and by chance, so that
// competitors come apart. It reports whether ctx still stands.
func (s *submission) pause(ctx context.Context, attempt int) bool {
	limit := min(s.config.Timeouts.Retry<<min(attempt, 10), maxBackoff)
	return sleep(ctx, limit/4+rand.N(limit))
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// endorse collects endorsements, again while endorsers disagree or the one
// that refused was behind: their peers may stand at different heights. So does
// it while private data went to a peer that has just gone. Nothing has been
// sent when it fails.
func (s *submission) endorse(ctx context.Context) (transaction *endorsed, err error) {
	known, start := s.known(), time.Now()
	var asked *endpoint
	for attempt := range maxDisagreements {
		if attempt > 0 && !s.pause(ctx, attempt) {
			break
		}
		err = s.tryPeers(ctx, s.call.Identity, func(peer *endpoint, gateway *client.Gateway) (err error) {
			asked = peer
			transaction, err = s.proposeTo(ctx, gateway)
			return err
		})
		if err == nil {
			return transaction, nil
		}
		if errors.Is(err, ErrNoIdentity) {
			return nil, err
		}
		if disagreement(err, s.call.EndorsingOrganizations) ||
			strings.Contains(err.Error(), undistributed) && time.Since(start) < s.config.Timeouts.Endorse {
			continue
		}
		again, late := s.outdated(ctx, s.call.Identity, asked, known, err)
		if late != nil {
			return nil, Decode(late)
		}
		if !again {
			break
		}
	}
	return nil, Decode(err)
}

func (s *submission) proposeTo(ctx context.Context, gateway *client.Gateway) (*endorsed, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeouts.Endorse)
	defer cancel()
	options := []client.ProposalOption{client.WithBytesArguments(s.call.Request, []byte(s.call.Operation))}
	if len(s.call.Transient) > 0 {
		options = append(options, client.WithTransient(s.call.Transient))
	}
	if len(s.call.EndorsingOrganizations) > 0 {
		options = append(options, client.WithEndorsingOrganizations(s.call.EndorsingOrganizations...))
	}
	proposal, err := gateway.GetNetwork(s.config.Channel).GetContract(s.config.Chaincode).NewProposal(s.call.Function, options...)
	if err != nil {
		return nil, fmt.Errorf("make proposal: %w", err)
	}
	transaction, err := proposal.EndorseWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return s.sign(gateway, transaction)
}

func valid(outcome outbox.Outcome) bool { return outcome.Code == peer.TxValidationCode_VALID }

// conflict reports whether a transaction was invalid because another one
// changed what it had read, so that executing it anew can succeed.
func conflict(code peer.TxValidationCode) bool {
	return code == peer.TxValidationCode_MVCC_READ_CONFLICT || code == peer.TxValidationCode_PHANTOM_READ_CONFLICT
}

func invalidated(id string, code peer.TxValidationCode) error {
	return &Fault{Kind: Invalidated, TransactionID: id, Err: fmt.Errorf("the ledger found the transaction invalid: %s", code)}
}

func receiptOf(id string, outcome outbox.Outcome) Receipt {
	return Receipt{TransactionID: id, BlockNumber: outcome.BlockNumber, Timestamp: outcome.Timestamp, Result: outcome.Result}
}
