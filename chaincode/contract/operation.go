package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Operation is the contract family "operation": the fate of operation ids.
type Operation struct{ contractapi.Contract }

// NewOperation makes the family.
func NewOperation() *Operation {
	return &Operation{Contract: contractapi.Contract{Name: "operation", TransactionContextHandler: new(Context)}}
}

// GetEvaluateTransactions lists what writes nothing.
func (*Operation) GetEvaluateTransactions() []string { return []string{"Get", "Disclosed"} }

// Abandon gives up one of the caller's own operation ids. It is refused with
// STATE when the operation has already taken effect.
func (*Operation) Abandon(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, abandonOperation)
}

// Get returns what is recorded for an operation id of the caller.
func (*Operation) Get(ctx *Context, request string) (string, error) {
	return read(ctx, request, func(t *transaction, q metrology.AbandonOperation) (any, error) {
		if err := metrology.CheckID("operation", q.Operation); err != nil {
			return nil, err
		}
		return worldstate.Require[metrology.Operation](t.Space, t.operationKey(q.Operation), "operation", q.Operation)
	})
}

// Disclosed returns a value of the collection disclosed. An organisation that
// joined later gets no private values with the blocks from before, though its
// peer holds them; peers let only members of the collection read it.
func (*Operation) Disclosed(ctx *Context, request string) (string, error) {
	return read(ctx, request, func(t *transaction, q metrology.ReadDisclosed) (any, error) {
		kind, _ := metrology.SplitKey(q.Key)
		if kind != metrology.KindProfile && kind != metrology.KindInspectionBody {
			return nil, metrology.FieldErrorf(metrology.CodeInvalid, "key", "is of no private kind")
		}
		value, found, err := t.GetDisclosed(q.Key)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, metrology.Errorf(metrology.CodeNotFound, "no private value %s", q.Key)
		}
		return metrology.Disclosed{Value: value}, nil
	})
}

func abandonOperation(t *transaction, cmd metrology.AbandonOperation) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventOperationAbandoned, cmd.Operation)
	if err := metrology.CheckID("operation", cmd.Operation); err != nil {
		return event, err
	}
	key := t.operationKey(cmd.Operation)
	earlier, found, err := worldstate.Get[metrology.Operation](t.Space, key)
	if err != nil {
		return event, err
	}
	if found && earlier.Event != nil {
		return event, metrology.Errorf(metrology.CodeState, "the operation took effect in transaction %s", earlier.TransactionID)
	}
	return event, t.Put(key, metrology.Operation{TransactionID: t.ID})
}
