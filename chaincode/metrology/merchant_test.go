package metrology

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Codes of enterprises, which are public by law; the last is often quoted as an example.
func TestCreditCodeCheckDigit(t *testing.T) {
	for _, code := range []string{"9144030071526726XG", "91330100799655058B", "91110108551385082Q", "91350100M000100Y43"} {
		require.NoError(t, CheckCreditCode("c", code))
		require.Equal(t, string(code[17]), string(CreditCodeCheckDigit(code)), code)
	}
	for name, code := range map[string]string{
		"short": "9144030071526726X", "long": "9144030071526726XGG", "letter I": "9144030071526726IG", "lower case": "9144030071526726xg",
		"sole trader": "92440300MA5EXAMPLE"[:18], "empty": "",
	} {
		require.Equal(t, CodeInvalid, ErrorCode(CheckCreditCode("c", code)), name)
	}
}

func TestNewMerchant(t *testing.T) {
	agent := Caller{MSP: AssociationMSP, Role: RoleMerchant, Subject: "s"}
	good := RegisterMerchant{ID: "m-1", Kind: MerchantEnterprise, Sector: SectorShop, Region: "440305", CreditCode: "9144030071526726XG"}
	for name, test := range map[string]struct {
		change func(*RegisterMerchant)
		field  string
	}{
		"enterprise":                  {func(*RegisterMerchant) {}, ""},
		"stall":                       {func(c *RegisterMerchant) { c.Kind, c.CreditCode = MerchantStall, "" }, ""},
		"issued code that fails":      {func(c *RegisterMerchant) { c.CreditCode, c.Override = "9144030071526726X0", OverrideIssuedCode }, ""},
		"ErrCheckDigit":               {func(c *RegisterMerchant) { c.CreditCode = "9144030071526726X0" }, "creditCode"},
		"ErrOverride":                 {func(c *RegisterMerchant) { c.CreditCode, c.Override = "9144030071526726X0", "trust me" }, "override"},
		"ErrOverrideOfGoodCode":       {func(c *RegisterMerchant) { c.Override = OverrideIssuedCode }, "override"},
		"ErrEnterpriseWithoutCode":    {func(c *RegisterMerchant) { c.CreditCode = "" }, "creditCode"},
		"ErrSoleTradersCodeOnLedger":  {func(c *RegisterMerchant) { c.Kind = MerchantSoleTrader }, "creditCode"},
		"ErrSoleTradersCodeByMistake": {func(c *RegisterMerchant) { c.CreditCode = "92" + strings.Repeat("A", 16) }, "creditCode"},
		"ErrID":                       {func(c *RegisterMerchant) { c.ID = "" }, "id"},
		"ErrKind":                     {func(c *RegisterMerchant) { c.Kind = "club" }, "kind"},
		"ErrSector":                   {func(c *RegisterMerchant) { c.Sector = "space" }, "sector"},
		"ErrRegion":                   {func(c *RegisterMerchant) { c.Region = "1" }, "region"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := good
			test.change(&cmd)
			merchant, err := NewMerchant(cmd, agent, "2026-03-02T02:00:00Z")
			if test.field != "" {
				requireError(t, err, CodeInvalid, test.field)
				return
			}
			require.NoError(t, err)
			require.Equal(t, MerchantActive, merchant.State)
		})
	}
	t.Run("ErrRole", func(t *testing.T) {
		_, err := NewMerchant(good, Caller{MSP: NotaryMSP, Role: RoleNotary, Subject: "s"}, "")
		requireError(t, err, CodeForbidden, "")
	})
}

func TestMerchantAmend(t *testing.T) {
	merchant := Merchant{ID: "m-1", State: MerchantActive, Sector: SectorShop, Region: "440305"}
	amended, err := merchant.Amend(AmendMerchant{Sector: SectorMarket, Region: "440306", Profile: true})
	require.NoError(t, err)
	require.True(t, amended.Profile)
	require.Equal(t, SectorMarket, amended.Sector)
	_, err = merchant.Amend(AmendMerchant{Sector: "x", Region: "440306"})
	requireError(t, err, CodeInvalid, "sector")
	merchant.State = MerchantClosed
	_, err = merchant.Amend(AmendMerchant{Sector: SectorMarket, Region: "440306"})
	requireError(t, err, CodeState, "")
}

func TestProfileValidate(t *testing.T) {
	good := Profile{Salt: strings.Repeat("0a", 32), Name: "某某商行", Address: "某路 1 号", Phone: "12315", Code: "92X"}
	require.NoError(t, good.Validate())
	for field, change := range map[string]func(*Profile){
		"profile.salt":    func(p *Profile) { p.Salt = strings.Repeat("0A", 32) },
		"profile.name":    func(p *Profile) { p.Name = "" },
		"profile.address": func(p *Profile) { p.Address = strings.Repeat("x", 401) },
		"profile.phone":   func(p *Profile) { p.Phone = "1\n2" },
		"profile.code":    func(p *Profile) { p.Code = "\xff" },
	} {
		profile := good
		change(&profile)
		requireError(t, profile.Validate(), CodeInvalid, field)
	}
}
