package metrology

// Operation is what the ledger keeps for one operation id (idempotency key) of
// one caller.
type Operation struct {
	Function      string `json:"function"`
	RequestHash   string `json:"requestHash"` // hex SHA-256 over function, request and transient data
	TransactionID string `json:"transactionId"`
	Event         *Event `json:"event,omitempty"` // nil: abandoned
}

// CheckReplay decides what a later transaction with the same operation id
// gets: nil means the first answer stands.
func (o Operation) CheckReplay(now Operation) error {
	switch {
	case o.Event == nil:
		return Errorf(CodeAbandoned, "this operation id was given up in transaction %s", o.TransactionID)
	case o.Function != now.Function || o.RequestHash != now.RequestHash:
		return Errorf(CodeOperationReused, "this operation id was used for another request in transaction %s", o.TransactionID)
	}
	return nil
}

// AbandonOperation gives up an operation whose fate is unknown: once the id is
// committed as abandoned, an envelope that still travels can no longer become
// valid. (Envelopes never expire on Fabric.)
type AbandonOperation struct {
	Operation string `json:"operation"`
}

// EventOperationAbandoned is the event of AbandonOperation.
const EventOperationAbandoned EventType = "operation.abandoned"

// ReadDisclosed asks for one value of the collection disclosed by its key.
type ReadDisclosed struct {
	Key string `json:"key"`
}

// Disclosed is such a value, byte for byte as it was put: its SHA-256 is on the
// ledger.
type Disclosed struct {
	Value []byte `json:"value"`
}
