package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Issuer is the contract family "issuer": institutions and what they may issue.
type Issuer struct{ contractapi.Contract }

// NewIssuer makes the family.
func NewIssuer() *Issuer {
	return &Issuer{Contract: contractapi.Contract{Name: "issuer", TransactionContextHandler: new(Context)}}
}

// Register records an institution (metrology.RegisterIssuer; transient member
// "profile").
func (*Issuer) Register(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, registerIssuer)
}

// Amend replaces region and grants, and the profile if one travels beside it.
func (*Issuer) Amend(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, amendIssuer)
}

// AddKey registers a public key. Only the regulator may: a key that anybody
// with a wallet of the institute could add would prove nothing.
func (*Issuer) AddKey(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, addIssuerKey)
}

// RevokeKey ends a key.
func (*Issuer) RevokeKey(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, revokeIssuerKey)
}

// Appoint lets a subject of InstituteMSP act for the issuer.
func (*Issuer) Appoint(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, bindOfficer(metrology.IssuerAppoint, metrology.EventIssuerAppointed))
}

// Dismiss ends what Appoint began.
func (*Issuer) Dismiss(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, bindOfficer(metrology.IssuerDismiss, metrology.EventIssuerDismissed))
}

// Suspend stops the issuer's anchoring for a time; Resume lifts it.
func (*Issuer) Suspend(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, suspendIssuer)
}

// Resume lifts a suspension.
func (*Issuer) Resume(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, resumeIssuer)
}

// End ends the issuer for good. Its successor answers for its certificates.
func (*Issuer) End(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, endIssuer)
}

// PurgeProfile deletes the profile on every peer, with its history.
func (*Issuer) PurgeProfile(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, purgeIssuerProfile)
}

func registerIssuer(t *transaction, cmd metrology.RegisterIssuer) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventIssuerRegistered, cmd.ID)
	issuer, err := metrology.NewIssuer(cmd, t.Caller, t.Stamp())
	if err != nil {
		return event, err
	}
	key := metrology.Key(metrology.KindIssuer, cmd.ID)
	if err := t.refuseTaken(key, "id", cmd.ID); err != nil {
		return event, err
	}
	if _, err := takeDisclosed[metrology.Profile](t, "profile", profileKey(metrology.KindIssuer, cmd.ID)); err != nil {
		return event, err
	}
	return event, t.Put(key, issuer)
}

func amendIssuer(t *transaction, cmd metrology.AmendIssuer) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventIssuerAmended, cmd.ID)
	issuer, err := t.issuerForRegulator(cmd.ID)
	if err != nil {
		return event, err
	}
	if issuer, err = issuer.Amend(cmd, t.Today()); err != nil {
		return event, err
	}
	if cmd.Profile {
		if _, err := takeDisclosed[metrology.Profile](t, "profile", profileKey(metrology.KindIssuer, cmd.ID)); err != nil {
			return event, err
		}
	}
	return event, t.putIssuer(issuer)
}

func addIssuerKey(t *transaction, cmd metrology.AddIssuerKey) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventIssuerKeyAdded, cmd.ID)
	issuer, err := t.issuerForRegulator(cmd.ID)
	if err != nil {
		return event, err
	}
	key, err := signature.ParseKey(cmd.SPKI)
	if err != nil {
		return event, err
	}
	if issuer, err = issuer.AddKey(cmd, key.ID(), key.Scheme()); err != nil {
		return event, err
	}
	return event, t.putIssuer(issuer)
}

func revokeIssuerKey(t *transaction, cmd metrology.RevokeIssuerKey) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventIssuerKeyRevoked, cmd.ID)
	event.Reason = string(cmd.Reason)
	issuer, err := t.issuerFor(cmd.ID, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	if issuer, err = issuer.RevokeKey(cmd, t.Stamp()); err != nil {
		return event, err
	}
	return event, t.putIssuer(issuer)
}

func bindOfficer(command metrology.IssuerCommand, done metrology.EventType) func(*transaction, metrology.AppointAgent) (metrology.Event, error) {
	return func(t *transaction, cmd metrology.AppointAgent) (metrology.Event, error) {
		event := metrology.NewEvent(done, cmd.ID)
		issuer, err := t.issuerFor(cmd.ID, metrology.RoleRegulator)
		if err != nil {
			return event, err
		}
		if err := metrology.CheckID("subject", cmd.Subject); err != nil {
			return event, err
		}
		if _, err = issuer.Apply(command); err != nil {
			return event, err
		}
		return event, t.bind(metrology.Binding{
			MSP: metrology.InstituteMSP, Subject: cmd.Subject, Kind: metrology.PrincipalIssuer, Principal: cmd.ID,
			Revoked: command == metrology.IssuerDismiss,
		})
	}
}

func suspendIssuer(t *transaction, cmd metrology.SuspendIssuer) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventIssuerSuspended, cmd.ID)
	event.Reason = string(cmd.Reason)
	issuer, err := t.issuerForRegulator(cmd.ID)
	if err != nil {
		return event, err
	}
	if issuer, err = issuer.Suspend(cmd); err != nil {
		return event, err
	}
	return event, t.putIssuer(issuer)
}

func resumeIssuer(t *transaction, cmd metrology.IssuerAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventIssuerResumed, cmd.ID)
	issuer, err := t.issuerForRegulator(cmd.ID)
	if err != nil {
		return event, err
	}
	if issuer, err = issuer.Resume(); err != nil {
		return event, err
	}
	return event, t.putIssuer(issuer)
}

func endIssuer(t *transaction, cmd metrology.EndIssuer) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventIssuerEnded, cmd.ID)
	event.Reason = string(cmd.Reason)
	issuer, err := t.issuerForRegulator(cmd.ID)
	if err != nil {
		return event, err
	}
	if issuer, err = issuer.End(cmd); err != nil {
		return event, err
	}
	if cmd.Successor != "" {
		successor, err := t.loadIssuer(cmd.Successor)
		if err != nil {
			return event, err
		}
		if successor.State == metrology.IssuerEnded {
			return event, metrology.FieldErrorf(metrology.CodeState, "successor", "issuer %s has ended itself", cmd.Successor)
		}
	}
	return event, t.putIssuer(issuer)
}

func purgeIssuerProfile(t *transaction, cmd metrology.IssuerAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventIssuerProfilePurged, cmd.ID)
	issuer, err := t.issuerForRegulator(cmd.ID)
	if err != nil {
		return event, err
	}
	if issuer, err = issuer.Apply(metrology.IssuerPurge); err != nil {
		return event, err
	}
	issuer.Profile = false
	if err := t.PurgeDisclosed(profileKey(metrology.KindIssuer, cmd.ID)); err != nil {
		return event, err
	}
	return event, t.putIssuer(issuer)
}

func (t *transaction) loadIssuer(id string) (metrology.Issuer, error) {
	return worldstate.Require[metrology.Issuer](t.Space, metrology.Key(metrology.KindIssuer, id), "issuer", id)
}

func (t *transaction) putIssuer(issuer metrology.Issuer) error {
	return t.Put(metrology.Key(metrology.KindIssuer, issuer.ID), issuer)
}

func (t *transaction) issuerForRegulator(id string) (metrology.Issuer, error) {
	if err := t.Caller.Require(metrology.RoleRegulator); err != nil {
		return metrology.Issuer{}, err
	}
	if err := metrology.CheckID("id", id); err != nil {
		return metrology.Issuer{}, err
	}
	return t.loadIssuer(id)
}

// issuerFor loads an issuer for a caller who is its officer or holds one of
// the other roles.
func (t *transaction) issuerFor(id string, others ...metrology.Role) (metrology.Issuer, error) {
	if err := metrology.CheckID("issuer", id); err != nil {
		return metrology.Issuer{}, err
	}
	if t.Caller.Role == metrology.RoleInstitute {
		if err := t.actsFor(metrology.PrincipalIssuer, id); err != nil {
			return metrology.Issuer{}, err
		}
	} else if err := t.Caller.Require(others...); err != nil {
		return metrology.Issuer{}, err
	}
	return t.loadIssuer(id)
}
