package contract

import (
	"testing"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

// matrixLedger is a ledger with one thing in every state that a row of the
// permission table needs.
type matrixLedger struct {
	*ledger
	issuer        institute // inst-1
	reverifying   []byte    // leaf of the certificate for instrument "repaired"
	drawSignature string    // of the beacon for the draw that waits for it
	drawPosting   metrology.PostDraw
	drawChallenge metrology.ChallengeDraw
}

func permissionLedger(t *testing.T) *matrixLedger {
	l := newLedger(t)
	m := &matrixLedger{ledger: l}
	m.fillMerchants()
	m.fillIssuers()
	m.fillInstruments()
	m.fillPledges()
	m.fillInspections()
	m.fillDraws()
	return m
}

// fillMerchants makes merchants station and closed, whose agent is
// station-agent, merchant foreign with an agent of its own, and their sites.
func (m *matrixLedger) fillMerchants() {
	agent := m.addMerchant("station")
	m.addMerchant("foreign")
	association := m.as(metrology.RoleAssociation, "assoc")
	m.addMerchant("closed")
	m.must(association, "merchant:Appoint", metrology.AppointAgent{ID: "closed", Subject: "station-agent"}, nil)
	m.must(association, "merchant:Close", metrology.MerchantAction{ID: "closed"}, nil)

	m.must(agent, "site:Register", metrology.RegisterSite{
		ID: "site", Kind: metrology.SiteStation, Region: "440305", Owner: "station", Occupant: "station", From: "2025-01-01",
	}, profile("site"))
	for _, id := range []string{"vacant", "closed-site"} {
		m.must(association, "site:Register",
			metrology.RegisterSite{ID: id, Kind: metrology.SiteStation, Region: "440305", Owner: "station"}, profile(id))
	}
	m.must(association, "site:Close", metrology.SiteAction{ID: "closed-site"}, nil)
}

func (m *matrixLedger) fillIssuers() {
	m.issuer = m.addIssuer("inst-1", signature.GenerateP256)
	m.addIssuer("inst-2", signature.GenerateP256)
	m.addIssuer("inst-suspended", signature.GenerateP256)
	m.must(m.as(metrology.RoleRegulator, "reg"), "issuer:Suspend",
		metrology.SuspendIssuer{ID: "inst-suspended", Reason: metrology.IssuerInvestigated}, nil)
	m.anchor(m.issuer, "1", nil)
	m.anchor(m.issuer, "2", nil)
}

func (m *matrixLedger) fillInstruments() {
	regulator := m.as(metrology.RoleRegulator, "reg")
	agent := m.addDispenser("in-use")
	m.addMerchant("landlord")
	leased := dispenser("x").InstrumentDescription
	leased.Owner = "landlord" // so that both ways to act for an instrument are tried
	m.must(agent, "instrument:Amend", metrology.AmendInstrument{ID: "in-use", InstrumentDescription: leased}, nil)
	m.must(agent, "instrument:Register", dispenser("registered"), nil)
	m.addDispenser("repaired")
	m.must(agent, "instrument:Repair", metrology.RepairInstrument{ID: "repaired", On: "2026-03-01", Reason: metrology.RepairPart}, nil)
	m.reverifying = m.anchor(m.issuer, "3", func(l *metrology.Leaf) {
		l.Instruments[0].ID, l.Instruments[0].Serial = "repaired", "repaired-serial"
	})
	m.addDispenser("in-dispute")
	m.must(regulator, "instrument:OpenDispute", metrology.InstrumentDecision{ID: "in-dispute", Reason: metrology.DisputeMediation}, nil)
	m.addDispenser("sealed")
	m.must(regulator, "instrument:Seal", metrology.InstrumentDecision{ID: "sealed", Reason: metrology.SealEvidence}, nil)
}

// fillPledges makes one pledge of station per state, and the rules they need.
func (m *matrixLedger) fillPledges() {
	regulator, association := m.as(metrology.RoleRegulator, "reg"), m.as(metrology.RoleAssociation, "assoc")
	m.must(regulator, "ruleset:Propose", programme("programmes"), nil)
	m.must(m.as(metrology.RoleNotary, "notary"), "ruleset:Approve", metrology.DecideRuleset{ID: "programmes", Version: 1}, nil)
	m.must(regulator, "ruleset:Propose", programme("proposed"), nil)
	for _, id := range []string{"signed", "published", "suspended"} {
		m.must(association, "pledge:Sign", metrology.SignPledge{ID: id, Merchant: "station", Programme: "p", TermRequest: term("2026-03-02")}, nil)
		if id != "signed" {
			m.must(association, "pledge:Publish", metrology.PublishPledge{ID: id}, nil)
		}
	}
	m.must(regulator, "pledge:Suspend",
		metrology.SuspendPledge{ID: "suspended", Card: metrology.CardRed, Reason: metrology.ReasonCheating}, nil)
}

// fillInspections makes one inspection of site per state.
func (m *matrixLedger) fillInspections() {
	regulator := m.as(metrology.RoleRegulator, "reg")
	for id, steps := range map[string][]string{
		"entered": nil, "reviewed": {"inspection:Review"}, "published": {"inspection:Review", "inspection:Publish"},
		"objected": {"inspection:Review", "inspection:Publish"},
	} {
		m.must(m.as(metrology.RoleInspector, "insp-1"), "inspection:Enter", visit(id), report("inst-1"))
		for _, step := range steps {
			m.must(regulator, step, metrology.InspectionAction{ID: id}, nil)
		}
	}
	m.must(m.as(metrology.RoleMerchant, "station-agent"), "inspection:Object",
		metrology.ObjectToInspection{ID: "objected", Ground: metrology.GroundMeasurement}, nil)
}

// visit is an inspection of site by insp-1 and insp-2.
func visit(id string) metrology.EnterInspection {
	return metrology.EnterInspection{
		ID: id, Site: "site", Basis: metrology.Basis{Kind: metrology.BasisCampaign}, Inspectors: []string{"insp-1", "insp-2"},
		Visited: "2026-03-01", Post: "reg",
	}
}

// report is what was found there: nothing.
func report(institution string) transient {
	return transient{"inspection": metrology.InspectionReport{
		Salt: salt(institution), Merchant: "station", Outcome: metrology.VisitDone, Institution: institution,
		Items: []metrology.ReportItem{{Matter: metrology.MatterInstruments, Results: []metrology.ResultCode{metrology.ResultNoneFound}}},
	}}
}

// programme is a firm ruleset with the one pledge programme "p".
func programme(id string) metrology.RuleDocument {
	return metrology.RuleDocument{
		ID: id, Version: 1, Kind: metrology.RulesetProgramme, Region: metrology.RegionNational, Title: "programmes", Mark: metrology.MarkFirm,
		Source: metrology.Source{Title: "test"}, EffectiveFrom: "2026-01-01",
		Body: metrology.RuleBody{Programme: &metrology.ProgrammeTable{Rows: []metrology.ProgrammeRow{{Programme: "p", MinMonths: 1, MaxMonths: 36}}}},
	}
}

// term is a year's pledge to obey the law.
func term(from metrology.Date) metrology.TermRequest {
	return metrology.TermRequest{
		From: from, Months: 12, Template: "t", TemplateVersion: "1", TextDigest: salt("text"),
		Commitments: []metrology.Commitment{{Code: metrology.CommitLawAbidance}},
		Signature:   metrology.PledgeSignature{Manner: metrology.SignedPaper, Role: metrology.SignatoryOperator, Signed: "2026-03-01"},
		Rule:        metrology.RuleReference{ID: "programmes", Version: 1},
	}
}
