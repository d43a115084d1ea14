package draw

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName bounds ids and labels in bytes.
const maxName = 64

// Digest is a SHA-256 value: a root, a seed, a commitment or a ticket.
type Digest [sha256.Size]byte

// String gives the lower-case hex used in JSON.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes lower-case hex.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDigest(string(text))
	return err
}

// ParseDigest reads 64 lower-case hex digits.
func ParseDigest(text string) (Digest, error) {
	var d Digest
	b, err := parseHex(text, len(d))
	copy(d[:], b)
	return d, err
}

// parseHex reads lower-case hex of exactly size bytes: upper case would give
// one value two spellings.
func parseHex(text string, size int) ([]byte, error) {
	if len(text) != 2*size {
		return nil, refuse(KindSyntax, "", "%d hex digits expected, got %d", 2*size, len(text))
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return nil, refuse(KindSyntax, "", "lower-case hex expected")
		}
	}
	return hex.DecodeString(text)
}

// appendLP appends u32(len(x)) ‖ x.
func appendLP[T ~string | ~[]byte](out []byte, x T) []byte {
	return append(binary.BigEndian.AppendUint32(out, uint32(len(x))), x...)
}

// tagged starts a hash input with LP of its domain tag.
func tagged(tag string) []byte {
	return appendLP(make([]byte, 0, 256), tag)
}

// checkID enforces 1–64 bytes of A–Z 0–9 . _ -
func checkID(id string) error {
	if len(id) == 0 {
		return refuse(KindName, "", "empty id")
	}
	if len(id) > maxName {
		return refuse(KindName, "", "id of %d bytes, at most %d are allowed", len(id), maxName)
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return refuse(KindName, "", "id %q has other characters than A-Z 0-9 . _ -", id)
		}
	}
	return nil
}

// checkLabel enforces 1–64 bytes of UTF-8 in NFC: strata, skills,
// organisations and the draw's own number.
func checkLabel(what, label string) error {
	switch {
	case label == "":
		return refuse(KindName, "", "empty %s", what)
	case len(label) > maxName:
		return refuse(KindName, "", "%s of %d bytes, at most %d are allowed", what, len(label), maxName)
	case !utf8.ValidString(label):
		return refuse(KindName, "", "%s is not valid UTF-8", what)
	case !norm.NFC.IsNormalString(label):
		return refuse(KindName, "", "%s %q is not in NFC", what, label)
	}
	return nil
}
