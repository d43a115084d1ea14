package metrology

import (
	"encoding/json"
	"fmt"
)

// MaxBatchLeaves bounds one batch.
const MaxBatchLeaves = 1000

// MaxNumberBytes bounds a certificate number.
const MaxNumberBytes = maxLeafText

// CertificateState is the state of an anchored certificate. Valid and expired
// depend on the day and are computed on reading.
type CertificateState string

// The states of a certificate.
const (
	CertificateAnchored   CertificateState = "anchored"
	CertificateSuperseded CertificateState = "superseded"
	CertificateRevoked    CertificateState = "revoked"
)

// CertificateCommand is a command on a certificate.
type CertificateCommand string

// The commands on a certificate.
const (
	CertificateAnchor    CertificateCommand = "anchor"
	CertificateAddDigest CertificateCommand = "add-rendition"
	CertificateSupersede CertificateCommand = "supersede"
	CertificateSucceed   CertificateCommand = "succeed" // takes the place of a superseded one; its own record stays as it is
	CertificateRevoke    CertificateCommand = "revoke"
)

// CertificateTransitions is the state machine of a certificate. It is never
// deleted, and nothing undoes a revocation.
var CertificateTransitions = Transitions[CertificateState, CertificateCommand]{
	"": {CertificateAnchor: CertificateAnchored},
	CertificateAnchored: {
		CertificateAddDigest: CertificateAnchored, CertificateSucceed: CertificateAnchored,
		CertificateSupersede: CertificateSuperseded, CertificateRevoke: CertificateRevoked,
	},
	CertificateSuperseded: {CertificateAddDigest: CertificateSuperseded, CertificateRevoke: CertificateRevoked},
	CertificateRevoked:    {},
}

// CertificateReason says why a certificate was revoked or superseded.
type CertificateReason string

// The reasons.
const (
	RevokedMistake     CertificateReason = "issued-in-error"   // 出具错误
	RevokedWrongData   CertificateReason = "wrong-data"        // 数据、结论错误
	RevokedInstrument  CertificateReason = "wrong-instrument"  // not the instrument it names
	RevokedUntraced    CertificateReason = "standard-untraced" // the measurement standard was out of order
	RevokedKey         CertificateReason = "key-compromised"   // anchored with a stolen key
	RevokedFabricated  CertificateReason = "fabricated"        // 伪造数据、虚假证书: the regulator's finding
	RevokedUnqualified CertificateReason = "outside-authority" // 超出授权范围: the regulator's finding
	RevokedByCourt     CertificateReason = "court-order"       // 法院判决、仲裁裁决
	SupersededAmended  CertificateReason = "amended"           // reissued with a correction
	SupersededReissued CertificateReason = "reissued"          // reissued unchanged, 补发
	SupersededVerified CertificateReason = "verified-again"    // a later verification of the same instrument
)

// Reasons by command and role.
var (
	IssuerRevocationReasons    = []CertificateReason{RevokedMistake, RevokedWrongData, RevokedInstrument, RevokedUntraced, RevokedKey}
	RegulatorRevocationReasons = []CertificateReason{RevokedUntraced, RevokedKey, RevokedFabricated, RevokedUnqualified, RevokedByCourt}
	SupersessionReasons        = []CertificateReason{SupersededAmended, SupersededReissued, SupersededVerified}
)

// Certificate is the public record of one anchored certificate, at
// certificate/<issuer>/<escaped number>. What the certificate says is in its
// leaf, which stays in the request of the transaction that anchored it.
type Certificate struct {
	Batch      string            `json:"batch"`    // hex RFC 6962 root of its batch
	Index      int               `json:"index"`    // of its leaf in the batch
	LeafHash   string            `json:"leafHash"` // hex RFC 6962 leaf hash
	State      CertificateState  `json:"state"`
	Reason     CertificateReason `json:"reason,omitempty"`
	Changed    string            `json:"changed,omitempty"`    // RFC 3339, the submitter's claim: when it left the state anchored
	ChangedBy  Role              `json:"changedBy,omitempty"`  // who revoked or superseded it: institute or regulator
	Successor  string            `json:"successor,omitempty"`  // number of the certificate that supersedes it, same issuer
	Renditions []Digest          `json:"renditions,omitempty"` // of files added after anchoring
}

// Batch is the public record of one batch, at batch/<issuer>/<root>.
type Batch struct {
	Issuer        string `json:"issuer"`
	Root          string `json:"root"` // hex RFC 6962 root over the leaves
	Count         int    `json:"count"`
	Key           string `json:"key"`       // id of the issuer's key
	Signature     []byte `json:"signature"` // over BatchMessage; base64 in JSON
	TransactionID string `json:"transactionId"`
	Anchored      string `json:"anchored"` // RFC 3339, the submitter's claim
}

// AnchorBatch anchors up to MaxBatchLeaves certificates at once: all or none.
type AnchorBatch struct {
	Issuer    string            `json:"issuer"`
	Leaves    []json.RawMessage `json:"leaves"` // each exactly the bytes of Leaf.Bytes
	Root      string            `json:"root"`   // hex RFC 6962 root over the leaves in this order
	Key       string            `json:"key"`    // id of the issuer's key
	Signature []byte            `json:"signature"`
}

// AnchorCertificate anchors one certificate: a batch of one, whose root is its
// leaf hash.
type AnchorCertificate struct {
	Issuer    string          `json:"issuer"`
	Leaf      json.RawMessage `json:"leaf"`
	Key       string          `json:"key"`
	Signature []byte          `json:"signature"`
}

// CheckBatch asks which leaves AnchorBatch would refuse. It needs no signature.
type CheckBatch struct {
	Issuer string            `json:"issuer"`
	Leaves []json.RawMessage `json:"leaves"`
}

// RejectedLeaf tells what is wrong with one leaf. AnchorBatch answers
// CodeRejectedLeaves with a JSON array of the first MaxRejectedLeaves of them
// as its message; CheckBatch answers with all.
type RejectedLeaf struct {
	Index   int    `json:"index"` // in the request
	Code    Code   `json:"code"`
	Field   string `json:"field,omitempty"` // path within the leaf
	Message string `json:"message"`
	Same    bool   `json:"same,omitempty"` // with CodeConflict: this very leaf is already anchored
}

// MaxRejectedLeaves bounds the list in an error's message.
const MaxRejectedLeaves = 100

// AddRendition adds the digests of another file of the same certificate, such
// as a reprint. It makes one more file count as genuine, so it needs the
// issuer's own signature just as a batch does.
type AddRendition struct {
	Issuer    string   `json:"issuer"`
	Number    string   `json:"number"`
	Digests   []Digest `json:"digests"`
	Key       string   `json:"key"`       // id of the issuer's key
	Signature []byte   `json:"signature"` // over RenditionMessage; base64 in JSON
}

// RevokeCertificate takes back a certificate.
type RevokeCertificate struct {
	Issuer string            `json:"issuer"`
	Number string            `json:"number"`
	Reason CertificateReason `json:"reason"`
}

// SupersedeCertificate puts another anchored certificate of the same issuer in
// a certificate's place.
type SupersedeCertificate struct {
	Issuer    string            `json:"issuer"`
	Number    string            `json:"number"`
	Successor string            `json:"successor"` // number
	Reason    CertificateReason `json:"reason"`
}

// RenditionMessage returns the bytes an issuer signs for a rendition: lines of
// ASCII, each ended by a line feed. leafHash is the hex leaf hash of the
// certificate, as Certificate.LeafHash.
func RenditionMessage(issuer, leafHash string, digests []Digest) []byte {
	message := fmt.Appendf(nil, "steelyard-rendition/1\n%s\n%s\n", issuer, leafHash)
	for _, digest := range digests {
		message = fmt.Appendf(message, "%s:%s\n", digest.Algorithm, digest.Value)
	}
	return message
}

// CertificateKey is the world-state key of a certificate.
func CertificateKey(issuer, number string) string {
	return Key(KindCertificate, issuer, EscapeKeyPart(number))
}

// CertificateID names a certificate in events: its key without the kind.
func CertificateID(issuer, number string) string { return issuer + "/" + EscapeKeyPart(number) }

// BatchID names a batch in events: its key without the kind.
func BatchID(issuer, root string) string { return issuer + "/" + root }

// The events of the family. The id is CertificateID, or BatchID for anchored.
const (
	EventCertificatesAnchored  EventType = "certificate.anchored"
	EventCertificateRendition  EventType = "certificate.rendition-added"
	EventCertificateRevoked    EventType = "certificate.revoked"
	EventCertificateSuperseded EventType = "certificate.superseded"
)
