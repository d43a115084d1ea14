package relay

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// info is chain information as drand gives it, at /{chain}/info (version 1) or
// /v2/chains/{chain}/info. What the genesis seed, scheme, hash and id are
// called differs.
type info struct {
	PublicKey   string `json:"public_key"`
	Period      uint32 `json:"period"`       // seconds
	GenesisTime int64  `json:"genesis_time"` // seconds since 1970

	GroupHash string `json:"groupHash"` // version 1: the genesis seed
	SchemeID  string `json:"schemeID"`
	Hash      string `json:"hash"`
	Metadata  struct {
		BeaconID string `json:"beaconID"`
	} `json:"metadata"`

	GenesisSeed string `json:"genesis_seed"` // version 2
	Scheme      string `json:"scheme"`
	ChainHash   string `json:"chain_hash"`
	BeaconID    string `json:"beacon_id"`
}

// ParseInfo reads the chain information of a drand network, as a consortium
// running its own hands it out. The hash it states must be that of its
// parameters.
func ParseInfo(document []byte) (draw.Chain, error) {
	var i info
	if err := json.Unmarshal(document, &i); err != nil {
		return draw.Chain{}, fmt.Errorf("read chain information: %w", err)
	}
	chain := draw.Chain{
		Scheme: either(i.Scheme, i.SchemeID), Period: i.Period, GenesisTime: i.GenesisTime, BeaconID: either(i.BeaconID, i.Metadata.BeaconID),
	}
	var keyErr, seedErr error
	chain.PublicKey, keyErr = hex.DecodeString(i.PublicKey)
	chain.GenesisSeed, seedErr = hex.DecodeString(either(i.GenesisSeed, i.GroupHash))
	if err := errors.Join(keyErr, seedErr); err != nil {
		return chain, fmt.Errorf("read chain information: %w", err)
	}
	pin := chain.Pin()
	pin.ChainHash = either(i.ChainHash, i.Hash)
	if _, err := draw.Pinned(pin); err != nil {
		return chain, fmt.Errorf("read chain information: %w", err)
	}
	return chain, chain.CheckKey()
}

func either(first, second string) string {
	if first != "" {
		return first
	}
	return second
}
