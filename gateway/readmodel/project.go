package readmodel

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// write projects one write to public state. A kind it does not know stops the
// projection: leaving a record out would be a false statement.
func (a *applier) write(c *change, w ledger.Write) error {
	kind, parts := metrology.SplitKey(w.Key)
	if w.Delete {
		return fmt.Errorf("nothing is ever deleted from public state, yet this was")
	}
	switch kind {
	case metrology.KindMerchant:
		return a.merchant(c, w.Value)
	case metrology.KindSite:
		return a.site(c, w.Value)
	case metrology.KindPledge:
		return a.pledge(c, w.Value)
	case metrology.KindIssuer:
		return a.issuer(c, w.Value)
	case metrology.KindInstrument:
		return a.instrument(c, w.Value)
	case metrology.KindBatch:
		return a.batch(c, w.Value)
	case metrology.KindCertificate:
		return a.certificate(c, w.Key, w.Value)
	case metrology.KindInspection:
		return a.inspection(c, w.Value)
	case metrology.KindRuleset:
		return a.ruleset(c, w.Value)
	case metrology.KindDraw:
		return a.draw(c, parts, w.Value)
	case metrology.KindObservation:
		return a.observation(parts, w.Value)
	case metrology.KindBinding:
		return a.binding(w.Value)
	case metrology.KindEscrowKey:
		return a.escrowKey(w.Value)
	case metrology.KindCreditCode, metrology.KindNameplate, metrology.KindOperation, metrology.KindGate, metrology.KindDrawCount:
		return nil // indexes and bookkeeping of the contract; the records themselves say what is public
	}
	return fmt.Errorf("kind %q is not known to this gateway: use a newer one", kind)
}

// read decodes a state value; what cannot be read stops the projection.
func read[T any](raw []byte) (value T, err error) {
	if err = json.Unmarshal(raw, &value); err != nil {
		err = fmt.Errorf("read %T: %w", value, err)
	}
	return value, err
}

func (a *applier) merchant(c *change, raw []byte) error {
	m, err := read[metrology.Merchant](raw)
	if err != nil {
		return err
	}
	return a.exec(`INSERT INTO merchants (id, region, sector, credit_code, doc, block, tx_id, claimed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET region = excluded.region, sector = excluded.sector, credit_code = excluded.credit_code,
		doc = excluded.doc, block = excluded.block, tx_id = excluded.tx_id, claimed = excluded.claimed`,
		m.ID, m.Region, string(m.Sector), m.CreditCode, string(raw), a.block.Number, c.ID, c.claimed)
}

func (a *applier) site(c *change, raw []byte) error {
	s, err := read[metrology.Site](raw)
	if err != nil {
		return err
	}
	if err := a.exec(`INSERT INTO sites (id, kind, region, parent, doc, block, tx_id, claimed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, region = excluded.region, parent = excluded.parent,
		doc = excluded.doc, block = excluded.block, tx_id = excluded.tx_id, claimed = excluded.claimed`,
		s.ID, string(s.Kind), s.Region, s.Parent, string(raw), a.block.Number, c.ID, c.claimed); err != nil {
		return err
	}
	if err := a.exec(`DELETE FROM site_merchants WHERE site = ?`, s.ID); err != nil {
		return err
	}
	for merchant := range presentAt(s) {
		if err := a.exec(`INSERT INTO site_merchants (merchant, site) VALUES (?, ?)`, merchant, s.ID); err != nil {
			return err
		}
	}
	return nil
}

// presentAt are the merchants a site has to do with now.
func presentAt(s metrology.Site) map[string]bool {
	present := map[string]bool{s.Owner: true, s.User: true}
	for _, occupancy := range s.Occupants {
		if occupancy.To == "" {
			present[occupancy.Merchant] = true
		}
	}
	delete(present, "")
	return present
}

func (a *applier) pledge(c *change, raw []byte) error {
	p, err := read[metrology.Pledge](raw)
	if err != nil {
		return err
	}
	return a.exec(`INSERT INTO pledges (id, merchant, doc, block, tx_id, claimed, waiting) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET merchant = excluded.merchant, doc = excluded.doc,
		block = excluded.block, tx_id = excluded.tx_id, claimed = excluded.claimed, waiting = excluded.waiting`,
		p.ID, p.Merchant, string(raw), a.block.Number, c.ID, c.claimed, waiting(p))
}

func (a *applier) issuer(c *change, raw []byte) error {
	i, err := read[metrology.Issuer](raw)
	if err != nil {
		return err
	}
	if err := a.doubt(c, i); err != nil {
		return err
	}
	return a.exec(`INSERT INTO issuers (id, doc, block, tx_id, claimed) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, block = excluded.block, tx_id = excluded.tx_id, claimed = excluded.claimed`,
		i.ID, string(raw), a.block.Number, c.ID, c.claimed)
}

func (a *applier) instrument(c *change, raw []byte) error {
	i, err := read[metrology.Instrument](raw)
	if err != nil {
		return err
	}
	c.touched[i.ID] = true // its cycle may have changed
	return a.exec(`INSERT INTO instruments (id, region, site, owner, usr, category, serial, verified_by, verified_until, verified_pass,
		doc, block, tx_id, claimed) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', 0, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET region = excluded.region, site = excluded.site, owner = excluded.owner, usr = excluded.usr,
		category = excluded.category, serial = excluded.serial,
		doc = excluded.doc, block = excluded.block, tx_id = excluded.tx_id, claimed = excluded.claimed`,
		i.ID, i.Region, i.Site, i.Owner, i.User, i.Category, i.Serial, string(raw), a.block.Number, c.ID, c.claimed)
}

func (a *applier) ruleset(c *change, raw []byte) error {
	r, err := read[metrology.Ruleset](raw)
	if err != nil {
		return err
	}
	return a.exec(`INSERT INTO rulesets (id, version, ref, kind, state, doc, block, tx_id, claimed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id, version) DO UPDATE SET kind = excluded.kind, state = excluded.state, doc = excluded.doc,
		block = excluded.block, tx_id = excluded.tx_id, claimed = excluded.claimed`,
		r.ID, r.Version, rulesetRef(r), string(r.Kind), string(r.State), string(raw), a.block.Number, c.ID, c.claimed)
}

// rulesetRef orders the versions of rule tables as text.
func rulesetRef(r metrology.Ruleset) string { return fmt.Sprintf("%s/%06d", r.ID, r.Version) }

func (a *applier) inspection(c *change, raw []byte) error {
	i, err := read[metrology.Inspection](raw)
	if err != nil {
		return err
	}
	return a.exec(`INSERT INTO inspections (id, site, region, state, visited, doc, block, tx_id, claimed)
		VALUES (?, ?, COALESCE((SELECT region FROM sites WHERE id = ?), ''), ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET site = excluded.site, state = excluded.state, visited = excluded.visited,
		doc = excluded.doc, block = excluded.block, tx_id = excluded.tx_id, claimed = excluded.claimed`,
		i.ID, i.Site, i.Site, string(i.State), string(i.Visited), string(raw), a.block.Number, c.ID, c.claimed)
}
