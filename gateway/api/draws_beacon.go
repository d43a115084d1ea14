package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// BeaconKind says whose a beacon is.
type BeaconKind string

// The kinds of beacon.
const (
	BeaconQuicknet    BeaconKind = "quicknet"    // the public one of the League of Entropy
	BeaconConsortium  BeaconKind = "consortium"  // a drand network of the consortium's own, by configuration
	BeaconDevelopment BeaconKind = "development" // one signer; for demonstrations alone
)

// KnownBeacon is a beacon that a plan may pin.
type KnownBeacon struct {
	Kind    BeaconKind          `json:"kind"`
	Fetched bool                `json:"fetched"` // this gateway fetches its rounds; others are brought by hand
	Notice  string              `json:"notice,omitempty"`
	Chain   metrology.DrawChain `json:"chain"`
}

// KnownBeacons lists them.
type KnownBeacons struct {
	Items []KnownBeacon `json:"items"`
}

// DevelopmentBeacon is the beacon that a demonstration's plan pins.
type DevelopmentBeacon struct {
	Notice string              `json:"notice"`
	Chain  metrology.DrawChain `json:"chain"`
}

// BeaconNotice says what a development beacon is not.
const BeaconNotice = "Development beacon: one signer, whose operator knows every round beforehand. For demonstrations only; a draw on it proves nothing about secrecy, bias or time."

func (s *Server) developmentBeacon(context.Context, params) (any, error) {
	for _, known := range s.beacons {
		if known.Kind == BeaconDevelopment {
			return DevelopmentBeacon{Notice: known.Notice, Chain: known.Chain}, nil
		}
	}
	return nil, metrology.Errorf(metrology.CodeNotFound, "this gateway runs no development beacon")
}

func (s *Server) knownBeacons(context.Context, params) (any, error) {
	return KnownBeacons{Items: s.beacons}, nil
}

// BringRound takes the signature of a draw's round from anybody, who need not
// be known: there is only one that verifies. It is checked here first, so that
// nothing else is ever sent on, and submitted by an identity of this gateway.
func (s *Server) BringRound(ctx context.Context, id, signature string) (Receipt, error) {
	record, err := s.register.Draw(ctx, id)
	if err != nil {
		return Receipt{}, err
	}
	if err := record.CheckRound(signature, s.clock().Unix()); err != nil {
		return Receipt{}, err
	}
	request, err := json.Marshal(metrology.SeedDraw{ID: id, Signature: signature}, json.Deterministic(true))
	if err != nil {
		return Receipt{}, fmt.Errorf("encode request: %w", err)
	}
	sum := sha256.Sum256(request)
	return s.writer.Submit(ctx, s.courier, "round-"+hex.EncodeToString(sum[:16]), Call{Function: "draw:Beacon", Request: request})
}

// bringRound is the route of BringRound for those without a token.
func (s *Server) bringRound(ctx context.Context, members map[string]jsontext.Value) (Receipt, error) {
	request, err := command[metrology.SeedDraw](members)
	if err != nil {
		return Receipt{}, err
	}
	var seed metrology.SeedDraw
	if err := json.Unmarshal(request, &seed); err != nil {
		return Receipt{}, err
	}
	return s.BringRound(ctx, seed.ID, seed.Signature)
}
