package api

import (
	"net/http"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// writeRoutes lists every writing route that is one transaction. Certificates
// have handlers of their own, since the gateway builds their leaves.
func writeRoutes() []writeRoute {
	var all []writeRoute
	for _, family := range [][]writeRoute{merchantRoutes(), siteRoutes(), pledgeRoutes(), instrumentRoutes(), issuerRoutes(), inspectionRoutes(), rulesetRoutes(), drawRoutes()} {
		all = append(all, family...)
	}
	return all
}

// step is a route that changes one thing: POST path, answered with its place.
func step(path, function, place string, encode encoder) writeRoute {
	return writeRoute{Method: http.MethodPost, Path: path, Function: function, Place: place, encode: encode}
}

func merchantRoutes() []writeRoute {
	const one, place = "/v1/merchants/:id", "/v1/merchants/{id}"
	register := step("/v1/merchants", "merchant:Register", place, command[metrology.RegisterMerchant])
	register.Prefix, register.Private = "M-", "profile"
	amend := step(one+"/amendment", "merchant:Amend", place, command[metrology.AmendMerchant])
	amend.Private, amend.Optional = "profile", true
	purge := step(one+"/profile", "merchant:PurgeProfile", place, command[metrology.MerchantAction])
	purge.Method = http.MethodDelete
	appoint := step(one+"/agents/:subject", "merchant:Appoint", place, command[metrology.AppointAgent])
	appoint.Method = http.MethodPut
	dismiss := step(one+"/agents/:subject", "merchant:Dismiss", place, command[metrology.AppointAgent])
	dismiss.Method = http.MethodDelete
	return []writeRoute{
		register, amend, purge, appoint, dismiss,
		step(one+"/closure", "merchant:Close", place, command[metrology.MerchantAction]),
		step(one+"/reopening", "merchant:Reopen", place, command[metrology.MerchantAction]),
	}
}

func siteRoutes() []writeRoute {
	const one, place = "/v1/sites/:id", "/v1/sites/{id}"
	register := step("/v1/sites", "site:Register", place, command[metrology.RegisterSite])
	register.Prefix, register.Private = "S-", "profile"
	amend := step(one+"/amendment", "site:Amend", place, command[metrology.AmendSite])
	amend.Private, amend.Optional = "profile", true
	purge := step(one+"/profile", "site:PurgeProfile", place, command[metrology.SiteAction])
	purge.Method = http.MethodDelete
	return []writeRoute{
		register, amend, purge,
		step(one+"/occupation", "site:Occupy", place, command[metrology.OccupySite]),
		step(one+"/vacation", "site:Vacate", place, command[metrology.VacateSite]),
		step(one+"/closure", "site:Close", place, command[metrology.SiteAction]),
		step(one+"/reopening", "site:Reopen", place, command[metrology.SiteAction]),
	}
}

func pledgeRoutes() []writeRoute {
	const one, place = "/v1/pledges/:id", "/v1/pledges/{id}"
	sign := step("/v1/merchants/:id/pledges", "pledge:Sign", place, command[metrology.SignPledge])
	sign.Prefix, sign.Members = "P-", map[string]string{"id": "merchant"}
	return []writeRoute{
		sign,
		step(one+"/publication", "pledge:Publish", place, command[metrology.PublishPledge]),
		step(one+"/renewal", "pledge:Renew", place, command[metrology.RenewPledge]),
		step(one+"/withdrawal", "pledge:Withdraw", place, command[metrology.ChangePledge]),
		step(one+"/suspension", "pledge:Suspend", place, command[metrology.SuspendPledge]),
		step(one+"/restoration", "pledge:Restore", place, command[metrology.ChangePledge]),
		step(one+"/revocation", "pledge:Revoke", place, command[metrology.ChangePledge]),
	}
}

func instrumentRoutes() []writeRoute {
	const one, place = "/v1/instruments/:id", "/v1/instruments/{id}"
	register := step("/v1/instruments", "instrument:Register", place, command[metrology.RegisterInstrument])
	register.Prefix = "I-"
	return []writeRoute{
		register,
		step(one+"/amendment", "instrument:Amend", place, command[metrology.AmendInstrument]),
		step(one+"/parts", "instrument:ReplaceParts", place, command[metrology.ReplaceParts]),
		step(one+"/commissioning", "instrument:PutInUse", place, command[metrology.InstrumentAction]),
		step(one+"/repair", "instrument:Repair", place, command[metrology.RepairInstrument]),
		step(one+"/reverification", "instrument:Reverify", place, command[metrology.ReverifyInstrument]),
		step(one+"/dispute", "instrument:OpenDispute", place, command[metrology.InstrumentDecision]),
		step(one+"/dispute-closure", "instrument:CloseDispute", place, command[metrology.InstrumentDecision]),
		step(one+"/seal", "instrument:Seal", place, command[metrology.InstrumentDecision]),
		step(one+"/unseal", "instrument:Unseal", place, command[metrology.InstrumentDecision]),
		step(one+"/retirement", "instrument:Retire", place, command[metrology.InstrumentDecision]),
	}
}

func issuerRoutes() []writeRoute {
	const one, place = "/v1/issuers/:id", "/v1/issuers/{id}"
	register := step("/v1/issuers", "issuer:Register", place, command[metrology.RegisterIssuer])
	register.Prefix, register.Private = "N-", "profile"
	amend := step(one+"/amendment", "issuer:Amend", place, command[metrology.AmendIssuer])
	amend.Private, amend.Optional = "profile", true
	purge := step(one+"/profile", "issuer:PurgeProfile", place, command[metrology.IssuerAction])
	purge.Method = http.MethodDelete
	appoint := step(one+"/agents/:subject", "issuer:Appoint", place, command[metrology.AppointAgent])
	appoint.Method = http.MethodPut
	dismiss := step(one+"/agents/:subject", "issuer:Dismiss", place, command[metrology.AppointAgent])
	dismiss.Method = http.MethodDelete
	return []writeRoute{
		register, amend, purge, appoint, dismiss,
		step(one+"/keys", "issuer:AddKey", place, command[metrology.AddIssuerKey]),
		step(one+"/keys/:key/revocation", "issuer:RevokeKey", place, command[metrology.RevokeIssuerKey]),
		step(one+"/suspension", "issuer:Suspend", place, command[metrology.SuspendIssuer]),
		step(one+"/resumption", "issuer:Resume", place, command[metrology.IssuerAction]),
		step(one+"/end", "issuer:End", place, command[metrology.EndIssuer]),
	}
}

func inspectionRoutes() []writeRoute {
	const one, place = "/v1/inspections/:id", "/v1/inspections/{id}"
	report := func(path, function string, encode encoder) writeRoute {
		r := step(path, function, place, encode)
		r.Private = "inspection"
		return r
	}
	enter := report("/v1/inspections", "inspection:Enter", command[metrology.EnterInspection])
	enter.Prefix = "V-"
	return []writeRoute{
		enter,
		report(one+"/revision", "inspection:Revise", command[metrology.InspectionAction]),
		report(one+"/retest", "inspection:Retest", command[metrology.InspectionAction]),
		report(one+"/correction", "inspection:Correct", command[metrology.InspectionDecision]),
		step(one+"/review", "inspection:Review", place, command[metrology.InspectionAction]),
		step(one+"/return", "inspection:Return", place, command[metrology.InspectionDecision]),
		step(one+"/publication", "inspection:Publish", place, command[metrology.InspectionAction]),
		step(one+"/objection", "inspection:Object", place, command[metrology.ObjectToInspection]),
		step(one+"/upholding", "inspection:Uphold", place, command[metrology.InspectionAction]),
		step(one+"/withdrawal", "inspection:Withdraw", place, command[metrology.InspectionDecision]),
		step(one+"/hand-over", "inspection:HandOver", place, command[metrology.HandOverInspection]),
	}
}

func rulesetRoutes() []writeRoute {
	const one, place = "/v1/rulesets/:id/:version", "/v1/rulesets/{id}/{version}"
	routes := []writeRoute{
		step("/v1/rulesets", "ruleset:Propose", place, command[metrology.ProposeRuleset]),
		step(one+"/approval", "ruleset:Approve", place, command[metrology.DecideRuleset]),
		step(one+"/rejection", "ruleset:Reject", place, command[metrology.DecideRuleset]),
		step(one+"/repeal", "ruleset:Repeal", place, command[metrology.RepealRuleset]),
	}
	for i := range routes {
		routes[i].Numbers = []string{"version"}
	}
	return routes
}
