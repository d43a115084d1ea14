package contract

import (
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// checkSiteLinks refuses a parent that is no market, a stall that its market's
// organiser did not enter, and merchants that are not registered or closed.
// before is the site as it stood; what has not changed since is not asked
// again.
func (t *transaction) checkSiteLinks(site, before metrology.Site) error {
	if site.Parent != "" {
		parent, err := t.site("parent", site.Parent)
		if err != nil {
			return err
		}
		if err := site.CheckParent(parent); err != nil {
			return err
		}
		if site.Parent != before.Parent {
			if err := t.actsForAny("parent", "the market's organiser", parent.Occupant(), parent.Owner); err != nil {
				return err
			}
		}
	}
	for _, link := range []struct{ field, id, before string }{
		{"owner", site.Owner, before.Owner}, {"user", site.User, before.User}, {"occupant", site.Occupant(), before.Occupant()},
	} {
		if link.id == link.before {
			continue
		}
		if err := t.requireActive(link.field, link.id); err != nil {
			return err
		}
	}
	return nil
}

// checkMoveIn refuses an occupant that is not registered or closed, and an
// agent who says of another merchant that it moved in, except to a stall of
// the agent's market.
func (t *transaction) checkMoveIn(site metrology.Site) error {
	if err := t.requireActive("merchant", site.Occupant()); err != nil {
		return err
	}
	organisers, err := t.organisers(site)
	if err != nil {
		return err
	}
	return t.actsForAny("merchant", "the merchant that moves in", append(organisers, site.Occupant())...)
}

// requireActive refuses a merchant id that is not registered, or closed. None
// is fine.
func (t *transaction) requireActive(field, id string) error {
	if id == "" {
		return nil
	}
	merchant, found, err := worldstate.Get[metrology.Merchant](t.Space, metrology.Key(metrology.KindMerchant, id))
	switch {
	case err != nil:
		return err
	case !found:
		return metrology.FieldErrorf(metrology.CodeNotFound, field, "merchant %q is not registered", id)
	case merchant.State != metrology.MerchantActive:
		return metrology.FieldErrorf(metrology.CodeState, field, "merchant %q is %s", id, merchant.State)
	}
	return nil
}

// managesSite lets the association and the regulator change every site. An
// agent may change a site that its merchant occupies; where nobody does, one
// that it owns; and any stall of a market that it occupies or owns, since the
// organiser keeps the register of stalls (集贸市场计量监督管理办法).
func (t *transaction) managesSite(site metrology.Site) error {
	managers, err := t.organisers(site)
	if err != nil {
		return err
	}
	if site.Occupant() == "" {
		managers = append(managers, site.Owner)
	}
	return t.actsForAny("", "the merchant in charge of the site", append(managers, site.Occupant())...)
}

// organisers lists the merchants that run the market in which a stall stands;
// none for other sites.
func (t *transaction) organisers(site metrology.Site) ([]string, error) {
	if site.Parent == "" {
		return nil, nil
	}
	market, err := t.site("parent", site.Parent)
	return []string{market.Occupant(), market.Owner}, err
}

// checkStand refuses a merchant's agent who registers an instrument of a
// merchant that has nothing to do with the site: what is overdue there is
// shown with the site.
func (t *transaction) checkStand(site metrology.Site, user string) error {
	if t.Caller.Role != metrology.RoleMerchant {
		return nil
	}
	organisers, err := t.organisers(site)
	if err != nil {
		return err
	}
	if slices.Contains(append(organisers, site.Occupant(), site.User, site.Owner), user) {
		return nil
	}
	return metrology.FieldErrorf(metrology.CodeForbidden, "site", "merchant %q neither occupies nor runs site %q", user, site.ID)
}

// actsForAny refuses a merchant's agent who acts for none of the merchants;
// other roles pass. field and who are for the message; an empty id is nobody.
func (t *transaction) actsForAny(field, who string, merchants ...string) error {
	if t.Caller.Role != metrology.RoleMerchant {
		return nil
	}
	for _, merchant := range merchants {
		if merchant == "" {
			continue
		}
		err := t.actsFor(metrology.PrincipalMerchant, merchant)
		if err == nil || metrology.ErrorCode(err) != metrology.CodeForbidden {
			return err
		}
	}
	return metrology.FieldErrorf(metrology.CodeForbidden, field, "this identity does not act for %s", who)
}
