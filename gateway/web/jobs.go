package web

import (
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// jobs is the table of what can be done at the desks, in the order it is
// shown. Roles are those the contract lets do it; whether a post acts for the
// merchant or issuer concerned, the contract says.
var jobs = join(drawJobs(), inspectionJobs(), pledgeJobs(), ruleJobs(), issuerJobs(), certificateJobs(), registerJobs(), tradeJobs(), fieldJobs())

func join(families ...[]job) []job {
	var all []job
	for _, family := range families {
		all = append(all, family...)
	}
	return all
}

type roles = []metrology.Role

// Headings that pages ask for.
const (
	groupDraws       = "draws"
	groupInspections = "inspections"
)

// codes are codes as a form's options.
func codes[C ~string](list []C) []string {
	options := make([]string, len(list))
	for i, code := range list {
		options[i] = string(code)
	}
	return options
}

// reasons narrows the member reason to those that fit.
func reasons[C ~string](list []C) map[string][]string {
	return map[string][]string{"reason": codes(list)}
}

func drawJobs() []job {
	const group = groupDraws
	regulator := roles{metrology.RoleRegulator}
	second := roles{metrology.RoleInstitute, metrology.RoleAssociation, metrology.RoleNotary}
	all := roles{metrology.RoleRegulator, metrology.RoleInstitute, metrology.RoleAssociation, metrology.RoleNotary}
	drawn := []metrology.DrawPhase{metrology.DrawDrawn}
	holders := roles{metrology.RoleRegulator, metrology.RoleNotary}
	return []job{
		{Operation: "planDraw", Group: group, Roles: regulator, Ask: planFields(), Make: (*Server).makePlan},
		{Operation: "fileDrawDirectory", Group: group, Command: string(metrology.DrawFileDirectory), Roles: regulator},
		{Operation: "freezeDraw", Group: group, Command: string(metrology.DrawSetFreeze), Roles: regulator},
		{Operation: "approveDraw", Group: group, Command: string(metrology.DrawApprove), Roles: second},
		{Operation: "approveDrawFreeze", Group: group, Command: string(metrology.DrawApproveFreeze), Roles: second},
		{Operation: "commitToDraw", Group: group, Command: string(metrology.DrawCommit), Roles: all},
		{Operation: "openDraw", Group: group, Command: string(metrology.DrawOpen), Roles: all},
		{Operation: "revealToDraw", Group: group, Command: string(metrology.DrawRevealSecret), Roles: all},
		{Operation: "closeDraw", Group: group, Command: string(metrology.DrawSetClose), Roles: all},
		{Operation: "observeDraw", Group: group, Command: string(metrology.DrawObserve), Roles: second},
		{Operation: "seedDraw", Group: group, Command: string(metrology.DrawSeed), Roles: all},
		{Operation: "postDraw", Group: group, Command: string(metrology.DrawPost), Roles: all},
		{Operation: "acceptEscrow", Group: group, Command: string(metrology.DrawAcceptEscrow), Sealed: true, Roles: roles{metrology.RoleNotary}},
		{Operation: "commitLeaves", Group: group, Command: string(metrology.DrawCommitLeaves), Sealed: true, Roles: holders},
		{Operation: "unsealDraw", Group: group, Phases: []metrology.DrawPhase{metrology.DrawSeeded, metrology.DrawSealed}, Sealed: true, Roles: holders, Final: true},
		{Operation: "publishEscrowKey", Group: group, Roles: holders},
		{Operation: "substituteObject", Group: group, Phases: drawn, Roles: regulator},
		{Operation: "recuseInspector", Group: group, Phases: drawn, Roles: regulator},
		{Operation: "approveDrawChange", Group: group, Phases: drawn, Roles: second},
		{Operation: "rejectDrawChange", Group: group, Phases: drawn, Roles: second},
		{Operation: "cancelDraw", Group: group, Command: string(metrology.DrawCancel), Roles: regulator, Final: true},
		{Operation: "voidDraw", Group: group, Command: string(metrology.DrawAnnul), Roles: all, Final: true},
	}
}

func inspectionJobs() []job {
	const group = groupInspections
	regulator := roles{metrology.RoleRegulator}
	return []job{
		{Operation: "reviewInspection", Group: group, Command: string(metrology.InspectionReview), Roles: regulator},
		{Operation: "returnInspection", Group: group, Command: string(metrology.InspectionReturn), Roles: regulator, Only: reasons(metrology.InspectionReturn.Reasons())},
		{Operation: "publishInspection", Group: group, Command: string(metrology.InspectionPublish), Roles: regulator},
		{Operation: "correctInspection", Group: group, Command: string(metrology.InspectionCorrect), Roles: regulator, Only: reasons(metrology.InspectionCorrect.Reasons())},
		{Operation: "upholdInspection", Group: group, Command: string(metrology.InspectionUphold), Roles: regulator},
		{Operation: "retestInspection", Group: group, Command: string(metrology.InspectionRetest), Roles: regulator},
		{Operation: "withdrawInspection", Group: group, Command: string(metrology.InspectionWithdraw), Roles: regulator, Only: reasons(metrology.InspectionWithdraw.Reasons()), Final: true},
		{Operation: "handOverInspection", Group: group, Command: string(metrology.InspectionHandOver), Roles: regulator},
	}
}

func pledgeJobs() []job {
	const group = "pledges"
	regulator := roles{metrology.RoleRegulator}
	return []job{
		{Operation: "publishPledge", Group: group, Roles: roles{metrology.RoleAssociation, metrology.RoleRegulator}},
		{Operation: "suspendPledge", Group: group, Roles: regulator, Only: reasons(metrology.PledgeSuspend.Reasons())},
		{Operation: "restorePledge", Group: group, Roles: regulator, Only: reasons(metrology.PledgeRestore.Reasons())},
		{Operation: "revokePledge", Group: group, Roles: regulator, Only: reasons(metrology.PledgeRevoke.Reasons()), Final: true},
	}
}

func ruleJobs() []job {
	const group = "rules"
	regulator := roles{metrology.RoleRegulator}
	second := roles{metrology.RoleInstitute, metrology.RoleAssociation, metrology.RoleNotary}
	return []job{
		{Operation: "proposeRuleset", Group: group, Roles: regulator},
		{Operation: "repealRuleset", Group: group, Roles: regulator},
		{Operation: "approveRuleset", Group: group, Roles: second},
		{Operation: "rejectRuleset", Group: group, Roles: second},
	}
}

func issuerJobs() []job {
	const group = "issuers"
	regulator := roles{metrology.RoleRegulator}
	both := roles{metrology.RoleRegulator, metrology.RoleInstitute}
	return []job{
		{Operation: "registerIssuer", Group: group, Roles: regulator, Leave: []string{"id"}},
		{Operation: "amendIssuer", Group: group, Roles: regulator},
		{Operation: "addKeyIssuer", Group: group, Roles: regulator},
		{Operation: "revokeKeyIssuer", Group: group, Roles: both, Final: true},
		{Operation: "appointIssuer", Group: group, Roles: both},
		{Operation: "dismissIssuer", Group: group, Roles: both},
		{Operation: "suspendIssuer", Group: group, Roles: regulator, Only: reasons(metrology.SuspensionReasons)},
		{Operation: "resumeIssuer", Group: group, Roles: regulator},
		{Operation: "endIssuer", Group: group, Roles: regulator, Only: reasons(metrology.EndReasons), Final: true},
	}
}

func certificateJobs() []job {
	const group = "certificates"
	institute := roles{metrology.RoleInstitute}
	return []job{
		{Operation: "anchorCertificate", Group: group, Roles: institute, Leave: []string{"key", "signature"}},
		{Operation: "addCertificateRendition", Group: group, Roles: institute, Leave: []string{"key", "signature"}},
		{Operation: "revokeCertificate", Group: group, Roles: institute, Only: reasons(metrology.IssuerRevocationReasons), Final: true},
		{Operation: "revokeCertificate", Group: group, Roles: roles{metrology.RoleRegulator}, Only: reasons(metrology.RegulatorRevocationReasons), Final: true},
		{Operation: "supersedeCertificate", Group: group, Roles: institute, Only: reasons(metrology.SupersessionReasons), Final: true},
	}
}

func registerJobs() []job {
	const group = "register"
	keepers := roles{metrology.RoleAssociation, metrology.RoleRegulator}
	regulator := roles{metrology.RoleRegulator}
	return []job{
		{Operation: "registerMerchant", Group: group, Roles: keepers, Leave: []string{"id"}},
		{Operation: "registerSite", Group: group, Roles: keepers, Leave: []string{"id"}},
		{Operation: "registerInstrument", Group: group, Roles: keepers, Leave: []string{"id"}},
		{Operation: "closeMerchant", Group: group, Roles: keepers},
		{Operation: "reopenMerchant", Group: group, Roles: keepers},
		{Operation: "openDisputeInstrument", Group: group, Roles: regulator, Only: reasons(metrology.InstrumentOpenDispute.Reasons())},
		{Operation: "closeDisputeInstrument", Group: group, Roles: regulator, Only: reasons(metrology.InstrumentRelease.Reasons())},
		{Operation: "sealInstrument", Group: group, Roles: regulator, Only: reasons(metrology.InstrumentSeal.Reasons())},
		{Operation: "unsealInstrument", Group: group, Roles: regulator, Only: reasons(metrology.InstrumentRelease.Reasons())},
	}
}
