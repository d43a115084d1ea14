package readmodel_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

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
		stop := make(chan struct{})
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						_ = r.shown(t)
					}
				}
			})
		}
		record := recordOf(leaf("N-1", "i1"), "r1", 0)
		for i := range 30 {
			height := len(r.blocks) + 1
			record.State, record.Reason = metrology.CertificateRevoked, metrology.CertificateReason(fmt.Sprint("reason-", i))
			revoke := act(metrology.EventCertificateRevoked, "lab/N-1", put(metrology.CertificateKey("lab", "N-1"), record),
				put("issuer/lab", metrology.Issuer{ID: "lab", Region: fmt.Sprint(i), Grants: []metrology.Grant{}}),
				put("instrument/i1", metrology.Instrument{ID: "i1", Registered: fmt.Sprint(i)}))
			revoke.ID = fmt.Sprint("tx-revoke-", i)
			r.apply(revoke)
			for range 2 { // the second answer is the kept one
				got := r.shown(t)
				require.Equal(t, uint64(height), got.status.Height)
				require.Equal(t, record.Reason, got.certificate.Reason)
				require.Equal(t, fmt.Sprint(i), got.issuer.Region)
				require.Equal(t, fmt.Sprint(i), got.instrument.Registered)
			}
		}
		close(stop)
		readers.Wait()
		require.NoError(t, r.Drop(t.Context()))
		_, err := r.Issuer(t.Context(), "lab")
		require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
	})
}

// shown is what a verification reads.
type shown struct {
	status      public.Status
	certificate public.Certificate
	issuer      public.Issuer
	instrument  public.Instrument
}

func (r *register) shown(t *testing.T) (s shown) {
	var found []public.Certificate
	var errs [4]error
	s.status, errs[0] = r.Status(t.Context())
	found, errs[1] = r.CertificatesByDigest(t.Context(), metrology.AlgorithmSHA256, digestOf("file N-1").Value, today)
	s.issuer, errs[2] = r.Issuer(t.Context(), "lab")
	s.instrument, errs[3] = r.Instrument(t.Context(), "i1", today)
	if err := errors.Join(errs[:]...); err != nil || len(found) != 1 {
		t.Errorf("%d certificates, %v", len(found), err)
		return s
	}
	s.certificate = found[0]
	return s
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
