package contract

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

// permissions is the statement of who may do what, family by family.
func permissions(t *testing.T, l *matrixLedger) map[string]permission {
	table := map[string]permission{
		metadataFunction: {may: everybody},
		"operation:Get":  {may: everybody, request: always(metrology.AbandonOperation{Operation: "none"})},
		"operation:Disclosed": {may: everybody,
			request: always(metrology.ReadDisclosed{Key: metrology.Key(metrology.KindProfile, string(metrology.KindMerchant), "station")})},
		"operation:Abandon": {may: "regulator inspector institute merchant association notary",
			request: always(metrology.AbandonOperation{Operation: "lost"})},
		"operation:Bootstrap": {may: "regulator", request: always(metrology.Bootstrap{})},
	}
	for _, family := range []map[string]permission{
		merchantPermissions(), sitePermissions(), pledgePermissions(), rulesetPermissions(), issuerPermissions(t, l),
		instrumentPermissions(l), certificatePermissions(t, l), inspectionPermissions(), drawPermissions(l),
	} {
		maps.Copy(table, family)
	}
	return table
}

func merchantPermissions() map[string]permission {
	agent := metrology.AppointAgent{ID: "station", Subject: "colleague"}
	return map[string]permission{
		"merchant:Register": {may: "merchant association regulator", documents: profile("new"), request: always(metrology.RegisterMerchant{
			ID: "new", Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "440305"})},
		"merchant:Amend": {may: "merchant=own association regulator",
			request: always(metrology.AmendMerchant{ID: "station", Sector: metrology.SectorFuelStation, Region: "440305"})},
		"merchant:Close":        {may: "merchant=own association regulator", request: always(metrology.MerchantAction{ID: "station"})},
		"merchant:Reopen":       {may: "association regulator", request: always(metrology.MerchantAction{ID: "closed"})},
		"merchant:PurgeProfile": {may: "merchant=own regulator", request: always(metrology.MerchantAction{ID: "station"})},
		"merchant:Appoint":      {may: "merchant=own association", request: always(agent)},
		"merchant:Dismiss":      {may: "merchant=own association regulator", request: always(agent)},
	}
}

func sitePermissions() map[string]permission {
	const managers = "merchant=own association regulator"
	return map[string]permission{
		"site:Register": {may: managers, documents: profile("new"), request: always(metrology.RegisterSite{
			ID: "new", Kind: metrology.SiteStation, Region: "440305", Occupant: "station", From: "2026-01-01"})},
		"site:Amend":        {may: managers, request: always(metrology.AmendSite{ID: "site", Region: "440305", Owner: "station"})},
		"site:Occupy":       {may: managers, request: always(metrology.OccupySite{ID: "vacant", Merchant: "station", From: "2026-02-01"})},
		"site:Vacate":       {may: managers, request: always(metrology.VacateSite{ID: "site", To: "2026-03-02"})},
		"site:Close":        {may: managers, request: always(metrology.SiteAction{ID: "vacant"})},
		"site:Reopen":       {may: managers, request: always(metrology.SiteAction{ID: "closed-site"})},
		"site:PurgeProfile": {may: managers, request: always(metrology.SiteAction{ID: "site"})},
	}
}

func pledgePermissions() map[string]permission {
	const signer = "merchant=own association"
	return map[string]permission{
		"pledge:Sign":    {may: signer, request: always(metrology.SignPledge{ID: "new", Merchant: "station", Programme: "p", TermRequest: term("2026-03-02")})},
		"pledge:Renew":   {may: signer, request: always(metrology.RenewPledge{ID: "published", TermRequest: term("2027-03-02")})},
		"pledge:Publish": {may: "association regulator", request: always(metrology.PublishPledge{ID: "signed"})},
		"pledge:Withdraw": {may: signer,
			request: always(metrology.ChangePledge{ID: "published", Reason: metrology.ReasonOwnWish})},
		"pledge:Suspend": {may: "regulator",
			request: always(metrology.SuspendPledge{ID: "published", Card: metrology.CardYellow, Reason: metrology.ReasonFailedCheck})},
		"pledge:Restore": {may: "regulator", request: always(metrology.ChangePledge{ID: "suspended", Reason: metrology.ReasonRemedied})},
		"pledge:Revoke":  {may: "regulator", request: always(metrology.ChangePledge{ID: "published", Reason: metrology.ReasonCheating})},
	}
}

func rulesetPermissions() map[string]permission {
	const second = "institute association notary"
	return map[string]permission{
		"ruleset:Propose": {may: "regulator", request: always(programme("new"))},
		"ruleset:Approve": {may: second, request: always(metrology.DecideRuleset{ID: "proposed", Version: 1})},
		"ruleset:Reject":  {may: second, request: always(metrology.DecideRuleset{ID: "proposed", Version: 1})},
		"ruleset:Repeal":  {may: "regulator", request: always(metrology.RepealRuleset{ID: "programmes", Version: 1, Until: "2026-12-31"})},
	}
}

func issuerPermissions(t *testing.T, l *matrixLedger) map[string]permission {
	key, err := signature.GenerateP256()
	require.NoError(t, err)
	first := load[metrology.Issuer](l.ledger, "issuer/inst-1").Keys[0].ID
	agent := metrology.AppointAgent{ID: "inst-1", Subject: "colleague"}
	return map[string]permission{
		"issuer:Register": {may: "regulator", documents: profile("new"),
			request: always(metrology.RegisterIssuer{ID: "new", Region: "440300", Grants: grants()})},
		"issuer:Amend": {may: "regulator", request: always(metrology.AmendIssuer{ID: "inst-1", Region: "440300", Grants: grants()})},
		"issuer:AddKey": {may: "regulator", request: always(metrology.AddIssuerKey{
			ID: "inst-1", SPKI: key.Key().SPKI(), From: "2026-01-01", Until: "2026-12-31"})},
		"issuer:RevokeKey": {may: "regulator institute=own",
			request: always(metrology.RevokeIssuerKey{ID: "inst-1", Key: first, Reason: metrology.KeyReplaced})},
		"issuer:Appoint":      {may: "regulator institute=own", request: always(agent)},
		"issuer:Dismiss":      {may: "regulator institute=own", request: always(agent)},
		"issuer:Suspend":      {may: "regulator", request: always(metrology.SuspendIssuer{ID: "inst-1", Reason: metrology.IssuerInvestigated})},
		"issuer:Resume":       {may: "regulator", request: always(metrology.IssuerAction{ID: "inst-suspended"})},
		"issuer:End":          {may: "regulator", request: always(metrology.EndIssuer{ID: "inst-1", Reason: metrology.IssuerDissolved})},
		"issuer:PurgeProfile": {may: "regulator", request: always(metrology.IssuerAction{ID: "inst-1"})},
	}
}

func instrumentPermissions(l *matrixLedger) map[string]permission {
	const holder = "merchant=own association regulator"
	decision := func(id string, reason metrology.InstrumentReason) func(metrology.Role) any {
		return always(metrology.InstrumentDecision{ID: id, Reason: reason})
	}
	register := func(role metrology.Role) any {
		request := dispenser("new")
		if role == metrology.RoleInstitute {
			request.Issuer = "inst-1"
		}
		return request
	}
	return map[string]permission{
		"instrument:Register": {may: holder + " institute=own", request: register},
		"instrument:Amend": {may: holder,
			request: always(metrology.AmendInstrument{ID: "in-use", InstrumentDescription: dispenser("x").InstrumentDescription})},
		"instrument:ReplaceParts": {may: holder, request: always(metrology.ReplaceParts{ID: "registered"})},
		"instrument:PutInUse":     {may: holder, request: always(metrology.InstrumentAction{ID: "registered"})},
		"instrument:Repair": {may: holder,
			request: always(metrology.RepairInstrument{ID: "in-use", On: "2026-03-01", Reason: metrology.RepairPart})},
		"instrument:Reverify": {may: holder + " institute=own", request: always(metrology.ReverifyInstrument{
			ID: "repaired", Leaf: l.reverifying})},
		"instrument:Retire":       {may: holder, request: decision("in-use", metrology.RetireScrapped)},
		"instrument:OpenDispute":  {may: "regulator", request: decision("in-use", metrology.DisputeMediation)},
		"instrument:CloseDispute": {may: "regulator", request: decision("in-dispute", metrology.OutcomeConforms)},
		"instrument:Seal":         {may: "regulator inspector", request: decision("in-use", metrology.SealEvidence)},
		"instrument:Unseal":       {may: "regulator", request: decision("sealed", metrology.OutcomeConforms)},
	}
}

func certificatePermissions(t *testing.T, l *matrixLedger) map[string]permission {
	at := l.issuer
	leaf := at.leaf(t, "new", nil)
	batch := at.batch(t, leaf)
	digests := []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: salt("reprint")}}
	hash := load[metrology.Certificate](l.ledger, "certificate/inst-1/1").LeafHash
	signed, err := at.signer.Sign(metrology.RenditionMessage("inst-1", hash, digests))
	require.NoError(t, err)
	revoke := func(role metrology.Role) any {
		reason := metrology.RevokedMistake
		if role == metrology.RoleRegulator {
			reason = metrology.RevokedFabricated
		}
		return metrology.RevokeCertificate{Issuer: "inst-1", Number: "1", Reason: reason}
	}
	return map[string]permission{
		"certificate:AnchorBatch": {may: "institute=own", request: always(batch)},
		"certificate:Anchor": {may: "institute=own", request: always(metrology.AnchorCertificate{
			Issuer: "inst-1", Leaf: leaf, Key: batch.Key, Signature: batch.Signature})},
		"certificate:CheckBatch": {may: everybody, request: always(metrology.CheckBatch{Issuer: "inst-1", Leaves: batch.Leaves})},
		"certificate:AddRendition": {may: "institute=own", request: always(metrology.AddRendition{
			Issuer: "inst-1", Number: "1", Digests: digests, Key: batch.Key, Signature: signed})},
		"certificate:Revoke": {may: "institute=own regulator", request: revoke},
		"certificate:Supersede": {may: "institute=own", request: always(metrology.SupersedeCertificate{
			Issuer: "inst-1", Number: "1", Successor: "2", Reason: metrology.SupersededAmended})},
	}
}

// inspectionPermissions: regulator reg is the post in charge, insp-1 and insp-2
// were there, merchant station was inspected.
func inspectionPermissions() map[string]permission {
	decision := func(id string, reason metrology.InspectionReason) func(metrology.Role) any {
		return always(metrology.InspectionDecision{ID: id, Reason: reason})
	}
	action := func(id string) func(metrology.Role) any { return always(metrology.InspectionAction{ID: id}) }
	return map[string]permission{
		"inspection:Enter":    {may: "inspector=own", request: always(visit("new")), documents: report("inst-1")},
		"inspection:Revise":   {may: "inspector=own", request: action("entered"), documents: report("inst-1")},
		"inspection:Review":   {may: "regulator", request: action("entered")},
		"inspection:Return":   {may: "regulator=own", request: decision("reviewed", metrology.ReturnIncomplete)},
		"inspection:Publish":  {may: "regulator=own", request: action("reviewed")},
		"inspection:Object":   {may: "merchant=own", request: always(metrology.ObjectToInspection{ID: "published", Ground: metrology.GroundFacts})},
		"inspection:Retest":   {may: "inspector regulator", request: action("objected"), documents: report("inst-2")},
		"inspection:Uphold":   {may: "regulator=own", request: action("objected")},
		"inspection:Correct":  {may: "regulator=own", request: decision("published", metrology.CorrectEntryError), documents: report("inst-1")},
		"inspection:Withdraw": {may: "regulator=own", request: decision("published", metrology.WithdrawDuplicate)},
		"inspection:HandOver": {may: "regulator", request: always(metrology.HandOverInspection{ID: "published", To: "reg-2"})},
	}
}
