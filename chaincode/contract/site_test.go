package contract

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// addMarket registers market "market" of merchant "organiser", and stall
// "stall" in it, occupied by merchant "holder". It returns their agents.
func (l *ledger) addMarket() (organiser, holder actor) {
	l.t.Helper()
	organiser, holder = l.addMerchant("organiser"), l.addMerchant("holder")
	l.must(organiser, "site:Register", metrology.RegisterSite{
		ID: "market", Kind: metrology.SiteMarket, Region: "440305", Owner: "organiser", Occupant: "organiser", From: "2026-01-01",
	}, profile("market"))
	l.must(organiser, "site:Register", metrology.RegisterSite{
		ID: "stall", Kind: metrology.SiteStall, Region: "440305", Parent: "market", Owner: "organiser", Occupant: "holder", From: "2026-01-15",
	}, profile("stall"))
	return organiser, holder
}

func TestRegisterSite(t *testing.T) {
	l := newLedger(t)
	organiser, holder := l.addMarket()
	l.must(l.addMerchant("closed"), "merchant:Close", metrology.MerchantAction{ID: "closed"}, nil)
	stall := load[metrology.Site](l, "site/stall")
	require.Equal(t, "holder", stall.OccupantOn("2026-02-01"))
	require.Equal(t, "", stall.OccupantOn("2026-01-14"))
	require.Contains(t, l.private, "disclosed/profile/site/stall")

	shop := metrology.RegisterSite{ID: "shop", Kind: metrology.SiteShop, Region: "440305", Occupant: "holder", From: "2026-01-01"}
	for name, c := range map[string]struct {
		by     actor
		change func(*metrology.RegisterSite)
		code   metrology.Code
	}{
		"own shop":                {holder, func(*metrology.RegisterSite) {}, ""},
		"stall, by the organiser": {organiser, func(s *metrology.RegisterSite) { s.Kind, s.Parent = metrology.SiteStall, "market" }, ""},
		"ErrStallByItsHolder":     {holder, func(s *metrology.RegisterSite) { s.Kind, s.Parent = metrology.SiteStall, "market" }, metrology.CodeForbidden},
		"ErrClosedMerchant":       {l.as(metrology.RoleAssociation, "assoc"), func(s *metrology.RegisterSite) { s.Occupant = "closed" }, metrology.CodeState},
		"ErrForeignMerchant":      {organiser, func(*metrology.RegisterSite) {}, metrology.CodeForbidden},
		"ErrNobodyInCharge":       {holder, func(s *metrology.RegisterSite) { s.Occupant, s.From = "", "" }, metrology.CodeForbidden},
		"ErrInstitute":            {l.as(metrology.RoleInstitute, "i"), func(*metrology.RegisterSite) {}, metrology.CodeForbidden},
		"ErrTaken":                {holder, func(s *metrology.RegisterSite) { s.ID = "stall" }, metrology.CodeConflict},
		"ErrUnknownMerchant":      {holder, func(s *metrology.RegisterSite) { s.Owner = "nobody" }, metrology.CodeNotFound},
		"ErrParentOfShop":         {holder, func(s *metrology.RegisterSite) { s.Parent = "market" }, metrology.CodeInvalid},
		"ErrStallAlone":           {holder, func(s *metrology.RegisterSite) { s.Kind = metrology.SiteStall }, metrology.CodeInvalid},
		"ErrParentIsNoMarket":     {holder, func(s *metrology.RegisterSite) { s.Kind, s.Parent = metrology.SiteStall, "stall" }, metrology.CodeInvalid},
		"ErrParentElsewhere":      {holder, func(s *metrology.RegisterSite) { s.Kind, s.Parent, s.Region = metrology.SiteStall, "market", "110101" }, metrology.CodeInvalid},
		"ErrUnknownKind":          {holder, func(s *metrology.RegisterSite) { s.Kind = "kiosk" }, metrology.CodeInvalid},
		"ErrOccupantWithoutDay":   {holder, func(s *metrology.RegisterSite) { s.From = "" }, metrology.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			request := shop
			c.change(&request)
			_, err := l.fork(t).submit(c.by, "site:Register", request, profile("shop"))
			require.Equal(t, c.code, metrology.ErrorCode(err), "%v", err)
		})
	}
}

func TestOccupySite(t *testing.T) {
	l := newLedger(t)
	organiser, holder := l.addMarket()
	l.addMerchant("next")
	move := metrology.OccupySite{ID: "stall", Merchant: "next", From: "2026-03-03"}

	_, err := l.submit(organiser, "site:Occupy", move, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "still occupied")
	_, err = l.submit(holder, "site:Vacate", metrology.VacateSite{ID: "stall", To: "2026-03-01"}, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err), "an agent puts no last day back")
	l.must(holder, "site:Vacate", metrology.VacateSite{ID: "stall", To: "2026-03-02"}, nil)
	_, err = l.submit(holder, "site:Occupy", move, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err), "who left is no longer in charge")
	l.must(organiser, "site:Occupy", move, nil)

	stall := load[metrology.Site](l, "site/stall")
	require.Equal(t, "holder", stall.OccupantOn("2026-03-02"))
	require.Equal(t, "next", stall.OccupantOn("2026-03-03"))
	_, err = l.submit(organiser, "site:Close", metrology.SiteAction{ID: "stall"}, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "occupied sites stay open")
}

func TestPurgeSiteProfile(t *testing.T) {
	l := newLedger(t)
	_, holder := l.addMarket()
	l.must(holder, "site:PurgeProfile", metrology.SiteAction{ID: "stall"}, nil)
	require.NotContains(t, l.private, "disclosed/profile/site/stall")
	require.False(t, load[metrology.Site](l, "site/stall").Profile)
	l.must(holder, "site:Amend", metrology.AmendSite{ID: "stall", Region: "440305", Parent: "market", Profile: true}, profile("new"))
	require.True(t, load[metrology.Site](l, "site/stall").Profile)
}

func TestCloseSite(t *testing.T) {
	l := newLedger(t)
	organiser, holder := l.addMarket()
	l.must(holder, "site:Vacate", metrology.VacateSite{ID: "stall", To: "2026-03-02"}, nil)
	l.must(organiser, "site:Close", metrology.SiteAction{ID: "stall"}, nil)
	_, err := l.submit(organiser, "site:Occupy", metrology.OccupySite{ID: "stall", Merchant: "holder", From: "2026-03-03"}, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err))
	l.must(organiser, "site:Reopen", metrology.SiteAction{ID: "stall"}, nil)
	require.Equal(t, metrology.SiteOpen, load[metrology.Site](l, "site/stall").State)
}

// TestOccupySiteOfAnother: nobody puts somebody else on the register of a site.
func TestOccupySiteOfAnother(t *testing.T) {
	l := newLedger(t)
	organiser, holder := l.addMarket()
	l.must(holder, "site:Register",
		metrology.RegisterSite{ID: "shop", Kind: metrology.SiteShop, Region: "440305", Owner: "holder"}, profile("shop"))
	_, err := l.submit(holder, "site:Occupy", metrology.OccupySite{ID: "shop", Merchant: "organiser", From: "2020-01-01"}, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err), "a landlord names no other merchant as occupant")
	l.must(holder, "site:Occupy", metrology.OccupySite{ID: "shop", Merchant: "holder", From: "2026-03-02"}, nil)

	l.must(organiser, "site:Register", metrology.RegisterSite{
		ID: "market-2", Kind: metrology.SiteMarket, Region: "440305", Occupant: "organiser", From: "2026-01-01",
	}, profile("market-2"))
	move := metrology.AmendSite{ID: "stall", Region: "440305", Parent: "market-2"}
	_, err = l.submit(holder, "site:Amend", move, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err), "a stall enters a market through its organiser")
	l.must(organiser, "site:Amend", move, nil)
}
