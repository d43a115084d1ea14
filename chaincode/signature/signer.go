package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

// Signer holds an issuer's private key. The contract never has one; institutes
// sign with it before they send a batch.
type Signer struct {
	p256 *ecdsa.PrivateKey
	sm2  *sm2.PrivateKey
	key  Key
}

// GenerateP256 makes a new ECDSA key on P-256.
func GenerateP256() (*Signer, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate P-256 key: %w", err)
	}
	return newSigner(private)
}

// GenerateSM2 makes a new SM2 key.
func GenerateSM2() (*Signer, error) {
	private, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate SM2 key: %w", err)
	}
	return newSigner(private)
}

// ParseSigner reads a private key in PKCS #8 DER (RFC 5958, RFC 8998 for SM2).
func ParseSigner(pkcs8 []byte) (*Signer, error) {
	private, err := smx509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	return newSigner(private)
}

func newSigner(private any) (*Signer, error) {
	signer := &Signer{}
	var public *ecdsa.PublicKey
	switch private := private.(type) {
	case *ecdsa.PrivateKey:
		signer.p256, public = private, &private.PublicKey
	case *sm2.PrivateKey:
		signer.sm2, public = private, &private.PublicKey
	default:
		return nil, fmt.Errorf("a signing key of type %T, want P-256 or SM2", private)
	}
	key, err := newKey(public)
	if err != nil {
		return nil, err
	}
	signer.key = key
	return signer, nil
}

// PKCS8 returns the private key for ParseSigner.
func (s *Signer) PKCS8() ([]byte, error) {
	if s.sm2 != nil {
		return smx509.MarshalPKCS8PrivateKey(s.sm2)
	}
	return smx509.MarshalPKCS8PrivateKey(s.p256)
}

// Key returns the public key.
func (s *Signer) Key() Key { return s.key }

// Sign makes a detached signature over message. The same key and message give
// the same signature: a retry then says the same thing, and no broken source of
// randomness can give the key away.
func (s *Signer) Sign(message []byte) ([]byte, error) {
	if s.sm2 != nil {
		signature, err := s.sm2.Sign(newNonces(s.sm2.D.Bytes(), message), message, sm2.NewSM2SignerOption(true, nil))
		if err != nil {
			return nil, fmt.Errorf("sign with SM2: %w", err)
		}
		return signature, nil
	}
	sum := sha256.Sum256(message)
	signature, err := s.p256.Sign(nil, sum[:], crypto.SHA256) // without a reader: RFC 6979
	if err != nil {
		return nil, fmt.Errorf("sign with P-256: %w", err)
	}
	return signature, nil
}

// nonces is a stream that depends on private key and message alone, for the
// SM2 library, which knows no RFC 6979. Libraries discard a single byte now and
// then so that nobody relies on a stream; single bytes come from a stream of
// their own, so that this changes nothing.
type nonces struct {
	seed          []byte
	blocks, bytes uint64
}

func newNonces(private, message []byte) *nonces {
	mac := hmac.New(sha256.New, private)
	mac.Write([]byte("steelyard-nonce/1"))
	mac.Write(message)
	return &nonces{seed: mac.Sum(nil)}
}

func (n *nonces) Read(buffer []byte) (int, error) {
	if len(buffer) == 1 {
		n.bytes++
		buffer[0] = n.block("byte", n.bytes)[0]
		return 1, nil
	}
	for filled := 0; filled < len(buffer); {
		n.blocks++
		filled += copy(buffer[filled:], n.block("block", n.blocks))
	}
	return len(buffer), nil
}

func (n *nonces) block(label string, counter uint64) []byte {
	mac := hmac.New(sha256.New, n.seed)
	fmt.Fprintf(mac, "%s %d", label, counter)
	return mac.Sum(nil)
}
