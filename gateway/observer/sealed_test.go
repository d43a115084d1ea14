package observer

import (
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/escrow"
)

const openBy = roundTime + 100

var sealSecret = draw.Digest{9}

// newSealedStage is a sealed draw whose boxes the stage's own gateway can open.
func newSealedStage(t *testing.T, phase metrology.DrawPhase, orgs ...string) *stage {
	t.Helper()
	s := newStage(t, phase, orgs...)
	r := &s.register.lists.Record
	for _, holder := range metrology.DrawHolders {
		key, err := escrow.NewKey(s.Key, holder)
		require.NoError(t, err)
		s.register.keys = append(s.register.keys, metrology.EscrowKey{Org: holder, Key: key.Public()})
	}
	var err error
	r.Escrow, err = escrow.Boxes(drawID, sealSecret, s.register.keys)
	require.NoError(t, err)
	seal := draw.Seal(drawID, sealSecret).String()
	r.Terms.Seal, r.Escrowed, r.OpenBy = seal, 1, openBy
	r.Plan = json.RawMessage(`{"assign":[[],[]],"quota":{"A":1},"seal":"` + seal + `"}`)
	beacon, err := devbeacon.New(make([]byte, devbeacon.SeedSize), 1, 0)
	require.NoError(t, err)
	chain := beacon.Chain()
	r.Terms.Beacon = metrology.DrawChain{ChainHash: chain.Hash().String(), Scheme: chain.Scheme, PublicKey: hex.EncodeToString(chain.PublicKey), Period: 1,
		GenesisSeed: hex.EncodeToString(chain.GenesisSeed), BeaconID: chain.BeaconID}
	r.Beacon = &metrology.DrawBeacon{Round: 7, Signature: hex.EncodeToString(beacon.Sign(7))}
	s.committed(metrology.DrawOrganizations...)
	return s
}

// expected is what the holders commit to.
func (s *stage) expected(t *testing.T) (string, int64) {
	t.Helper()
	outcome, err := s.register.lists.Compute(&sealSecret)
	require.NoError(t, err)
	leaves := draw.SealedLeaves(sealSecret, outcome.Assignment)
	return draw.SealedRoot(leaves).String(), int64(len(leaves))
}

func (s *stage) lookAll(t *testing.T) []string {
	t.Helper()
	s.submitted = nil
	for _, phase := range active {
		require.NoError(t, s.look(t.Context(), phase))
	}
	return s.submitted
}

func TestSealedSteps(t *testing.T) {
	const regulator, institute, notary = metrology.RegulatorMSP, metrology.InstituteMSP, metrology.NotaryMSP
	t.Run("NotaryAcceptsWhatItCanOpen", func(t *testing.T) {
		for _, phase := range []metrology.DrawPhase{metrology.DrawPlanned, metrology.DrawApproved} {
			s := newSealedStage(t, phase, regulator, institute, notary)
			require.Empty(t, s.lookAll(t), "accepted already")
			s.register.lists.Record.Escrowed = 0
			require.Equal(t, []string{"draw:AcceptEscrow"}, s.lookAll(t))
		}
	})
	t.Run("ErrBoxOfAnotherSecret", func(t *testing.T) {
		s := newSealedStage(t, metrology.DrawPlanned, notary)
		s.register.lists.Record.Escrowed = 0
		boxes, err := escrow.Boxes(drawID, draw.Digest{8}, s.register.keys)
		require.NoError(t, err)
		s.register.lists.Record.Escrow = boxes
		require.Empty(t, s.lookAll(t))
		require.Contains(t, s.log.String(), "does not open the plan's seal")
	})
	t.Run("OpenDrawHasNoEscrow", func(t *testing.T) {
		require.Empty(t, newStage(t, metrology.DrawPlanned, notary).lookAll(t))
	})
	t.Run("HoldersCommit", func(t *testing.T) {
		s := newSealedStage(t, metrology.DrawSeeded, institute, notary)
		s.now = roundTime
		require.Equal(t, []string{"draw:CommitLeaves"}, s.lookAll(t), "the institute holds nothing")
		root, leaves := s.expected(t)
		request, err := json.Marshal(metrology.CommitToLeaves{ID: drawID, Root: root, Leaves: leaves})
		require.NoError(t, err)
		require.JSONEq(t, string(request), s.requests["officer of NotaryMSPdraw:CommitLeaves"])
	})
	t.Run("KeptShutUntilItsTime", func(t *testing.T) {
		s := newSealedStage(t, metrology.DrawSealed, regulator, notary)
		root, leaves := s.expected(t)
		for _, holder := range metrology.DrawHolders {
			s.register.lists.Record.Leaves = append(s.register.lists.Record.Leaves, metrology.DrawLeaves{Org: holder, Root: root, Leaves: leaves})
		}
		s.now = openBy - 1
		require.Empty(t, s.lookAll(t))
		s.now = openBy
		require.Equal(t, []string{"draw:Unseal", "draw:Unseal"}, s.lookAll(t))
	})
	t.Run("NotaryOpensWhenTheRegulatorDoesNot", func(t *testing.T) {
		s := newSealedStage(t, metrology.DrawSealed, notary)
		root, leaves := s.expected(t)
		s.register.lists.Record.Leaves = []metrology.DrawLeaves{{Org: notary, Root: root, Leaves: leaves}}
		s.now = openBy
		require.Equal(t, []string{"draw:Unseal"}, s.lookAll(t))
		require.Contains(t, s.requests["officer of NotaryMSPdraw:Unseal"], sealSecret.String())
	})
	t.Run("TellsOfAHolderWhoIsWrong", func(t *testing.T) {
		s := newSealedStage(t, metrology.DrawSealed, notary)
		s.register.lists.Record.Leaves = []metrology.DrawLeaves{{Org: regulator, Root: "00", Leaves: 1}}
		require.Equal(t, []string{"draw:CommitLeaves"}, s.lookAll(t))
		require.Contains(t, s.log.String(), "RegulatorMSP committed to leaves that are not those of the outcome")
	})
	t.Run("InfeasibleIsOpenedAtOnce", func(t *testing.T) {
		s := newSealedStage(t, metrology.DrawSeeded, regulator, notary)
		s.register.lists.Ineligible = [][]string{{"I-1", "S-1"}}
		s.now = roundTime
		require.Equal(t, []string{"draw:Unseal"}, s.lookAll(t))
	})
}

func TestPublishKeys(t *testing.T) {
	s := newStage(t, metrology.DrawDrawn, metrology.RegulatorMSP, metrology.InstituteMSP, metrology.NotaryMSP)
	require.NoError(t, s.publishKeys(t.Context()))
	require.Equal(t, []string{"draw:PublishEscrowKey", "draw:PublishEscrowKey"}, s.submitted)
	key, err := escrow.NewKey(s.Key, metrology.NotaryMSP)
	require.NoError(t, err)
	require.Contains(t, s.requests["officer of NotaryMSPdraw:PublishEscrowKey"], key.Public())
	s.register.keys = []metrology.EscrowKey{{Org: metrology.RegulatorMSP, Key: "another gateway's"}, {Org: metrology.NotaryMSP, Key: key.Public()}}
	s.submitted = nil
	require.NoError(t, s.publishKeys(t.Context()))
	require.NoError(t, s.publishKeys(t.Context()))
	require.Empty(t, s.submitted)
	require.Contains(t, s.log.String(), "another gateway holds the escrow")
}
