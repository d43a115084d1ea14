package metrology

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// CertificateKind tells what an institution handed over. The kind decides what
// the leaf may say and which duties it can answer; CERTIFICATE-LEAF.md has the
// table.
type CertificateKind string

// The kinds. Only the first three come out of a verification (检定).
const (
	KindVerification CertificateKind = "verification-certificate" // 检定证书
	KindMark         CertificateKind = "verification-mark"        // 检定合格证 or 检定合格印: there is no file
	KindResultNotice CertificateKind = "result-notice"            // 检定结果通知书: the instrument failed
	KindCalibration  CertificateKind = "calibration-certificate"  // 校准证书: data and uncertainty, no verdict
	KindDCC          CertificateKind = "dcc"                      // digital calibration certificate, XML
)

// Verification reports whether the kind is the outcome of a verification
// (检定). Everything else is a calibration and never answers a
// compulsory-verification duty.
func (k CertificateKind) Verification() bool {
	return k == KindVerification || k == KindMark || k == KindResultNotice
}

// Conclusion is what the document says of one instrument.
type Conclusion string

// The conclusions.
const (
	ConclusionPass  Conclusion = "pass"  // 合格
	ConclusionFail  Conclusion = "fail"  // 不合格
	ConclusionClass Conclusion = "class" // conforms to the accuracy class in LeafInstrument.Class
	ConclusionNone  Conclusion = "none"  // the document states no conformity
)

// The algorithms a digest may carry.
const (
	AlgorithmSHA256     = "sha256"      // SHA-256 of the file's bytes
	AlgorithmSM3        = "sm3"         // SM3 of the file's bytes
	AlgorithmC14NSHA256 = "c14n-sha256" // SHA-256 of DCC content: inclusive Canonical XML without signatures and comments
)

// Digest is a labelled digest of a document.
type Digest struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"` // 64 lower-case hexadecimal digits
}

// LeafInstrument is one instrument a document speaks of.
type LeafInstrument struct {
	Category   string     `json:"category,omitempty"` // code in the catalogue of instruments under compulsory verification
	Class      string     `json:"class,omitempty"`    // accuracy class as printed, only with ConclusionClass
	Conclusion Conclusion `json:"conclusion"`
	ID         string     `json:"id,omitempty"`     // the instrument's id on the ledger, where it has one
	Serial     string     `json:"serial,omitempty"` // serial number as on the nameplate
}

// Leaf states that an issuer issued one document. Its bytes are hashed into a
// batch root (RFC 6962) and stay in the block. The struct's fields stand in
// the order of their JSON names, because encoding/json keeps that order and
// RFC 8785 wants it; TestLeafBytes/members_stand_in_order keeps it so.
type Leaf struct {
	Digests     []Digest         `json:"digests,omitempty"`
	Instruments []LeafInstrument `json:"instruments"`
	Issued      Date             `json:"issued"`
	Issuer      string           `json:"issuer"` // the institution's id on the ledger
	Kind        CertificateKind  `json:"kind"`
	Number      string           `json:"number"` // unique per issuer, never alone
	Performed   Date             `json:"performed"`
	Regulation  string           `json:"regulation,omitempty"` // verification regulation or calibration method, such as JJG 443-2023
	ValidUntil  Date             `json:"validUntil,omitempty"` // 有效期至, last day included
}

// MaxLeafBytes bounds the canonical encoding of a leaf.
const MaxLeafBytes = 32 << 10

// leafFormat is the value of the member "version" that every encoded leaf ends with.
const leafFormat = 1

// encodedLeaf is a Leaf with the format version, which sorts last.
type encodedLeaf struct {
	Leaf
	Version int `json:"version"`
}

// Bytes returns the canonical encoding that is hashed: RFC 8785 JSON of a
// fixed set of members, empty ones left out. A leaf that breaks a rule has no
// encoding, so Bytes returns Validate's error for it.
func (l Leaf) Bytes() ([]byte, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // RFC 8785 escapes only quote, backslash and controls
	if err := encoder.Encode(encodedLeaf{Leaf: l, Version: leafFormat}); err != nil {
		return nil, fmt.Errorf("encode leaf: %w", err)
	}
	encoded := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	if len(encoded) > MaxLeafBytes {
		return nil, Errorf(CodeInvalid, "the leaf has %d bytes, more than %d", len(encoded), MaxLeafBytes)
	}
	return encoded, nil
}

// ParseLeaf reads what Bytes wrote and nothing else: unknown, repeated,
// reordered or differently escaped members are refused, since the bytes would
// then hash to something the leaf does not say.
func ParseLeaf(encoded []byte) (Leaf, error) {
	if len(encoded) > MaxLeafBytes {
		return Leaf{}, Errorf(CodeInvalid, "the leaf has %d bytes, more than %d", len(encoded), MaxLeafBytes)
	}
	var decoded encodedLeaf
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&decoded); err != nil {
		return Leaf{}, Errorf(CodeInvalid, "the leaf is not JSON of the expected form: %v", err)
	}
	if decoded.Version != leafFormat {
		return Leaf{}, FieldErrorf(CodeInvalid, "version", "leaf format %d is unknown", decoded.Version)
	}
	again, err := decoded.Leaf.Bytes()
	if err != nil {
		return Leaf{}, err
	}
	if !bytes.Equal(again, encoded) {
		return Leaf{}, Errorf(CodeInvalid, "the leaf is not in canonical form")
	}
	return decoded.Leaf, nil
}

// BatchMessage returns the bytes an issuer signs for a batch: four lines of
// ASCII, each ended by a line feed, so that any signing tool can be used. root
// is the RFC 6962 root over the batch's leaves in their order, count their
// number.
func BatchMessage(issuer string, root [32]byte, count uint64) []byte {
	return fmt.Appendf(nil, "steelyard-batch/1\n%s\n%d\n%s\n", issuer, count, hex.EncodeToString(root[:]))
}
