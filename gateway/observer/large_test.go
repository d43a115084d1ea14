package observer

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/drawfiles"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// largeStage is a stage whose draw is large and seeded.
func largeStage(t *testing.T) (*stage, *drawfiles.Store) {
	t.Helper()
	s := newStage(t, metrology.DrawSeeded, metrology.NotaryMSP)
	files, err := drawfiles.Open(drawfiles.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	content := []byte(draw.CSVHeader)
	for i := range 40 {
		content = draw.AppendRow(content, draw.Object{ID: fmt.Sprintf("S-%03d", i), Stratum: "A", Weight: 1})
	}
	kept, err := files.Keep(bytes.NewReader(content), "")
	require.NoError(t, err)
	beacon, err := devbeacon.New(bytes.Repeat([]byte{1}, devbeacon.SeedSize), 1, 0)
	require.NoError(t, err)
	chain := beacon.Chain()
	lists := &s.register.lists
	lists.Objects, lists.Files = nil, files
	lists.Inspectors = []metrology.DrawInspector{{ID: "I-1", Cap: 9}, {ID: "I-2", Cap: 9}, {ID: "I-3", Cap: 9}}
	r := &lists.Record
	r.Plan = json.RawMessage(`{"assign":[[],[]],"quota":{"A":4}}`)
	r.ByFile, r.Frozen = true, &metrology.DrawFreeze{ObjectsRoot: kept.Root, Objects: kept.Objects, Strata: kept.Strata}
	inspectors, err := draw.NewInspectors([]draw.Inspector{{ID: "I-1", Cap: 9}, {ID: "I-2", Cap: 9}, {ID: "I-3", Cap: 9}})
	require.NoError(t, err)
	dirs := draw.DirectoriesOf(draw.NewSurvey(), inspectors, nil)
	plan, err := draw.ParsePlan(r.Plan)
	require.NoError(t, err)
	frozen, err := lists.Recompute()
	require.NoError(t, err)
	f := r.Frozen
	f.PlanHash, f.Freeze, f.Round = plan.Hash.String(), frozen.String(), 7
	f.InspectorsRoot, f.Inspectors, f.IneligibleRoot = dirs.InspectorsRoot.String(), 3, dirs.IneligibleRoot.String()
	r.Freeze = frozen.String()
	r.Terms.Beacon = metrology.DrawChain{
		ChainHash: chain.Hash().String(), Scheme: chain.Scheme, PublicKey: hex.EncodeToString(chain.PublicKey), Period: 1,
		GenesisSeed: hex.EncodeToString(chain.GenesisSeed), BeaconID: chain.BeaconID,
	}
	r.Beacon = &metrology.DrawBeacon{Round: 7, Signature: hex.EncodeToString(beacon.Sign(7))}
	r.Approvals = []metrology.DrawApproval{}
	s.committed(metrology.DrawOrganizations...)
	s.Observer.Files = files
	s.now = roundTime + firstWord
	return s, files
}

func (s *stage) posted(t *testing.T) draw.Posting {
	t.Helper()
	var request metrology.PostDraw
	require.NoError(t, json.Unmarshal([]byte(s.requests["officer of NotaryMSPdraw:Post"]), &request))
	posting, err := draw.ParsePosting(request.Posting)
	require.NoError(t, err)
	return posting
}

// post lets the ledger hold a posting.
func (s *stage) post(t *testing.T, posting draw.Posting) {
	t.Helper()
	encoded, err := json.Marshal(posting)
	require.NoError(t, err)
	r := &s.register.lists.Record
	r.Phase, r.Result = metrology.DrawDrawn, &metrology.DrawResult{Posting: encoded, PostedBy: metrology.RegulatorMSP}
	s.submitted = nil
}

// TestPostsALargeDraw: others have the first word; then the observer posts, and
// its lists are there for all to fetch. A right posting is left alone.
func TestPostsALargeDraw(t *testing.T) {
	s, files := largeStage(t)
	s.now--
	require.NoError(t, s.look(t.Context(), metrology.DrawSeeded))
	require.Empty(t, s.submitted)
	s.now++
	require.NoError(t, s.look(t.Context(), metrology.DrawSeeded))
	require.Equal(t, []string{"draw:Post"}, s.submitted, s.log.String())
	posting := s.posted(t)
	list, err := files.Drawn(posting.AssignmentsRoot.String())
	require.NoError(t, err)
	require.NoError(t, posting.Carries(list))
	require.Len(t, list, 4)
	s.post(t, posting)
	require.False(t, s.settled(s.register.lists.Record.Draw.Draw))
	require.NoError(t, s.look(t.Context(), metrology.DrawDrawn))
	require.Empty(t, s.submitted)
	require.True(t, s.settled(s.register.lists.Record.Draw.Draw), "looked at once")
}

// TestChallengesAWrongPosting: found wrong, refuted, and posted anew at once.
func TestChallengesAWrongPosting(t *testing.T) {
	s, files := largeStage(t)
	require.NoError(t, s.look(t.Context(), metrology.DrawSeeded))
	posting := s.posted(t)
	list, err := files.Drawn(posting.AssignmentsRoot.String())
	require.NoError(t, err)
	list[0].Object = posting.Strata[0].Standby[0]
	slices.SortFunc(list, func(a, b draw.Drawn) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
	_, selected := list.In("A")
	posting.Strata[0].SelectedRoot, posting.AssignmentsRoot = draw.ListRoot(selected), list.AssignmentsRoot()
	s.post(t, posting)

	require.NoError(t, s.look(t.Context(), metrology.DrawDrawn))
	require.Empty(t, s.submitted, "nobody shows the lists yet")
	require.Contains(t, s.log.String(), "its lists are not to be had")
	require.NoError(t, files.KeepDrawn(list))
	require.NoError(t, s.look(t.Context(), metrology.DrawDrawn))
	require.Equal(t, []string{"draw:Challenge"}, s.submitted)
	var request metrology.ChallengeDraw
	require.NoError(t, json.Unmarshal([]byte(s.requests["officer of NotaryMSPdraw:Challenge"]), &request))
	require.Equal(t, 1, request.Number)
	challenge, err := draw.ParseChallenge(request.Challenge)
	require.NoError(t, err)
	require.Equal(t, draw.ChallengeListed, challenge.Kind)

	r := &s.register.lists.Record
	r.Phase, r.Result, r.Refuted, s.submitted, s.now = metrology.DrawSeeded, nil, 1, nil, roundTime
	require.NoError(t, s.look(t.Context(), metrology.DrawSeeded))
	require.Equal(t, []string{"draw:Post"}, s.submitted)
}

// TestUnsoundFile: an organisation does not contribute to a freeze whose sums
// its file does not have, whose file it cannot have, or with somebody in it who
// is excluded.
func TestUnsoundFile(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, s *stage){
		"OtherSums": func(_ *testing.T, s *stage) { s.register.lists.Record.Frozen.Strata[0].Weight++ },
		"Excluded": func(_ *testing.T, s *stage) {
			s.register.lists.Exclusions = []metrology.DrawExclusion{{ID: "S-007", Reason: metrology.ExcludedClosed}}
		},
		"NoFile": func(t *testing.T, s *stage) {
			files, err := drawfiles.Open(drawfiles.Config{Dir: t.TempDir()})
			require.NoError(t, err)
			s.Observer.Files, s.register.lists.Files = files, files
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := largeStage(t)
			r := &s.register.lists.Record
			r.Phase, r.Commitments, s.now = metrology.DrawCommitting, nil, 0
			change(t, s)
			require.NoError(t, s.look(t.Context(), metrology.DrawCommitting))
			require.Empty(t, s.submitted)
		})
	}
	s, _ := largeStage(t)
	r := &s.register.lists.Record
	r.Phase, r.Commitments, s.now = metrology.DrawCommitting, nil, 0
	require.NoError(t, s.look(t.Context(), metrology.DrawCommitting))
	require.Equal(t, []string{"draw:Commit"}, s.submitted, s.log.String())
}

// TestTicketOfALargeDraw answers from proofs, thresholds and the lists.
func TestTicketOfALargeDraw(t *testing.T) {
	s, files := largeStage(t)
	require.NoError(t, s.look(t.Context(), metrology.DrawSeeded))
	posting := s.posted(t)
	s.post(t, posting)
	lists := s.register.lists
	own, _, err := lists.Outcome()
	require.NoError(t, err)
	lists.Record.Result.Seed = own.Result.Seed.String()
	drawn, err := files.Drawn(posting.AssignmentsRoot.String())
	require.NoError(t, err)
	ask := func(site string) public.DrawTicket {
		ticket, err := public.NewDrawTicket(lists, site)
		require.NoError(t, err)
		return ticket
	}
	ranks := map[int]bool{}
	for _, d := range drawn {
		ticket := ask(d.ID)
		require.Equal(t, public.TicketSelected, ticket.Answer)
		require.Equal(t, d.Inspectors, ticket.Inspectors)
		ranks[ticket.Rank] = true
	}
	require.Equal(t, map[int]bool{1: true, 2: true, 3: true, 4: true}, ranks)
	standby := ask(posting.Strata[0].Standby[1].ID)
	require.Equal(t, public.TicketNotSelected, standby.Answer)
	require.Equal(t, 6, standby.Rank)
	require.NotEmpty(t, standby.Proof)
	absent := ask("NOBODY")
	require.Equal(t, public.TicketAbsent, absent.Answer)
	require.NotEmpty(t, absent.Absence)
	_, err = public.NewDrawTicket(lists, "lower")
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))

	require.NoError(t, os.Remove(dirOf(t, files, posting.AssignmentsRoot.String())))
	require.Equal(t, public.TicketSelected, ask(drawn[0].ID).Answer, "from the threshold alone")
	require.Equal(t, public.TicketNotSelected, ask(posting.Strata[0].Standby[0].ID).Answer)
}

// dirOf finds where a file stands.
func dirOf(t *testing.T, files *drawfiles.Store, root string) string {
	t.Helper()
	in, err := files.Open(root)
	require.NoError(t, err)
	defer in.Close()
	return in.(interface{ Name() string }).Name()
}
