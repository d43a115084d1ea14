package readmodel

import (
	"context"
	"strconv"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

const siteColumns = `SELECT e.doc, COALESCE(d.doc, ''), e.block, e.tx_id, e.claimed FROM sites e`

func scanSite(row scanner) (public.Site, error) {
	var s public.Site
	var doc, profile string
	err := row.Scan(append([]any{&doc, &profile}, asOf(&s.AsOf)...)...)
	if err != nil {
		return s, err
	}
	if s.Site, err = read[metrology.Site]([]byte(doc)); err != nil {
		return s, err
	}
	s.Details, err = profileOf(profile)
	return s, err
}

// Sites lists sites by id. Merchant finds those it owns, uses or occupies now.
func (s *Store) Sites(ctx context.Context, f public.SiteFilter) (public.Page[public.Site], error) {
	var w where
	if err := w.region("e.region", f.Region); err != nil {
		return public.Page[public.Site]{}, err
	}
	w.equal("e.kind", f.Kind)
	w.equal("e.parent", f.Parent)
	if f.Merchant != "" {
		w.add(`e.id IN (SELECT site FROM site_merchants WHERE merchant = ?)`, f.Merchant)
	}
	scope := f.Region + "\x00" + f.Kind + "\x00" + f.Parent + "\x00" + f.Merchant
	return list(ctx, s, "sites", siteColumns+profileJoin(metrology.KindSite), "e.id", w, f.PageRequest, scope,
		func(v public.Site) string { return v.ID }, scanSite)
}

// Site returns one site with its occupants over time.
func (s *Store) Site(ctx context.Context, id string) (public.Site, error) {
	return one(ctx, s, "site", id, siteColumns+profileJoin(metrology.KindSite)+` WHERE e.id = ?`, scanSite, id)
}

const issuerColumns = `SELECT e.doc, COALESCE(d.doc, ''), e.block, e.tx_id, e.claimed FROM issuers e`

func scanIssuer(row scanner) (public.Issuer, error) {
	var i public.Issuer
	var doc, profile string
	err := row.Scan(append([]any{&doc, &profile}, asOf(&i.AsOf)...)...)
	if err != nil {
		return i, err
	}
	if i.Issuer, err = read[metrology.Issuer]([]byte(doc)); err != nil {
		return i, err
	}
	i.Details, err = profileOf(profile)
	return i, err
}

// Issuers lists institutions by id.
func (s *Store) Issuers(ctx context.Context, page public.PageRequest) (public.Page[public.Issuer], error) {
	return list(ctx, s, "issuers", issuerColumns+profileJoin(metrology.KindIssuer), "e.id", where{}, page, "",
		func(v public.Issuer) string { return v.ID }, scanIssuer)
}

// Issuer returns one institution with its history.
func (s *Store) Issuer(ctx context.Context, id string) (public.Issuer, error) {
	return remember(ctx, s, cacheKey{"issuer", id, ""}, func() (public.Issuer, error) {
		i, err := one(ctx, s, "issuer", id, issuerColumns+profileJoin(metrology.KindIssuer)+` WHERE e.id = ?`, scanIssuer, id)
		if err != nil {
			return i, err
		}
		i.History, err = s.history(ctx, "issuer", id)
		return i, err
	})
}

func scanRuleset(row scanner) (public.Ruleset, error) {
	var r public.Ruleset
	var doc string
	err := row.Scan(append([]any{&doc}, asOf(&r.AsOf)...)...)
	if err != nil {
		return r, err
	}
	r.Ruleset, err = read[metrology.Ruleset]([]byte(doc))
	return r, err
}

// Rulesets lists all versions of all rule tables.
func (s *Store) Rulesets(ctx context.Context, page public.PageRequest) (public.Page[public.Ruleset], error) {
	return list(ctx, s, "rulesets", `SELECT doc, block, tx_id, claimed FROM rulesets`, "ref", where{}, page, "",
		func(r public.Ruleset) string { return rulesetRef(r.Ruleset) }, scanRuleset)
}

// Ruleset returns one version of a rule table.
func (s *Store) Ruleset(ctx context.Context, id string, version int) (public.Ruleset, error) {
	return one(ctx, s, "ruleset", id+"/"+strconv.Itoa(version), `SELECT doc, block, tx_id, claimed FROM rulesets WHERE id = ? AND version = ?`, scanRuleset, id, version)
}

// rulesInForce loads the rulesets of a kind that a second organisation has approved.
func (s *Store) rulesInForce(ctx context.Context, kind metrology.RulesetKind) ([]metrology.Ruleset, error) {
	const query = `SELECT doc, block, tx_id, claimed FROM rulesets WHERE kind = ? AND state IN ('in-force', 'repealing', 'repealed') ORDER BY id, version`
	views, err := all(ctx, s, "rulesets", query, scanRuleset, string(kind))
	rules := make([]metrology.Ruleset, len(views))
	for i, view := range views {
		rules[i] = view.Ruleset
	}
	return rules, err
}

// Status tells how far this copy of the ledger goes.
func (s *Store) Status(ctx context.Context) (public.Status, error) {
	return remember(ctx, s, ofStatus, func() (public.Status, error) { return s.status(ctx) })
}

func (s *Store) status(ctx context.Context) (public.Status, error) {
	const query = `SELECT channel, number, block_hash, genesis_hash, claimed FROM position`
	status, err := one(ctx, s, "ledger", s.channel, query, func(row scanner) (public.Status, error) {
		var v public.Status
		err := row.Scan(&v.Channel, &v.Height, &v.BlockHash, &v.GenesisHash, &v.LastTime)
		v.Height++ // blocks, not the number of the last
		return v, err
	})
	if metrology.ErrorCode(err) == metrology.CodeNotFound {
		return public.Status{Channel: s.channel, GenesisHash: s.genesis.String()}, nil
	}
	return status, err
}

// Transaction returns what became of a transaction.
func (s *Store) Transaction(ctx context.Context, id string) (public.Transaction, error) {
	const query = `SELECT id, block, idx, code, valid, function, msp, role, event, entity, claimed, endorsers FROM transactions WHERE id = ?`
	return one(ctx, s, "transaction", id, query, func(row scanner) (public.Transaction, error) {
		var t public.Transaction
		var endorsers string
		err := row.Scan(&t.ID, &t.Block, &t.Index, &t.Code, &t.Valid, &t.Function, &t.MSP, &t.Role, &t.Event, &t.Subject, &t.Time, &endorsers)
		t.Endorsers = splitList(endorsers)
		return t, err
	}, id)
}
