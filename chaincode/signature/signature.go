// Package signature checks and makes the detached signatures that issuers put
// on their batches, so that an institute's word does not rest on a wallet in
// somebody's gateway. Two schemes are known: ECDSA over P-256 with SHA-256
// (FIPS 186-5) and SM2 with SM3 (GB/T 32918.2, the default identifier
// 1234567812345678). Both are ASN.1 DER pairs of integers. The contract
// verifies with it, so checking is deterministic and without I/O.
package signature

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// The names of the schemes, as they stand in an issuer's key list.
const (
	SchemeP256 = "ecdsa-p256-sha256"
	SchemeSM2  = "sm2-sm3"
)

// Bounds of the inputs. A P-256 or SM2 key has 91 bytes of DER, a signature at
// most 72.
const (
	maxKeyBytes       = 128
	maxSignatureBytes = 80
)

// Key is a public key of one of the known schemes.
type Key struct {
	public *ecdsa.PublicKey // on P-256 or on the SM2 curve
	spki   []byte
	scheme string
}

// ParseKey reads a SubjectPublicKeyInfo in DER (RFC 5280, 4.1). The encoding
// must be the one this package would write, uncompressed point included, so
// that one key has one id. Errors carry CodeInvalid.
func ParseKey(spki []byte) (Key, error) {
	if len(spki) > maxKeyBytes {
		return Key{}, metrology.Errorf(metrology.CodeInvalid, "the public key has %d bytes, more than %d", len(spki), maxKeyBytes)
	}
	parsed, err := smx509.ParsePKIXPublicKey(spki)
	if err != nil {
		return Key{}, metrology.Errorf(metrology.CodeInvalid, "read public key: %v", err)
	}
	public, ok := parsed.(*ecdsa.PublicKey)
	if !ok {
		return Key{}, metrology.Errorf(metrology.CodeInvalid, "a public key of type %T, want P-256 or SM2", parsed)
	}
	key, err := newKey(public)
	if err != nil {
		return Key{}, err
	}
	if !bytes.Equal(key.spki, spki) {
		return Key{}, metrology.Errorf(metrology.CodeInvalid, "the public key is not in the one DER form allowed")
	}
	return key, nil
}

func newKey(public *ecdsa.PublicKey) (Key, error) {
	var scheme string
	switch public.Curve {
	case elliptic.P256():
		scheme = SchemeP256
	case sm2.P256():
		scheme = SchemeSM2
	default:
		return Key{}, metrology.Errorf(metrology.CodeInvalid, "a public key on %s, want P-256 or SM2", public.Curve.Params().Name)
	}
	spki, err := smx509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Key{}, metrology.Errorf(metrology.CodeInvalid, "encode public key: %v", err)
	}
	return Key{public: public, spki: spki, scheme: scheme}, nil
}

// ID returns the key's id: hexadecimal SHA-256 of its SubjectPublicKeyInfo.
func (k Key) ID() string {
	sum := sha256.Sum256(k.spki)
	return hex.EncodeToString(sum[:])
}

// Scheme returns SchemeP256 or SchemeSM2.
func (k Key) Scheme() string { return k.scheme }

// SPKI returns the key's DER encoding.
func (k Key) SPKI() []byte { return bytes.Clone(k.spki) }

// Verify checks a detached signature over message. A failure carries
// CodeSignature and does not tell which part of the signature is wrong.
func (k Key) Verify(message, signature []byte) error {
	if k.public == nil || len(signature) > maxSignatureBytes || !k.verifies(message, signature) {
		return metrology.Errorf(metrology.CodeSignature, "the signature does not verify with key %s", k.ID())
	}
	return nil
}

func (k Key) verifies(message, signature []byte) bool {
	if k.scheme == SchemeSM2 {
		return sm2.VerifyASN1WithSM2(k.public, nil, message, signature) // nil = the default identifier
	}
	sum := sha256.Sum256(message)
	return ecdsa.VerifyASN1(k.public, sum[:], signature)
}
