package contract

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

// weighed is a report of one retail weighing at the stall: charged 1 kg, and
// reference grams on the check scale.
func weighed(reference string, results ...metrology.ResultCode) metrology.InspectionReport {
	return metrology.InspectionReport{
		Salt: salt("report " + reference), Merchant: "holder", Outcome: metrology.VisitDone, Institution: "inst-1", Remark: "复秤",
		Items: []metrology.ReportItem{{
			Matter: metrology.MatterRetail, Results: results,
			Measurements: []metrology.Measurement{{
				Category: "goods-grain-vegetables-fruit", Occasion: metrology.OccasionInService, Unit: "g",
				Indication: metrology.MustDecimal("1000"), Reference: metrology.MustDecimal(reference),
				Rule: metrology.RuleReference{ID: "retail-weighing", Version: 1},
			}},
			Evidence: []metrology.Evidence{{Kind: metrology.EvidencePhoto, Digest: salt("photo")}},
		}},
	}
}

// stallVisit is an entry of inspectors insp-1 and insp-2 at the stall.
func stallVisit(id string) metrology.EnterInspection {
	return metrology.EnterInspection{
		ID: id, Site: "stall", Basis: metrology.Basis{Kind: metrology.BasisCampaign},
		Inspectors: []string{"insp-1", "insp-2"}, Visited: "2026-03-02", Post: "post",
	}
}

func reportDocument(r metrology.InspectionReport) transient { return transient{"inspection": r} }

// inspected is a ledger with a market, rules in force, and the people.
type inspected struct {
	*ledger
	inspector, post, holder actor
}

func newInspected(t *testing.T) inspected {
	l := newLedger(t)
	l.bringRulesIntoForce()
	_, holder := l.addMarket()
	l.addIssuer("inst-1", signature.GenerateP256)
	l.addIssuer("inst-2", signature.GenerateP256)
	return inspected{ledger: l, holder: holder,
		inspector: l.as(metrology.RoleInspector, "insp-1"), post: l.as(metrology.RoleRegulator, "post")}
}

// publish brings an inspection to the public.
func (l inspected) publish(entry metrology.EnterInspection, report metrology.InspectionReport) {
	l.t.Helper()
	l.must(l.inspector, "inspection:Enter", entry, reportDocument(report))
	l.must(l.as(metrology.RoleRegulator, "reviewer"), "inspection:Review", metrology.InspectionAction{ID: entry.ID}, nil)
	l.must(l.post, "inspection:Publish", metrology.InspectionAction{ID: entry.ID}, nil)
}

func (l inspected) body(id string, revision string) (body metrology.InspectionBody) {
	l.t.Helper()
	key := "disclosed/inspection-body/" + id + "/" + revision
	require.Contains(l.t, l.private, key)
	require.NoError(l.t, json.Unmarshal(l.private[key], &body))
	return body
}

func (l inspected) state(id string) metrology.InspectionState {
	return load[metrology.Inspection](l.ledger, "inspection/"+id).State
}

func TestEnterInspection(t *testing.T) {
	l := newInspected(t)
	l.must(l.inspector, "inspection:Enter", stallVisit("i-1"), reportDocument(weighed("975", metrology.ResultQualityBreach, metrology.ResultPending)))

	result := l.body("i-1", "1").Items[0].Measurements[0]
	require.Equal(t, "25", result.Error.String(), "indication − reference: positive shorts the customer")
	require.Equal(t, "2.564", result.Percent.String())
	require.Equal(t, metrology.VerdictFail, result.Verdict)
	require.Equal(t, "20", result.Upper.String())
	public := string(l.ledger.state["inspection/i-1"])
	for _, secret := range []string{"holder", "quality-breach", "975", "复秤"} {
		require.False(t, strings.Contains(public, secret), "%q stands in public state", secret)
	}

	for name, c := range map[string]struct {
		entry  func(*metrology.EnterInspection)
		report func(*metrology.InspectionReport)
		code   metrology.Code
	}{
		"two inspectors":        {nil, nil, ""},
		"ErrOneInspector":       {func(e *metrology.EnterInspection) { e.Inspectors = e.Inspectors[:1] }, nil, metrology.CodeInvalid},
		"ErrSameInspectorTwice": {func(e *metrology.EnterInspection) { e.Inspectors[1] = "insp-1" }, nil, metrology.CodeInvalid},
		"ErrNotThere":           {func(e *metrology.EnterInspection) { e.Inspectors[0] = "insp-3" }, nil, metrology.CodeForbidden},
		"ErrStillToCome":        {func(e *metrology.EnterInspection) { e.Visited = "2026-03-03" }, nil, metrology.CodeInvalid},
		"ErrRankOfComplaint":    {func(e *metrology.EnterInspection) { e.Basis.Rank = 1 }, nil, metrology.CodeInvalid},
		"ErrDrawOfComplaint":    {func(e *metrology.EnterInspection) { e.Basis.Draw = "440300-000001" }, nil, metrology.CodeInvalid},
		"ErrNoGround":           {func(e *metrology.EnterInspection) { e.Basis.Kind = "" }, nil, metrology.CodeInvalid},
		"ErrUnknownSite":        {func(e *metrology.EnterInspection) { e.Site = "nowhere" }, nil, metrology.CodeNotFound},
		"ErrTaken":              {func(e *metrology.EnterInspection) { e.ID = "i-1" }, nil, metrology.CodeConflict},
		"ErrFollowUpOfNothing":  {func(e *metrology.EnterInspection) { e.Basis = metrology.Basis{Kind: metrology.BasisFollowUp} }, nil, metrology.CodeInvalid},
		"ErrFollowsUnpublished": {func(e *metrology.EnterInspection) { e.Follows = "i-1" }, nil, metrology.CodeState},
		"ErrOtherMerchant":      {nil, func(r *metrology.InspectionReport) { r.Merchant = "organiser" }, metrology.CodeInvalid},
		"ErrNoneFoundBesideFail": {nil, func(r *metrology.InspectionReport) {
			r.Items[0].Results = []metrology.ResultCode{metrology.ResultNoneFound}
		}, metrology.CodeInvalid},
		"ErrNoneFoundBesideOthers": {nil, func(r *metrology.InspectionReport) { r.Items[0].Results[0] = metrology.ResultNoneFound }, metrology.CodeInvalid},
		"ErrUnknownResult":         {nil, func(r *metrology.InspectionReport) { r.Items[0].Results[0] = "bad" }, metrology.CodeInvalid},
		"ErrNoItems":               {nil, func(r *metrology.InspectionReport) { r.Items = nil }, metrology.CodeInvalid},
		"ErrMeasuredAtNoVisit":     {nil, func(r *metrology.InspectionReport) { r.Outcome = metrology.VisitRefused }, metrology.CodeInvalid},
		"ErrFoundWithoutCard":      {nil, func(r *metrology.InspectionReport) { r.Outcome = metrology.VisitNoCard }, metrology.CodeInvalid},
		"ErrUnknownInstrument":     {nil, func(r *metrology.InspectionReport) { r.Items[0].Measurements[0].Instrument = "scale-9" }, metrology.CodeNotFound},
		"ErrNoSalt":                {nil, func(r *metrology.InspectionReport) { r.Salt = "" }, metrology.CodeInvalid},
		"no rule named":            {nil, func(r *metrology.InspectionReport) { r.Items[0].Measurements[0].Rule = metrology.RuleReference{} }, ""},
		"no card shown": {nil, func(r *metrology.InspectionReport) {
			r.Outcome, r.Items = metrology.VisitNoCard, nil
		}, ""},
		"refused": {nil, func(r *metrology.InspectionReport) {
			r.Outcome = metrology.VisitRefused
			r.Items = []metrology.ReportItem{{Matter: metrology.MatterOther, Results: []metrology.ResultCode{metrology.ResultUncooperative}}}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			entry, report := stallVisit("i-2"), weighed("975", metrology.ResultQualityBreach, metrology.ResultPending)
			if c.entry != nil {
				c.entry(&entry)
			}
			if c.report != nil {
				c.report(&report)
			}
			_, err := l.fork(t).submit(l.inspector, "inspection:Enter", entry, reportDocument(report))
			require.Equal(t, c.code, metrology.ErrorCode(err), "%v", err)
		})
	}
}

func TestReviewInspection(t *testing.T) {
	l := newInspected(t)
	i1 := metrology.InspectionAction{ID: "i-1"}
	l.must(l.inspector, "inspection:Enter", stallVisit("i-1"), reportDocument(weighed("975", metrology.ResultQualityBreach)))
	_, err := l.submit(l.post, "inspection:Publish", i1, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "nothing is published without a review")
	_, err = l.submit(l.as(metrology.RoleRegulator, "insp-2"), "inspection:Review", i1, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err), "who was there does not review, in whatever role")
	l.must(l.post, "inspection:Review", i1, nil)
	_, err = l.submit(l.inspector, "inspection:Revise", i1, reportDocument(weighed("990", metrology.ResultNoneFound)))
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "what was reviewed stays as it was")

	l.must(l.post, "inspection:Return", metrology.InspectionDecision{ID: "i-1", Reason: metrology.ReturnInconsistent}, nil)
	require.Empty(t, load[metrology.Inspection](l.ledger, "inspection/i-1").Reviewer)
	_, err = l.submit(l.as(metrology.RoleInspector, "insp-3"), "inspection:Revise", i1, reportDocument(weighed("990", metrology.ResultNoneFound)))
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
	l.must(l.as(metrology.RoleInspector, "insp-2"), "inspection:Revise", i1, reportDocument(weighed("990", metrology.ResultNoneFound)))
	require.Equal(t, metrology.VerdictPass, l.body("i-1", "1").Items[0].Measurements[0].Verdict)
}

func TestHandOverInspection(t *testing.T) {
	l := newInspected(t)
	i1 := metrology.InspectionAction{ID: "i-1"}
	l.must(l.inspector, "inspection:Enter", stallVisit("i-1"), reportDocument(weighed("975", metrology.ResultQualityBreach)))
	l.must(l.post, "inspection:Review", i1, nil)
	next := l.as(metrology.RoleRegulator, "next-post")
	_, err := l.submit(next, "inspection:Publish", i1, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err), "another post is in charge")
	l.must(next, "inspection:HandOver", metrology.HandOverInspection{ID: "i-1", To: "next-post"}, nil)
	l.must(next, "inspection:Publish", i1, nil)
	_, err = l.submit(l.post, "inspection:Withdraw", metrology.InspectionDecision{ID: "i-1", Reason: metrology.WithdrawDuplicate}, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
}

// TestLateMove: what is recorded later of who was there touches neither the
// right to object nor the second test.
func TestLateMove(t *testing.T) {
	l := newInspected(t)
	l.publish(stallVisit("i-1"), weighed("975", metrology.ResultQualityBreach))
	l.must(l.as(metrology.RoleAssociation, "assoc"), "site:Vacate", metrology.VacateSite{ID: "stall", To: "2026-02-28"}, nil)

	l.must(l.holder, "inspection:Object", metrology.ObjectToInspection{ID: "i-1", Ground: metrology.GroundIdentity}, nil)
	second := weighed("985", metrology.ResultNoneFound)
	second.Institution = "inst-2"
	l.must(l.inspector, "inspection:Retest", metrology.InspectionAction{ID: "i-1"}, reportDocument(second))
	l.must(l.post, "inspection:Correct", metrology.InspectionDecision{ID: "i-1", Reason: metrology.CorrectRetest}, reportDocument(second))
}

func TestObjectAndRetest(t *testing.T) {
	l := newInspected(t)
	l.publish(stallVisit("i-1"), weighed("975", metrology.ResultQualityBreach))
	object := metrology.ObjectToInspection{ID: "i-1", Ground: metrology.GroundMeasurement, Document: salt("letter")}
	_, err := l.submit(l.as(metrology.RoleMerchant, "organiser-agent"), "inspection:Object", object, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
	// The holder moves out; the right to object stays with who was there.
	l.must(l.holder, "site:Vacate", metrology.VacateSite{ID: "stall", To: "2026-03-02"}, nil)
	l.must(l.holder, "inspection:Object", object, nil)

	i1 := metrology.InspectionAction{ID: "i-1"}
	second := weighed("985", metrology.ResultNoneFound)
	_, err = l.submit(l.inspector, "inspection:Retest", i1, reportDocument(second))
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "the same institution tests again")
	second.Institution = "inst-2"
	worse := second
	worse.Items = []metrology.ReportItem{{Matter: metrology.MatterRetail, Results: []metrology.ResultCode{metrology.ResultFalseDisclosure}}}
	_, err = l.submit(l.inspector, "inspection:Retest", i1, reportDocument(worse))
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "one person alone finds nothing new against a merchant")
	nowhere := second
	nowhere.Institution = "nobody"
	_, err = l.submit(l.inspector, "inspection:Retest", i1, reportDocument(nowhere))
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err), "an institution that nobody knows")
	l.must(l.inspector, "inspection:Retest", i1, reportDocument(second))

	upheld := inspected{ledger: l.fork(t), inspector: l.inspector, post: l.post, holder: l.holder}
	upheld.must(l.post, "inspection:Uphold", i1, nil)
	require.Equal(t, metrology.InspectionUpheld, upheld.state("i-1"))
	_, err = upheld.submit(l.holder, "inspection:Object", object, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "one objection to one result")

	l.must(l.post, "inspection:Correct", metrology.InspectionDecision{ID: "i-1", Reason: metrology.CorrectRetest}, reportDocument(second))
	require.Equal(t, metrology.InspectionCorrected, l.state("i-1"))
	record := load[metrology.Inspection](l.ledger, "inspection/i-1")
	require.Equal(t, 3, record.Current())
	require.Equal(t, metrology.VerdictFail, l.body("i-1", "1").Items[0].Measurements[0].Verdict, "both results are shown")
	require.Equal(t, metrology.VerdictPass, l.body("i-1", "3").Items[0].Measurements[0].Verdict)

	l.must(l.post, "inspection:Withdraw", metrology.InspectionDecision{ID: "i-1", Reason: metrology.WithdrawRepaired}, nil)
	for key := range l.private {
		require.NotContains(t, key, "inspection-body", "every body is purged")
	}
	require.False(t, l.state("i-1").Public())
}

func TestSettlePending(t *testing.T) {
	l := newInspected(t)
	l.publish(stallVisit("i-1"), weighed("975", metrology.ResultPending))
	l.publish(stallVisit("clean"), weighed("990", metrology.ResultNoneFound))
	follow := stallVisit("i-2")
	follow.Basis, follow.Follows = metrology.Basis{Kind: metrology.BasisFollowUp}, "clean"
	_, err := l.submit(l.inspector, "inspection:Enter", follow, reportDocument(weighed("990", metrology.ResultCorrected)))
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "nothing was pending there")

	follow.Follows = "i-1"
	l.must(l.inspector, "inspection:Enter", follow, reportDocument(weighed("990", metrology.ResultCorrected)))
	require.Empty(t, load[metrology.Inspection](l.ledger, "inspection/i-1").SettledBy, "settled when the later one is public")
	l.must(l.post, "inspection:Review", metrology.InspectionAction{ID: "i-2"}, nil)
	l.must(l.post, "inspection:Publish", metrology.InspectionAction{ID: "i-2"}, nil)
	require.Equal(t, "i-2", load[metrology.Inspection](l.ledger, "inspection/i-1").SettledBy)
	follow.ID = "i-3"
	_, err = l.submit(l.inspector, "inspection:Enter", follow, reportDocument(weighed("990", metrology.ResultCorrected)))
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "settled once")

	l.must(l.post, "inspection:Withdraw", metrology.InspectionDecision{ID: "i-2", Reason: metrology.WithdrawProcedure}, nil)
	require.Empty(t, load[metrology.Inspection](l.ledger, "inspection/i-1").SettledBy, "open again")
}
