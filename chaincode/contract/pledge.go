package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Pledge is the contract family "pledge".
type Pledge struct{ contractapi.Contract }

// NewPledge makes the family.
func NewPledge() *Pledge {
	return &Pledge{Contract: contractapi.Contract{Name: "pledge", TransactionContextHandler: new(Context)}}
}

// Sign records a pledge (metrology.SignPledge), by the merchant's agent, or by
// the association for one that was signed on paper or by an organiser.
func (*Pledge) Sign(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, signPledge)
}

// Publish puts the latest term on the public list, by the association or the
// regulator.
func (*Pledge) Publish(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, publishPledge)
}

// Renew adds a term, by whoever may sign.
func (*Pledge) Renew(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, renewPledge)
}

// Withdraw ends a pledge, by the merchant's agent or the association.
func (*Pledge) Withdraw(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, changePledge(metrology.PledgeWithdraw, metrology.EventPledgeWithdrawn,
		metrology.RoleMerchant, metrology.RoleAssociation))
}

// Suspend shows the yellow or the red card, by the regulator.
func (*Pledge) Suspend(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, suspendPledge)
}

// Restore ends a suspension, by the regulator.
func (*Pledge) Restore(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, changePledge(metrology.PledgeRestore, metrology.EventPledgeRestored, metrology.RoleRegulator))
}

// Revoke ends a pledge that was broken, by the regulator.
func (*Pledge) Revoke(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, changePledge(metrology.PledgeRevoke, metrology.EventPledgeRevoked, metrology.RoleRegulator))
}

func signPledge(t *transaction, cmd metrology.SignPledge) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventPledgeSigned, cmd.ID)
	merchant, err := t.merchantSigning("merchant", cmd.Merchant)
	if err != nil {
		return event, err
	}
	rule, err := t.ruleset("rule", cmd.Rule)
	if err != nil {
		return event, err
	}
	pledge, err := metrology.NewPledge(cmd, merchant, rule, t.Caller, t.Today(), t.Stamp())
	if err != nil {
		return event, err
	}
	if err := t.refuseTaken(pledgeKey(cmd.ID), "id", cmd.ID); err != nil {
		return event, err
	}
	return event, t.Put(pledgeKey(cmd.ID), pledge)
}

func renewPledge(t *transaction, cmd metrology.RenewPledge) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventPledgeRenewed, cmd.ID)
	pledge, err := t.pledge(cmd.ID, metrology.RoleMerchant, metrology.RoleAssociation)
	if err != nil {
		return event, err
	}
	merchant, err := t.merchantSigning("merchant", pledge.Merchant)
	if err != nil {
		return event, err
	}
	rule, err := t.ruleset("rule", cmd.Rule)
	if err != nil {
		return event, err
	}
	if pledge, err = pledge.Renew(cmd, merchant, rule, t.Caller, t.Today(), t.Stamp()); err != nil {
		return event, err
	}
	return event, t.Put(pledgeKey(cmd.ID), pledge)
}

func publishPledge(t *transaction, cmd metrology.PublishPledge) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventPledgePublished, cmd.ID)
	pledge, err := t.pledge(cmd.ID, metrology.RoleAssociation, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	if pledge, err = pledge.Publish(t.Stamp()); err != nil {
		return event, err
	}
	return event, t.Put(pledgeKey(cmd.ID), pledge)
}

func suspendPledge(t *transaction, cmd metrology.SuspendPledge) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventPledgeSuspended, cmd.ID)
	pledge, err := t.pledge(cmd.ID, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	if pledge, err = pledge.Suspend(cmd, t.Stamp()); err != nil {
		return event, err
	}
	event.Reason = string(cmd.Reason)
	return event, t.Put(pledgeKey(cmd.ID), pledge)
}

func changePledge(command metrology.PledgeCommand, done metrology.EventType, roles ...metrology.Role) func(*transaction, metrology.ChangePledge) (metrology.Event, error) {
	return func(t *transaction, cmd metrology.ChangePledge) (metrology.Event, error) {
		event := metrology.NewEvent(done, cmd.ID)
		pledge, err := t.pledge(cmd.ID, roles...)
		if err != nil {
			return event, err
		}
		if pledge, err = pledge.Change(command, cmd.Reason, t.Stamp()); err != nil {
			return event, err
		}
		event.Reason = string(cmd.Reason)
		return event, t.Put(pledgeKey(cmd.ID), pledge)
	}
}

func pledgeKey(id string) string { return metrology.Key(metrology.KindPledge, id) }

// merchantSigning loads the active merchant a caller may sign for: its own as
// an agent, any as the association.
func (t *transaction) merchantSigning(field, id string) (metrology.Merchant, error) {
	if err := metrology.CheckID(field, id); err != nil {
		return metrology.Merchant{}, err
	}
	merchant, err := t.merchantFor(id, metrology.RoleAssociation)
	if err == nil && merchant.State != metrology.MerchantActive {
		err = metrology.FieldErrorf(metrology.CodeState, field, "merchant %q is %s", id, merchant.State)
	}
	return merchant, err
}

// pledge loads a pledge for one of the roles; an agent must act for its
// merchant.
func (t *transaction) pledge(id string, roles ...metrology.Role) (metrology.Pledge, error) {
	if err := t.Caller.Require(roles...); err != nil {
		return metrology.Pledge{}, err
	}
	if err := metrology.CheckID("id", id); err != nil {
		return metrology.Pledge{}, err
	}
	pledge, err := worldstate.Require[metrology.Pledge](t.Space, pledgeKey(id), "pledge", id)
	if err == nil && t.Caller.Role == metrology.RoleMerchant {
		err = t.actsFor(metrology.PrincipalMerchant, pledge.Merchant)
	}
	return pledge, err
}
