package msp

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"

	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

// Signer is an identity with its private key.
type Signer struct {
	*Identity
	key *ecdsa.PrivateKey
}

// NewSigner makes a signer from a PEM certificate and PKCS #8 PEM key. The
// certificate must be valid in its organisation.
func (m *Manager) NewSigner(mspID string, certificate, key []byte) (*Signer, error) {
	serialized, err := proto.Marshal(&mb.SerializedIdentity{Mspid: mspID, IdBytes: certificate})
	if err != nil {
		return nil, fmt.Errorf("serialize identity: %w", err)
	}
	identity, err := m.Deserialize(serialized)
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	if err := identity.Validate(); err != nil {
		return nil, fmt.Errorf("validate identity of %s: %w", mspID, err)
	}
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, fmt.Errorf("read key of %s: no PEM block", mspID)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read key of %s: %w", mspID, err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read key of %s: %T, want ECDSA", mspID, parsed)
	}
	return &Signer{Identity: identity, key: private}, nil
}

// Sign returns a low-S DER signature over the SHA-256 of the message.
func (s *Signer) Sign(message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	r, sValue, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if sValue.Cmp(halfOrder(&s.key.PublicKey)) > 0 {
		sValue.Sub(s.key.Params().N, sValue)
	}
	signature, err := asn1.Marshal(struct{ R, S *big.Int }{r, sValue})
	if err != nil {
		return nil, fmt.Errorf("encode signature: %w", err)
	}
	// What this process has just signed it need not verify again.
	s.manager.verified.add(cacheKey(s.Certificate.Raw, digest[:], signature))
	return signature, nil
}

// signatureCacheSize bounds the remembered signatures: some seconds of full load.
const signatureCacheSize = 1 << 15

// signatureCache is a set that forgets its oldest entries.
type signatureCache struct {
	mu      sync.Mutex
	entries map[[32]byte]struct{}
	ring    [][32]byte
	next    int
}

func newSignatureCache() *signatureCache {
	return &signatureCache{entries: map[[32]byte]struct{}{}, ring: make([][32]byte, signatureCacheSize)}
}

// cacheKey is a digest of certificate, message digest (32 bytes) and signature.
func cacheKey(certificate, digest, signature []byte) [32]byte {
	hash := sha256.New()
	hash.Write(digest)
	sum := sha256.Sum256(signature)
	hash.Write(sum[:])
	hash.Write(certificate)
	return [32]byte(hash.Sum(nil))
}

func (c *signatureCache) has(key [32]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.entries[key]
	return ok
}

func (c *signatureCache) add(key [32]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[key]; ok {
		return
	}
	delete(c.entries, c.ring[c.next])
	c.ring[c.next] = key
	c.next = (c.next + 1) % len(c.ring)
	c.entries[key] = struct{}{}
}
