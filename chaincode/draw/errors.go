package draw

import (
	"fmt"
	"strings"
)

// Kind classes the rules an input can break. The words are stable: programs
// compare them.
type Kind string

const (
	KindSyntax     Kind = "syntax"     // not the JSON that is asked for
	KindName       Kind = "name"       // an id or label that is empty, too long or of other characters
	KindDuplicate  Kind = "duplicate"  // an entry that occurs twice
	KindOrder      Kind = "order"      // a streamed directory that is not sorted by id
	KindWeight     Kind = "weight"     // a weight of 0
	KindPlan       Kind = "plan"       // a plan without slots or with neither or both of quota and rates
	KindQuota      Kind = "quota"      // a quota above the size of its stratum
	KindCommitment Kind = "commitment" // a secret that does not open its commitment
	KindBeacon     Kind = "beacon"     // a chain, key or signature that does not verify
	KindSeal       Kind = "seal"       // a secret that does not open the plan's seal
	KindInfeasible Kind = "infeasible" // slots that cannot all be filled
	KindProof      Kind = "proof"      // a Merkle proof or list that does not lead to its root
)

// Error says which rule the named entry breaks.
type Error struct {
	Kind   Kind
	Entry  string // such as objects[3] "MALL-07"
	Reason string
	// Deficient names the slots that cannot be filled together; only with
	// KindInfeasible.
	Deficient *Deficient
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Kind))
	b.WriteString(": ")
	if e.Entry != "" {
		b.WriteString(e.Entry)
		b.WriteString(": ")
	}
	b.WriteString(e.Reason)
	if e.Deficient != nil {
		b.WriteString(": ")
		b.WriteString(e.Deficient.String())
	}
	return b.String()
}

// refuse makes an Error.
func refuse(kind Kind, entry, format string, args ...any) error {
	return &Error{Kind: kind, Entry: entry, Reason: fmt.Sprintf(format, args...)}
}
