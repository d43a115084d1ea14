package readmodel

import (
	"context"
	"sort"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// profileJoin joins the profile of entity e of a kind; its columns are the
// profile's document or ”.
func profileJoin(kind metrology.Kind) string {
	return ` LEFT JOIN disclosed d ON d.kind = 'profile' AND d.owner = '` + string(kind) + `/' || e.id AND d.part = ''`
}

func profileOf(doc string) (*public.Profile, error) {
	if doc == "" {
		return nil, nil
	}
	profile, err := read[metrology.Profile]([]byte(doc))
	if err != nil {
		return nil, err
	}
	return public.ProfileOf(profile), nil
}

const merchantColumns = `SELECT e.doc, COALESCE(d.doc, ''), e.block, e.tx_id, e.claimed FROM merchants e`

func scanMerchant(row scanner) (public.Merchant, error) {
	var m public.Merchant
	var doc, profile string
	err := row.Scan(append([]any{&doc, &profile}, asOf(&m.AsOf)...)...)
	if err != nil {
		return m, err
	}
	if m.Merchant, err = read[metrology.Merchant]([]byte(doc)); err != nil {
		return m, err
	}
	m.Details, err = profileOf(profile)
	return m, err
}

// Merchants lists merchants by id. Text finds a credit code or a part of a name.
func (s *Store) Merchants(ctx context.Context, f public.MerchantFilter, today metrology.Date) (public.Page[public.Merchant], error) {
	var w where
	if err := w.region("e.region", f.Region); err != nil {
		return public.Page[public.Merchant]{}, err
	}
	w.equal("e.sector", f.Sector)
	if text := strings.TrimSpace(f.Text); text != "" {
		w.add(`(e.credit_code = ? OR d.name LIKE ? ESCAPE '\')`, strings.ToUpper(text), "%"+escapeLike(strings.ToLower(text))+"%")
	}
	page, err := list(ctx, s, "merchants", merchantColumns+profileJoin(metrology.KindMerchant), "e.id", w, f.PageRequest,
		f.Region+"\x00"+f.Sector+"\x00"+f.Text, func(m public.Merchant) string { return m.ID }, scanMerchant)
	if err != nil {
		return page, err
	}
	for i := range page.Items {
		if page.Items[i].Pledge, err = s.standingPledge(ctx, page.Items[i].ID, today); err != nil {
			return page, err
		}
	}
	return page, nil
}

func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// Merchant returns one merchant with the pledge that stands.
func (s *Store) Merchant(ctx context.Context, id string, today metrology.Date) (public.Merchant, error) {
	m, err := one(ctx, s, "merchant", id, merchantColumns+profileJoin(metrology.KindMerchant)+` WHERE e.id = ?`, scanMerchant, id)
	if err != nil {
		return m, err
	}
	m.Pledge, err = s.standingPledge(ctx, id, today)
	return m, err
}

// standingPledge is the active pledge of a merchant, else its latest; nil when
// it has none.
func (s *Store) standingPledge(ctx context.Context, merchant string, today metrology.Date) (*public.Pledge, error) {
	pledges, err := s.pledges(ctx, merchant, today)
	if err != nil || len(pledges) == 0 {
		return nil, err
	}
	for i := range pledges {
		if pledges[i].Standing == metrology.StandingActive {
			return &pledges[i], nil
		}
	}
	return &pledges[0], nil
}

func scanPledge(today metrology.Date) func(scanner) (public.Pledge, error) {
	return func(row scanner) (public.Pledge, error) {
		var p public.Pledge
		var doc string
		err := row.Scan(append([]any{&doc}, asOf(&p.AsOf)...)...)
		if err != nil {
			return p, err
		}
		if p.Pledge, err = read[metrology.Pledge]([]byte(doc)); err != nil {
			return p, err
		}
		p.Standing = p.Pledge.Standing(today)
		return p, nil
	}
}

// pledges lists a merchant's pledges, last changed first.
func (s *Store) pledges(ctx context.Context, merchant string, today metrology.Date) ([]public.Pledge, error) {
	const query = `SELECT doc, block, tx_id, claimed FROM pledges WHERE merchant = ? ORDER BY id`
	pledges, err := all(ctx, s, "pledges", query, scanPledge(today), merchant)
	sort.SliceStable(pledges, func(i, j int) bool { return pledges[i].AsOf.Block > pledges[j].AsOf.Block })
	return pledges, err
}

// MerchantPledges lists a merchant's pledges with their history. An unknown
// merchant is NOT_FOUND.
func (s *Store) MerchantPledges(ctx context.Context, id string, today metrology.Date) ([]public.Pledge, error) {
	if _, err := s.Merchant(ctx, id, today); err != nil {
		return nil, err
	}
	pledges, err := s.pledges(ctx, id, today)
	for i := range pledges {
		if err == nil {
			pledges[i].History, err = s.history(ctx, "pledge", pledges[i].ID)
		}
	}
	return pledges, err
}

// Pledge returns one pledge with its history.
func (s *Store) Pledge(ctx context.Context, id string, today metrology.Date) (public.Pledge, error) {
	p, err := one(ctx, s, "pledge", id, `SELECT doc, block, tx_id, claimed FROM pledges WHERE id = ?`, scanPledge(today), id)
	if err != nil {
		return p, err
	}
	p.History, err = s.history(ctx, "pledge", id)
	return p, err
}

// history lists what concerned an entity, oldest first.
func (s *Store) history(ctx context.Context, family, entity string) ([]public.HistoryEntry, error) {
	const query = `SELECT event, reason, role, block, tx_id, claimed FROM history WHERE family = ? AND entity = ? ORDER BY block, idx`
	return all(ctx, s, "history", query, func(row scanner) (public.HistoryEntry, error) {
		var h public.HistoryEntry
		err := row.Scan(append([]any{&h.Event, &h.Reason, &h.Role}, asOf(&h.AsOf)...)...)
		return h, err
	}, family, entity)
}
