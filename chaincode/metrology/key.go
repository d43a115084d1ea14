package metrology

import (
	"fmt"
	"net/url"
	"strings"
)

// Kind is the first part of a world-state key and names what is stored there.
// Keys are part of the public format: whoever follows the blocks reads them.
type Kind string

// The kinds of public state. A key is kind, "/", then the parts named.
const (
	KindMerchant    Kind = "merchant"    // id
	KindCreditCode  Kind = "credit-code" // unified social credit code of an enterprise → merchant id
	KindSite        Kind = "site"        // id
	KindPledge      Kind = "pledge"      // id
	KindIssuer      Kind = "issuer"      // id
	KindInstrument  Kind = "instrument"  // id
	KindNameplate   Kind = "nameplate"   // hex SHA-256 of a nameplate → instrument id
	KindCertificate Kind = "certificate" // issuer, number
	KindBatch       Kind = "batch"       // issuer, root (hex)
	KindInspection  Kind = "inspection"  // id
	KindRuleset     Kind = "ruleset"     // id, version
	KindBinding     Kind = "binding"     // MSP, subject, kind of principal, principal
	KindOperation   Kind = "operation"   // MSP, subject, operation id; BootstrapID alone
	KindGate        Kind = "gate"        // gate; written blindly, never read
	KindDraw        Kind = "draw"        // draw id, then what draws.md section 5 names
)

// The kinds of private data in collection CollectionDisclosed.
const (
	KindProfile        Kind = "profile"         // kind of owner, id: value Profile
	KindInspectionBody Kind = "inspection-body" // id, revision: value InspectionBody
)

// The private data collections.
const (
	// CollectionDisclosed holds what is public but must be deletable. All four
	// organisations are members.
	CollectionDisclosed = "disclosed"
	// CollectionRestricted holds what is not public: regulator and notary.
	CollectionRestricted = "restricted"
)

// Key joins a kind and its parts. Parts are identifiers, or numbers escaped by
// EscapeKeyPart, and never hold a slash.
func Key(kind Kind, parts ...string) string {
	return string(kind) + "/" + strings.Join(parts, "/")
}

// SplitKey undoes Key.
func SplitKey(key string) (Kind, []string) {
	parts := strings.Split(key, "/")
	return Kind(parts[0]), parts[1:]
}

const hexDigits = "0123456789ABCDEF"

// EscapeKeyPart percent-encodes every byte that ValidID would refuse, so that
// a certificate number of any form is one part of a key.
func EscapeKeyPart(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; ValidID(string(rune(c))) && c < 0x80 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}

// UnescapeKeyPart undoes EscapeKeyPart.
func UnescapeKeyPart(part string) (string, error) {
	s, err := url.PathUnescape(part)
	if err != nil {
		return "", fmt.Errorf("read part %q of a key: %w", part, err)
	}
	return s, nil
}
