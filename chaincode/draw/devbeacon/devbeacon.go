// Package devbeacon is the embedded network's single-signer beacon: the scheme
// of a real one with a key held in one place. FOR DEVELOPMENT ONLY. Whoever
// holds the key knows every round beforehand, so a draw on it proves nothing
// about secrecy or bias, and every page and transcript that shows it says so.
package devbeacon

import (
	"bytes"
	"fmt"

	"github.com/cloudflare/circl/sign/bls"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// BeaconID labels the chain wherever it shows, and is part of its chain hash.
const BeaconID = "steelyard-development-single-signer"

// SeedSize is the length of the secret a beacon is made from, in bytes.
const SeedSize = 32

// Beacon signs rounds with one key.
type Beacon struct {
	key   *bls.PrivateKey[bls.KeyG2SigG1]
	chain draw.Chain
}

// New makes a beacon whose key follows from seed (32 random bytes), with
// rounds every period seconds from genesis (seconds since 1970).
func New(seed []byte, period uint32, genesis int64) (*Beacon, error) {
	if len(seed) != SeedSize {
		return nil, fmt.Errorf("make development beacon: seed of %d bytes, %d expected", len(seed), SeedSize)
	}
	if period == 0 {
		return nil, fmt.Errorf("make development beacon: period 0")
	}
	key, err := bls.KeyGen[bls.KeyG2SigG1](seed, nil, []byte(BeaconID))
	if err != nil {
		return nil, fmt.Errorf("make development beacon: %w", err)
	}
	public, err := key.PublicKey().MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode development beacon's key: %w", err)
	}
	return &Beacon{key: key, chain: draw.Chain{
		Scheme: draw.BeaconScheme, PublicKey: public, Period: period,
		GenesisTime: genesis, GenesisSeed: bytes.Repeat([]byte{0}, SeedSize), BeaconID: BeaconID,
	}}, nil
}

// Chain gives the parameters that a plan pins.
func (b *Beacon) Chain() draw.Chain { return b.chain }

// Sign returns the round's signature, 48 bytes. When to release it is the
// caller's duty: not before Chain().Time(round).
func (b *Beacon) Sign(round uint64) []byte {
	message := draw.RoundMessage(round)
	return bls.Sign(b.key, message[:])
}
