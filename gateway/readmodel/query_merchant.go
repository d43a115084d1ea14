package readmodel

import (
	"context"
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
	return page, s.addPledges(ctx, page.Items, today)
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
	found := []public.Merchant{m}
	err = s.addPledges(ctx, found, today)
	return found[0], err
}

// addPledges gives each merchant its active pledge, else its latest; none when
// it has none.
func (s *Store) addPledges(ctx context.Context, merchants []public.Merchant, today metrology.Date) error {
	ids := make([]string, len(merchants))
	for i, m := range merchants {
		ids[i] = m.ID
	}
	pledges, err := s.pledges(ctx, ids, today)
	if err != nil {
		return err
	}
	for i := range merchants {
		merchants[i].Pledge = standingPledge(pledges, merchants[i].ID)
	}
	return nil
}

func standingPledge(pledges []public.Pledge, merchant string) (standing *public.Pledge) {
	for i, p := range pledges {
		switch {
		case p.Merchant != merchant:
		case p.Standing == metrology.StandingActive:
			return &pledges[i]
		case standing == nil:
			standing = &pledges[i]
		}
	}
	return standing
}

const pledgeColumns = `SELECT p.doc, m.doc, p.block, p.tx_id, p.claimed FROM pledges p JOIN merchants m ON m.id = p.merchant`

func scanPledge(today metrology.Date) func(scanner) (public.Pledge, error) {
	return func(row scanner) (public.Pledge, error) {
		var p public.Pledge
		var doc, merchantDoc string
		err := row.Scan(append([]any{&doc, &merchantDoc}, asOf(&p.AsOf)...)...)
		if err != nil {
			return p, err
		}
		if p.Pledge, err = read[metrology.Pledge]([]byte(doc)); err != nil {
			return p, err
		}
		merchant, err := read[metrology.Merchant]([]byte(merchantDoc))
		if err != nil {
			return p, err
		}
		p.Standing = public.PledgeStandingOn(p.Pledge, merchant.State, today)
		return p, nil
	}
}

// pledges lists the pledges of merchants, last changed first.
func (s *Store) pledges(ctx context.Context, merchants []string, today metrology.Date) ([]public.Pledge, error) {
	const query = pledgeColumns + ` WHERE p.merchant`
	return among(ctx, s, "pledges", query, merchants, "p.block DESC, p.id", scanPledge(today))
}

// MerchantPledges lists a merchant's pledges with their history. An unknown
// merchant is NOT_FOUND.
func (s *Store) MerchantPledges(ctx context.Context, id string, today metrology.Date) ([]public.Pledge, error) {
	if _, err := s.Merchant(ctx, id, today); err != nil {
		return nil, err
	}
	pledges, err := s.pledges(ctx, []string{id}, today)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(pledges))
	for i, p := range pledges {
		ids[i] = p.ID
	}
	histories, err := s.histories(ctx, "pledge", ids)
	for i, id := range ids {
		pledges[i].History = histories[id]
	}
	return pledges, err
}

// Pledge returns one pledge with its history.
func (s *Store) Pledge(ctx context.Context, id string, today metrology.Date) (public.Pledge, error) {
	p, err := one(ctx, s, "pledge", id, pledgeColumns+` WHERE p.id = ?`, scanPledge(today), id)
	if err != nil {
		return p, err
	}
	p.History, err = s.history(ctx, "pledge", id)
	return p, err
}

// history lists what concerned an entity, oldest first.
func (s *Store) history(ctx context.Context, family, entity string) ([]public.HistoryEntry, error) {
	histories, err := s.histories(ctx, family, []string{entity})
	return histories[entity], err
}

// histories lists what concerned entities of one family, oldest first.
func (s *Store) histories(ctx context.Context, family string, entities []string) (map[string][]public.HistoryEntry, error) {
	type row struct {
		entity string
		public.HistoryEntry
	}
	query := `SELECT entity, event, reason, role, block, tx_id, claimed FROM history WHERE family = '` + family + `' AND entity`
	rows, err := among(ctx, s, "history", query, entities, "block, idx", func(from scanner) (row, error) {
		var r row
		err := from.Scan(append([]any{&r.entity, &r.Event, &r.Reason, &r.Role}, asOf(&r.AsOf)...)...)
		return r, err
	})
	histories := make(map[string][]public.HistoryEntry, len(entities))
	for _, r := range rows {
		histories[r.entity] = append(histories[r.entity], r.HistoryEntry)
	}
	return histories, err
}
