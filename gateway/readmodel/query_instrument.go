package readmodel

import (
	"context"
	"strconv"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

const instrumentColumns = `SELECT doc, verified_by, verified_until, verified_pass, block, tx_id, claimed FROM instruments`

func scanInstrument(today metrology.Date) func(scanner) (public.Instrument, error) {
	return func(row scanner) (public.Instrument, error) {
		var i public.Instrument
		var doc string
		var newest public.NewestVerification
		err := row.Scan(append([]any{&doc, &newest.Certificate, &newest.Until, &newest.Pass}, asOf(&i.AsOf)...)...)
		if err != nil {
			return i, err
		}
		if i.Instrument, err = read[metrology.Instrument]([]byte(doc)); err != nil {
			return i, err
		}
		i.Verification = public.VerificationOn(i.Instrument, newest, today)
		return i, nil
	}
}

// Instruments lists instruments by id.
func (s *Store) Instruments(ctx context.Context, f public.InstrumentFilter, today metrology.Date) (public.Page[public.Instrument], error) {
	var w where
	if err := w.region("region", f.Region); err != nil {
		return public.Page[public.Instrument]{}, err
	}
	w.equal("site", f.Site)
	w.equal("category", f.Category)
	w.equal("serial", f.Serial)
	if f.Merchant != "" {
		w.add(`(owner = ? OR usr = ?)`, f.Merchant, f.Merchant)
	}
	scope := []string{f.Region, f.Site, f.Category, f.Serial, f.Merchant}
	if f.DueWithin != nil {
		w.add(`verified_until <> '' AND verified_until < ?`, string(today.AddDays(*f.DueWithin)))
		scope = append(scope, strconv.Itoa(*f.DueWithin))
	}
	return list(ctx, s, "instruments", instrumentColumns, "id", w, f.PageRequest, strings.Join(scope, "\x00"),
		func(v public.Instrument) string { return v.ID }, scanInstrument(today))
}

// Instrument returns one instrument with its history.
func (s *Store) Instrument(ctx context.Context, id string, today metrology.Date) (public.Instrument, error) {
	return remember(ctx, s, cacheKey{"instrument", id, string(today)}, func() (public.Instrument, error) {
		i, err := one(ctx, s, "instrument", id, instrumentColumns+` WHERE id = ?`, scanInstrument(today), id)
		if err != nil {
			return i, err
		}
		i.History, err = s.history(ctx, "instrument", id)
		return i, err
	})
}

func splitList(joined string) []string {
	if joined == "" {
		return nil
	}
	return strings.Split(joined, ",")
}
