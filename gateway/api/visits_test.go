package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// visitLedger holds one draw with its directories.
type visitLedger struct {
	*drawLedger
	inspectors []metrology.DrawInspector
	done       []public.Inspection
}

func (l *visitLedger) DrawDirectories(context.Context, string) (public.DrawDirectories, error) {
	return public.DrawDirectories{Record: l.record, DrawChunk: metrology.DrawChunk{Inspectors: l.inspectors}}, nil
}

func (l *visitLedger) LatestDraws(context.Context, public.PageRequest) (public.Page[public.Draw], error) {
	return public.Page[public.Draw]{Items: []public.Draw{l.record.Draw, {Draw: metrology.Draw{ID: "310115-000002", Phase: metrology.DrawPlanned}}}}, nil
}

func (l *visitLedger) Inspections(context.Context, public.InspectionFilter, metrology.Date) (public.Page[public.Inspection], error) {
	return public.Page[public.Inspection]{Items: l.done}, nil
}

// newVisitBench has a draw whose directory commits to two inspectors' posts of
// this gateway and to one of elsewhere.
func newVisitBench(t *testing.T) (*bench, *visitLedger) {
	t.Helper()
	b, drawn := newDrawBench(t)
	l := &visitLedger{drawLedger: drawn}
	secret := Secret{1}
	for id, post := range map[string]string{"I-A": "p-7", "I-B": "p-8", "I-C": "elsewhere"} {
		l.inspectors = append(l.inspectors, metrology.DrawInspector{ID: id, Holder: public.Holder(draftDraw, id, post, secret.holderSalt(draftDraw, id))})
	}
	l.record.Phase, l.record.Freeze, l.record.Frozen = metrology.DrawDrawn, "f", &metrology.DrawFreeze{}
	l.record.Result = &metrology.DrawResult{
		Result:  json.RawMessage(`{"strata":{"K1":{"selected":[{"id":"S-1"},{"id":"S-2"}]}},"assignments":{"S-1":["I-B","I-A"],"S-2":["I-C","I-B"],"S-5":["I-B","I-C"]}}`),
		Standby: []metrology.DrawStandby{{Stratum: "K1", Objects: []string{"S-3", "S-4"}}},
	}
	l.record.Changes = []metrology.DrawChange{{Kind: metrology.DrawSubstitution, State: metrology.DrawChangeApproved, Object: "S-2", By: "S-4", Inspectors: []string{"I-C", "I-A"}}}
	posts := []Principal{
		{Label: "regulator", MSP: "RegulatorMSP", Role: "regulator", Subject: "p-2"},
		{Label: "inspector", MSP: "RegulatorMSP", Role: "inspector", Subject: "p-7"},
		{Label: "inspector2", MSP: "RegulatorMSP", Role: "inspector", Subject: "p-8"},
		{Label: "notary", MSP: "NotaryMSP", Role: "notary", Subject: "p-3"},
	}
	tokens := map[string]Principal{}
	for _, p := range posts {
		tokens[p.Label] = p
	}
	router := NewEcho(slog.New(slog.DiscardHandler), DefaultLimits(), NewTokens(tokens))
	New(Config{Writer: l, Register: l, Clock: nowInTests, Secret: secret, Posts: posts, Ready: func() error { return nil },
		Leaves: func(_ context.Context, msp, _ string, want func(string, []string) bool) ([]public.SealedVisit, error) {
			require.Equal(t, "RegulatorMSP", msp)
			var shown []public.SealedVisit
			for _, leaf := range []public.SealedVisit{{Site: "S-1", Inspectors: []string{"I-B", "I-A"}, Leaf: []byte(`{"object":"S-1"}`)}, {Site: "S-2", Inspectors: []string{"I-B", "I-C"}, Leaf: []byte(`{"object":"S-2"}`)}} {
				if want(leaf.Site, leaf.Inspectors) {
					shown = append(shown, leaf)
				}
			}
			return shown, nil
		}}).Mount(router)
	b.router = router
	return b, l
}

func (b *bench) visits(query, token string) *httptest.ResponseRecorder {
	b.t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/v1/visits"+query, nil)
	request.Header.Set("Authorization", "Bearer "+token)
	recorder := httptest.NewRecorder()
	b.router.ServeHTTP(recorder, request)
	b.requireDocumented(request, "", recorder)
	return recorder
}

// TestVisits: an inspector is told what is its own, with all that the entry of
// an inspection takes, as the draw stands after its changes.
func TestVisits(t *testing.T) {
	b, l := newVisitBench(t)
	l.done = []public.Inspection{{ID: "V-9", Site: "S-1", Basis: metrology.Basis{Kind: metrology.BasisDraw, Draw: draftDraw}}}
	recorder := b.visits("", "inspector")
	require.Equal(t, "no-store", recorder.Header().Get("Cache-Control"))
	own := decodeAnswer[public.DrawnVisits](t, recorder).Visits
	require.Len(t, own, 2)
	salt := func(id string) metrology.AssignedInspector {
		return metrology.AssignedInspector{Inspector: id, Salt: (Secret{1}).holderSalt(draftDraw, id).String()}
	}
	require.Equal(t, public.DrawnVisit{Draw: draftDraw, Site: "S-1", Rank: 1, Inspectors: []string{"p-8", "p-7"}, Assigned: []metrology.AssignedInspector{salt("I-B"), salt("I-A")},
		Days: &public.VisitDays{From: "2026-12-01", To: "2026-12-31"}, Post: "p-2", Inspection: "V-9"}, own[0])
	require.Equal(t, "S-4", own[1].Site)
	require.Equal(t, 4, own[1].Rank, "beyond the quota, as the contract counts a standby")
	require.Equal(t, []string{"", "p-7"}, own[1].Inspectors, "who is of another gateway is not known here")

	require.Len(t, decodeAnswer[public.DrawnVisits](t, b.visits("", "inspector2")).Visits, 2, "S-1, and S-5 outright")
	require.Len(t, decodeAnswer[public.DrawnVisits](t, b.visits("?draw="+draftDraw, "regulator")).Visits, 3)
	requireProblem(t, b.visits("", "regulator"), "invalid", "draw")
	requireProblem(t, b.visits("", "notary"), "forbidden", "")
	requireProblem(t, b.visits("?draw=none", "inspector"), "not-found", "")
}

// TestVisitsOfSealedDraw: an inspector has the leaf of what is its own, and of
// nothing else.
func TestVisitsOfSealedDraw(t *testing.T) {
	b, l := newVisitBench(t)
	l.record.Phase, l.record.Result = metrology.DrawSealed, nil
	own := decodeAnswer[public.DrawnVisits](t, b.visits("", "inspector")).Visits
	require.Len(t, own, 1)
	require.Equal(t, "S-1", own[0].Site)
	require.Zero(t, own[0].Rank)
	require.Contains(t, string(own[0].Leaf), `"object":"S-1"`)
	require.Len(t, decodeAnswer[public.DrawnVisits](t, b.visits("", "inspector2")).Visits, 2)
}

// TestVisitsOfOtherGateway: directories made elsewhere tell nothing here.
func TestVisitsOfOtherGateway(t *testing.T) {
	b, l := newVisitBench(t)
	for i := range l.inspectors {
		l.inspectors[i].Holder = public.Holder(draftDraw, l.inspectors[i].ID, "p-7", public.HolderSalt{9})
	}
	require.Empty(t, decodeAnswer[public.DrawnVisits](t, b.visits("", "inspector")).Visits)
}
