package readmodel

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// Several gateways may share one PostgreSQL database. One of them projects, the
// others read and wait for its rows. Who projects holds a lease, and every
// transaction that changes a row extends it first, by the term in which it was
// granted: that is the fence. A projector that slept through the end of its
// lease finds another term there and changes nothing. Since only work extends
// the lease, a gateway whose block stream hangs loses it too. All times are the
// database's own.
const leaseSchema = `CREATE TABLE IF NOT EXISTS lease (
	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
	holder   TEXT NOT NULL,
	term     BIGINT NOT NULL,
	until    TIMESTAMPTZ NOT NULL
)`

// ErrNotProjecting says that another gateway projects the ledger into this
// database. Nothing was changed.
var ErrNotProjecting = errors.New("another gateway projects the ledger into this database")

// defaultLease is long beside a block and short beside a person's patience.
const defaultLease = 5 * time.Second

// How long a gateway waits between two looks for the projector's rows; each
// wait is twice the last.
const (
	minLook = 2 * time.Millisecond
	maxLook = 50 * time.Millisecond
)

// lease is this gateway's part in who projects.
type lease struct {
	holder string
	length time.Duration
	term   atomic.Int64 // 0: not held
}

func (l *lease) prepare(config Config) {
	l.holder, l.length = config.Holder, config.Lease
	if l.holder == "" {
		var random [8]byte
		_, _ = rand.Read(random[:]) // never fails (crypto/rand)
		l.holder = hex.EncodeToString(random[:])
	}
	if l.length == 0 {
		l.length = defaultLease
	}
}

// Projects reports whether this gateway held the lease when it last asked. The
// owner of a database that cannot be shared always does.
func (s *Store) Projects() bool { return !s.dialect.shared || s.lease.term.Load() != 0 }

// grant takes the lease if it is free, ended, or held under this gateway's own
// name by a process before this one.
func (s *Store) grant(ctx context.Context) error {
	const query = `INSERT INTO lease (only_row, holder, term, until)
		VALUES (1, $1, 1, clock_timestamp() + $2 * interval '1 microsecond')
		ON CONFLICT (only_row) DO UPDATE SET holder = $1, term = lease.term + 1, until = clock_timestamp() + $2 * interval '1 microsecond'
		WHERE lease.until < clock_timestamp() OR lease.holder = $1 RETURNING term`
	var term int64
	err := s.write.QueryRowContext(ctx, query, s.lease.holder, s.lease.length.Microseconds()).Scan(&term)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotProjecting
	}
	if err != nil {
		return fmt.Errorf("take the lease: %w", err)
	}
	s.lease.term.Store(term)
	return nil
}

// fence extends the lease in the transaction that is to change rows, which thus
// keeps every other gateway waiting until it ends.
func (a *applier) fence() error {
	if !a.dialect.shared {
		return nil
	}
	const query = `UPDATE lease SET until = clock_timestamp() + $1 * interval '1 microsecond' WHERE term = $2`
	result, err := a.tx.ExecContext(a.ctx, query, a.lease.length.Microseconds(), a.lease.term.Load())
	if err != nil {
		return fmt.Errorf("extend the lease: %w", err)
	}
	extended, err := result.RowsAffected()
	if err == nil && extended == 0 {
		a.lease.term.Store(0)
		return ErrNotProjecting
	}
	return err
}

// lead makes sure that this gateway may change rows, as far as it knows.
func (s *Store) lead(ctx context.Context) error {
	if s.Projects() {
		return nil
	}
	return s.grant(ctx)
}

// Take returns when the read model has the blocks: applied here, or by the
// gateway that projects. When that one falls silent, this one takes over.
func (s *Store) Take(ctx context.Context, blocks ...ledger.Block) error {
	if !s.dialect.shared {
		return s.Apply(ctx, blocks...)
	}
	for look := minLook; ; look = min(2*look, maxLook) {
		rest, err := s.untaken(ctx, blocks)
		if err != nil || len(rest) == 0 {
			return err
		}
		if len(rest) < len(blocks) {
			blocks, look = rest, minLook
		}
		err = s.Apply(ctx, blocks...)
		if errors.Is(err, ledger.ErrGap) { // another gateway may have come first
			if rest, again := s.untaken(ctx, blocks); len(rest) < len(blocks) || again != nil {
				continue
			}
		}
		if !errors.Is(err, ErrNotProjecting) {
			return err
		}
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// untaken returns those of some blocks that the read model does not have. Where
// it has some that this gateway did not apply, another one holds the lease.
// Another block of the number that it is at is of another ledger.
func (s *Store) untaken(ctx context.Context, blocks []ledger.Block) ([]ledger.Block, error) {
	last, err := s.Position(ctx)
	if err != nil || last == nil {
		return blocks, err
	}
	there := 0
	for _, block := range blocks {
		if last.Number == block.Number && last.Hash != block.Hash {
			return blocks, fmt.Errorf("take block %d: its hash is %s, the read model has %s: %w", block.Number, block.Hash, last.Hash, ledger.ErrForeignLedger)
		}
		if block.Number <= last.Number {
			there++
		}
	}
	if there > 0 {
		s.lease.term.Store(0)
		s.single.forget()
	}
	return blocks[there:], nil
}

// Resign gives up the lease, so that another gateway need not wait for its end.
func (s *Store) Resign(ctx context.Context) error {
	term := s.lease.term.Swap(0)
	if term == 0 {
		return nil
	}
	if _, err := s.write.ExecContext(ctx, `UPDATE lease SET until = clock_timestamp() WHERE term = $1`, term); err != nil {
		return fmt.Errorf("give up the lease: %w", err)
	}
	return nil
}
