package contract

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

// dispenser is a good registration of a dispenser of merchant "station".
func dispenser(id string) metrology.RegisterInstrument {
	return metrology.RegisterInstrument{
		ID:        id,
		Nameplate: metrology.Nameplate{Model: "CS30J", Maker: "某某机械", Serial: id + "-serial"},
		InstrumentDescription: metrology.InstrumentDescription{
			Name: "燃油加油机", Category: "24-2", Use: metrology.UseTrade, Mode: metrology.ModePeriodic, Delivery: metrology.DeliveryOnSite,
			Region: "440305", Owner: "station", User: "station",
		},
		Parts: []metrology.Part{{ID: "n1", Kind: metrology.PartNozzle}},
	}
}

// addDispenser registers a dispenser and puts it in use; merchant "station" is
// made with it the first time. It returns the merchant's agent.
func (l *ledger) addDispenser(id string) actor {
	l.t.Helper()
	agent := l.as(metrology.RoleMerchant, "station-agent")
	if _, known := l.state["merchant/station"]; !known {
		l.addMerchant("station")
	}
	l.must(agent, "instrument:Register", dispenser(id), nil)
	l.must(agent, "instrument:PutInUse", metrology.InstrumentAction{ID: id}, nil)
	return agent
}

func TestRegisterInstrument(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	organiser, _ := l.addMarket()
	agent := l.addDispenser("i-1")
	l.must(agent, "site:Register", metrology.RegisterSite{
		ID: "station", Kind: metrology.SiteStation, Region: "440305", Occupant: "station", From: "2026-01-01",
	}, profile("station"))
	l.must(organiser, "site:Register",
		metrology.RegisterSite{ID: "stall-2", Kind: metrology.SiteStall, Region: "440305", Parent: "market"}, profile("stall-2"))
	require.Equal(t, metrology.InstrumentInUse, load[metrology.Instrument](l, "instrument/i-1").State)
	l.must(l.as(metrology.RoleAssociation, "assoc"), "site:Vacate", metrology.VacateSite{ID: "stall", To: "2026-02-01"}, nil)
	l.must(l.as(metrology.RoleAssociation, "assoc"), "site:Close", metrology.SiteAction{ID: "stall"}, nil)

	for name, test := range map[string]struct {
		by     actor
		change func(*metrology.RegisterInstrument)
		code   metrology.Code
	}{
		"own agent":       {agent, nil, ""},
		"association":     {l.as(metrology.RoleAssociation, "assoc"), nil, ""},
		"regulator":       {l.as(metrology.RoleRegulator, "reg"), nil, ""},
		"institution":     {at.officer, func(c *metrology.RegisterInstrument) { c.Issuer = "inst-1" }, ""},
		"at its own site": {agent, func(c *metrology.RegisterInstrument) { c.Site = "station" }, ""},
		"of the organiser, at a stall": {organiser, func(c *metrology.RegisterInstrument) {
			c.Site, c.Owner, c.User = "stall-2", "organiser", "organiser"
		}, ""},
		"at any site, by the association": {l.as(metrology.RoleAssociation, "assoc"), func(c *metrology.RegisterInstrument) { c.Site = "market" }, ""},
		"ErrForeignSite":                  {agent, func(c *metrology.RegisterInstrument) { c.Site = "market" }, metrology.CodeForbidden},
		"ErrRegionOfSite":                 {agent, func(c *metrology.RegisterInstrument) { c.Site, c.Region = "station", "440306" }, metrology.CodeInvalid},
		"owned by another":                {agent, func(c *metrology.RegisterInstrument) { c.Owner = "organiser" }, ""},
		"ErrUsedByAnother":                {agent, func(c *metrology.RegisterInstrument) { c.User = "organiser" }, metrology.CodeForbidden},
		"ErrForeignAgent":                 {l.as(metrology.RoleMerchant, "holder-agent"), nil, metrology.CodeForbidden},
		"ErrInstituteUnnamed":             {at.officer, nil, metrology.CodeInvalid},
		"ErrForeignInstitution":           {l.as(metrology.RoleInstitute, "x"), func(c *metrology.RegisterInstrument) { c.Issuer = "inst-1" }, metrology.CodeForbidden},
		"ErrNoInstitution":                {agent, func(c *metrology.RegisterInstrument) { c.Issuer = "inst-1" }, metrology.CodeInvalid},
		"ErrInspector":                    {l.as(metrology.RoleInspector, "insp"), nil, metrology.CodeForbidden},
		"ErrTaken":                        {agent, func(c *metrology.RegisterInstrument) { c.ID = "i-1" }, metrology.CodeConflict},
		"ErrUnknownOwner":                 {agent, func(c *metrology.RegisterInstrument) { c.Owner = "nobody" }, metrology.CodeNotFound},
		"ErrUnknownSite":                  {agent, func(c *metrology.RegisterInstrument) { c.Site = "nowhere" }, metrology.CodeNotFound},
		"ErrClosedSite":                   {agent, func(c *metrology.RegisterInstrument) { c.Site = "stall" }, metrology.CodeState},
		"ErrUnknownRule":                  {agent, func(c *metrology.RegisterInstrument) { c.CycleRule = &metrology.RuleReference{ID: "r", Version: 1} }, metrology.CodeNotFound},
		"ErrForm":                         {agent, func(c *metrology.RegisterInstrument) { c.Serial = "" }, metrology.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			request := dispenser("i-2")
			if test.change != nil {
				test.change(&request)
			}
			_, err := l.fork(t).submit(test.by, "instrument:Register", request, nil)
			require.Equal(t, test.code, metrology.ErrorCode(err), "%v", err)
		})
	}
}

func TestOwnerActsForLeasedInstrument(t *testing.T) {
	l := newLedger(t)
	agent := l.addDispenser("i-1")
	landlord := l.addMerchant("landlord")
	description := dispenser("i-1").InstrumentDescription
	description.Owner = "landlord"
	l.must(agent, "instrument:Amend", metrology.AmendInstrument{ID: "i-1", InstrumentDescription: description}, nil)
	l.must(landlord, "instrument:Repair", metrology.RepairInstrument{ID: "i-1", On: "2026-03-01", Reason: metrology.RepairPart}, nil)
}

func TestCycleFromRule(t *testing.T) {
	l := newLedger(t)
	agent := l.addDispenser("i-1")
	raw, err := json.Marshal(metrology.Ruleset{State: metrology.RulesetInForce, RuleDocument: metrology.RuleDocument{
		ID: "cycles", Version: 2, Kind: metrology.RulesetCycle, Region: metrology.RegionNational, EffectiveFrom: "2024-05-01",
		Body: metrology.RuleBody{Cycle: &metrology.CycleTable{Rows: []metrology.CycleRow{{Category: "24-2", Months: 6}}}},
	}})
	require.NoError(t, err)
	l.state[metrology.RulesetKey("cycles", 2)] = raw
	description := dispenser("i-1").InstrumentDescription
	description.CycleRule = &metrology.RuleReference{ID: "cycles", Version: 2}
	l.must(agent, "instrument:Amend", metrology.AmendInstrument{ID: "i-1", InstrumentDescription: description}, nil)
	require.Equal(t, 6, load[metrology.Instrument](l, "instrument/i-1").CycleMonths)
}

func TestHandOverInstrument(t *testing.T) {
	l := newLedger(t)
	agent := l.addDispenser("i-1")
	l.addMerchant("buyer")
	description := dispenser("i-1").InstrumentDescription
	description.User = "buyer"
	amend := metrology.AmendInstrument{ID: "i-1", InstrumentDescription: description}
	_, err := l.submit(agent, "instrument:Amend", amend, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err), "nobody lays his duty on another")
	l.must(l.as(metrology.RoleAssociation, "assoc"), "instrument:Amend", amend, nil)
	l.must(agent, "instrument:Repair", metrology.RepairInstrument{ID: "i-1", On: "2026-03-01", Reason: metrology.RepairPart}, nil)
	l.must(l.as(metrology.RoleMerchant, "buyer-agent"), "instrument:Retire",
		metrology.InstrumentDecision{ID: "i-1", Reason: metrology.RetireLost}, nil)
}

func TestReverifyInstrument(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	agent := l.addDispenser("i-1")
	l.must(agent, "instrument:Repair", metrology.RepairInstrument{ID: "i-1", On: "2026-03-01", Reason: metrology.RepairAdjusted}, nil)
	named := func(c *metrology.Leaf) {
		c.Instruments[0].ID, c.Instruments[0].Serial = "i-1", "i-1-serial"
	}
	notAnchored := at.leaf(t, "9", named)
	_, err := l.submit(agent, "instrument:Reverify", metrology.ReverifyInstrument{ID: "i-1", Leaf: notAnchored}, nil)
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))

	leaf := l.anchor(at, "1", named)
	other := at.leaf(t, "1", func(c *metrology.Leaf) { named(c); c.ValidUntil = "2027-12-31" })
	_, err = l.submit(agent, "instrument:Reverify", metrology.ReverifyInstrument{ID: "i-1", Leaf: other}, nil)
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "the leaf must be the one anchored")

	for name, test := range map[string]struct {
		by   actor
		code metrology.Code
	}{
		"by its user":         {agent, ""},
		"by the issuer":       {at.officer, ""},
		"by the regulator":    {l.as(metrology.RoleRegulator, "reg"), ""},
		"ErrAnotherInstitute": {l.as(metrology.RoleInstitute, "x"), metrology.CodeForbidden},
		"ErrAnotherMerchant":  {l.as(metrology.RoleMerchant, "x"), metrology.CodeForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			fork := l.fork(t)
			_, err := fork.submit(test.by, "instrument:Reverify", metrology.ReverifyInstrument{ID: "i-1", Leaf: leaf}, nil)
			require.Equal(t, test.code, metrology.ErrorCode(err), "%v", err)
			if err == nil {
				require.Equal(t, metrology.InstrumentInUse, load[metrology.Instrument](fork, "instrument/i-1").State)
			}
		})
	}
}

// TestDisputeFreezes keeps repair and re-verification out while a dispute is open.
func TestDisputeFreezes(t *testing.T) {
	l := newLedger(t)
	agent := l.addDispenser("i-1")
	regulator := l.as(metrology.RoleRegulator, "reg")
	decision := func(reason metrology.InstrumentReason) metrology.InstrumentDecision {
		return metrology.InstrumentDecision{ID: "i-1", Reason: reason}
	}
	event := l.must(regulator, "instrument:OpenDispute", decision(metrology.DisputeArbitrate), nil)
	require.Equal(t, "arbitration", event.Reason)
	for function, request := range map[string]any{
		"instrument:Repair":       metrology.RepairInstrument{ID: "i-1", On: "2026-03-01", Reason: metrology.RepairPart},
		"instrument:ReplaceParts": metrology.ReplaceParts{ID: "i-1"},
		"instrument:Retire":       decision(metrology.RetireScrapped),
		"instrument:Amend":        metrology.AmendInstrument{ID: "i-1", InstrumentDescription: dispenser("i-1").InstrumentDescription},
		"instrument:PutInUse":     metrology.InstrumentAction{ID: "i-1"},
	} {
		_, err := l.submit(agent, function, request, nil)
		require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), function)
	}
	l.must(regulator, "instrument:CloseDispute", decision(metrology.OutcomeDeviates), nil)
	require.Equal(t, metrology.InstrumentSealed, load[metrology.Instrument](l, "instrument/i-1").State)
	l.must(regulator, "instrument:Unseal", decision(metrology.OutcomeConforms), nil)
	require.Equal(t, metrology.InstrumentRepaired, load[metrology.Instrument](l, "instrument/i-1").State)
	l.must(l.as(metrology.RoleInspector, "insp"), "instrument:Seal", decision(metrology.SealTampered), nil)
}

// TestNameplate: one nameplate is one instrument, and nobody sheds its history
// by registering it anew.
func TestNameplate(t *testing.T) {
	l := newLedger(t)
	agent := l.addDispenser("i-1")
	again := dispenser("i-2")
	again.Serial = "I-1-SERIAL"
	_, err := l.submit(agent, "instrument:Register", again, nil)
	require.Equal(t, metrology.CodeConflict, metrology.ErrorCode(err), "%v", err)
	l.must(agent, "instrument:Retire", metrology.InstrumentDecision{ID: "i-1", Reason: metrology.RetireSold}, nil)
	l.must(agent, "instrument:Register", again, nil)
	require.Equal(t, "i-1", load[metrology.Instrument](l, "instrument/i-2").Previous)
	again.ID = "i-3"
	_, err = l.submit(agent, "instrument:Register", again, nil)
	require.Equal(t, metrology.CodeConflict, metrology.ErrorCode(err), "%v", err)

	unnamed := dispenser("i-4")
	unnamed.Serial = "/"
	l.must(agent, "instrument:Register", unnamed, nil)
	unnamed.ID = "i-5"
	l.must(agent, "instrument:Register", unnamed, nil)
}
