package metrology

// EventType names what a transaction did, as "family.past-participle". Each
// transaction emits exactly one event; consumers refuse types they do not know.
type EventType string

// EventVersion is the version of the envelope and of all payloads below it.
const EventVersion = 1

// Event is the envelope of the one chaincode event a transaction can carry. It
// names what changed; the values themselves stand in the write set.
type Event struct {
	Type    EventType `json:"type"`
	Version int       `json:"version"`
	ID      string    `json:"id"`               // the entity the transaction was about
	Reason  string    `json:"reason,omitempty"` // reason code, where the command has one
}

// NewEvent makes an event about one entity.
func NewEvent(t EventType, id string) Event { return Event{Type: t, Version: EventVersion, ID: id} }
