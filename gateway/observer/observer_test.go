package observer

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

const (
	drawID    = "440300-000001"
	margin    = 10
	roundTime = 1000
)

// oneDraw is a register that holds a single draw.
type oneDraw struct {
	lists public.DrawDirectories
	keys  []metrology.EscrowKey
}

func (r *oneDraw) EscrowKeys(context.Context) ([]metrology.EscrowKey, error) { return r.keys, nil }

func (r *oneDraw) Draws(_ context.Context, f public.DrawFilter) (public.Page[public.Draw], error) {
	if f.Phase != string(r.lists.Record.Phase) {
		return public.Page[public.Draw]{}, nil
	}
	return public.Page[public.Draw]{Items: []public.Draw{r.lists.Record.Draw}}, nil
}

func (r *oneDraw) Draw(context.Context, string) (public.DrawRecord, error) {
	return r.lists.Record, nil
}

func (r *oneDraw) DrawDirectories(context.Context, string) (public.DrawDirectories, error) {
	return r.lists, nil
}

// stage is an observer of one draw with a clock and a list of what it submitted.
type stage struct {
	*Observer
	register  *oneDraw
	now       int64
	submitted []string
	requests  map[string]string
	refuse    error
	log       bytes.Buffer
}

func newStage(t *testing.T, phase metrology.DrawPhase, orgs ...string) *stage {
	t.Helper()
	s := &stage{register: &oneDraw{}, requests: map[string]string{}}
	r := &s.register.lists.Record
	r.ID, r.Phase, r.Round, r.RoundTime = drawID, phase, 7, roundTime
	r.Terms = metrology.DrawTerms{Margin: margin, Observations: 2, Beacon: metrology.DrawChain{ChainHash: "chain"}}
	r.Plan = json.RawMessage(`{"assign":[[],[]],"quota":{"A":1}}`)
	s.register.lists.Objects = []metrology.DrawObject{{ID: "S-1", Stratum: "A", Weight: 1}}
	s.register.lists.Inspectors = []metrology.DrawInspector{{ID: "I-1", Cap: 1}, {ID: "I-2", Cap: 1}}
	frozen, err := s.register.lists.Recompute()
	require.NoError(t, err)
	r.Freeze = frozen.String()
	var officers []Officer
	for _, org := range orgs {
		officers = append(officers, Officer{Label: "officer of " + org, MSP: org})
	}
	s.Observer = New(Config{
		Officers: officers, Register: s.register, Key: [32]byte{1}, Every: time.Hour, Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
		Clock: func() time.Time { return time.Unix(s.now, 0) },
		Rounds: func(pin metrology.DrawChain, round uint64) ([]byte, bool) {
			return []byte{byte(round)}, pin.ChainHash == "chain" && s.now >= roundTime
		},
		Submit: func(_ context.Context, label, _, function string, request []byte) error {
			s.submitted = append(s.submitted, function)
			s.requests[label+function] = string(request)
			return s.refuse
		},
	})
	return s
}

// committed lets organisations have committed with the observer's own secrets.
func (s *stage) committed(orgs ...string) *stage {
	for _, org := range orgs {
		s.register.lists.Record.Commitments = append(s.register.lists.Record.Commitments, metrology.DrawCommitment{
			Org: org, Commitment: draw.Commitment(drawID, org, s.secret(drawID, org)).String()})
	}
	return s
}

func (s *stage) revealed(orgs ...string) *stage {
	for _, org := range orgs {
		s.register.lists.Record.Reveals = append(s.register.lists.Record.Reveals, metrology.DrawReveal{Org: org})
	}
	return s
}

func (s *stage) observed(orgs ...string) *stage {
	s.register.lists.Record.Close = &metrology.DrawClose{Contribution: "c"}
	for _, org := range orgs {
		s.register.lists.Record.Observations = append(s.register.lists.Record.Observations, metrology.DrawObservation{Org: org, Time: 1})
	}
	return s
}

// TestStep: what an organisation does in each phase, by the time.
func TestStep(t *testing.T) {
	const regulator, institute, association, notary = metrology.RegulatorMSP, metrology.InstituteMSP, metrology.AssociationMSP, metrology.NotaryMSP
	all := metrology.DrawOrganizations
	for _, c := range []struct {
		name  string
		phase metrology.DrawPhase
		now   int64
		state func(*stage)
		want  []string
	}{
		{"FrozenWaitsForPeople", metrology.DrawFrozen, 0, nil, nil},
		{"FrozenPastItsRound", metrology.DrawFrozen, roundTime, nil, []string{"draw:Void"}},
		{"Commits", metrology.DrawCommitting, 0, nil, []string{"draw:Commit"}},
		{"WaitsForTheLastCommitment", metrology.DrawCommitting, 0, func(s *stage) { s.committed(institute, association, notary) }, nil},
		{"OpensWithoutTheLast", metrology.DrawCommitting, roundTime - 3*margin, func(s *stage) { s.committed(institute, association, notary) }, []string{"draw:Open"}},
		{"OpensWithAll", metrology.DrawCommitting, 0, func(s *stage) { s.committed(all...) }, []string{"draw:Open"}},
		{"Reveals", metrology.DrawRevealing, 0, func(s *stage) { s.committed(all...) }, []string{"draw:Reveal"}},
		{"KeepsAForeignCommitmentsSecret", metrology.DrawRevealing, 0, func(s *stage) {
			s.register.lists.Record.Commitments = []metrology.DrawCommitment{{Org: notary, Commitment: "another gateway's"}}
		}, nil},
		{"WaitsForTheOthersSecrets", metrology.DrawRevealing, 0, func(s *stage) { s.committed(all...).revealed(notary) }, nil},
		{"ClosesWithAll", metrology.DrawRevealing, 0, func(s *stage) { s.committed(all...).revealed(all...) }, []string{"draw:Close"}},
		{"ClosesWithoutTheSilent", metrology.DrawRevealing, roundTime - 2*margin, func(s *stage) { s.committed(all...).revealed(notary) }, []string{"draw:Close"}},
		{"Observes", metrology.DrawClosed, 0, func(s *stage) { s.observed(institute) }, []string{"draw:Observe"}},
		{"ObservesOnce", metrology.DrawClosed, 0, func(s *stage) { s.observed(notary) }, nil},
		{"DoesNotObserveLate", metrology.DrawClosed, roundTime - margin, func(s *stage) { s.observed() }, nil},
		{"BringsTheRound", metrology.DrawClosed, roundTime, func(s *stage) { s.observed(institute, notary) }, []string{"draw:Beacon"}},
		{"VoidsWithoutObservations", metrology.DrawClosed, roundTime, func(s *stage) { s.observed(institute) }, []string{"draw:Void"}},
		{"HasTheResultComputed", metrology.DrawSeeded, roundTime, nil, []string{"draw:Result"}},
		{"LeavesTheDrawnAlone", metrology.DrawDrawn, roundTime, nil, nil},
		{"LeavesTheCancelledAlone", metrology.DrawCancelled, roundTime, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, c.phase, notary)
			s.now = c.now
			if c.state != nil {
				c.state(s)
			}
			for _, phase := range active {
				require.NoError(t, s.look(t.Context(), phase))
			}
			require.Equal(t, c.want, s.submitted)
		})
	}
	t.Run("RegulatorDoesNotObserve", func(t *testing.T) {
		s := newStage(t, metrology.DrawClosed, regulator).observed()
		require.NoError(t, s.look(t.Context(), metrology.DrawClosed))
		require.Empty(t, s.submitted)
	})
	t.Run("BeaconOfAnotherChainIsNotAnswered", func(t *testing.T) {
		s := newStage(t, metrology.DrawClosed, notary).observed(institute, notary)
		s.now, s.register.lists.Record.Terms.Beacon.ChainHash = roundTime, "another"
		require.NoError(t, s.look(t.Context(), metrology.DrawClosed))
		require.Empty(t, s.submitted)
	})
}

// An organisation does not contribute to a freeze that does not follow from
// plan and lists.
func TestUnsoundFreeze(t *testing.T) {
	s := newStage(t, metrology.DrawCommitting, metrology.NotaryMSP)
	s.register.lists.Objects[0].Weight = 2
	require.NoError(t, s.look(t.Context(), metrology.DrawCommitting))
	require.Empty(t, s.submitted)
	require.Contains(t, s.log.String(), "does not follow")
}

func TestSecret(t *testing.T) {
	s := newStage(t, metrology.DrawCommitting, metrology.NotaryMSP)
	same := s.secret(drawID, metrology.NotaryMSP)
	require.Equal(t, same, s.secret(drawID, metrology.NotaryMSP), "the same after a restart")
	require.NotEqual(t, same, s.secret(drawID, metrology.InstituteMSP))
	require.NotEqual(t, same, s.secret("440300-000002", metrology.NotaryMSP))
	require.NotEqual(t, s.secret("1", "2x"), s.secret("12", "x"))
	require.NoError(t, s.look(t.Context(), metrology.DrawCommitting))
	request := s.requests["officer of NotaryMSPdraw:Commit"]
	require.Contains(t, request, draw.Commitment(drawID, metrology.NotaryMSP, same).String())
	require.NotContains(t, request, hex.EncodeToString(same[:]))
}

// A refusal that repeats is told once, and the step is tried again.
func TestRefusedStep(t *testing.T) {
	s := newStage(t, metrology.DrawSeeded, metrology.NotaryMSP)
	s.refuse = errors.New("not yet")
	for range 3 {
		require.NoError(t, s.look(t.Context(), metrology.DrawSeeded))
	}
	require.Len(t, s.submitted, 3)
	require.Equal(t, 1, bytes.Count(s.log.Bytes(), []byte("not yet")))
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := newStage(t, metrology.DrawSeeded, metrology.NotaryMSP)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx)
}
