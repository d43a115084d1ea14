package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Merchant is the contract family "merchant".
type Merchant struct{ contractapi.Contract }

// NewMerchant makes the family.
func NewMerchant() *Merchant {
	return &Merchant{Contract: contractapi.Contract{Name: "merchant", TransactionContextHandler: new(Context)}}
}

// Register records a merchant (metrology.RegisterMerchant; transient member
// "profile"). A caller with role merchant becomes its first agent.
func (*Merchant) Register(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, registerMerchant)
}

// Amend changes sector or region, and the profile if one travels beside it.
func (*Merchant) Amend(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, amendMerchant)
}

// Close ends a merchant's record, by its agent, the association or the
// regulator.
func (*Merchant) Close(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, changeMerchant(metrology.MerchantClose, metrology.EventMerchantClosed,
		metrology.RoleMerchant, metrology.RoleAssociation, metrology.RoleRegulator))
}

// Reopen makes a closed merchant active again, by the association or the
// regulator: an agent cannot undo what they closed.
func (*Merchant) Reopen(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, changeMerchant(metrology.MerchantReopen, metrology.EventMerchantReopened,
		metrology.RoleAssociation, metrology.RoleRegulator))
}

// PurgeProfile deletes the profile on every peer, with its history.
func (*Merchant) PurgeProfile(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, purgeMerchantProfile)
}

// Appoint lets a subject of AssociationMSP act for the merchant, by another
// agent or the association.
func (*Merchant) Appoint(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, bindAgent(metrology.MerchantAppoint, metrology.EventMerchantAppointed,
		metrology.RoleAssociation))
}

// Dismiss ends what Appoint began, and what registering did for whoever
// registered a merchant that was not theirs; for that the regulator may, too.
func (*Merchant) Dismiss(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, bindAgent(metrology.MerchantDismiss, metrology.EventMerchantDismissed,
		metrology.RoleAssociation, metrology.RoleRegulator))
}

func registerMerchant(t *transaction, cmd metrology.RegisterMerchant) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventMerchantRegistered, cmd.ID)
	merchant, err := metrology.NewMerchant(cmd, t.Caller, t.Stamp())
	if err != nil {
		return event, err
	}
	key := metrology.Key(metrology.KindMerchant, cmd.ID)
	if err := t.refuseTaken(key, "id", cmd.ID); err != nil {
		return event, err
	}
	if cmd.CreditCode != "" {
		code := metrology.Key(metrology.KindCreditCode, cmd.CreditCode)
		if err := t.refuseTaken(code, "creditCode", cmd.CreditCode); err != nil {
			return event, err
		}
		if err := t.Put(code, cmd.ID); err != nil {
			return event, err
		}
	}
	if _, err := takeDisclosed[metrology.Profile](t, "profile", profileKey(metrology.KindMerchant, cmd.ID)); err != nil {
		return event, err
	}
	if t.Caller.Role == metrology.RoleMerchant {
		if err := t.bind(agentOf(t.Caller.Subject, cmd.ID)); err != nil {
			return event, err
		}
	}
	return event, t.Put(key, merchant)
}

func amendMerchant(t *transaction, cmd metrology.AmendMerchant) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventMerchantAmended, cmd.ID)
	merchant, err := t.merchantFor(cmd.ID, metrology.RoleAssociation, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	if merchant, err = merchant.Amend(cmd); err != nil {
		return event, err
	}
	if cmd.Profile {
		if _, err := takeDisclosed[metrology.Profile](t, "profile", profileKey(metrology.KindMerchant, cmd.ID)); err != nil {
			return event, err
		}
	}
	return event, t.Put(metrology.Key(metrology.KindMerchant, cmd.ID), merchant)
}

func changeMerchant(command metrology.MerchantCommand, done metrology.EventType, roles ...metrology.Role) func(*transaction, metrology.MerchantAction) (metrology.Event, error) {
	return func(t *transaction, cmd metrology.MerchantAction) (metrology.Event, error) {
		event := metrology.NewEvent(done, cmd.ID)
		if err := t.Caller.Require(roles...); err != nil {
			return event, err
		}
		merchant, err := t.merchantFor(cmd.ID, metrology.RoleAssociation, metrology.RoleRegulator)
		if err != nil {
			return event, err
		}
		if merchant, err = merchant.Apply(command); err != nil {
			return event, err
		}
		return event, t.Put(metrology.Key(metrology.KindMerchant, cmd.ID), merchant)
	}
}

func purgeMerchantProfile(t *transaction, cmd metrology.MerchantAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventMerchantProfilePurged, cmd.ID)
	merchant, err := t.merchantFor(cmd.ID, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	if merchant, err = merchant.Apply(metrology.MerchantPurge); err != nil {
		return event, err
	}
	merchant.Profile = false
	if err := t.PurgeDisclosed(profileKey(metrology.KindMerchant, cmd.ID)); err != nil {
		return event, err
	}
	return event, t.Put(metrology.Key(metrology.KindMerchant, cmd.ID), merchant)
}

func bindAgent(command metrology.MerchantCommand, done metrology.EventType, others ...metrology.Role) func(*transaction, metrology.AppointAgent) (metrology.Event, error) {
	return func(t *transaction, cmd metrology.AppointAgent) (metrology.Event, error) {
		event := metrology.NewEvent(done, cmd.ID)
		merchant, err := t.merchantFor(cmd.ID, others...)
		if err != nil {
			return event, err
		}
		if err := metrology.CheckID("subject", cmd.Subject); err != nil {
			return event, err
		}
		if _, err = merchant.Apply(command); err != nil {
			return event, err
		}
		binding := agentOf(cmd.Subject, cmd.ID)
		binding.Revoked = command == metrology.MerchantDismiss
		return event, t.bind(binding)
	}
}

// merchantFor loads a merchant for a caller who is its agent or holds one of
// the other roles.
func (t *transaction) merchantFor(id string, others ...metrology.Role) (metrology.Merchant, error) {
	if err := metrology.CheckID("id", id); err != nil {
		return metrology.Merchant{}, err
	}
	if t.Caller.Role == metrology.RoleMerchant {
		if err := t.actsFor(metrology.PrincipalMerchant, id); err != nil {
			return metrology.Merchant{}, err
		}
	} else if err := t.Caller.Require(others...); err != nil {
		return metrology.Merchant{}, err
	}
	return worldstate.Require[metrology.Merchant](t.Space, metrology.Key(metrology.KindMerchant, id), "merchant", id)
}

// refuseTaken answers CONFLICT when something stands at key.
func (t *transaction) refuseTaken(key, field, id string) error {
	taken, err := t.Has(key)
	if err == nil && taken {
		err = metrology.FieldErrorf(metrology.CodeConflict, field, "%q is already taken", id)
	}
	return err
}

func agentOf(subject, merchant string) metrology.Binding {
	return metrology.Binding{MSP: metrology.AssociationMSP, Subject: subject, Kind: metrology.PrincipalMerchant, Principal: merchant}
}

// profileKey is the private key of an owner's profile.
func profileKey(owner metrology.Kind, id string) string {
	return metrology.Key(metrology.KindProfile, string(owner), id)
}
