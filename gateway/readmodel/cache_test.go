package readmodel_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

// What is kept in memory never outlives the block that changes it, also while
// others read.
func TestReadsSeeTheLatestBlock(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		populate(r)
		r.renumber(len(r.blocks) + 1)
		done := readMeanwhile(t, r.Store)
		for range 30 {
			height := len(r.blocks) + 1
			r.renumber(height)
			for range 2 { // the second answer is the kept one
				require.Equal(t, shown{height, height, height, height}, shownBy(t, r.Store))
			}
		}
		done()
		require.NoError(t, r.Drop(t.Context()))
		_, err := r.Issuer(t.Context(), "lab")
		require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
	})
}

// The same holds of a gateway that only reads what another one projects, which
// it does not learn of at once: what it answers is never older than the height
// that it says with it.
func TestOthersReadNothingOlderThanTheirHeight(t *testing.T) {
	r := newRegister(t, readmodel.Config{Driver: "pgx", DSN: postgresSchema(t), Holder: "projects", Lease: time.Minute})
	populate(r)
	r.renumber(len(r.blocks) + 1)
	config := r.config
	config.Holder = "reads"
	other, err := readmodel.Open(t.Context(), config)
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	_, err = other.Issuer(t.Context(), "lab") // kept, as by a page that asks for no height
	require.NoError(t, err)
	r.renumber(len(r.blocks) + 1)
	got := shownBy(t, other)
	require.GreaterOrEqual(t, got.issuer, got.height)
	done := readMeanwhile(t, other)
	for range 60 {
		r.renumber(len(r.blocks) + 1)
		if len(r.blocks)%3 == 0 {
			require.NoError(t, other.Take(t.Context(), r.blocks[len(r.blocks)-3:]...))
			require.GreaterOrEqual(t, shownBy(t, other).height, len(r.blocks))
		}
	}
	done()
}

// A status that is long on its way takes no place from the one that others kept
// before they read what they keep beside it: they would be older than it says.
func TestSlowStatusOvertakesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		populate(r)
		r.renumber(len(r.blocks) + 1)
		slow, err := r.RememberStatus(t.Context(), func() (public.Status, error) {
			before := shownBy(t, r.Store) // all of it is kept
			return public.Status{Height: uint64(before.height) + 1}, nil
		})
		require.NoError(t, err)
		got := shownBy(t, r.Store)
		require.GreaterOrEqual(t, min(got.certificate, got.issuer, got.instrument), max(got.height, int(slow.Height)))
	})
}

// readMeanwhile has two readers check what they are shown until done.
func readMeanwhile(t *testing.T, from *readmodel.Store) (done func()) {
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := shownBy(t, from); min(got.certificate, got.issuer, got.instrument) < got.height {
					t.Errorf("older than the height said: %+v", got)
					return
				}
			}
		})
	}
	return func() {
		close(stop)
		readers.Wait()
	}
}

// renumber writes a number, the height after it, into a certificate, its issuer and its instrument.
func (r *register) renumber(number int) {
	record := recordOf(leaf("N-1", "i1"), "r1", 0)
	record.State, record.Reason = metrology.CertificateRevoked, metrology.CertificateReason(strconv.Itoa(number))
	revoke := act(metrology.EventCertificateRevoked, "lab/N-1", put(metrology.CertificateKey("lab", "N-1"), record),
		put("issuer/lab", metrology.Issuer{ID: "lab", Region: strconv.Itoa(number), Grants: []metrology.Grant{}}),
		put("instrument/i1", metrology.Instrument{ID: "i1", Registered: strconv.Itoa(number)}))
	revoke.ID = fmt.Sprint("tx-revoke-", number)
	r.apply(revoke)
}

// shown is what a verification reads: the height that is said, and the heights
// that were written into the answers.
type shown struct{ height, certificate, issuer, instrument int }

func shownBy(t *testing.T, from *readmodel.Store) (s shown) {
	ctx := context.Background()
	status, err := from.Status(ctx)
	found, err2 := from.CertificatesByDigest(ctx, metrology.AlgorithmSHA256, digestOf("file N-1").Value, today)
	issuer, err3 := from.Issuer(ctx, "lab")
	instrument, err4 := from.Instrument(ctx, "i1", today)
	if err := errors.Join(err, err2, err3, err4); err != nil || len(found) != 1 {
		t.Errorf("%d certificates, %v", len(found), err)
		return s
	}
	numbers := [3]int{}
	for i, text := range []string{string(found[0].Reason), issuer.Region, instrument.Registered} {
		if numbers[i], err = strconv.Atoi(text); err != nil {
			t.Error(err)
		}
	}
	return shown{int(status.Height), numbers[0], numbers[1], numbers[2]}
}

// A cursor is outside input: whatever it holds, it is taken as one's own or
// refused, and never an error of the database.
func FuzzCursor(f *testing.F) {
	r := newRegister(f, readmodel.Config{Driver: "sqlite", DSN: f.TempDir() + "/readmodel.db"})
	crowd(r, 5)
	for _, read := range r.lists() {
		_, next, err := read(public.PageRequest{Limit: 2})
		require.NoError(f, err)
		f.Add(next)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		accepted := 0
		for name, read := range r.lists() {
			_, _, err := read(public.PageRequest{Cursor: cursor})
			switch {
			case err == nil && cursor != "":
				accepted++
			case err != nil && metrology.ErrorCode(err) != metrology.CodeInvalid:
				t.Errorf("%s: %v", name, err)
			}
		}
		if accepted > 1 {
			t.Errorf("%d lists take cursor %q", accepted, cursor)
		}
	})
}
