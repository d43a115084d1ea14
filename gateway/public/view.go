// Package public is what anybody may see: the views that the API answers and
// the pages show, and the one filter of what is visible. It does no I/O.
// What depends on the day takes today's date in Asia/Shanghai as an argument.
package public

import "github.com/steelyard-ledger/steelyard/chaincode/metrology"

// AsOf says which transaction last changed what a view shows. The time is the
// submitter's claim: blocks carry none.
type AsOf struct {
	Block         uint64 `json:"block"`
	TransactionID string `json:"transactionId"`
	Time          string `json:"time"` // RFC 3339, UTC
}

// Page is one page of a list. Next is an opaque cursor, empty on the last page.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// Status is the state of this gateway's copy of the ledger.
type Status struct {
	Channel     string `json:"channel"`
	Height      uint64 `json:"height"` // number of blocks applied
	BlockHash   string `json:"blockHash"`
	GenesisHash string `json:"genesisHash"`
	LastTime    string `json:"lastTime"` // claimed time of the newest transaction, RFC 3339
}

// Profile is the deletable part of a merchant, site or issuer, without its salt.
type Profile struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	Phone   string `json:"phone,omitempty"`
}

// HistoryEntry is one transaction that concerned an entity.
type HistoryEntry struct {
	AsOf
	Event  metrology.EventType `json:"event"`
	Reason string              `json:"reason,omitempty"`
	Role   metrology.Role      `json:"role"` // of who submitted it
}

// Merchant is an operator as the public sees it. No pledge, no code and no
// record is neutral: absent members say nothing against it.
type Merchant struct {
	metrology.Merchant
	Details *Profile `json:"details,omitempty"` // absent: never given, or deleted
	Pledge  *Pledge  `json:"pledge,omitempty"`  // the one that stands, else the latest
	AsOf    AsOf     `json:"asOf"`
}

// Site is a place as the public sees it.
type Site struct {
	metrology.Site
	Details *Profile    `json:"details,omitempty"`
	Visits  *SiteVisits `json:"visits,omitempty"` // on the record of one site, where a rule caps them
	AsOf    AsOf        `json:"asOf"`
}

// SiteVisits are the inspections of a site in one calendar year (Asia/Shanghai)
// beside the cap of its region. Visits that are not on this ledger, and places
// drawn by a sealed draw that is not opened or by one whose lists stand in a
// file, are not known and not counted.
type SiteVisits struct {
	Year     int                     `json:"year"`
	Recorded int                     `json:"recorded"` // less those on grounds that the rule exempts
	Reserved int                     `json:"reserved"` // drawn for that year, and no inspection of the draw is recorded yet
	Cap      int                     `json:"cap"`
	Rule     metrology.RuleReference `json:"rule"`
	Region   string                  `json:"region"` // of the rule
}

// Full reports whether recorded and reserved visits reach the cap.
func (v SiteVisits) Full() bool { return v.Recorded+v.Reserved >= v.Cap }

// Pledge is a pledge with what it amounts to today.
type Pledge struct {
	metrology.Pledge
	Standing metrology.PledgeStanding `json:"standing"`
	History  []HistoryEntry           `json:"history,omitempty"`
	AsOf     AsOf                     `json:"asOf"`
}

// VerificationStatus says how an instrument stands with its duty to be verified.
type VerificationStatus string

// The statuses of an instrument's verification.
const (
	VerificationNone    VerificationStatus = "none-recorded" // nothing on this ledger; says nothing about paper
	VerificationValid   VerificationStatus = "valid"
	VerificationDueSoon VerificationStatus = "due-soon" // ends within DueSoonDays
	VerificationExpired VerificationStatus = "expired"  // 超周期
	VerificationFailed  VerificationStatus = "failed"   // 检定结果通知书
	VerificationNeeded  VerificationStatus = "needed"   // repaired since: to be verified before use
	VerificationNoDuty  VerificationStatus = "no-duty"  // not under compulsory verification
	VerificationFrozen  VerificationStatus = "frozen"   // in dispute or sealed
)

// DueSoonDays is how long before its end a verification is shown as due. It is
// a courtesy of this display, not a rule of law.
const DueSoonDays = 30

// Verification is an instrument's verification as of a day.
type Verification struct {
	Status      VerificationStatus `json:"status"`
	ValidUntil  metrology.Date     `json:"validUntil,omitempty"`
	Certificate string             `json:"certificate,omitempty"` // id of the certificate it rests on
	Day         metrology.Date     `json:"day"`                   // the day it was computed for
}

// Instrument is a measuring instrument as the public sees it.
type Instrument struct {
	metrology.Instrument
	Verification Verification   `json:"verification"`
	History      []HistoryEntry `json:"history,omitempty"`
	AsOf         AsOf           `json:"asOf"`
}

// Batch says where a certificate's proof begins.
type Batch struct {
	Root      string `json:"root"`
	Count     int    `json:"count"`
	Index     int    `json:"index"` // of this certificate's leaf
	Key       string `json:"key"`   // id of the issuer's key
	Signature []byte `json:"signature"`
}

// Certificate is an anchored certificate.
type Certificate struct {
	ID          string                      `json:"id"` // hex RFC 6962 leaf hash
	Leaf        metrology.Leaf              `json:"leaf"`
	Status      metrology.CertificateStatus `json:"status"`
	State       metrology.CertificateState  `json:"state"`
	Reason      metrology.CertificateReason `json:"reason,omitempty"`
	Changed     string                      `json:"changed,omitempty"` // RFC 3339
	ChangedBy   metrology.Role              `json:"changedBy,omitempty"`
	Successor   string                      `json:"successor,omitempty"`   // id of the certificate that supersedes it
	FailedLater string                      `json:"failedLater,omitempty"` // id of the later notice
	Renditions  []metrology.Digest          `json:"renditions,omitempty"`
	Batch       Batch                       `json:"batch"`
	Anchored    AsOf                        `json:"anchored"`
	AsOf        AsOf                        `json:"asOf"`
	Day         metrology.Date              `json:"day"` // the day the status was computed for

	// Instruments are the ledger's records of those the leaf names by id, for
	// whoever judges the certificate; one that is missing is not there.
	Instruments map[string]metrology.Instrument `json:"-"`
}

// Issuer is an institution that anchors certificates.
type Issuer struct {
	metrology.Issuer
	Details *Profile       `json:"details,omitempty"`
	History []HistoryEntry `json:"history,omitempty"`
	AsOf    AsOf           `json:"asOf"`
}

// Ruleset is one version of a rule table.
type Ruleset struct {
	metrology.Ruleset
	AsOf AsOf `json:"asOf"`
}

// Revision is one body of a published inspection, without its salt.
type Revision struct {
	metrology.InspectionRevision
	Body *InspectionBody `json:"body,omitempty"` // absent: not at this gateway
}

// InspectionBody is what was found at a visit, without its salt.
type InspectionBody struct {
	Merchant    string                 `json:"merchant,omitempty"`
	Outcome     metrology.VisitOutcome `json:"outcome"`
	Institution string                 `json:"institution,omitempty"`
	Items       []metrology.BodyItem   `json:"items,omitempty"`
	Remark      string                 `json:"remark,omitempty"`
}

// Inspection is a published inspection; corrected ones show every revision.
type Inspection struct {
	ID             string                     `json:"id"`
	Site           string                     `json:"site"`
	Region         string                     `json:"region,omitempty"` // of the site when the record was entered
	Merchant       string                     `json:"merchant,omitempty"`
	Basis          metrology.Basis            `json:"basis"`
	State          metrology.InspectionState  `json:"state"`
	Reason         metrology.InspectionReason `json:"reason,omitempty"`
	Inspectors     []string                   `json:"inspectors"` // opaque
	Visited        metrology.Date             `json:"visited"`
	Published      string                     `json:"published,omitempty"`
	PublicationDue *metrology.Due             `json:"publicationDue,omitempty"` // by the deadline rule and calendar in force; absent: none is
	PublishedLate  bool                       `json:"publishedLate,omitempty"`
	Objections     []metrology.Objection      `json:"objections,omitempty"`
	Revisions      []Revision                 `json:"revisions"`
	NozzleMean     *NozzleMean                `json:"nozzleMean,omitempty"`
	Follows        string                     `json:"follows,omitempty"`   // earlier inspection whose pending matter this one settles
	SettledBy      string                     `json:"settledBy,omitempty"` // later inspection that settled this one's
	AsOf           AsOf                       `json:"asOf"`
}

// NozzleMean is the mean of a station's signed nozzle errors. It is an
// indicator of bias, never a finding.
type NozzleMean struct {
	Percent metrology.Decimal `json:"percent"` // mean of the relative errors
	Count   int               `json:"count"`
}

// DueCount counts instruments in use under compulsory verification.
type DueCount struct {
	Region      string `json:"region"` // division code
	Due         string `json:"due"`    // month of the end (2006-01); "over", "no-end", or "none" where no verification is recorded
	Instruments int    `json:"instruments"`
}

// OverdueInspection is an inspection that should have been published by now.
// It names neither site nor merchant: nothing of it is public yet.
type OverdueInspection struct {
	ID      string         `json:"id"`
	Visited metrology.Date `json:"visited"`
	Due     metrology.Due  `json:"due"`
}

// Transaction is one transaction on the ledger, valid or not.
type Transaction struct {
	ID        string         `json:"id"`
	Block     uint64         `json:"block"`
	Index     int            `json:"index"`
	Code      string         `json:"code"` // Fabric's validation code, such as VALID or MVCC_READ_CONFLICT
	Valid     bool           `json:"valid"`
	Function  string         `json:"function,omitempty"`
	MSP       string         `json:"msp,omitempty"`
	Role      metrology.Role `json:"role,omitempty"`
	Event     string         `json:"event,omitempty"`
	Subject   string         `json:"entity,omitempty"` // id of the entity its event names
	Time      string         `json:"time,omitempty"`   // RFC 3339, the submitter's claim
	Endorsers []string       `json:"endorsers,omitempty"`
}

// NextCursor is the cursor of the page that follows.
func (p Page[T]) NextCursor() string { return p.Next }
