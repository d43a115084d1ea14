package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Inspection is the contract family "inspection". Reports travel in the
// transient member "inspection" (metrology.InspectionReport).
type Inspection struct{ contractapi.Contract }

// NewInspection makes the family.
func NewInspection() *Inspection {
	return &Inspection{Contract: contractapi.Contract{Name: "inspection", TransactionContextHandler: new(Context)}}
}

// Enter records a visit with its report, by one of the inspectors who were there.
func (*Inspection) Enter(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, enterInspection)
}

// Revise replaces the report before it is reviewed, by one of the inspectors.
func (*Inspection) Revise(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, reviseInspection)
}

// Review confirms an entry, by a regulator who was not there.
func (*Inspection) Review(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, reviewInspection)
}

// Return sends a reviewed entry back, by the post in charge.
func (*Inspection) Return(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, decideInspection(metrology.InspectionReturn, metrology.EventInspectionReturned))
}

// Publish makes a reviewed entry public, by the post in charge, and settles
// the earlier inspection it follows.
func (*Inspection) Publish(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, publishInspection)
}

// Object records the objection of the merchant that was inspected.
func (*Inspection) Object(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, objectToInspection)
}

// Retest puts a second test by another institution beside the first, by an
// inspector or regulator.
func (*Inspection) Retest(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, retestInspection)
}

// Uphold decides against an objection, by the post in charge.
func (*Inspection) Uphold(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, upholdInspection)
}

// Correct puts a corrected report beside the first, by the post in charge.
func (*Inspection) Correct(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, correctInspection)
}

// Withdraw takes a record out of every answer and purges its bodies, by the
// post in charge.
func (*Inspection) Withdraw(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, withdrawInspection)
}

// HandOver puts another post in charge, by a regulator.
func (*Inspection) HandOver(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, handOverInspection)
}

func enterInspection(t *transaction, cmd metrology.EnterInspection) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInspectionEntered, cmd.ID)
	inspection, err := metrology.NewInspection(cmd, t.Caller, t.Today(), t.Stamp())
	if err != nil {
		return event, err
	}
	if err := t.refuseTaken(inspectionKey(cmd.ID), "id", cmd.ID); err != nil {
		return event, err
	}
	if err := t.checkFollows(inspection); err != nil {
		return event, err
	}
	body, err := t.takeFirstReport(inspection)
	if err != nil {
		return event, err
	}
	if err := t.checkBasis(cmd); err != nil {
		return event, err
	}
	return event, t.putInspection(inspection, &body)
}

func reviseInspection(t *transaction, cmd metrology.InspectionAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInspectionRevised, cmd.ID)
	inspection, err := t.inspection(cmd.ID, metrology.RoleInspector)
	if err != nil {
		return event, err
	}
	if inspection, err = inspection.Revise(t.Caller, t.Stamp()); err != nil {
		return event, err
	}
	body, err := t.takeFirstReport(inspection)
	if err != nil {
		return event, err
	}
	return event, t.putInspection(inspection, &body)
}

func reviewInspection(t *transaction, cmd metrology.InspectionAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInspectionReviewed, cmd.ID)
	inspection, err := t.inspection(cmd.ID, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	if inspection, err = inspection.Review(t.Caller, t.Stamp()); err != nil {
		return event, err
	}
	return event, t.putInspection(inspection, nil)
}

func publishInspection(t *transaction, cmd metrology.InspectionAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInspectionPublished, cmd.ID)
	inspection, err := t.inspection(cmd.ID, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	if inspection, err = inspection.Publish(t.Caller, t.Stamp()); err != nil {
		return event, err
	}
	if err := t.settleEarlier(inspection); err != nil {
		return event, err
	}
	return event, t.putInspection(inspection, nil)
}

func objectToInspection(t *transaction, cmd metrology.ObjectToInspection) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInspectionObjected, cmd.ID)
	inspection, err := t.inspection(cmd.ID, metrology.RoleMerchant)
	if err != nil {
		return event, err
	}
	before, err := t.currentBody(inspection)
	if err != nil {
		return event, err
	}
	// The agent of whom the result is about objects, even after a move.
	if err := t.actsFor(metrology.PrincipalMerchant, before.Merchant); err != nil {
		return event, err
	}
	if inspection, err = inspection.Object(cmd, t.Stamp()); err != nil {
		return event, err
	}
	event.Reason = string(cmd.Ground)
	return event, t.putInspection(inspection, nil)
}

func retestInspection(t *transaction, cmd metrology.InspectionAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInspectionRetested, cmd.ID)
	inspection, err := t.inspection(cmd.ID, metrology.RoleInspector, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	first, err := t.currentBody(inspection)
	if err != nil {
		return event, err
	}
	if inspection, err = inspection.Retest(t.Caller, t.Stamp()); err != nil {
		return event, err
	}
	body, err := t.takeReport(inspection)
	if err != nil {
		return event, err
	}
	if err := body.CheckRetest(first); err != nil {
		return event, err
	}
	return event, t.putInspection(inspection, &body)
}

func upholdInspection(t *transaction, cmd metrology.InspectionAction) (metrology.Event, error) {
	decide := decideInspection(metrology.InspectionUphold, metrology.EventInspectionUpheld)
	return decide(t, metrology.InspectionDecision{ID: cmd.ID})
}

func decideInspection(command metrology.InspectionCommand, done metrology.EventType) func(*transaction, metrology.InspectionDecision) (metrology.Event, error) {
	return func(t *transaction, cmd metrology.InspectionDecision) (metrology.Event, error) {
		event := metrology.NewEvent(done, cmd.ID)
		inspection, err := t.inspection(cmd.ID, metrology.RoleRegulator)
		if err != nil {
			return event, err
		}
		if inspection, err = inspection.Decide(command, cmd.Reason, t.Caller, t.Stamp()); err != nil {
			return event, err
		}
		event.Reason = string(cmd.Reason)
		return event, t.putInspection(inspection, nil)
	}
}

func correctInspection(t *transaction, cmd metrology.InspectionDecision) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInspectionCorrected, cmd.ID)
	inspection, err := t.inspection(cmd.ID, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	corrected, err := inspection.Decide(metrology.InspectionCorrect, cmd.Reason, t.Caller, t.Stamp())
	if err != nil {
		return event, err
	}
	before, err := t.currentBody(inspection)
	if err != nil {
		return event, err
	}
	body, err := t.takeReport(corrected)
	if err != nil {
		return event, err
	}
	if err := body.CheckAgainst(before); err != nil {
		return event, err
	}
	event.Reason = string(cmd.Reason)
	return event, t.putInspection(corrected, &body)
}

func withdrawInspection(t *transaction, cmd metrology.InspectionDecision) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInspectionWithdrawn, cmd.ID)
	inspection, err := t.inspection(cmd.ID, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	if inspection, err = inspection.Decide(metrology.InspectionWithdraw, cmd.Reason, t.Caller, t.Stamp()); err != nil {
		return event, err
	}
	for _, revision := range inspection.Revisions {
		if err := t.PurgeDisclosed(metrology.InspectionBodyKey(inspection.ID, revision.Number)); err != nil {
			return event, err
		}
	}
	if err := t.unsettleEarlier(inspection); err != nil {
		return event, err
	}
	event.Reason = string(cmd.Reason)
	return event, t.putInspection(inspection, nil)
}

func handOverInspection(t *transaction, cmd metrology.HandOverInspection) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInspectionHandedOver, cmd.ID)
	inspection, err := t.inspection(cmd.ID, metrology.RoleRegulator)
	if err != nil {
		return event, err
	}
	if inspection, err = inspection.HandOver(cmd, t.Caller, t.Stamp()); err != nil {
		return event, err
	}
	return event, t.putInspection(inspection, nil)
}
