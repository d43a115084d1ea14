package readmodel_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

const testLease = 400 * time.Millisecond

// share opens a read model of one more gateway on a database.
func share(t *testing.T, dsn, holder string, lease time.Duration) *register {
	return newRegister(t, readmodel.Config{Driver: "pgx", DSN: dsn, Holder: holder, Lease: lease})
}

// ledgerOf makes so many blocks that register one institution each.
func ledgerOf(t *testing.T, count int) (blocks []ledger.Block, rows map[string][]string) {
	r := newRegister(t, readmodel.Config{Driver: "sqlite", DSN: filepath.Join(t.TempDir(), "reference.db")})
	for i := range count {
		r.apply(institution(i))
	}
	return r.blocks, r.dump()
}

func institution(i int) ledger.Transaction {
	id := fmt.Sprintf("lab%d", i)
	return act(metrology.EventIssuerRegistered, id, put("issuer/"+id, metrology.Issuer{ID: id, Region: "310115", State: metrology.IssuerActive}))
}

// TestLeaseTakeover: while one gateway projects, another one waits for its
// rows; when it falls silent the other takes over, and what the first one still
// has in hand changes nothing.
func TestLeaseTakeover(t *testing.T) {
	dsn := postgresSchema(t)
	blocks, want := ledgerOf(t, 6)
	first, second := share(t, dsn, "first", testLease), share(t, dsn, "second", testLease)
	ctx := t.Context()
	require.False(t, first.Projects())
	for _, block := range blocks[:3] {
		require.NoError(t, first.Take(ctx, block))
		require.ErrorIs(t, second.Apply(ctx, block), readmodel.ErrNotProjecting)
		require.NoError(t, second.Take(ctx, block), "the first one has applied it")
	}
	require.True(t, first.Projects())
	require.False(t, second.Projects())

	// Nobody applies the next block until the lease has ended.
	begun := time.Now()
	require.NoError(t, second.Take(ctx, blocks[3]))
	require.GreaterOrEqual(t, time.Since(begun), testLease/2)
	require.True(t, second.Projects())

	// The first one believes that it still projects. Its transaction finds
	// another term, whatever it holds.
	require.True(t, first.Projects())
	before := second.dump()
	require.ErrorIs(t, first.Apply(ctx, blocks[4]), readmodel.ErrNotProjecting)
	require.False(t, first.Projects())
	require.Equal(t, before, second.dump())

	require.NoError(t, second.Take(ctx, blocks[4]))
	require.NoError(t, first.Take(ctx, blocks[4]))
	require.NoError(t, second.Resign(ctx))
	begun = time.Now()
	require.NoError(t, first.Take(ctx, blocks[5]))
	require.Less(t, time.Since(begun), testLease/2, "what was given up is free at once")
	rest := blocks[6:]
	for _, block := range rest {
		require.NoError(t, first.Take(ctx, block))
	}
	require.Equal(t, want, first.dump())
}

// TestLeaseRestart: a gateway that comes back under its name need not wait for
// the end of its own lease, and fences off what may be left of itself.
func TestLeaseRestart(t *testing.T) {
	dsn := postgresSchema(t)
	blocks, want := ledgerOf(t, 2)
	old := share(t, dsn, "one", time.Hour)
	require.NoError(t, old.Take(t.Context(), blocks[0]))
	again := share(t, dsn, "one", time.Hour)
	require.NoError(t, again.Take(t.Context(), blocks[1]))
	require.ErrorIs(t, old.Apply(t.Context(), blocks[2]), readmodel.ErrNotProjecting)
	require.NoError(t, again.Take(t.Context(), blocks[2]))
	require.Equal(t, want, again.dump())
}

// TestLeaseForeign: a block that is not the one the shared database has is of
// another ledger, also for a gateway that only reads.
func TestLeaseForeign(t *testing.T) {
	dsn := postgresSchema(t)
	blocks, _ := ledgerOf(t, 1)
	first, second := share(t, dsn, "first", time.Hour), share(t, dsn, "second", time.Hour)
	for _, block := range blocks {
		require.NoError(t, first.Take(t.Context(), block))
	}
	other := blocks[1]
	other.Hash[0]++
	require.ErrorIs(t, second.Take(t.Context(), other), ledger.ErrForeignLedger)
	beyond := blocks[1]
	beyond.Number = 7
	require.ErrorIs(t, first.Take(t.Context(), beyond), ledger.ErrGap, "the projector waits for nobody")
}

// TestLeaseStorm: gateways that share a database, come and go and lose their
// lease all the time leave the rows that one alone would have made, and none
// reports a block before its rows are there.
func TestLeaseStorm(t *testing.T) {
	dsn := postgresSchema(t)
	blocks, want := ledgerOf(t, 120)
	var group sync.WaitGroup
	var leaders sync.Map
	for i := range 4 {
		name := fmt.Sprint("gateway ", i)
		r := share(t, dsn, name, time.Millisecond) // ends between two blocks
		random := rand.New(rand.NewPCG(1, uint64(i)))
		group.Go(func() {
			for rest := blocks; len(rest) > 0; {
				group := rest[:min(1+random.IntN(4), len(rest))]
				rest = rest[len(group):]
				time.Sleep(time.Duration(random.IntN(4000)) * time.Microsecond) // so that each comes first at times
				if err := r.Take(context.Background(), group...); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				block := group[len(group)-1]
				if last, err := r.Position(context.Background()); err != nil || last.Number < block.Number {
					t.Errorf("%s: after block %d the read model is at %v, %v", name, block.Number, last, err)
				}
				if r.Projects() {
					leaders.Store(name, true)
				}
			}
		})
	}
	group.Wait()
	count := 0
	leaders.Range(func(any, any) bool { count++; return true })
	require.Greater(t, count, 1, "more than one must have projected")
	require.Equal(t, want, share(t, dsn, "last", time.Second).dump())
}
