package public

import "time"

// Following says how one gateway keeps up with the ledger at this moment. Two
// gateways with the same blocks may differ in it.
type Following struct {
	Connected bool   `json:"connected"`         // a peer streams blocks to it
	Behind    uint64 `json:"behind"`            // blocks that a peer has and that are not applied here
	Current   string `json:"current,omitempty"` // RFC 3339, by this gateway's clock: when it was last known to miss no block of the peers that answered; absent: not yet known
}

// StaleAfter is how old a gateway's data may be before whoever reads it is
// warned. Peers are asked every few seconds; half a minute is several of them
// in a row without a good answer. It is a choice of this program, no rule.
const StaleAfter = 30 * time.Second

// Age is how long ago the gateway was last known to miss nothing. known is
// false when it never was.
func (f Following) Age(now time.Time) (age time.Duration, known bool) {
	current, err := time.Parse(time.RFC3339, f.Current)
	if err != nil {
		return 0, false
	}
	return max(0, now.Sub(current)), true
}

// Stale reports whether answers may be out of date.
func (f Following) Stale(now time.Time) bool {
	age, known := f.Age(now)
	return !known || age > StaleAfter
}
