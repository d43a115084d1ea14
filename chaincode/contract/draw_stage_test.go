package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// drawMargin is the margin of the draws here, in seconds.
const drawMargin = 10

// drawing is one draw on a ledger in memory.
type drawing struct {
	*ledger
	id     string
	beacon *devbeacon.Beacon
	round  int64
}

// officers are those who act for the organisations in draws.
var officers = map[string]metrology.Role{
	metrology.RegulatorMSP: metrology.RoleRegulator, metrology.InstituteMSP: metrology.RoleInstitute,
	metrology.AssociationMSP: metrology.RoleAssociation, metrology.NotaryMSP: metrology.RoleNotary,
}

func (d drawing) officer(org string) actor { return d.as(officers[org], own[officers[org]]) }

// drawBeacon makes rounds every second from the ledger's first hour on.
func drawBeacon(t *testing.T, l *ledger) *devbeacon.Beacon {
	t.Helper()
	beacon, err := devbeacon.New(bytes.Repeat([]byte{7}, devbeacon.SeedSize), 1, l.now.Truncate(24*time.Hour).Unix())
	require.NoError(t, err)
	return beacon
}

func pinOf(chain draw.Chain) metrology.DrawChain {
	return metrology.DrawChain{
		ChainHash: chain.Hash().String(), Scheme: chain.Scheme, PublicKey: hex.EncodeToString(chain.PublicKey), Period: int64(chain.Period),
		GenesisTime: chain.GenesisTime, GenesisSeed: hex.EncodeToString(chain.GenesisSeed), BeaconID: chain.BeaconID,
	}
}

// drawPlan is a plan that draws two of stratum A and one of B.
func drawPlan(t *testing.T, pin metrology.DrawChain, change func(map[string]any)) json.RawMessage {
	t.Helper()
	plan := map[string]any{
		"authority": "440300", "title": "加油机", "regulator": metrology.RegulatorMSP, "observations": 2, "margin": drawMargin,
		"timeWindow": 1, "demonstration": true, "beacon": pin,
		"quota": map[string]int{"A": 2, "B": 1}, "assign": [][]string{{"lead"}, {}},
	}
	if change != nil {
		change(plan)
	}
	encoded, err := json.Marshal(plan)
	require.NoError(t, err)
	return encoded
}

// drawDirectory are eight objects, four inspectors and a pair that must not meet.
func drawDirectory(id string) []metrology.FileDrawDirectory {
	var objects []metrology.DrawObject
	for i := range 8 {
		objects = append(objects, metrology.DrawObject{ID: fmt.Sprintf("S-%d", i), Stratum: string(rune('A' + i%2)), Weight: 1})
	}
	var inspectors []metrology.DrawInspector
	for i := range 4 {
		inspectors = append(inspectors, metrology.DrawInspector{ID: fmt.Sprintf("I-%d", i), Cap: 3, Skills: []string{"lead"}})
	}
	return []metrology.FileDrawDirectory{
		{ID: id, List: metrology.DrawPartObjects, DrawChunk: metrology.DrawChunk{Objects: objects}},
		{ID: id, List: metrology.DrawPartInspectors, DrawChunk: metrology.DrawChunk{Inspectors: inspectors}},
		{ID: id, List: metrology.DrawPartIneligible, DrawChunk: metrology.DrawChunk{Ineligible: [][]string{{"I-0", "S-0"}}}},
		{ID: id, List: metrology.DrawPartExclusions, DrawChunk: metrology.DrawChunk{
			Exclusions: []metrology.DrawExclusion{{ID: "S-9", Reason: metrology.ExcludedVisitCap}}}},
	}
}

var drawChunks = metrology.DrawChunks{Objects: 1, Inspectors: 1, Ineligible: 1, Exclusions: 1}

// planDraw files the authority's next draw.
func (l *ledger) planDraw(number int) drawing {
	l.t.Helper()
	d := drawing{ledger: l, id: metrology.DrawID("440300", number), beacon: drawBeacon(l.t, l)}
	d.must(d.officer(metrology.RegulatorMSP), "draw:Plan", metrology.PlanDraw{ID: d.id, Plan: drawPlan(l.t, pinOf(d.beacon.Chain()), nil)}, nil)
	return d
}

func (d drawing) phase() metrology.Draw {
	return load[metrology.Draw](d.ledger, metrology.DrawKey(d.id, metrology.DrawPartPhase))
}

func (d drawing) approve() drawing {
	d.t.Helper()
	d.must(d.officer(metrology.NotaryMSP), "draw:Approve", metrology.ApproveDraw{ID: d.id, Hash: d.phase().PlanHash}, nil)
	return d
}

// freeze files the directories and freezes them with a round five margins away.
func (d drawing) freeze() drawing {
	d.t.Helper()
	regulator := d.officer(metrology.RegulatorMSP)
	for _, chunk := range drawDirectory(d.id) {
		d.must(regulator, "draw:Directory", chunk, nil)
	}
	d.round = d.now.Unix() - d.beacon.Chain().GenesisTime + 5*drawMargin
	d.must(regulator, "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: d.round, Chunks: drawChunks}, nil)
	return d
}

func (d drawing) enact() drawing {
	d.t.Helper()
	for _, org := range []string{metrology.InstituteMSP, metrology.NotaryMSP} {
		d.must(d.officer(org), "draw:ApproveFreeze", metrology.ApproveDraw{ID: d.id, Hash: d.phase().Freeze}, nil)
	}
	return d
}

func drawSecret(id, org string) draw.Digest { return sha256.Sum256([]byte(id + org)) }

func (d drawing) commitment(org string) metrology.CommitToDraw {
	return metrology.CommitToDraw{ID: d.id, Commitment: draw.Commitment(d.id, org, drawSecret(d.id, org)).String()}
}

func (d drawing) commit(orgs ...string) drawing {
	d.t.Helper()
	for _, org := range orgs {
		d.must(d.officer(org), "draw:Commit", d.commitment(org), nil)
	}
	return d
}

func (d drawing) open() drawing {
	d.t.Helper()
	d.must(d.officer(metrology.NotaryMSP), "draw:Open", metrology.DrawAction{ID: d.id}, nil)
	return d
}

func (d drawing) reveal(orgs ...string) drawing {
	d.t.Helper()
	for _, org := range orgs {
		d.must(d.officer(org), "draw:Reveal", metrology.RevealToDraw{ID: d.id, Secret: drawSecret(d.id, org).String()}, nil)
	}
	return d
}

func (d drawing) close() drawing {
	d.t.Helper()
	d.must(d.officer(metrology.AssociationMSP), "draw:Close", metrology.DrawAction{ID: d.id}, nil)
	return d
}

func (d drawing) closing() metrology.DrawClose {
	return load[metrology.DrawClose](d.ledger, metrology.DrawKey(d.id, metrology.DrawPartClose))
}

func (d drawing) observe(orgs ...string) drawing {
	d.t.Helper()
	for _, org := range orgs {
		d.must(d.officer(org), "draw:Observe", metrology.ObserveDraw{ID: d.id, Contribution: d.closing().Contribution}, nil)
	}
	return d
}

// awaitRound moves the ledger's clock to the round.
func (d drawing) awaitRound() drawing {
	d.now = time.Unix(d.phase().RoundTime, 0)
	return d
}

func (d drawing) signature() metrology.SeedDraw {
	return metrology.SeedDraw{ID: d.id, Signature: hex.EncodeToString(d.beacon.Sign(uint64(d.round)))}
}

func (d drawing) seed() drawing {
	d.t.Helper()
	d.must(d.officer(metrology.InstituteMSP), "draw:Beacon", d.signature(), nil)
	return d
}

func (d drawing) post() drawing {
	d.t.Helper()
	d.must(d.officer(metrology.InstituteMSP), "draw:Result", metrology.DrawAction{ID: d.id}, nil)
	return d
}

// outcome is the result as posted.
func (d drawing) outcome() (result struct {
	Strata map[string]struct {
		Selected []struct {
			ID string `json:"id"`
		} `json:"selected"`
	} `json:"strata"`
	Order       []string            `json:"order"`
	Assignments map[string][]string `json:"assignments"`
}) {
	d.t.Helper()
	posted := load[metrology.DrawResult](d.ledger, metrology.DrawKey(d.id, metrology.DrawPartResult))
	require.NoError(d.t, json.Unmarshal(posted.Result, &result))
	return result
}

// input is the draw as its function takes it.
func (d drawing) input() draw.Input {
	in := draw.Input{Draw: d.id, Plan: d.state[metrology.DrawKey(d.id, metrology.DrawPartPlan)]}
	lists := drawDirectory(d.id)
	in.Objects, in.Inspectors, in.Ineligible = must(objectsOf(lists[0].Objects)), must(inspectorsOf(lists[1].Inspectors)), must(ineligibleOf(lists[2].Ineligible))
	for _, org := range metrology.DrawOrganizations {
		secret := drawSecret(d.id, org)
		in.Contributions = append(in.Contributions, draw.Share{Org: org, Commitment: draw.Commitment(d.id, org, secret), Secret: &secret})
	}
	in.Beacon = draw.Beacon{Chain: d.beacon.Chain(), Round: uint64(d.round), Signature: d.beacon.Sign(uint64(d.round))}
	return in
}

func (d drawing) order() []string { return d.outcome().Order }

func (d drawing) assigned(object string) []string { return d.outcome().Assignments[object] }
