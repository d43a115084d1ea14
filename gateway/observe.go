package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/observer"
)

// observeEvery is the time between two looks at the draws.
const observeEvery = 500 * time.Millisecond

// drawOfficers are the roles that act for their organisation in draws.
var drawOfficers = map[string]bool{
	string(metrology.RoleRegulator): true, string(metrology.RoleInstitute): true,
	string(metrology.RoleAssociation): true, string(metrology.RoleNotary): true,
}

// observes says whether this gateway takes part in draws by itself: on its own
// embedded network, in a demonstration, or where it is told to.
func (g *gateway) observes() bool {
	return g.config.Network == nil || g.config.Demonstrate() || g.config.Observe
}

// observe takes part in draws for each organisation whose officer the wallet
// holds, until ctx ends.
func (g *gateway) observe(ctx context.Context) error {
	if !g.observes() {
		return nil
	}
	observer.New(observer.Config{
		Officers: g.officers(), Register: g.store, Submit: g.submitStep, Rounds: g.round,
		Key: sha256.Sum256(append([]byte("steelyard observer\x00"), g.secret[:]...)), Clock: time.Now, Every: observeEvery, Logger: g.log,
	}).Run(ctx)
	return nil
}

// officers picks one identity of each organisation.
func (g *gateway) officers() []observer.Officer {
	var officers []observer.Officer
	taken := map[string]bool{}
	for _, identity := range g.identities {
		if drawOfficers[identity.Role] && !taken[identity.MSPID] {
			taken[identity.MSPID] = true
			officers = append(officers, observer.Officer{Label: identity.Label, MSP: identity.MSPID})
		}
	}
	return officers
}

// submitStep implements observer.Submit.
func (g *gateway) submitStep(ctx context.Context, label, key, function string, request []byte) error {
	_, err := g.client.Submit(ctx, key, fabric.Call{Identity: label, Function: function, Request: request})
	return err
}

// round implements observer.Rounds with the development beacon: a round is not
// given before its time.
func (g *gateway) round(chainHash string, round uint64) ([]byte, bool) {
	if g.beacon == nil {
		return nil, false
	}
	chain := g.beacon.Chain()
	if chain.Hash().String() != chainHash || time.Now().Unix() < chain.Time(round) {
		return nil, false
	}
	return g.beacon.Sign(round), true
}

// beaconFile is how the development beacon is kept, so that a restart goes on
// with the same chain.
type beaconFile struct {
	Notice      string `json:"notice"`
	Seed        string `json:"seed"` // hex; whoever has it knows every round beforehand
	GenesisTime int64  `json:"genesisTime"`
}

// openBeacon makes or opens the development beacon. Only demonstrations have
// one.
func (g *gateway) openBeacon() (*devbeacon.Beacon, error) {
	if g.config.Network != nil && !g.config.Demonstrate() {
		return nil, nil
	}
	path := filepath.Join(g.config.Data, "development-beacon.json")
	var kept beaconFile
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		kept = beaconFile{
			Notice: "FOR DEVELOPMENT ONLY: a beacon with one signer proves nothing about secrecy or bias.",
			Seed:   randomHex(devbeacon.SeedSize), GenesisTime: time.Now().Unix(),
		}
		if content, err = json.Marshal(kept); err == nil {
			err = writePrivate(path, content)
		}
	case err == nil:
		err = json.Unmarshal(content, &kept)
	}
	if err != nil {
		return nil, fmt.Errorf("open development beacon: %w", err)
	}
	seed, err := hex.DecodeString(kept.Seed)
	if err != nil {
		return nil, fmt.Errorf("open development beacon %s: %w", path, err)
	}
	return devbeacon.New(seed, 1, kept.GenesisTime)
}

// beaconPin is how a plan pins the development beacon; nil: there is none.
func (g *gateway) beaconPin() *api.DevelopmentBeacon {
	if g.beacon == nil {
		return nil
	}
	chain := g.beacon.Chain()
	return &api.DevelopmentBeacon{Notice: api.BeaconNotice, Chain: metrology.DrawChain{
		ChainHash: chain.Hash().String(), Scheme: chain.Scheme, PublicKey: hex.EncodeToString(chain.PublicKey), Period: int64(chain.Period),
		GenesisTime: chain.GenesisTime, GenesisSeed: hex.EncodeToString(chain.GenesisSeed), BeaconID: chain.BeaconID,
	}}
}
