package contract

import (
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// actsForHolder refuses a caller who may not speak for an instrument: anybody
// but an agent of its user or its owner, the association, and the regulator.
func (t *transaction) actsForHolder(d metrology.InstrumentDescription) error {
	if t.Caller.Role != metrology.RoleMerchant {
		return t.Caller.Require(metrology.RoleAssociation, metrology.RoleRegulator)
	}
	err := t.actsFor(metrology.PrincipalMerchant, d.User)
	if metrology.ErrorCode(err) != metrology.CodeForbidden || d.Owner == d.User {
		return err
	}
	return t.actsFor(metrology.PrincipalMerchant, d.Owner)
}

// actsForUser refuses a merchant's agent who puts an instrument under the name
// of a merchant it does not act for: its user owes the verification, and nobody
// else may lay that duty on it. An institution names itself in issuer.
func (t *transaction) actsForUser(user, issuer string) error {
	if issuer != "" && t.Caller.Role != metrology.RoleInstitute {
		return metrology.FieldErrorf(metrology.CodeInvalid, "issuer", "is for callers of role %s", metrology.RoleInstitute)
	}
	switch t.Caller.Role {
	case metrology.RoleMerchant:
		if err := metrology.CheckID("user", user); err != nil {
			return err
		}
		return t.actsFor(metrology.PrincipalMerchant, user)
	case metrology.RoleInstitute:
		if err := metrology.CheckID("issuer", issuer); err != nil {
			return err
		}
		return t.actsFor(metrology.PrincipalIssuer, issuer)
	}
	return t.Caller.Require(metrology.RoleAssociation, metrology.RoleRegulator)
}

// instrumentForHolder loads an instrument for whoever may speak for it.
func (t *transaction) instrumentForHolder(id string) (metrology.Instrument, error) {
	instrument, err := t.loadInstrument(id)
	if err != nil {
		return instrument, err
	}
	return instrument, t.actsForHolder(instrument.InstrumentDescription)
}

func (t *transaction) loadInstrument(id string) (metrology.Instrument, error) {
	if err := metrology.CheckID("id", id); err != nil {
		return metrology.Instrument{}, err
	}
	return worldstate.Require[metrology.Instrument](t.Space, metrology.Key(metrology.KindInstrument, id), "instrument", id)
}

func (t *transaction) putInstrument(instrument metrology.Instrument) error {
	return t.Put(metrology.Key(metrology.KindInstrument, instrument.ID), instrument)
}

// checkPlace refuses a description that names a merchant or a site that does
// not exist, or that is closed.
func (t *transaction) checkPlace(d metrology.InstrumentDescription) error {
	for _, party := range []struct{ field, id string }{{"owner", d.Owner}, {"user", d.User}} {
		merchant, err := worldstate.Require[metrology.Merchant](t.Space, metrology.Key(metrology.KindMerchant, party.id), "merchant", party.id)
		if err != nil {
			return err
		}
		if merchant.State != metrology.MerchantActive {
			return metrology.FieldErrorf(metrology.CodeState, party.field, "merchant %s is %s", party.id, merchant.State)
		}
	}
	if d.Site == "" {
		return nil
	}
	site, err := worldstate.Require[metrology.Site](t.Space, metrology.Key(metrology.KindSite, d.Site), "site", d.Site)
	if err != nil {
		return err
	}
	if site.State != metrology.SiteOpen {
		return metrology.FieldErrorf(metrology.CodeState, "site", "site %s is %s", d.Site, site.State)
	}
	return nil
}

// cycleMonths reads the cycle from the rule that a description names; 0 if it
// names none.
func (t *transaction) cycleMonths(d metrology.InstrumentDescription) (int, error) {
	if d.CycleRule == nil {
		return 0, nil
	}
	rule, err := t.ruleset("cycleRule", *d.CycleRule)
	if err != nil {
		return 0, err
	}
	return d.CycleMonths(rule, t.Today())
}
