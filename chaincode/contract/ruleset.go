package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Ruleset is the contract family "ruleset".
type Ruleset struct{ contractapi.Contract }

// NewRuleset makes the family.
func NewRuleset() *Ruleset {
	return &Ruleset{Contract: contractapi.Contract{Name: "ruleset", TransactionContextHandler: new(Context)}}
}

// Propose stores a draft, or proposes a firm ruleset (metrology.ProposeRuleset),
// by the regulator.
func (*Ruleset) Propose(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, proposeRuleset)
}

// Approve brings a proposal into force, or a repeal, by an organisation other
// than the regulator's.
func (*Ruleset) Approve(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, decideRuleset(metrology.RulesetApprove, metrology.EventRulesetApproved))
}

// Reject turns a proposal or a repeal down.
func (*Ruleset) Reject(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, decideRuleset(metrology.RulesetReject, metrology.EventRulesetRejected))
}

// Repeal asks for the end of a ruleset, by the regulator.
func (*Ruleset) Repeal(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, repealRuleset)
}

func proposeRuleset(t *transaction, cmd metrology.ProposeRuleset) (metrology.Event, error) {
	ruleset, err := metrology.NewRuleset(cmd, t.Caller, t.Stamp())
	reference := ruleset.Reference()
	event := metrology.NewEvent(metrology.EventRulesetProposed, reference.EventID())
	if err != nil {
		return event, err
	}
	if ruleset.State == metrology.RulesetDraft {
		event.Type = metrology.EventRulesetStored
	}
	key := metrology.RulesetKey(cmd.ID, cmd.Version)
	if err := t.refuseTaken(key, "version", reference.EventID()); err != nil {
		return event, err
	}
	if cmd.Version > 1 { // versions follow one another, so that all earlier ones can be looked at
		if _, err := t.ruleset("", metrology.RuleReference{ID: cmd.ID, Version: cmd.Version - 1}); err != nil {
			return event, err
		}
	}
	return event, t.Put(key, ruleset)
}

func decideRuleset(command metrology.RulesetCommand, done metrology.EventType) func(*transaction, metrology.DecideRuleset) (metrology.Event, error) {
	return func(t *transaction, cmd metrology.DecideRuleset) (metrology.Event, error) {
		reference := metrology.RuleReference(cmd)
		event := metrology.NewEvent(done, reference.EventID())
		if err := t.Caller.Require(metrology.RoleInstitute, metrology.RoleAssociation, metrology.RoleNotary); err != nil {
			return event, err
		}
		ruleset, err := t.ruleset("", reference)
		if err != nil {
			return event, err
		}
		before := ruleset.State
		if ruleset, err = ruleset.Decide(command, t.Caller, t.Stamp()); err != nil {
			return event, err
		}
		if before == metrology.RulesetProposed && ruleset.State == metrology.RulesetInForce {
			if err := t.checkVersions(ruleset); err != nil {
				return event, err
			}
		}
		return event, t.Put(metrology.RulesetKey(cmd.ID, cmd.Version), ruleset)
	}
}

func repealRuleset(t *transaction, cmd metrology.RepealRuleset) (metrology.Event, error) {
	reference := metrology.RuleReference{ID: cmd.ID, Version: cmd.Version}
	event := metrology.NewEvent(metrology.EventRulesetRepeal, reference.EventID())
	if err := t.Caller.Require(metrology.RoleRegulator); err != nil {
		return event, err
	}
	ruleset, err := t.ruleset("", reference)
	if err != nil {
		return event, err
	}
	if ruleset, err = ruleset.Repeal(cmd, t.Caller); err != nil {
		return event, err
	}
	return event, t.Put(metrology.RulesetKey(cmd.ID, cmd.Version), ruleset)
}

// ruleset loads the version that a command names in field.
func (t *transaction) ruleset(field string, reference metrology.RuleReference) (metrology.Ruleset, error) {
	if err := reference.Check(field); err != nil {
		return metrology.Ruleset{}, err
	}
	return worldstate.Require[metrology.Ruleset](t.Space, metrology.RulesetKey(reference.ID, reference.Version), "ruleset", reference.EventID())
}

// checkVersions holds a version that comes into force against all before it.
func (t *transaction) checkVersions(ruleset metrology.Ruleset) error {
	if ruleset.Version == 1 {
		return nil
	}
	keys := make([]string, ruleset.Version-1)
	for i := range keys {
		keys[i] = metrology.RulesetKey(ruleset.ID, i+1)
	}
	earlier, err := worldstate.GetAll[metrology.Ruleset](t.Space, keys)
	if err != nil {
		return err
	}
	for _, version := range earlier {
		if version == nil {
			continue
		}
		if err := ruleset.CheckAlone(*version); err != nil {
			return err
		}
	}
	return nil
}
