package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Site is the contract family "site".
type Site struct{ contractapi.Contract }

// NewSite makes the family.
func NewSite() *Site {
	return &Site{Contract: contractapi.Contract{Name: "site", TransactionContextHandler: new(Context)}}
}

// Register records a site (metrology.RegisterSite; transient member
// "profile"). An agent may register a site that its own merchant occupies or
// owns, and stalls in a market that its merchant occupies or owns.
func (*Site) Register(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, registerSite)
}

// Amend replaces region, parent, owner and user, and the profile if one
// travels beside it.
func (*Site) Amend(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, amendSite)
}

// Occupy records that a merchant moved in. An agent says so of its own merchant,
// or of a stall in its merchant's market; what stands on the register of
// anybody else is for the association and the regulator to say.
func (*Site) Occupy(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, occupySite)
}

// Vacate records the occupant's last day. An agent cannot put it back: who was
// there on the day of an inspection answers for it.
func (*Site) Vacate(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, vacateSite)
}

// Close ends a site without an occupant; Reopen undoes it.
func (*Site) Close(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, changeSite(metrology.SiteClose, metrology.EventSiteClosed))
}

// Reopen makes a closed site open again.
func (*Site) Reopen(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, changeSite(metrology.SiteReopen, metrology.EventSiteReopened))
}

// PurgeProfile deletes the profile on every peer, with its history.
func (*Site) PurgeProfile(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, purgeSiteProfile)
}

func registerSite(t *transaction, cmd metrology.RegisterSite) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventSiteRegistered, cmd.ID)
	if err := t.Caller.Require(metrology.RoleMerchant, metrology.RoleAssociation, metrology.RoleRegulator); err != nil {
		return event, err
	}
	site, err := metrology.NewSite(cmd, t.Stamp())
	if err != nil {
		return event, err
	}
	if err := t.refuseTaken(siteKey(cmd.ID), "id", cmd.ID); err != nil {
		return event, err
	}
	if err := t.checkSiteLinks(site, metrology.Site{}); err != nil {
		return event, err
	}
	if err := t.managesSite(site); err != nil {
		return event, err
	}
	if _, err := takeDisclosed[metrology.Profile](t, "profile", profileKey(metrology.KindSite, cmd.ID)); err != nil {
		return event, err
	}
	return event, t.Put(siteKey(cmd.ID), site)
}

func amendSite(t *transaction, cmd metrology.AmendSite) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventSiteAmended, cmd.ID)
	before, err := t.siteFor(cmd.ID)
	if err != nil {
		return event, err
	}
	site, err := before.Amend(cmd)
	if err != nil {
		return event, err
	}
	if err := t.checkSiteLinks(site, before); err != nil {
		return event, err
	}
	if err := t.managesSite(site); err != nil {
		return event, err
	}
	if cmd.Profile {
		if _, err := takeDisclosed[metrology.Profile](t, "profile", profileKey(metrology.KindSite, cmd.ID)); err != nil {
			return event, err
		}
	}
	return event, t.Put(siteKey(cmd.ID), site)
}

func occupySite(t *transaction, cmd metrology.OccupySite) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventSiteOccupied, cmd.ID)
	site, err := t.siteFor(cmd.ID)
	if err != nil {
		return event, err
	}
	if site, err = site.Occupy(cmd); err != nil {
		return event, err
	}
	if err := t.checkMoveIn(site); err != nil {
		return event, err
	}
	return event, t.Put(siteKey(cmd.ID), site)
}

func vacateSite(t *transaction, cmd metrology.VacateSite) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventSiteVacated, cmd.ID)
	site, err := t.siteFor(cmd.ID)
	if err != nil {
		return event, err
	}
	if site, err = site.Vacate(cmd); err != nil {
		return event, err
	}
	if t.Caller.Role == metrology.RoleMerchant && cmd.To.Before(t.Today()) {
		return event, metrology.FieldErrorf(metrology.CodeForbidden, "to", "an agent records a last day from today, %s, on", t.Today())
	}
	return event, t.Put(siteKey(cmd.ID), site)
}

func changeSite(command metrology.SiteCommand, done metrology.EventType) func(*transaction, metrology.SiteAction) (metrology.Event, error) {
	return func(t *transaction, cmd metrology.SiteAction) (metrology.Event, error) {
		event := metrology.NewEvent(done, cmd.ID)
		site, err := t.siteFor(cmd.ID)
		if err != nil {
			return event, err
		}
		if site, err = site.Apply(command); err != nil {
			return event, err
		}
		return event, t.Put(siteKey(cmd.ID), site)
	}
}

func purgeSiteProfile(t *transaction, cmd metrology.SiteAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventSiteProfilePurged, cmd.ID)
	site, err := t.siteFor(cmd.ID)
	if err != nil {
		return event, err
	}
	if site, err = site.Apply(metrology.SitePurge); err != nil {
		return event, err
	}
	site.Profile = false
	if err := t.PurgeDisclosed(profileKey(metrology.KindSite, cmd.ID)); err != nil {
		return event, err
	}
	return event, t.Put(siteKey(cmd.ID), site)
}

func siteKey(id string) string { return metrology.Key(metrology.KindSite, id) }

// siteFor loads a site for a caller who may change it.
func (t *transaction) siteFor(id string) (metrology.Site, error) {
	if err := t.Caller.Require(metrology.RoleMerchant, metrology.RoleAssociation, metrology.RoleRegulator); err != nil {
		return metrology.Site{}, err
	}
	site, err := t.site("id", id)
	if err != nil {
		return site, err
	}
	return site, t.managesSite(site)
}

// site loads a site that a command names in field.
func (t *transaction) site(field, id string) (metrology.Site, error) {
	if err := metrology.CheckID(field, id); err != nil {
		return metrology.Site{}, err
	}
	return worldstate.Require[metrology.Site](t.Space, siteKey(id), "site", id)
}
