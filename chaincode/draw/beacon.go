package draw

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/cloudflare/circl/ecc/bls12381"
)

// BeaconScheme is the only scheme DR-1 knows: unchained BLS with signatures in
// G1 hashed by RFC 9380, as drand names it.
const BeaconScheme = "bls-unchained-g1-rfc9380"

// beaconDomain separates the scheme's hashing to the curve.
const beaconDomain = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"

const (
	signatureSize = 48 // G1, compressed
	publicKeySize = 96 // G2, compressed
)

// Chain is a beacon as a plan pins it. Times are seconds.
type Chain struct {
	Scheme      string
	PublicKey   []byte // 96 bytes, G2 compressed
	Period      uint32
	GenesisTime int64
	GenesisSeed []byte
	BeaconID    string
}

// Quicknet is the public chain of the League of Entropy with a period of 3 s.
func Quicknet() Chain {
	return Chain{
		Scheme: BeaconScheme,
		PublicKey: decoded("83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c" +
			"8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb" +
			"5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"),
		Period:      3,
		GenesisTime: 1692803367,
		GenesisSeed: decoded("f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e"),
		BeaconID:    "quicknet",
	}
}

func decoded(constant string) []byte {
	b, err := hex.DecodeString(constant)
	if err != nil {
		panic(err) // a constant of this file
	}
	return b
}

// Hash is the chain hash, which names every parameter but the scheme.
func (c Chain) Hash() Digest {
	b := binary.BigEndian.AppendUint32(nil, c.Period)
	b = binary.BigEndian.AppendUint64(b, uint64(c.GenesisTime))
	b = append(b, c.PublicKey...)
	b = append(b, c.GenesisSeed...)
	if c.BeaconID != "default" {
		b = append(b, c.BeaconID...)
	}
	return sha256.Sum256(b)
}

// Time is when a round is due, in seconds since 1970. Rounds count from 1.
func (c Chain) Time(round uint64) int64 {
	return c.GenesisTime + int64(round-1)*int64(c.Period)
}

// RoundMessage is what the beacon signs for a round: H(u64(round)).
func RoundMessage(round uint64) Digest {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, round))
}

// Verify checks a round's signature and returns the randomness H(signature).
// It does not matter who brought the signature: there is only one. The key and
// the signature must be the canonical encoding of a point on the curve, in the
// right subgroup and not the identity.
func (c Chain) Verify(round uint64, signature []byte) (Digest, error) {
	if c.Scheme != BeaconScheme {
		return Digest{}, refuse(KindBeacon, "beacon.chain", "scheme %q, only %s is known", c.Scheme, BeaconScheme)
	}
	if c.Period == 0 {
		return Digest{}, refuse(KindBeacon, "beacon.chain", "period 0")
	}
	if round == 0 {
		return Digest{}, refuse(KindBeacon, "beacon", "rounds count from 1")
	}
	key, err := c.key()
	if err != nil {
		return Digest{}, err
	}
	point, err := signaturePoint(signature)
	if err != nil {
		return Digest{}, err
	}
	message := RoundMessage(round)
	var hashed bls12381.G1
	hashed.Hash(message[:], []byte(beaconDomain))
	// e(hashed, key) = e(signature, generator of G2)
	quotient := bls12381.ProdPairFrac(
		[]*bls12381.G1{&hashed, point}, []*bls12381.G2{key, bls12381.G2Generator()}, []int{1, -1})
	if !quotient.IsIdentity() {
		return Digest{}, refuse(KindBeacon, "beacon", "signature is not that of round %d", round)
	}
	return sha256.Sum256(signature), nil
}

// CheckKey refuses a chain whose public key could verify nothing.
func (c Chain) CheckKey() error {
	_, err := c.key()
	return err
}

// key decodes the public key; SetBytes checks curve and subgroup.
func (c Chain) key() (*bls12381.G2, error) {
	const entry = "beacon.chain"
	if len(c.PublicKey) != publicKeySize {
		return nil, refuse(KindBeacon, entry, "public key of %d bytes, %d expected", len(c.PublicKey), publicKeySize)
	}
	var key bls12381.G2
	if err := key.SetBytes(c.PublicKey); err != nil {
		return nil, refuse(KindBeacon, entry, "public key is not a point of G2")
	}
	if key.IsIdentity() {
		return nil, refuse(KindBeacon, entry, "public key is the identity")
	}
	if !bytes.Equal(key.BytesCompressed(), c.PublicKey) {
		return nil, refuse(KindBeacon, entry, "public key is not canonically encoded")
	}
	return &key, nil
}

// signaturePoint decodes a signature; SetBytes checks curve and subgroup.
func signaturePoint(signature []byte) (*bls12381.G1, error) {
	const entry = "beacon"
	if len(signature) != signatureSize {
		return nil, refuse(KindBeacon, entry, "signature of %d bytes, %d expected", len(signature), signatureSize)
	}
	var point bls12381.G1
	if err := point.SetBytes(signature); err != nil {
		return nil, refuse(KindBeacon, entry, "signature is not a point of G1")
	}
	if point.IsIdentity() {
		return nil, refuse(KindBeacon, entry, "signature is the identity")
	}
	if !bytes.Equal(point.BytesCompressed(), signature) {
		return nil, refuse(KindBeacon, entry, "signature is not canonically encoded")
	}
	return &point, nil
}
