package metrology

// MerchantKind says under what form an operator does business.
type MerchantKind string

// The kinds of merchant.
const (
	MerchantEnterprise MerchantKind = "enterprise"  // 企业: identified by its unified social credit code, which is public by law
	MerchantSoleTrader MerchantKind = "sole-trader" // 个体工商户: its code points to a person and stays off the ledger
	MerchantStall      MerchantKind = "stall"       // 无照摊贩: may have no code at all
)

// Sector is the field of business, after AQSIQ announcement No. 162 of 2007
// with what later programmes added.
type Sector string

// The sectors.
const (
	SectorMarket      Sector = "market"       // 集贸市场
	SectorFuelStation Sector = "fuel-station" // 加油站
	SectorCatering    Sector = "catering"     // 餐饮业
	SectorShop        Sector = "shop"         // 商店
	SectorOptician    Sector = "optician"     // 眼镜制配场所
	SectorHospital    Sector = "hospital"     // 医院
	SectorCharging    Sector = "charging"     // 电动汽车充电
	SectorTaxi        Sector = "taxi"         // 出租汽车
	SectorOther       Sector = "other"
)

// Sectors lists all sectors.
var Sectors = []Sector{SectorMarket, SectorFuelStation, SectorCatering, SectorShop, SectorOptician, SectorHospital, SectorCharging, SectorTaxi, SectorOther}

// OverrideReason says why a code whose check digit fails is accepted all the same.
type OverrideReason string

// OverrideIssuedCode is the one accepted reason: issued codes are known that fail the check.
const OverrideIssuedCode OverrideReason = "issued-code-fails-check"

// MerchantState is the state of a merchant's record.
type MerchantState string

// The states of a merchant.
const (
	MerchantActive MerchantState = "active"
	MerchantClosed MerchantState = "closed" // 已注销、已迁出
)

// MerchantCommand is a command that may change a merchant's state.
type MerchantCommand string

// The commands on a merchant.
const (
	MerchantRegister MerchantCommand = "register"
	MerchantAmend    MerchantCommand = "amend"
	MerchantClose    MerchantCommand = "close"
	MerchantReopen   MerchantCommand = "reopen"
	MerchantPurge    MerchantCommand = "purge-profile"
	MerchantAppoint  MerchantCommand = "appoint"
	MerchantDismiss  MerchantCommand = "dismiss"
)

// MerchantTransitions is the state machine of a merchant. A profile can be
// purged in every state: deletion is a right.
var MerchantTransitions = Transitions[MerchantState, MerchantCommand]{
	"": {MerchantRegister: MerchantActive},
	MerchantActive: {
		MerchantAmend: MerchantActive, MerchantPurge: MerchantActive, MerchantAppoint: MerchantActive,
		MerchantDismiss: MerchantActive, MerchantClose: MerchantClosed,
	},
	MerchantClosed: {MerchantPurge: MerchantClosed, MerchantDismiss: MerchantClosed, MerchantReopen: MerchantActive},
}

// Merchant is the public record of an operator. Names, addresses and
// telephone numbers are in its Profile, never here.
type Merchant struct {
	ID         string         `json:"id"`
	Kind       MerchantKind   `json:"kind"`
	Sector     Sector         `json:"sector"`
	Region     string         `json:"region"`               // GB/T 2260
	CreditCode string         `json:"creditCode,omitempty"` // GB 32100; enterprises only
	Override   OverrideReason `json:"override,omitempty"`
	State      MerchantState  `json:"state"`
	Registered string         `json:"registered"` // RFC 3339, the submitter's claim
	Profile    bool           `json:"profile"`    // whether a profile was given and not purged since
}

// Profile is what the public may read about a merchant or a site and what must
// be deletable. It lives in the collection disclosed.
type Profile struct {
	Salt    string `json:"salt"` // 32 random bytes in hex, so that the hash on the chain tells nothing
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	Phone   string `json:"phone,omitempty"` // for complaints
	Code    string `json:"code,omitempty"`  // a sole trader's registration code
}

// Validate checks the shape of a profile.
func (p Profile) Validate() error {
	if err := CheckSalt("profile.salt", p.Salt); err != nil {
		return err
	}
	if err := CheckText("profile.name", p.Name, 200); err != nil {
		return err
	}
	for _, optional := range []struct {
		field, text string
		max         int
	}{{"profile.address", p.Address, 400}, {"profile.phone", p.Phone, 40}, {"profile.code", p.Code, 40}} {
		if optional.text == "" {
			continue
		}
		if err := CheckText(optional.field, optional.text, optional.max); err != nil {
			return err
		}
	}
	return nil
}

// CheckSalt refuses anything but 32 bytes in lower-case hex.
func CheckSalt(field, salt string) error { return checkHex(field, salt, 32) }

// checkHex refuses anything but size bytes in lower-case hex.
func checkHex(field, text string, size int) error {
	ok := len(text) == 2*size
	for i := 0; ok && i < len(text); i++ {
		ok = '0' <= text[i] && text[i] <= '9' || 'a' <= text[i] && text[i] <= 'f'
	}
	if !ok {
		return FieldErrorf(CodeInvalid, field, "is not %d bytes in lower-case hex", size)
	}
	return nil
}

// RegisterMerchant asks for a new merchant. The profile travels beside it.
type RegisterMerchant struct {
	ID         string         `json:"id"`
	Kind       MerchantKind   `json:"kind"`
	Sector     Sector         `json:"sector"`
	Region     string         `json:"region"`
	CreditCode string         `json:"creditCode,omitempty"`
	Override   OverrideReason `json:"override,omitempty"`
}

// AmendMerchant changes the sector or region; a new profile may travel beside it.
type AmendMerchant struct {
	ID      string `json:"id"`
	Sector  Sector `json:"sector"`
	Region  string `json:"region"`
	Profile bool   `json:"profile,omitempty"` // a new profile travels beside it
}

// MerchantAction names a merchant for the commands that need no more.
type MerchantAction struct {
	ID string `json:"id"`
}

// AppointAgent lets a subject of an organisation act for a principal, or stops it.
type AppointAgent struct {
	ID      string `json:"id"` // the principal
	Subject string `json:"subject"`
}

// The events of the family.
const (
	EventMerchantRegistered    EventType = "merchant.registered"
	EventMerchantAmended       EventType = "merchant.amended"
	EventMerchantClosed        EventType = "merchant.closed"
	EventMerchantReopened      EventType = "merchant.reopened"
	EventMerchantProfilePurged EventType = "merchant.profile-purged"
	EventMerchantAppointed     EventType = "merchant.agent-appointed"
	EventMerchantDismissed     EventType = "merchant.agent-dismissed"
)

// NewMerchant checks a registration and returns the record it makes.
func NewMerchant(cmd RegisterMerchant, caller Caller, stamp string) (Merchant, error) {
	if err := caller.Require(RoleMerchant, RoleAssociation, RoleRegulator); err != nil {
		return Merchant{}, err
	}
	if err := checkNewID("id", cmd.ID); err != nil {
		return Merchant{}, err
	}
	if err := OneOf("kind", cmd.Kind, MerchantEnterprise, MerchantSoleTrader, MerchantStall); err != nil {
		return Merchant{}, err
	}
	if err := checkMerchantPlace(cmd.Sector, cmd.Region); err != nil {
		return Merchant{}, err
	}
	if err := checkIdentifier(cmd); err != nil {
		return Merchant{}, err
	}
	return Merchant{
		ID: cmd.ID, Kind: cmd.Kind, Sector: cmd.Sector, Region: cmd.Region, CreditCode: cmd.CreditCode, Override: cmd.Override,
		State: MerchantActive, Registered: stamp, Profile: true,
	}, nil
}

func checkMerchantPlace(sector Sector, region string) error {
	if err := OneOf("sector", sector, Sectors...); err != nil {
		return err
	}
	return CheckRegion("region", region)
}

// checkIdentifier lets an enterprise's code on the ledger and no other.
func checkIdentifier(cmd RegisterMerchant) error {
	if cmd.Kind != MerchantEnterprise {
		if cmd.CreditCode != "" || cmd.Override != "" {
			return FieldErrorf(CodeInvalid, "creditCode", "must be empty for a %s: the code points to a person and belongs in the profile", cmd.Kind)
		}
		return nil
	}
	if err := CheckCreditCode("creditCode", cmd.CreditCode); err != nil {
		return err
	}
	valid := CreditCodeCheckDigit(cmd.CreditCode) == cmd.CreditCode[17]
	switch {
	case valid && cmd.Override != "":
		return FieldErrorf(CodeInvalid, "override", "is only for a code whose check digit fails")
	case !valid && cmd.Override == "":
		return FieldErrorf(CodeInvalid, "creditCode", "the check digit fails (GB 32100-2015); if the code was issued like this, give override %q", OverrideIssuedCode)
	case !valid:
		return OneOf("override", cmd.Override, OverrideIssuedCode)
	}
	return nil
}

// Apply returns the merchant after a command that needs no more than a state
// change. Who may is decided by the contract, which knows the bindings.
func (m Merchant) Apply(command MerchantCommand) (Merchant, error) {
	next, err := MerchantTransitions.Next("merchant", m.State, command)
	m.State = next
	return m, err
}

// Amend returns the merchant after AmendMerchant.
func (m Merchant) Amend(cmd AmendMerchant) (Merchant, error) {
	m, err := m.Apply(MerchantAmend)
	if err != nil {
		return m, err
	}
	if err := checkMerchantPlace(cmd.Sector, cmd.Region); err != nil {
		return m, err
	}
	m.Sector, m.Region, m.Profile = cmd.Sector, cmd.Region, m.Profile || cmd.Profile
	return m, nil
}
