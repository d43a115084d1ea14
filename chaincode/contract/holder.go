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

// takeNameplate registers an instrument's nameplate and refuses one that another
// instrument still carries. A nameplate claimed wrongly is freed by retiring
// the wrong record.
func (t *transaction) takeNameplate(instrument metrology.Instrument) (metrology.Instrument, error) {
	key, named := instrument.Nameplate.Key()
	if !named {
		return instrument, nil
	}
	id, found, err := worldstate.Get[string](t.Space, key)
	if err != nil {
		return instrument, err
	}
	if found {
		earlier, err := t.loadInstrument(id)
		if err != nil {
			return instrument, err
		}
		if instrument, err = instrument.Replaces(earlier); err != nil {
			return instrument, err
		}
	}
	return instrument, t.Put(key, instrument.ID)
}

// checkPlace refuses a description that names a merchant or a site that does
// not exist or is closed, a site elsewhere, or somebody else's.
func (t *transaction) checkPlace(d metrology.InstrumentDescription) error {
	if err := t.requireActive("owner", d.Owner); err != nil {
		return err
	}
	if err := t.requireActive("user", d.User); err != nil {
		return err
	}
	if d.Site == "" {
		return nil
	}
	site, err := t.site("site", d.Site)
	if err != nil {
		return err
	}
	switch {
	case site.State != metrology.SiteOpen:
		return metrology.FieldErrorf(metrology.CodeState, "site", "site %q is %s", d.Site, site.State)
	case site.Region != d.Region:
		return metrology.FieldErrorf(metrology.CodeInvalid, "region", "is not the region %s of site %q", site.Region, d.Site)
	}
	return t.checkStand(site, d.User)
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
