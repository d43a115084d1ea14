package metrology

// SiteKind says what a site is. Draws and visits address sites.
type SiteKind string

// The kinds of site.
const (
	SiteMarket     SiteKind = "market"     // 集贸市场
	SiteStall      SiteKind = "stall"      // 摊位, within a market
	SiteStation    SiteKind = "station"    // 加油站、加气站
	SiteShop       SiteKind = "shop"       // 商店
	SiteRestaurant SiteKind = "restaurant" // 餐饮
	SiteOptician   SiteKind = "optician"   // 眼镜制配场所
	SiteClinic     SiteKind = "clinic"     // 医院、诊所
	SiteCharging   SiteKind = "charging"   // 充电站
	SiteVehicle    SiteKind = "vehicle"    // 出租汽车
	SiteOther      SiteKind = "other"
)

// SiteKinds lists all kinds.
var SiteKinds = []SiteKind{SiteMarket, SiteStall, SiteStation, SiteShop, SiteRestaurant, SiteOptician, SiteClinic, SiteCharging, SiteVehicle, SiteOther}

// SiteState is the state of a site.
type SiteState string

// The states of a site.
const (
	SiteOpen   SiteState = "open"
	SiteClosed SiteState = "closed"
)

// SiteCommand is a command that may change a site's state.
type SiteCommand string

// The commands on a site.
const (
	SiteRegister SiteCommand = "register"
	SiteAmend    SiteCommand = "amend"
	SiteOccupy   SiteCommand = "occupy"
	SiteVacate   SiteCommand = "vacate"
	SiteClose    SiteCommand = "close"
	SiteReopen   SiteCommand = "reopen"
	SitePurge    SiteCommand = "purge-profile"
)

// SiteTransitions is the state machine of a site.
var SiteTransitions = Transitions[SiteState, SiteCommand]{
	"": {SiteRegister: SiteOpen},
	SiteOpen: {
		SiteAmend: SiteOpen, SiteOccupy: SiteOpen, SiteVacate: SiteOpen, SitePurge: SiteOpen, SiteClose: SiteClosed,
	},
	SiteClosed: {SiteVacate: SiteClosed, SitePurge: SiteClosed, SiteReopen: SiteOpen},
}

// Site is the public record of a place. Its name and address are in its
// Profile, never here.
type Site struct {
	ID         string      `json:"id"`
	Kind       SiteKind    `json:"kind"`
	Region     string      `json:"region"`           // GB/T 2260
	Parent     string      `json:"parent,omitempty"` // the market of a stall
	Owner      string      `json:"owner,omitempty"`  // merchant that owns what stands there
	User       string      `json:"user,omitempty"`   // merchant that uses what stands there, where it is not the occupant
	Occupants  []Occupancy `json:"occupants"`        // oldest first; periods do not overlap
	State      SiteState   `json:"state"`
	Registered string      `json:"registered"` // RFC 3339, the submitter's claim
	Profile    bool        `json:"profile"`    // whether a profile was given and not purged since
}

// Occupancy is a merchant's time at a site.
type Occupancy struct {
	Merchant string `json:"merchant"`
	From     Date   `json:"from"`
	To       Date   `json:"to,omitempty"` // last day included; empty: still there
}

// RegisterSite asks for a new site. The profile travels beside it.
type RegisterSite struct {
	ID       string   `json:"id"`
	Kind     SiteKind `json:"kind"`
	Region   string   `json:"region"`
	Parent   string   `json:"parent,omitempty"`
	Owner    string   `json:"owner,omitempty"`
	User     string   `json:"user,omitempty"`
	Occupant string   `json:"occupant,omitempty"` // first occupant
	From     Date     `json:"from,omitempty"`     // since when; required with Occupant
}

// AmendSite replaces region, parent, owner and user; a new profile may travel
// beside it.
type AmendSite struct {
	ID      string `json:"id"`
	Region  string `json:"region"`
	Parent  string `json:"parent,omitempty"`
	Owner   string `json:"owner,omitempty"`
	User    string `json:"user,omitempty"`
	Profile bool   `json:"profile,omitempty"` // a new profile travels beside it
}

// OccupySite records that a merchant moved in. The former occupant must have
// left.
type OccupySite struct {
	ID       string `json:"id"`
	Merchant string `json:"merchant"`
	From     Date   `json:"from"`
}

// VacateSite records the occupant's last day.
type VacateSite struct {
	ID string `json:"id"`
	To Date   `json:"to"`
}

// SiteAction names a site for the commands that need no more.
type SiteAction struct {
	ID string `json:"id"`
}

// The events of the family.
const (
	EventSiteRegistered    EventType = "site.registered"
	EventSiteAmended       EventType = "site.amended"
	EventSiteOccupied      EventType = "site.occupied"
	EventSiteVacated       EventType = "site.vacated"
	EventSiteClosed        EventType = "site.closed"
	EventSiteReopened      EventType = "site.reopened"
	EventSiteProfilePurged EventType = "site.profile-purged"
)
