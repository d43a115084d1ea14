package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// ErrClosed is returned by every change after Close.
var ErrClosed = errors.New("outbox is closed")

// batchLimit bounds how many changes share one SQL transaction, and so one fsync.
const batchLimit = 256

// What is settled is kept so long, and then forgotten at the next of these
// times: the salt of a private document follows from its key, and must not be
// found again long after the document was purged.
const (
	retention  = 30 * 24 * time.Hour
	pruneEvery = time.Hour
)

// gathering is how long a change waits for others when the one before was not
// alone: a commit costs the processor as much as several rows, so that under
// load twice as many in each are worth more than the wait.
const gathering = 3 * time.Millisecond

// change is one row's change and where to tell the result. apply runs one
// writing statement at most, after its checks: when it fails it has written
// nothing, and the rest of its batch stands.
type change struct {
	apply func(ctx context.Context, tx *sql.Tx) error
	done  chan error
}

// do hands a change to the writer and waits until it is on disk. Once handed
// over it is made whatever becomes of ctx.
func (s *Store) do(ctx context.Context, apply func(context.Context, *sql.Tx) error) error {
	c := change{apply: apply, done: make(chan error, 1)}
	select {
	case <-s.closing:
		return ErrClosed
	default:
	}
	select {
	case s.changes <- c:
	case <-s.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.done:
		return err
	case <-s.stopped:
	}
	select { // the writer may have answered on its way out
	case err := <-c.done:
		return err
	default:
		return ErrClosed
	}
}

// run is the one writer. It commits together whatever waits: under load many
// submissions share an fsync, and a lone one waits for nobody. It also forgets
// what is old.
func (s *Store) run() {
	defer close(s.stopped)
	old := time.NewTicker(s.pruneEvery)
	defer old.Stop()
	shared := false // the batch before held several
	for {
		select {
		case now := <-old.C:
			_, forget := prune(now.Add(-s.retention))
			s.commit([]change{{apply: forget, done: make(chan error, 1)}}) // tried again next time
		case first := <-s.changes:
			if shared {
				time.Sleep(gathering)
			}
			batch := s.gather(first)
			shared = len(batch) > 1
			s.commit(batch)
		case <-s.closing:
			if batch := s.gather(); len(batch) > 0 {
				s.commit(batch)
			}
			return
		}
	}
}

func (s *Store) gather(batch ...change) []change {
	for len(batch) < batchLimit {
		select {
		case c := <-s.changes:
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// commit makes the changes of a batch in one SQL transaction and answers each.
func (s *Store) commit(batch []change) {
	results := make([]error, len(batch))
	err := s.transact(context.Background(), func(ctx context.Context, tx *sql.Tx) {
		for i, c := range batch {
			results[i] = c.apply(ctx, tx)
		}
	})
	for i, c := range batch {
		if err != nil {
			c.done <- err
			continue
		}
		c.done <- results[i]
	}
}

func (s *Store) transact(ctx context.Context, work func(context.Context, *sql.Tx)) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin outbox transaction: %w", err)
	}
	work(ctx, tx)
	if err := tx.Commit(); err != nil {
		return errors.Join(fmt.Errorf("commit outbox transaction: %w", err), tx.Rollback())
	}
	return nil
}

// Keep records a signed envelope before it is sent: e's key, request hash,
// operation, transaction id and envelope. Another request under a used key is
// a metrology.CodeOperationReused error. An envelope whose fate is open is
// replaced only when replaces names it: the caller has learnt that it is
// invalid on the ledger.
func (s *Store) Keep(ctx context.Context, e Entry, replaces string) error {
	e.State = Pending
	return s.put(ctx, e, func(earlier Entry) error {
		if earlier.State.Open() && earlier.TransactionID != replaces {
			return fmt.Errorf("keep envelope %s: %w: the fate of %s is open", e.TransactionID, ErrState, earlier.TransactionID)
		}
		return nil
	})
}

// Refuse records that a rule broke when the request was executed.
func (s *Store) Refuse(ctx context.Context, e Entry, refusal *metrology.Error) error {
	e.State, e.TransactionID, e.Envelope, e.Outcome = Refused, "", nil, Outcome{Refusal: refusal}
	return s.put(ctx, e, func(Entry) error { return nil })
}

func (s *Store) put(ctx context.Context, e Entry, check func(earlier Entry) error) error {
	e.Created = time.Now().UTC().Truncate(time.Millisecond)
	e.Updated = e.Created
	return s.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if fresh, err := s.insert(ctx, tx, e); err != nil || fresh {
			return err
		}
		earlier, _, err := queryEntry(ctx, tx, byKey, e.Caller, e.Key)
		if err != nil {
			return err
		}
		if earlier.RequestHash != e.RequestHash {
			return Reused(e.Key)
		}
		if !e.State.follows(earlier.State) {
			return fmt.Errorf("record submission as %s: %w: it is %q", e.State, ErrState, earlier.State)
		}
		if err := check(earlier); err != nil {
			return err
		}
		return update(ctx, tx, e)
	})
}

// Reused is the answer to another request under a used key.
func Reused(key string) error {
	return metrology.Errorf(metrology.CodeOperationReused, "the key %q was used for another request", key)
}

// Settle records what the ledger says of a transaction: Committed or Invalid
// with its outcome, or Unknown. A settlement of an envelope that has been
// replaced or settled alike before changes nothing.
func (s *Store) Settle(ctx context.Context, transactionID string, state State, outcome Outcome) error {
	if state == Pending || !state.follows(Pending) {
		return fmt.Errorf("settle %s as %s: %w", transactionID, state, ErrState)
	}
	return s.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		settled, err := s.settle(ctx, tx, transactionID, state, outcome)
		if err != nil || settled {
			return err
		}
		e, found, err := queryEntry(ctx, tx, byTransaction, transactionID)
		if err != nil || !found || e.State == state || state == Unknown {
			return err
		}
		return fmt.Errorf("settle %s as %s: %w: it is %s", transactionID, state, ErrState, e.State)
	})
}

// Prune forgets what was settled before a time, and returns how much that was.
// A key forgotten here is still known on the ledger, by its operation.
func (s *Store) Prune(ctx context.Context, before time.Time) (count int64, err error) {
	forgotten, forget := prune(before)
	err = s.do(ctx, forget)
	return *forgotten, err
}

func prune(before time.Time) (count *int64, forget func(context.Context, *sql.Tx) error) {
	count = new(int64)
	return count, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM submission WHERE updated < ? AND state NOT IN ('pending', 'unknown')`, before.UnixMilli())
		if err != nil {
			return fmt.Errorf("prune outbox: %w", err)
		}
		*count, err = result.RowsAffected()
		return err
	}
}
