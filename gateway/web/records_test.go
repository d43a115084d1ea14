package web_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// full is a register with one of everything, among them records whose texts are
// meant to break a page.
func full() *register {
	return &register{
		merchants: merchants(), pledges: pledges(), sites: sites(), instruments: instruments(),
		issuers: issuers(), certificates: certificates(), inspections: inspections(),
		due: []public.DueCount{{Region: "310115", Due: "over", Instruments: 3}, {Region: "310115", Due: "2026-08", Instruments: 12}, {Region: "310115", Due: "2026-03", Instruments: 4}, {Region: "310101", Due: "none", Instruments: 1}, {Region: "310101", Due: "no-end", Instruments: 2}},
		transactions: []public.Transaction{
			{ID: asOf.TransactionID, Block: 7, Code: "VALID", Valid: true, Function: "merchant:Register", MSP: metrology.AssociationMSP, Event: "merchant.registered",
				Subject: "M-1", Time: stamp, Endorsers: []string{metrology.RegulatorMSP, metrology.AssociationMSP}},
			{ID: strings.Repeat("0d", 32), Block: 8, Code: "MVCC_READ_CONFLICT"},
		},
		draws: draws(), files: listed{drawn: drawnOfMany()}, overdue: []public.OverdueInspection{{ID: "V-9", Visited: "2026-01-05", Due: overdueSince("2026-02-02")}}, rules: deadlineRules(),
	}
}

func merchants() []public.Merchant {
	station := public.Merchant{Merchant: metrology.Merchant{
		ID: "M-1", Kind: metrology.MerchantEnterprise, Sector: metrology.SectorFuelStation, Region: "310115",
		CreditCode: "91310115MA0000001Y", State: metrology.MerchantActive,
	}, Details: &public.Profile{Name: "示例东门加油站", Address: "示例路 8 号", Phone: "000-0000-0002"}, AsOf: asOf}
	station.Pledge = &pledges()[0]
	bare := public.Merchant{Merchant: metrology.Merchant{
		ID: "M-2", Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "310115", State: metrology.MerchantActive,
	}, AsOf: asOf}
	bad := public.Merchant{Merchant: metrology.Merchant{
		ID: "M-3", Kind: metrology.MerchantSoleTrader, Sector: "from-a-newer-contract", Region: "310115", State: metrology.MerchantActive,
	}, Details: &public.Profile{Name: hostile + " 示例", Address: strings.Repeat("很长的地址", 60)}, AsOf: asOf}
	return []public.Merchant{station, bare, bad}
}

func pledges() []public.Pledge {
	return []public.Pledge{{
		Pledge: metrology.Pledge{
			ID: "P-1", Merchant: "M-1", Programme: "integrity-metrology", State: metrology.PledgePublished,
			Terms: []metrology.PledgeTerm{{
				From: "2026-01-01", Until: "2028-01-01", Months: 24, Template: "integrity-pledge", TemplateVersion: "2026.1",
				TextDigest:  strings.Repeat("cd", 32),
				Commitments: []metrology.Commitment{{Code: metrology.CommitLawAbidance}, {Code: metrology.CommitCompensate, Value: 3}},
				Signature:   metrology.PledgeSignature{Manner: metrology.SignedClick, Role: metrology.SignatoryLegalRepresentative, Signed: "2025-12-30"},
				Published:   stamp,
			}},
		},
		Standing: metrology.StandingActive, AsOf: asOf,
		History: []public.HistoryEntry{{AsOf: asOf, Event: metrology.EventPledgeSigned, Role: metrology.RoleMerchant},
			{AsOf: asOf, Event: metrology.EventPledgePublished, Role: metrology.RoleAssociation}},
	}}
}

func sites() []public.Site {
	return []public.Site{{Site: metrology.Site{
		ID: "S-1", Kind: metrology.SiteStation, Region: "310115", State: metrology.SiteOpen,
		Occupants: []metrology.Occupancy{{Merchant: "M-2", From: "2020-01-01", To: "2024-12-31"}, {Merchant: "M-1", From: "2025-01-01"}},
	}, Details: &public.Profile{Name: "东门加油站", Address: "示例路 8 号"}, AsOf: asOf}}
}

func instruments() []public.Instrument {
	instrument := func(id, serial string, state metrology.InstrumentState, status public.VerificationStatus) public.Instrument {
		return public.Instrument{Instrument: metrology.Instrument{
			ID: id, Nameplate: metrology.Nameplate{Model: "SY-80", Maker: "示例计量设备厂", Serial: serial},
			InstrumentDescription: metrology.InstrumentDescription{
				Name: "燃油加油机", Category: "fuel-dispenser", Use: metrology.UseTrade, Mode: metrology.ModePeriodic,
				Region: "310115", Site: "S-1", Owner: "M-1", User: "M-1",
			},
			Parts: []metrology.Part{{ID: "1", Kind: metrology.PartNozzle}}, State: state,
		}, Verification: public.Verification{Status: status, ValidUntil: "2026-08-31", Certificate: leafID, Day: today}, AsOf: asOf}
	}
	return []public.Instrument{
		instrument("I-1", "SY-D-1", metrology.InstrumentInUse, public.VerificationValid),
		instrument("I-2", "SY-D-2", metrology.InstrumentRepaired, public.VerificationNeeded),
		instrument("I-3", hostile, metrology.InstrumentInUse, "from-a-newer-gateway"),
	}
}

func issuers() []public.Issuer {
	return []public.Issuer{{Issuer: metrology.Issuer{
		ID: "N-1", Region: "310115", State: metrology.IssuerActive,
		Keys: []metrology.IssuerKey{{ID: "k-1", Scheme: "ecdsa-p256-sha256", From: "2026-01-01", Until: "2027-12-31"}},
		Grants: []metrology.Grant{{Authority: metrology.AuthorityAuthorized, Number: "A-1", From: "2025-01-01", Until: "2027-12-31",
			Scope: []metrology.ScopeItem{{Category: "fuel-dispenser", Regulation: "JJG 443-2023"}}}},
	}, Details: &public.Profile{Name: "示例区计量检定所"}, AsOf: asOf}}
}

func certificates() []public.Certificate {
	certificate := func(id string, digest metrology.Digest, number string, state metrology.CertificateState, status metrology.CertificateStatus) public.Certificate {
		return public.Certificate{
			ID: id, State: state, Status: status, Day: today, Anchored: asOf, AsOf: asOf,
			Batch: public.Batch{Root: strings.Repeat("2e", 32), Count: 3, Index: 1, Key: "k-1"},
			Leaf: metrology.Leaf{
				Issuer: "N-1", Number: number, Kind: metrology.KindVerification, Regulation: "JJG 443-2023",
				Performed: "2026-03-01", Issued: "2026-03-02", ValidUntil: "2026-08-31", Digests: []metrology.Digest{digest},
				Instruments: []metrology.LeafInstrument{{ID: "I-1", Serial: "SY-D-1", Category: "fuel-dispenser", Conclusion: metrology.ConclusionPass}},
			},
		}
	}
	revoked := certificate(strings.Repeat("3f", 32), metrology.Digest{Algorithm: metrology.AlgorithmSM3, Value: strings.Repeat("ef", 32)},
		"JL-2", metrology.CertificateRevoked, metrology.StatusRevoked)
	revoked.Reason, revoked.Changed, revoked.ChangedBy = metrology.RevokedMistake, stamp, metrology.RoleInstitute
	calibration := certificate(strings.Repeat("4f", 32), metrology.Digest{Algorithm: metrology.AlgorithmC14NSHA256, Value: strings.Repeat("9a", 32)},
		"JL-3", metrology.CertificateAnchored, metrology.StatusCalibrationOnly)
	calibration.Leaf.Kind, calibration.Leaf.ValidUntil = metrology.KindCalibration, ""
	calibration.Leaf.Instruments[0].Conclusion = metrology.ConclusionNone
	return []public.Certificate{
		certificate(leafID, fileSum, "JL-1", metrology.CertificateAnchored, metrology.StatusValid), revoked, calibration,
	}
}

func inspections() []public.Inspection {
	measured := func(part, indication, deviation, percent string, verdict metrology.Verdict) metrology.MeasurementResult {
		return metrology.MeasurementResult{
			Measurement: metrology.Measurement{
				Instrument: "I-1", Part: part, Category: "fuel-dispenser", Occasion: metrology.OccasionInService,
				Indication: metrology.MustDecimal(indication), Reference: metrology.MustDecimal("20.000"), Unit: "L",
				Rule: metrology.RuleReference{ID: "fuel-dispenser", Version: 1},
			},
			Error: metrology.MustDecimal(deviation), Percent: metrology.MustDecimal(percent), Limit: metrology.LimitPercent,
			Lower: metrology.MustDecimal("-0.30"), Upper: metrology.MustDecimal("0.30"), Verdict: verdict,
		}
	}
	original := &public.InspectionBody{Merchant: "M-1", Outcome: metrology.VisitDone, Remark: hostile, Items: []metrology.BodyItem{{
		Matter: metrology.MatterInstruments, Results: []metrology.ResultCode{metrology.ResultPending},
		Measurements: []metrology.MeasurementResult{
			measured("1", "20.200", "0.200", "1.000", metrology.VerdictFail), measured("2", "19.990", "-0.010", "-0.050", metrology.VerdictPass),
		},
	}}}
	corrected := &public.InspectionBody{Merchant: "M-1", Outcome: metrology.VisitDone, Items: []metrology.BodyItem{{
		Matter: metrology.MatterInstruments, Results: []metrology.ResultCode{metrology.ResultNoneFound},
		Measurements: []metrology.MeasurementResult{measured("1", "20.020", "0.020", "0.100", metrology.VerdictPass)},
	}}}
	return []public.Inspection{{
		ID: "V-1", Site: "S-1", Region: "310115", Merchant: "M-1", Basis: metrology.Basis{Kind: metrology.BasisDraw, Draw: "D-1", Rank: 2},
		State: metrology.InspectionCorrected, Reason: metrology.CorrectRetest, Inspectors: []string{"x", "y"}, Visited: "2026-02-02", Published: stamp,
		PublishedLate: true, Objections: []metrology.Objection{{Ground: metrology.GroundMeasurement, Revision: 1, Stamp: stamp}},
		Revisions: []public.Revision{
			{InspectionRevision: metrology.InspectionRevision{Number: 1, Kind: metrology.RevisionOriginal, Stamp: stamp}, Body: original},
			{InspectionRevision: metrology.InspectionRevision{Number: 2, Kind: metrology.RevisionCorrection, Stamp: stamp}, Body: corrected},
		},
		NozzleMean: &public.NozzleMean{Percent: metrology.MustDecimal("0.100"), Count: 1}, AsOf: asOf,
	}}
}

func draws() []public.DrawRecord {
	const at = 1773099000 // 2026-03-09T23:30:00Z
	digest := strings.Repeat("5d", 32)
	terms := metrology.DrawTerms{
		Authority: "310115", Title: hostile, Regulator: metrology.RegulatorMSP, Observations: 2, Demonstration: true,
		Beacon: metrology.DrawChain{ChainHash: digest},
	}
	open := public.DrawRecord{Draw: public.Draw{Draw: metrology.Draw{
		ID: "310115-000002", Phase: metrology.DrawClosed, PlanHash: digest, Terms: terms, Filed: at - 900, Freeze: digest, Round: 77, RoundTime: at + 90,
		Approvals: []metrology.DrawApproval{{Step: "plan", Org: metrology.AssociationMSP, Hash: digest, Time: at - 800}, {Step: "freeze", Org: metrology.NotaryMSP, Hash: digest, Time: at - 600}},
	}, AsOf: asOf}}
	open.Commitments = []metrology.DrawCommitment{{Org: metrology.NotaryMSP, Commitment: digest, Time: at - 500}, {Org: metrology.InstituteMSP, Commitment: digest, Time: at - 490}}
	open.Reveals = []metrology.DrawReveal{{Org: metrology.NotaryMSP, Secret: digest, Time: at - 400}}
	open.Close = &metrology.DrawClose{Freeze: digest, Contribution: digest, Withheld: []string{metrology.InstituteMSP}, Time: at - 300}
	open.Observations = []metrology.DrawObservation{{Org: metrology.AssociationMSP, Contribution: digest, Time: at - 200}, {Org: metrology.NotaryMSP}}
	open.Plan = []byte(`{"assign":[[],[]],"quota":{"A":1}}`)
	drawn := open
	drawn.ID, drawn.Phase, drawn.RoundTime = "310115-000001", metrology.DrawDrawn, at-100
	drawn.Frozen = &metrology.DrawFreeze{Objects: 40, Freeze: digest, Time: at - 500}
	drawn.Beacon = &metrology.DrawBeacon{Round: 77, Signature: digest, Time: at - 90}
	drawn.Result = &metrology.DrawResult{Time: at - 80, Result: []byte(`{"seed": "` + digest + `", "strata": {
		"B": {"outright": ["S-7"], "selected": [], "threshold": null},
		"A": {"outright": [], "selected": [{"id": "S-1", "ticket": "` + digest + `"}], "threshold": "` + digest + `"}},
		"assignments": {"S-1": ["I-1", "I-2"]}}`)}
	cancelled := public.DrawRecord{Draw: public.Draw{Draw: metrology.Draw{
		ID: "310115-000003", Phase: metrology.DrawCancelled, PlanHash: digest, Terms: terms, Filed: at, Reason: metrology.DrawPlanMistaken,
	}, AsOf: asOf}}
	sealed := open
	sealed.ID, sealed.Phase, sealed.RoundTime, sealed.OpenBy = "310115-000004", metrology.DrawSealed, at-9000, at-5000
	sealed.Terms.Seal, sealed.Escrowed = digest, at-850
	sealed.Leaves = []metrology.DrawLeaves{{Org: metrology.RegulatorMSP, Root: digest, Leaves: 3, Time: at - 8000}, {Org: metrology.NotaryMSP, Root: "other", Leaves: 3, Time: at - 7000}}
	opened := drawn
	opened.ID, opened.Terms, opened.Leaves = "310115-000005", sealed.Terms, sealed.Leaves[:1]
	opened.Opening = &metrology.DrawOpening{Org: metrology.NotaryMSP, Secret: digest, Wrong: []string{metrology.RegulatorMSP}, Time: at - 70}
	late := open
	late.ID, late.RoundTime = "310115-000006", at-4000
	posted := drawn
	posted.ID, posted.ByFile = "310115-000007", true
	posted.Voided = []metrology.DrawResult{{Posting: []byte(`{}`), PostedBy: metrology.InstituteMSP, Time: at - 300,
		Refuted: &metrology.DrawRefuted{Kind: "omitted", Stratum: "K1", Object: "S-1", By: metrology.AssociationMSP, Time: at - 200}}}
	posted.Result = &metrology.DrawResult{Posting: posting(), PostedBy: metrology.NotaryMSP, Time: at - 100}
	return []public.DrawRecord{open, drawn, cancelled, sealed, opened, late, posted}
}

// posting is what stands on the ledger of a large draw of two strata.
func posting() []byte {
	raw, err := json.Marshal(draw.Posting{AssignmentsRoot: draw.Digest{7}, Loads: map[string]uint32{"I-1": 2}, Strata: []draw.Published{
		{Stratum: "A", Quota: 60, Objects: 30000, Weight: 30000, Selected: 60, Threshold: &draw.Key{Ticket: draw.Digest{9}}, Standby: []draw.Object{}},
		{Stratum: "B", Objects: 1, Weight: 1, Standby: []draw.Object{}},
	}})
	if err != nil {
		panic(err) // of plain values
	}
	return raw
}

// listed are the files beside the posting; empty: they have not come.
type listed struct {
	public.DrawFiles
	drawn draw.DrawnList
}

func (l listed) Drawn(string) (draw.DrawnList, error) {
	if l.drawn == nil {
		return nil, metrology.Errorf(metrology.CodeNotFound, "not here")
	}
	return l.drawn, nil
}

func (listed) Prove(string, string) (*draw.ObjectProof, *draw.Absence, error) {
	return nil, nil, metrology.Errorf(metrology.CodeNotFound, "not here")
}

// drawnOfMany is a list of sixty places.
func drawnOfMany() draw.DrawnList {
	var list draw.DrawnList
	for i := range 60 {
		list = append(list, draw.Drawn{Object: draw.Object{ID: fmt.Sprintf("S-%05d", i), Stratum: "A", Weight: 1}, Inspectors: []string{"I-1", "I-2"}})
	}
	return list
}

// overdueSince is a deadline for publication.
func overdueSince(last metrology.Date) metrology.Due {
	return metrology.Due{
		Period: metrology.Period{From: "2026-01-05", WorkingDays: 20, Last: last, Guessed: []int{2026}}, Code: metrology.DeadlinePublication,
		Rule: metrology.RuleReference{ID: "deadline-publication", Version: 1}, Region: metrology.RegionNational,
	}
}

// deadlineRules holds the rule that it names.
func deadlineRules() []public.Ruleset {
	return []public.Ruleset{{Ruleset: metrology.Ruleset{RuleDocument: metrology.RuleDocument{
		ID: "deadline-publication", Version: 1, Kind: metrology.RulesetDeadline, Mark: metrology.MarkFirm,
		Source: metrology.Source{Title: "企业信息公示暂行条例", Document: "国务院令第654号(2014)"},
		Body:   metrology.RuleBody{Deadline: &metrology.DeadlineTable{Rows: []metrology.DeadlineRow{{Code: metrology.DeadlinePublication, WorkingDays: 20, Clause: "第六条"}}}},
	}}}}
}
