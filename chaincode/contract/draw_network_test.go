package contract_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/contract"
	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/embedded"
)

const (
	valid     = peer.TxValidationCode_VALID
	mvcc      = peer.TxValidationCode_MVCC_READ_CONFLICT
	drawnHere = "440300-000001"
)

// bureau is a draw on an embedded network with one officer of each
// organisation.
type bureau struct {
	t        *testing.T
	officers map[string]*client.Contract // by MSP
	beacon   *devbeacon.Beacon
	round    int64
	freeze   string
}

func openBureau(t *testing.T) *bureau {
	t.Helper()
	metrologyContract, err := contract.New()
	require.NoError(t, err)
	collections, err := consortium.Collections()
	require.NoError(t, err)
	network, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Chaincodes: []embedded.Chaincode{
		{Name: "metrology", Contract: metrologyContract, Collections: collections},
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	b := &bureau{t: t, officers: map[string]*client.Contract{}}
	for _, role := range []metrology.Role{metrology.RoleRegulator, metrology.RoleInstitute, metrology.RoleAssociation, metrology.RoleNotary} {
		b.officers[metrology.RoleOrganizations[role]] = connect(t, network, role)
	}
	b.beacon, err = devbeacon.New(bytes.Repeat([]byte{3}, devbeacon.SeedSize), 1, time.Now().Unix()-10)
	require.NoError(t, err)
	return b
}

func (b *bureau) must(org, function string, request any, options ...client.ProposalOption) {
	b.t.Helper()
	require.Equal(b.t, valid, send(b.t, b.officers[org], function, request, options...), function)
}

func (b *bureau) action() metrology.DrawAction { return metrology.DrawAction{ID: drawnHere} }

// enact files a draw with a margin of one second and puts its freeze in force.
func (b *bureau) enact() {
	b.t.Helper()
	chain := b.beacon.Chain()
	plan, err := json.Marshal(map[string]any{
		"authority": "440300", "title": "test", "regulator": metrology.RegulatorMSP, "observations": 2, "margin": 1, "timeWindow": 1,
		"demonstration": true, "quota": map[string]int{"A": 1}, "assign": [][]string{{}, {}},
		"beacon": metrology.DrawChain{
			ChainHash: chain.Hash().String(), Scheme: chain.Scheme, PublicKey: hex.EncodeToString(chain.PublicKey), Period: 1,
			GenesisTime: chain.GenesisTime, GenesisSeed: hex.EncodeToString(chain.GenesisSeed), BeaconID: chain.BeaconID,
		},
	})
	require.NoError(b.t, err)
	parsed, err := draw.ParsePlan(plan)
	require.NoError(b.t, err)
	const regulator = metrology.RegulatorMSP
	b.must(regulator, "operation:Bootstrap", metrology.Bootstrap{})
	b.must(regulator, "draw:Plan", metrology.PlanDraw{ID: drawnHere, Plan: plan})
	b.must(metrology.NotaryMSP, "draw:Approve", metrology.ApproveDraw{ID: drawnHere, Hash: parsed.Hash.String()})
	objects := []draw.Object{{ID: "S-1", Stratum: "A", Weight: 1}, {ID: "S-2", Stratum: "A", Weight: 1}}
	people := []draw.Inspector{{ID: "I-1", Cap: 1}, {ID: "I-2", Cap: 1}}
	b.must(regulator, "draw:Directory", metrology.FileDrawDirectory{ID: drawnHere, List: "objects", DrawChunk: metrology.DrawChunk{
		Objects: []metrology.DrawObject{{ID: "S-1", Stratum: "A", Weight: 1}, {ID: "S-2", Stratum: "A", Weight: 1}}}})
	b.must(regulator, "draw:Directory", metrology.FileDrawDirectory{ID: drawnHere, List: "inspectors", DrawChunk: metrology.DrawChunk{
		Inspectors: []metrology.DrawInspector{{ID: "I-1", Cap: 1, Skills: []string{}}, {ID: "I-2", Cap: 1, Skills: []string{}}}}})
	b.round = time.Now().Unix() - chain.GenesisTime + 8
	b.must(regulator, "draw:Freeze", metrology.FreezeDraw{ID: drawnHere, Round: b.round, Chunks: metrology.DrawChunks{Objects: 1, Inspectors: 1}})
	survey := draw.NewSurvey()
	require.NoError(b.t, survey.AddAll(draw.Objects(objects)))
	inspectors, err := draw.NewInspectors(people)
	require.NoError(b.t, err)
	b.freeze = draw.Freeze(drawnHere, parsed.Hash, draw.DirectoriesOf(survey, inspectors, nil)).String()
	for _, org := range []string{metrology.InstituteMSP, metrology.AssociationMSP} {
		b.must(org, "draw:ApproveFreeze", metrology.ApproveDraw{ID: drawnHere, Hash: b.freeze})
	}
}

func bureauSecret(org string) draw.Digest { return sha256.Sum256([]byte(org)) }

func (b *bureau) commit() {
	b.t.Helper()
	for _, org := range metrology.DrawOrganizations {
		b.must(org, "draw:Commit", metrology.CommitToDraw{ID: drawnHere, Commitment: draw.Commitment(drawnHere, org, bureauSecret(org)).String()})
	}
}

func (b *bureau) reveal(org string) metrology.RevealToDraw {
	return metrology.RevealToDraw{ID: drawnHere, Secret: bureauSecret(org).String()}
}

// contribution is C when every secret was revealed.
func (b *bureau) contribution() metrology.ObserveDraw {
	var shares []draw.Share
	for _, org := range metrology.DrawOrganizations {
		secret := bureauSecret(org)
		shares = append(shares, draw.Share{Org: org, Commitment: draw.Commitment(drawnHere, org, secret), Secret: &secret})
	}
	c, err := draw.Contribution(drawnHere, shares)
	require.NoError(b.t, err)
	return metrology.ObserveDraw{ID: drawnHere, Contribution: c.String()}
}

// TestDrawOnNetwork: what was endorsed in an earlier phase and is submitted in
// a later one is invalid; an observation needs its organisation's own peer;
// and the draw has one outcome.
func TestDrawOnNetwork(t *testing.T) {
	b := openBureau(t)
	b.enact()
	const regulator, institute, association, notary = metrology.RegulatorMSP, metrology.InstituteMSP, metrology.AssociationMSP, metrology.NotaryMSP
	b.commit()
	cancelled := propose(t, b.officers[regulator], "draw:Cancel", metrology.CancelDraw{ID: drawnHere, Reason: metrology.DrawForceMajeure})
	reopened := propose(t, b.officers[notary], "draw:Open", b.action())
	b.must(notary, "draw:Open", b.action())
	require.Equal(t, mvcc, cancelled(), "a cancellation kept until reveals opened")
	require.Equal(t, mvcc, reopened())

	for _, org := range []string{regulator, institute, association} {
		b.must(org, "draw:Reveal", b.reveal(org))
	}
	withheld := propose(t, b.officers[notary], "draw:Reveal", b.reveal(notary))
	b.must(notary, "draw:Reveal", b.reveal(notary))
	require.Equal(t, mvcc, withheld(), "a second copy of a secret")
	favourable := propose(t, b.officers[association], "draw:Close", b.action())
	b.must(institute, "draw:Close", b.action())
	require.Equal(t, mvcc, favourable(), "a close kept ready")

	foreign := client.WithEndorsingOrganizations(regulator, association, notary)
	require.Equal(t, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, send(t, b.officers[institute], "draw:Observe", b.contribution(), foreign))
	b.must(institute, "draw:Observe", b.contribution())
	late := propose(t, b.officers[association], "draw:Observe", b.contribution())
	b.must(notary, "draw:Observe", b.contribution())

	due := b.beacon.Chain().Time(uint64(b.round))
	time.Sleep(time.Until(time.Unix(due, 0)))
	seed := metrology.SeedDraw{ID: drawnHere, Signature: hex.EncodeToString(b.beacon.Sign(uint64(b.round)))}
	b.must(association, "draw:Beacon", seed)
	require.Equal(t, mvcc, late(), "an observation kept until the beacon was known")
	b.must(regulator, "draw:Result", b.action())
	again, err := b.officers[regulator].NewProposal("draw:Result", client.WithArguments(`{"id":"`+drawnHere+`"}`, "again"))
	require.NoError(t, err)
	_, err = again.Endorse()
	require.Error(t, err, "a second result")
}
