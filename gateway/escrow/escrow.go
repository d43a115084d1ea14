// Package escrow delivers the secret of a sealed draw to those who hold it: to
// the regulator, and to the notary in escrow. It is HPKE in base mode
// (RFC 9180); the boxes stand on the ledger, where all may see them and only
// their holders can open them.
package escrow

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Key is a holder's private key.
type Key struct {
	holder string // MSP
	key    hpke.PrivateKey
}

// NewKey derives a holder's key from a secret of its gateway, so that a restart
// loses nothing.
func NewKey(secret [sha256.Size]byte, holder string) (Key, error) {
	mac := hmac.New(sha256.New, secret[:])
	mac.Write([]byte("escrow\x00" + holder))
	key, err := kem().DeriveKeyPair(mac.Sum(nil))
	if err != nil {
		return Key{}, fmt.Errorf("derive escrow key: %w", err)
	}
	return Key{holder, key}, nil
}

func kem() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }

// Public is the key as it is published, in hex.
func (k Key) Public() string { return hex.EncodeToString(k.key.PublicKey().Bytes()) }

// Open gives the secret in a box, and fails unless it is the one that the
// draw's plan is sealed with.
func (k Key) Open(id, seal string, box metrology.DrawEscrow) (draw.Digest, error) {
	if box.Holder != k.holder || box.Key != k.Public() {
		return draw.Digest{}, fmt.Errorf("open escrow of draw %s: the box is for key %.16s… of %s", id, box.Key, box.Holder)
	}
	sealed, err := hex.DecodeString(box.Box)
	if err != nil {
		return draw.Digest{}, fmt.Errorf("open escrow of draw %s: %w", id, err)
	}
	plain, err := hpke.Open(k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), metrology.EscrowInfo(id, k.holder), sealed)
	if err != nil {
		return draw.Digest{}, fmt.Errorf("open escrow of draw %s: %w", id, err)
	}
	if len(plain) != len(draw.Digest{}) {
		return draw.Digest{}, fmt.Errorf("open escrow of draw %s: it holds %d bytes", id, len(plain))
	}
	secret := draw.Digest(plain)
	if draw.Seal(id, secret).String() != seal {
		return draw.Digest{}, fmt.Errorf("open escrow of draw %s: the secret does not open the plan's seal", id)
	}
	return secret, nil
}

// Box encrypts a draw's secret to a holder's published key.
func Box(id string, secret draw.Digest, to metrology.EscrowKey) (metrology.DrawEscrow, error) {
	raw, err := hex.DecodeString(to.Key)
	if err != nil {
		return metrology.DrawEscrow{}, fmt.Errorf("read escrow key of %s: %w", to.Org, err)
	}
	key, err := kem().NewPublicKey(raw)
	if err != nil {
		return metrology.DrawEscrow{}, fmt.Errorf("read escrow key of %s: %w", to.Org, err)
	}
	box, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.AES256GCM(), metrology.EscrowInfo(id, to.Org), secret[:])
	if err != nil {
		return metrology.DrawEscrow{}, fmt.Errorf("seal escrow for %s: %w", to.Org, err)
	}
	return metrology.DrawEscrow{Holder: to.Org, Key: to.Key, Box: hex.EncodeToString(box)}, nil
}

// Boxes encrypts a draw's secret to every holder, in the order in which the
// contract wants them.
func Boxes(id string, secret draw.Digest, published []metrology.EscrowKey) ([]metrology.DrawEscrow, error) {
	boxes := make([]metrology.DrawEscrow, len(metrology.DrawHolders))
	for i, holder := range metrology.DrawHolders {
		for _, key := range published {
			if key.Org != holder {
				continue
			}
			var err error
			if boxes[i], err = Box(id, secret, key); err != nil {
				return nil, err
			}
		}
		if boxes[i].Holder == "" {
			return nil, fmt.Errorf("seal escrow for %s: it has published no key", holder)
		}
	}
	return boxes, nil
}
