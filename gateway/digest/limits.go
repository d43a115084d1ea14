package digest

import "fmt"

// Limits bound what the XML scanner accepts. A DCC may embed pictures and PDFs
// in base64, so text is bounded by the size of the file alone.
type Limits struct {
	Bytes      int64 // of the whole file
	Depth      int   // of nested elements
	Elements   int   // in the whole file
	Attributes int   // of one element, namespace declarations included
	Name       int   // bytes of a name
	Value      int   // bytes of an attribute's value, of a processing instruction's data

	Items           int // calibrated items of one DCC
	Identifications int // numbers of one item
}

// DefaultLimits suit any DCC met so far: the largest sample of PTB has under
// 60 kB, depth 16 and 1,000 elements.
func DefaultLimits() Limits {
	return Limits{
		Bytes: 32 << 20, Depth: 64, Elements: 200_000, Attributes: 64, Name: 256, Value: 64 << 10,
		Items: 1000, Identifications: 64,
	}
}

// Reason tells why XML content could not be digested.
type Reason string

// The reasons.
const (
	ReasonMalformed Reason = "malformed" // not well-formed XML 1.0 with namespaces
	ReasonLimit     Reason = "limit"     // beyond Limits
	ReasonForbidden Reason = "forbidden" // a document type declaration or an entity
	ReasonEncoding  Reason = "encoding"  // neither UTF-8 nor ASCII
	ReasonVersion   Reason = "version"   // a DCC schema other than 2.x or 3.x
)

// ContentError says where and why XML was refused.
type ContentError struct {
	Reason Reason
	Offset int64 // bytes read so far, about where the fault is
	Detail string
}

func (e *ContentError) Error() string {
	return fmt.Sprintf("XML refused near byte %d: %s: %s", e.Offset, e.Reason, e.Detail)
}
