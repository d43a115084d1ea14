package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Instrument is the contract family "instrument".
type Instrument struct{ contractapi.Contract }

// NewInstrument makes the family.
func NewInstrument() *Instrument {
	return &Instrument{Contract: contractapi.Contract{Name: "instrument", TransactionContextHandler: new(Context)}}
}

// Register records an instrument (metrology.RegisterInstrument). An agent of
// its owner or user, the association, an institution or the regulator may.
func (*Instrument) Register(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, registerInstrument)
}

// Amend replaces the description; the nameplate never changes.
func (*Instrument) Amend(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, amendInstrument)
}

// ReplaceParts replaces the list of parts of an instrument that is not in use.
func (*Instrument) ReplaceParts(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, replaceParts)
}

// PutInUse records that a registered instrument is used from now on.
func (*Instrument) PutInUse(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, putInUse)
}

// Repair records a repair; the instrument then needs verification.
func (*Instrument) Repair(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, repairInstrument)
}

// Reverify returns a repaired instrument to use on an anchored certificate.
func (*Instrument) Reverify(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, reverifyInstrument)
}

// OpenDispute freezes an instrument while its readings are disputed.
func (*Instrument) OpenDispute(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, decideInstrument(metrology.EventInstrumentDisputed,
		func(i metrology.Instrument, reason metrology.InstrumentReason) (metrology.Instrument, error) {
			return i.Freeze(metrology.InstrumentOpenDispute, reason)
		}, metrology.RoleRegulator))
}

// CloseDispute records the outcome of a dispute.
func (*Instrument) CloseDispute(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation,
		decideInstrument(metrology.EventInstrumentDisputeClosed, metrology.Instrument.CloseDispute, metrology.RoleRegulator))
}

// Seal records that the authority sealed an instrument.
func (*Instrument) Seal(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, decideInstrument(metrology.EventInstrumentSealed,
		func(i metrology.Instrument, reason metrology.InstrumentReason) (metrology.Instrument, error) {
			return i.Freeze(metrology.InstrumentSeal, reason)
		}, metrology.RoleRegulator, metrology.RoleInspector))
}

// Unseal ends what Seal began.
func (*Instrument) Unseal(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation,
		decideInstrument(metrology.EventInstrumentUnsealed, metrology.Instrument.Unseal, metrology.RoleRegulator))
}

// Retire takes an instrument out of use for good.
func (*Instrument) Retire(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, retireInstrument)
}

func registerInstrument(t *transaction, cmd metrology.RegisterInstrument) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInstrumentRegistered, cmd.ID)
	if err := t.actsForUser(cmd.User, cmd.Issuer); err != nil {
		return event, err
	}
	months, err := t.cycleMonths(cmd.InstrumentDescription)
	if err != nil {
		return event, err
	}
	instrument, err := metrology.NewInstrument(cmd, months, t.Stamp())
	if err != nil {
		return event, err
	}
	if err := t.refuseTaken(metrology.Key(metrology.KindInstrument, cmd.ID), "id", cmd.ID); err != nil {
		return event, err
	}
	if err := t.checkPlace(cmd.InstrumentDescription); err != nil {
		return event, err
	}
	if instrument, err = t.takeNameplate(instrument); err != nil {
		return event, err
	}
	return event, t.putInstrument(instrument)
}

func amendInstrument(t *transaction, cmd metrology.AmendInstrument) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInstrumentAmended, cmd.ID)
	instrument, err := t.instrumentForHolder(cmd.ID)
	if err != nil {
		return event, err
	}
	if cmd.User != instrument.User {
		if err := t.actsForUser(cmd.User, ""); err != nil {
			return event, err
		}
	}
	months, err := t.cycleMonths(cmd.InstrumentDescription)
	if err != nil {
		return event, err
	}
	if instrument, err = instrument.Amend(cmd, months, t.Caller); err != nil {
		return event, err
	}
	if err := t.checkPlace(cmd.InstrumentDescription); err != nil {
		return event, err
	}
	return event, t.putInstrument(instrument)
}

func replaceParts(t *transaction, cmd metrology.ReplaceParts) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInstrumentPartsReplaced, cmd.ID)
	instrument, err := t.instrumentForHolder(cmd.ID)
	if err != nil {
		return event, err
	}
	if instrument, err = instrument.Replace(cmd); err != nil {
		return event, err
	}
	return event, t.putInstrument(instrument)
}

func putInUse(t *transaction, cmd metrology.InstrumentAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInstrumentPutInUse, cmd.ID)
	instrument, err := t.instrumentForHolder(cmd.ID)
	if err != nil {
		return event, err
	}
	if instrument, err = instrument.Apply(metrology.InstrumentPutInUse); err != nil {
		return event, err
	}
	return event, t.putInstrument(instrument)
}

func repairInstrument(t *transaction, cmd metrology.RepairInstrument) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInstrumentRepaired, cmd.ID)
	event.Reason = string(cmd.Reason)
	instrument, err := t.instrumentForHolder(cmd.ID)
	if err != nil {
		return event, err
	}
	if instrument, err = instrument.Repair(cmd, t.Today()); err != nil {
		return event, err
	}
	return event, t.putInstrument(instrument)
}

func retireInstrument(t *transaction, cmd metrology.InstrumentDecision) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInstrumentRetired, cmd.ID)
	event.Reason = string(cmd.Reason)
	instrument, err := t.instrumentForHolder(cmd.ID)
	if err != nil {
		return event, err
	}
	if instrument, err = instrument.Retire(cmd.Reason); err != nil {
		return event, err
	}
	return event, t.putInstrument(instrument)
}

func reverifyInstrument(t *transaction, cmd metrology.ReverifyInstrument) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventInstrumentReverified, cmd.ID)
	instrument, err := t.loadInstrument(cmd.ID)
	if err != nil {
		return event, err
	}
	leaf, err := metrology.ParseLeaf(cmd.Leaf)
	if err != nil {
		return event, err
	}
	if t.Caller.Role == metrology.RoleInstitute {
		err = t.actsFor(metrology.PrincipalIssuer, leaf.Issuer)
	} else {
		err = t.actsForHolder(instrument.InstrumentDescription)
	}
	if err != nil {
		return event, err
	}
	certificate, err := t.loadCertificate(leaf.Issuer, "leaf.number", leaf.Number)
	if err != nil {
		return event, err
	}
	if certificate.LeafHash != leafHash(cmd.Leaf) {
		return event, metrology.FieldErrorf(metrology.CodeInvalid, "leaf", "is not the leaf that was anchored under this number")
	}
	if instrument, err = instrument.Reverify(leaf, certificate, t.Today()); err != nil {
		return event, err
	}
	return event, t.putInstrument(instrument)
}

// decideInstrument makes the transaction of an authority's decision.
func decideInstrument(
	done metrology.EventType,
	decide func(metrology.Instrument, metrology.InstrumentReason) (metrology.Instrument, error),
	roles ...metrology.Role,
) func(*transaction, metrology.InstrumentDecision) (metrology.Event, error) {
	return func(t *transaction, cmd metrology.InstrumentDecision) (metrology.Event, error) {
		event := metrology.NewEvent(done, cmd.ID)
		event.Reason = string(cmd.Reason)
		if err := t.Caller.Require(roles...); err != nil {
			return event, err
		}
		instrument, err := t.loadInstrument(cmd.ID)
		if err != nil {
			return event, err
		}
		if instrument, err = decide(instrument, cmd.Reason); err != nil {
			return event, err
		}
		return event, t.putInstrument(instrument)
	}
}
