package signature

import (
	"crypto/ecdsa"
	"crypto/elliptic"
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

// Sign makes a detached signature over message.
func (s *Signer) Sign(message []byte) ([]byte, error) {
	if s.sm2 != nil {
		signature, err := s.sm2.SignWithSM2(rand.Reader, nil, message)
		if err != nil {
			return nil, fmt.Errorf("sign with SM2: %w", err)
		}
		return signature, nil
	}
	sum := sha256.Sum256(message)
	signature, err := ecdsa.SignASN1(rand.Reader, s.p256, sum[:])
	if err != nil {
		return nil, fmt.Errorf("sign with P-256: %w", err)
	}
	return signature, nil
}
