package web

import "github.com/steelyard-ledger/steelyard/chaincode/metrology"

// traders are those who keep what is registered about a business: its own post,
// or the organiser of its market for it.
func traders() roles { return roles{metrology.RoleMerchant, metrology.RoleAssociation} }

// tradeJobs are what a merchant, or its organiser, does about its pledges,
// places and instruments.
func tradeJobs() []job {
	merchant := roles{metrology.RoleMerchant}
	return []job{
		{Operation: "signPledge", Group: "pledges", Roles: traders(), View: "pledge", Aid: (*Server).aidPledge, Leave: []string{"id"}},
		{Operation: "renewPledge", Group: "pledges", Roles: traders(), View: "pledge", Aid: (*Server).aidPledge},
		{Operation: "withdrawPledge", Group: "pledges", Roles: traders(), Only: reasons(metrology.PledgeWithdraw.Reasons()), Final: true},
		{Operation: "registerMerchant", Group: "register", Roles: merchant, Leave: []string{"id"}},
		{Operation: "registerSite", Group: "register", Roles: merchant, Leave: []string{"id"}},
		{Operation: "registerInstrument", Group: "register", Roles: merchant, Leave: []string{"id"}},
		{Operation: "amendMerchant", Group: "register", Roles: traders()},
		{Operation: "occupySite", Group: "register", Roles: traders()},
		{Operation: "vacateSite", Group: "register", Roles: traders()},
		{Operation: "putInUseInstrument", Group: "register", Roles: traders()},
		{Operation: "amendInstrument", Group: "register", Roles: traders()},
		{Operation: "replacePartsInstrument", Group: "register", Roles: traders()},
		{Operation: "repairInstrument", Group: "register", Roles: traders(), Only: reasons(metrology.InstrumentRepair.Reasons())},
		{Operation: "reverifyInstrument", Group: "register", Roles: traders()},
		{Operation: "retireInstrument", Group: "register", Roles: traders(), Only: reasons(metrology.InstrumentRetire.Reasons()), Final: true},
		{Operation: "objectInspection", Group: groupInspections, Roles: merchant},
	}
}

// fieldJobs are what an inspector does.
func fieldJobs() []job {
	inspector := roles{metrology.RoleInspector}
	return []job{
		{Operation: "enterInspection", Group: groupInspections, Roles: inspector, View: "visit", Aid: (*Server).aidVisit, Trim: measured, Leave: []string{"id"}},
		{Operation: "reviseInspection", Group: groupInspections, Roles: inspector, View: "visit", Aid: (*Server).aidVisit, Trim: measured},
		{Operation: "retestInspection", Group: groupInspections, Roles: inspector, View: "visit", Aid: (*Server).aidVisit, Trim: measured},
	}
}
