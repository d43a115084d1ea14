package contract

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// pledgeTerm is a well-formed year from 2026-03-01.
func pledgeTerm() metrology.TermRequest {
	return metrology.TermRequest{
		From: "2026-03-01", Months: 12, Template: "luyi", TemplateVersion: "2018", TextDigest: salt("text"),
		Commitments: []metrology.Commitment{
			{Code: metrology.CommitLawAbidance}, {Code: metrology.CommitVerified}, {Code: metrology.CommitShowQuantity},
			{Code: metrology.CommitCompensate, Value: 3},
		},
		Signature: metrology.PledgeSignature{Manner: metrology.SignedClick, Role: metrology.SignatoryOperator, Signed: "2026-02-27"},
		Rule:      metrology.RuleReference{ID: "pledge-programmes", Version: 1},
	}
}

// addPledge signs pledge "p" of merchant "m" and returns the merchant's agent.
func (l *ledger) addPledge() actor {
	l.t.Helper()
	l.bringRulesIntoForce()
	agent := l.addMerchant("m")
	l.must(agent, "pledge:Sign", metrology.SignPledge{ID: "p", Merchant: "m", Programme: "integrity-metrology", TermRequest: pledgeTerm()}, nil)
	return agent
}

func TestSignPledge(t *testing.T) {
	l := newLedger(t)
	agent := l.addPledge()
	other := l.addMerchant("other")
	association := l.as(metrology.RoleAssociation, "assoc")
	stored := load[metrology.Pledge](l, "pledge/p")
	require.Equal(t, metrology.PledgeSigned, stored.State)
	require.Equal(t, metrology.Date("2027-02-28"), stored.Terms[0].Until)
	require.Equal(t, "m-agent", stored.Terms[0].Submitter.Subject, "who brought it is recorded, whoever signed")

	for name, c := range map[string]struct {
		by     actor
		change func(*metrology.SignPledge)
		code   metrology.Code
	}{
		"a second pledge":         {agent, func(*metrology.SignPledge) {}, ""},
		"paper by association":    {association, func(p *metrology.SignPledge) { p.Signature.Manner = metrology.SignedPaper }, ""},
		"organiser as agent":      {association, func(p *metrology.SignPledge) { p.Signature = byOrganiser }, ""},
		"ErrOrganiserByMerchant":  {agent, func(p *metrology.SignPledge) { p.Signature = byOrganiser }, metrology.CodeForbidden},
		"ErrOrganiserClicked":     {association, func(p *metrology.SignPledge) { p.Signature.Role = metrology.SignatoryOrganiser }, metrology.CodeInvalid},
		"ErrClickByAssociation":   {association, func(*metrology.SignPledge) {}, metrology.CodeForbidden},
		"ErrSignedTomorrow":       {agent, func(p *metrology.SignPledge) { p.From, p.Signature.Signed = "2026-03-03", "2026-03-03" }, metrology.CodeInvalid},
		"ErrBeforeSigning":        {agent, func(p *metrology.SignPledge) { p.Signature.Signed = "2026-03-02" }, metrology.CodeInvalid},
		"ErrForeignMerchant":      {other, func(*metrology.SignPledge) {}, metrology.CodeForbidden},
		"ErrRegulatorSigns":       {l.as(metrology.RoleRegulator, "reg"), func(*metrology.SignPledge) {}, metrology.CodeForbidden},
		"ErrTaken":                {agent, func(p *metrology.SignPledge) { p.ID = "p" }, metrology.CodeConflict},
		"ErrUnknownProgramme":     {agent, func(p *metrology.SignPledge) { p.Programme = "nothing" }, metrology.CodeInvalid},
		"ErrSectorNotCovered":     {agent, func(p *metrology.SignPledge) { p.Programme = "station-zero-mean" }, metrology.CodeInvalid},
		"ErrTooLong":              {agent, func(p *metrology.SignPledge) { p.Months = 37 }, metrology.CodeInvalid},
		"ErrCommitmentMissing":    {agent, func(p *metrology.SignPledge) { p.Commitments = p.Commitments[1:] }, metrology.CodeInvalid},
		"ErrUnknownCommitment":    {agent, func(p *metrology.SignPledge) { p.Commitments[0].Code = "be-nice" }, metrology.CodeInvalid},
		"ErrValueMissing":         {agent, func(p *metrology.SignPledge) { p.Commitments[3].Value = 0 }, metrology.CodeInvalid},
		"ErrValueOnPlainCode":     {agent, func(p *metrology.SignPledge) { p.Commitments[0].Value = 1 }, metrology.CodeInvalid},
		"ErrRuleUnknown":          {agent, func(p *metrology.SignPledge) { p.Rule.Version = 2 }, metrology.CodeNotFound},
		"ErrRuleOfAnotherKind":    {agent, func(p *metrology.SignPledge) { p.Rule.ID = "fuel-dispenser" }, metrology.CodeInvalid},
		"ErrBeforeRuleTookEffect": {agent, func(p *metrology.SignPledge) { p.From = "2024-01-01" }, metrology.CodeState},
		"ErrDigestIsNotSHA256":    {agent, func(p *metrology.SignPledge) { p.TextDigest = "00" }, metrology.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			request := metrology.SignPledge{ID: "p2", Merchant: "m", Programme: "integrity-metrology", TermRequest: pledgeTerm()}
			c.change(&request)
			_, err := l.fork(t).submit(c.by, "pledge:Sign", request, nil)
			require.Equal(t, c.code, metrology.ErrorCode(err), "%v", err)
		})
	}
}

var byOrganiser = metrology.PledgeSignature{Manner: metrology.SignedOrganiser, Role: metrology.SignatoryOrganiser, Signed: "2026-02-27"}

func TestPledgeLife(t *testing.T) {
	l := newLedger(t)
	agent := l.addPledge()
	regulator, association := l.as(metrology.RoleRegulator, "reg"), l.as(metrology.RoleAssociation, "assoc")
	standing := func(day metrology.Date) metrology.PledgeStanding {
		return load[metrology.Pledge](l, "pledge/p").Standing(day)
	}
	require.Equal(t, metrology.StandingPending, standing("2026-03-02"))
	_, err := l.submit(agent, "pledge:Publish", metrology.PublishPledge{ID: "p"}, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
	l.must(association, "pledge:Publish", metrology.PublishPledge{ID: "p"}, nil)
	require.Equal(t, metrology.StandingUpcoming, standing("2026-02-28"))
	require.Equal(t, metrology.StandingActive, standing("2026-03-01"))
	require.Equal(t, metrology.StandingActive, standing("2027-02-28"), "the last day counts")
	require.Equal(t, metrology.StandingExpired, standing("2027-03-01"))

	l.must(regulator, "pledge:Suspend", metrology.SuspendPledge{ID: "p", Card: metrology.CardYellow, Reason: metrology.ReasonFailedCheck}, nil)
	require.Equal(t, string(metrology.ReasonFailedCheck), l.events[len(l.events)-1].Reason)
	require.Equal(t, metrology.StandingSuspended, standing("2026-03-02"))
	next := metrology.RenewPledge{ID: "p", TermRequest: pledgeTerm()}
	next.From = "2027-03-01"
	_, err = l.submit(agent, "pledge:Renew", next, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "no renewal under a card")
	l.must(regulator, "pledge:Suspend", metrology.SuspendPledge{ID: "p", Card: metrology.CardRed, Reason: metrology.ReasonRefusal}, nil)
	_, err = l.submit(regulator, "pledge:Suspend", metrology.SuspendPledge{ID: "p", Card: metrology.CardYellow, Reason: metrology.ReasonRefusal}, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "red does not fade to yellow")
	_, err = l.submit(agent, "pledge:Withdraw", metrology.ChangePledge{ID: "p", Reason: metrology.ReasonOwnWish}, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "a red card is not shed by withdrawing")
	l.must(regulator, "pledge:Restore", metrology.ChangePledge{ID: "p", Reason: metrology.ReasonRemedied}, nil)
	require.Empty(t, load[metrology.Pledge](l, "pledge/p").Card)

	l.must(agent, "pledge:Renew", next, nil)
	require.Equal(t, metrology.StandingExpired, standing("2027-03-01"), "a renewed term counts once it is published")
	_, err = l.submit(agent, "pledge:Renew", next, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "one term waits at a time")
	l.must(association, "pledge:Publish", metrology.PublishPledge{ID: "p"}, nil)
	require.Equal(t, metrology.StandingActive, standing("2027-03-01"))
	_, err = l.submit(association, "pledge:Publish", metrology.PublishPledge{ID: "p"}, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err))
	_, err = l.submit(agent, "pledge:Renew", next, nil)
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "terms do not overlap")

	_, err = l.submit(agent, "pledge:Withdraw", metrology.ChangePledge{ID: "p", Reason: metrology.ReasonPenalty}, nil)
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "a reason of another command")
	l.must(agent, "pledge:Withdraw", metrology.ChangePledge{ID: "p", Reason: metrology.ReasonOwnWish}, nil)
	ended := load[metrology.Pledge](l, "pledge/p")
	require.Equal(t, metrology.StandingWithdrawn, ended.Standing("2026-03-02"))
	require.Len(t, ended.Terms, 2, "the history stays")
}

func TestRevokePledge(t *testing.T) {
	l := newLedger(t)
	agent := l.addPledge()
	revoke := metrology.ChangePledge{ID: "p", Reason: metrology.ReasonCheating}
	l.must(l.as(metrology.RoleRegulator, "reg"), "pledge:Publish", metrology.PublishPledge{ID: "p"}, nil)
	_, err := l.submit(agent, "pledge:Revoke", revoke, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
	l.must(l.as(metrology.RoleRegulator, "reg"), "pledge:Revoke", revoke, nil)
	_, err = l.submit(agent, "pledge:Withdraw", metrology.ChangePledge{ID: "p", Reason: metrology.ReasonOwnWish}, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "revoked is final")
}
