package public

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// drawnLists is a draw with its result: stratum A of equal weights, B with one
// object so heavy that it is taken outright, C without a quota.
func drawnLists(t *testing.T) (DrawDirectories, draw.Digest) {
	t.Helper()
	var d DrawDirectories
	d.Record.ID, d.Record.Phase = "440300-000001", metrology.DrawDrawn
	d.Record.Plan = json.RawMessage(`{"assign":[[],[]],"quota":{"A":3,"B":2}}`)
	for i := range 10 {
		weight := int64(1)
		if i == 0 {
			weight = 1000
		}
		d.Objects = append(d.Objects,
			metrology.DrawObject{ID: fmt.Sprintf("A-%d", i), Stratum: "A", Weight: 1},
			metrology.DrawObject{ID: fmt.Sprintf("B-%d", i), Stratum: "B", Weight: weight + int64(i)},
			metrology.DrawObject{ID: fmt.Sprintf("C-%d", i), Stratum: "C", Weight: 1})
	}
	d.Exclusions = []metrology.DrawExclusion{{ID: "X-1", Reason: metrology.ExcludedClosed}}
	seed := draw.Digest{5}
	result, err := json.Marshal(map[string]any{"seed": seed, "assignments": map[string][]string{"B-0": {"I-1", "I-2"}}})
	require.NoError(t, err)
	d.Record.Frozen = &metrology.DrawFreeze{}
	d.Record.Result = &metrology.DrawResult{Result: result}
	return d, seed
}

// TestTicket: every object's answer agrees with the selection.
func TestTicket(t *testing.T) {
	lists, seed := drawnLists(t)
	objects, err := draw.NewObjects(objectsOf(lists.Objects))
	require.NoError(t, err)
	plan, err := draw.ParsePlan(lists.Record.Plan)
	require.NoError(t, err)
	strata, err := draw.Select(seed, objects, plan.Quotas, 0)
	require.NoError(t, err)
	want := map[string]TicketAnswer{}
	for _, o := range objects {
		want[o.ID] = TicketNotSelected
		if o.Stratum == "C" {
			want[o.ID] = TicketNoQuota
		}
	}
	for _, stratum := range strata {
		for _, id := range stratum.Outright {
			want[id] = TicketOutright
		}
		for _, ranked := range stratum.Selected {
			want[ranked.ID] = TicketSelected
		}
	}
	ranks := map[string]map[int]bool{"A": {}, "B": {}}
	for _, o := range objects {
		ticket, err := NewDrawTicket(lists, o.ID)
		require.NoError(t, err)
		require.Equal(t, want[o.ID], ticket.Answer, o.ID)
		require.Equal(t, draw.Ticket(seed, o.ID).String(), ticket.Ticket)
		require.NotEmpty(t, ticket.Proof)
		if ticket.Rank > 0 {
			require.False(t, ranks[o.Stratum][ticket.Rank], "one object to a rank")
			ranks[o.Stratum][ticket.Rank] = true
		}
		if ticket.Answer == TicketSelected || ticket.Answer == TicketNotSelected {
			require.Positive(t, ticket.Rank)
		}
	}
	require.Len(t, ranks["A"], 10)
	require.Len(t, ranks["B"], 9, "what is taken outright has no rank")
	outright, err := NewDrawTicket(lists, "B-0")
	require.NoError(t, err)
	require.Equal(t, TicketOutright, outright.Answer)
	require.Equal(t, []string{"I-1", "I-2"}, outright.Inspectors)
}

func TestTicketOutsideTheDirectory(t *testing.T) {
	lists, _ := drawnLists(t)
	excluded, err := NewDrawTicket(lists, "X-1")
	require.NoError(t, err)
	require.Equal(t, TicketExcluded, excluded.Answer)
	require.Equal(t, metrology.ExcludedClosed, excluded.Exclusion)
	require.NotEmpty(t, excluded.Absence)
	absent, err := NewDrawTicket(lists, "Z-1")
	require.NoError(t, err)
	require.Equal(t, TicketAbsent, absent.Answer)
	_, err = NewDrawTicket(lists, "z-1")
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))

	lists.Record.Result = nil
	pending, err := NewDrawTicket(lists, "A-1")
	require.NoError(t, err)
	require.Equal(t, TicketPending, pending.Answer)
	require.NotEmpty(t, pending.Proof)
	lists.Record.Frozen = nil
	open, err := NewDrawTicket(lists, "A-1")
	require.NoError(t, err)
	require.Equal(t, TicketPending, open.Answer)
	require.Empty(t, open.Proof, "nothing is proved before the freeze")
}

// TestTranscriptParses: in every phase the transcript is a document that
// `draw verify` can read.
func TestTranscriptParses(t *testing.T) {
	lists, _ := drawnLists(t)
	digest := draw.Digest{1}.String()
	r := &lists.Record
	r.Frozen = &metrology.DrawFreeze{PlanHash: digest, ObjectsRoot: digest, InspectorsRoot: digest, IneligibleRoot: digest, Freeze: digest, Round: 3}
	lists.Inspectors = []metrology.DrawInspector{{ID: "I-1", Cap: 1}}
	r.Approvals = []metrology.DrawApproval{{Step: "plan", Org: "NotaryMSP", Hash: digest, Time: 5}}
	r.Commitments = []metrology.DrawCommitment{{Org: "NotaryMSP", Commitment: digest}}
	r.Reveals = []metrology.DrawReveal{{Org: "NotaryMSP", Secret: digest}}
	r.Close = &metrology.DrawClose{Freeze: digest, Contribution: digest, Time: 6}
	r.Observations = []metrology.DrawObservation{{Org: "NotaryMSP", Freeze: digest, Contribution: digest, Time: 7}}
	for _, strip := range []func(){
		func() {}, func() { r.Result = nil }, func() { r.Observations = nil }, func() { r.Close = nil }, func() { r.Reveals = nil },
		func() { r.Commitments = nil }, func() { r.Frozen = nil }, func() { r.Approvals = nil },
	} {
		strip()
		document, err := json.Marshal(NewDrawTranscript(lists, []Transaction{}, Status{}))
		require.NoError(t, err)
		_, err = draw.ParseTranscript(document)
		require.NoError(t, err, "%s", document)
	}
}

// TestTicketAfterChanges: only changes in force count, each in its turn.
func TestTicketAfterChanges(t *testing.T) {
	lists, _ := drawnLists(t)
	answer := func(site string) DrawTicket {
		ticket, err := NewDrawTicket(lists, site)
		require.NoError(t, err)
		return ticket
	}
	standby := ""
	for i := range 10 {
		if id := fmt.Sprintf("B-%d", i); answer(id).Answer == TicketNotSelected {
			standby = id
		}
	}
	lists.Record.Changes = []metrology.DrawChange{
		{Kind: metrology.DrawSubstitution, State: metrology.DrawChangeRejected, Stratum: "B", Object: "B-0", By: standby},
	}
	require.Equal(t, TicketOutright, answer("B-0").Answer)
	require.Equal(t, TicketNotSelected, answer(standby).Answer)
	require.Empty(t, NewDrawTranscript(lists, nil, Status{}).Substitutions)

	lists.Record.Changes = append(lists.Record.Changes,
		metrology.DrawChange{
			Kind: metrology.DrawSubstitution, State: metrology.DrawChangeApproved, Stratum: "B", Object: "B-0", By: standby,
			Reason: metrology.SubstitutedClosed, Inspectors: []string{"I-1", "I-2"},
		},
		metrology.DrawChange{Kind: metrology.DrawRecusal, State: metrology.DrawChangeApproved, Object: standby, Inspectors: []string{"I-1", "I-3"}})
	require.Equal(t, TicketReplaced, answer("B-0").Answer)
	require.Empty(t, answer("B-0").Inspectors)
	require.Equal(t, TicketSubstitute, answer(standby).Answer)
	require.Equal(t, []string{"I-1", "I-3"}, answer(standby).Inspectors)
	require.Equal(t, []TranscriptSubstitution{{"B", "B-0", standby, "closed"}}, NewDrawTranscript(lists, nil, Status{}).Substitutions)
}

// TestSealedTicket: while a draw is sealed every place has the same answer, of
// the same form.
func TestSealedTicket(t *testing.T) {
	lists, _ := drawnLists(t)
	lists.Record.Terms.Seal, lists.Record.Result = "00", nil
	for _, phase := range []metrology.DrawPhase{metrology.DrawSeeded, metrology.DrawSealed} {
		lists.Record.Phase = phase
		for _, site := range []string{"A-1", "B-0", "C-2", "X-1", "ELSEWHERE", "no id at all"} {
			ticket, err := NewDrawTicket(lists, site)
			require.NoError(t, err)
			require.Equal(t, DrawTicket{Draw: lists.Record.ID, Site: site, Phase: phase, Answer: TicketSealed}, ticket)
		}
	}
	lists.Record.Opening = &metrology.DrawOpening{Secret: "00"}
	lists.Record.Phase = metrology.DrawDrawn
	ticket, err := NewDrawTicket(lists, "X-1")
	require.NoError(t, err)
	require.Equal(t, TicketExcluded, ticket.Answer)
}

// TestOpeningOverdue: a sealed draw that nobody opens is told of an hour after
// its declared time.
func TestOpeningOverdue(t *testing.T) {
	for _, phase := range metrology.DrawPhases {
		d := Draw{Draw: metrology.Draw{Phase: phase, RoundTime: 1000, OpenBy: 9000, Terms: metrology.DrawTerms{Seal: "00"}}}
		require.False(t, d.On(9000+3600).OpeningOverdue, phase)
		require.Equal(t, phase == metrology.DrawSeeded || phase == metrology.DrawSealed, d.On(9000+3601).OpeningOverdue, phase)
		d.Terms.Seal = ""
		require.Equal(t, phase == metrology.DrawSealed, d.On(9000+3601).OpeningOverdue, phase)
	}
}

// TestDrawOverdue: a result is due within an hour of the round; what has ended
// is never overdue.
func TestDrawOverdue(t *testing.T) {
	for _, phase := range metrology.DrawPhases {
		d := Draw{Draw: metrology.Draw{Phase: phase, RoundTime: 1000}}
		awaited := phase == metrology.DrawRevealing || phase == metrology.DrawClosed || phase == metrology.DrawSeeded
		require.False(t, d.On(1000+3600).Overdue, phase)
		require.Equal(t, awaited, d.On(1000+3601).Overdue, phase)
	}
}
