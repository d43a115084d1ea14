package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/config"
	"github.com/steelyard-ledger/steelyard/gateway/relay"
)

// round implements observer.Rounds: the development beacon signs its own
// rounds, none before its time; those of others are fetched from relays.
func (g *gateway) round(pin metrology.DrawChain, round uint64) ([]byte, bool) {
	chain, err := draw.Pinned(pin)
	if err != nil { // the contract takes no such plan
		return nil, false
	}
	if g.beacon == nil || g.beacon.Chain().Hash() != chain.Hash() {
		return g.rounds.Round(chain, round)
	}
	if time.Now().Unix() < chain.Time(round) {
		return nil, false
	}
	return g.beacon.Sign(round), true
}

// openRelays checks the settings of the beacon.
func (g *gateway) openRelays() error {
	relays, err := relay.New(g.config.Beacon.Relays)
	if err != nil {
		return fmt.Errorf("beacon.relays: %w", err)
	}
	g.rounds = relay.NewWatch(relays, time.Now, g.log)
	g.chains, err = readChains(g.config.Beacon)
	return err
}

// readChains reads the chain information of a consortium's own networks.
func readChains(c config.Beacon) ([]draw.Chain, error) {
	var chains []draw.Chain
	for i, path := range c.Chains {
		document, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("beacon.chains[%d]: %w", i, err)
		}
		chain, err := relay.ParseInfo(document)
		if err != nil {
			return nil, fmt.Errorf("beacon.chains[%d]: %w", i, err)
		}
		chains = append(chains, chain)
	}
	return chains, nil
}

// beacons lists those that a plan made here may pin.
func (g *gateway) beacons() []api.KnownBeacon {
	fetched := len(g.config.Beacon.Relays) > 0
	known := []api.KnownBeacon{{Kind: api.BeaconQuicknet, Fetched: fetched, Chain: draw.Quicknet().Pin()}}
	for _, chain := range g.chains {
		known = append(known, api.KnownBeacon{Kind: api.BeaconConsortium, Fetched: fetched, Chain: chain.Pin()})
	}
	if g.beacon != nil {
		known = append(known, api.KnownBeacon{
			Kind: api.BeaconDevelopment, Fetched: true, Notice: api.BeaconNotice, Chain: g.beacon.Chain().Pin(),
		})
	}
	return known
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

// carrier is what the pages may do with the ledger.
type carrier struct{ server *api.Server }

// BringRound implements web.Rounds.
func (c carrier) BringRound(ctx context.Context, id, signature string) error {
	_, err := c.server.BringRound(ctx, id, signature)
	return err
}
