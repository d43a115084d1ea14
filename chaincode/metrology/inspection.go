package metrology

import (
	"encoding/json"
	"strconv"
)

// InspectionState is the state of an inspection's record.
type InspectionState string

// The states of an inspection.
const (
	InspectionEntered   InspectionState = "entered"   // by an inspector; not public
	InspectionReviewed  InspectionState = "reviewed"  // by somebody who was not there; not public
	InspectionPublished InspectionState = "published" // 公示
	InspectionObjected  InspectionState = "objected"  // 异议; stays public, shown as objected
	InspectionRetested  InspectionState = "retested"  // 复检; the new result stands beside the old
	InspectionUpheld    InspectionState = "upheld"    // the objection was decided against
	InspectionCorrected InspectionState = "corrected" // both results are shown
	InspectionWithdrawn InspectionState = "withdrawn" // gone from every answer; its bodies are purged
)

// InspectionCommand is a command that may change an inspection.
type InspectionCommand string

// The commands on an inspection.
const (
	InspectionEnter    InspectionCommand = "enter"
	InspectionRevise   InspectionCommand = "revise" // before review
	InspectionReview   InspectionCommand = "review"
	InspectionReturn   InspectionCommand = "return" // back to the inspectors
	InspectionPublish  InspectionCommand = "publish"
	InspectionObject   InspectionCommand = "object"
	InspectionRetest   InspectionCommand = "retest"
	InspectionUphold   InspectionCommand = "uphold"
	InspectionCorrect  InspectionCommand = "correct"
	InspectionWithdraw InspectionCommand = "withdraw"
	InspectionHandOver InspectionCommand = "hand-over" // to another post
	InspectionSettle   InspectionCommand = "settle"    // its pending matter, by a later inspection
	InspectionUnsettle InspectionCommand = "unsettle"  // the later inspection was withdrawn
)

// InspectionTransitions is the state machine of an inspection. Nothing becomes
// public without a review; every public state can be corrected or withdrawn.
var InspectionTransitions = Transitions[InspectionState, InspectionCommand]{
	"": {InspectionEnter: InspectionEntered},
	InspectionEntered: {
		InspectionRevise: InspectionEntered, InspectionReview: InspectionReviewed,
		InspectionWithdraw: InspectionWithdrawn, InspectionHandOver: InspectionEntered,
	},
	InspectionReviewed: {
		InspectionReturn: InspectionEntered, InspectionPublish: InspectionPublished,
		InspectionWithdraw: InspectionWithdrawn, InspectionHandOver: InspectionReviewed,
	},
	InspectionPublished: {
		InspectionObject: InspectionObjected, InspectionCorrect: InspectionCorrected,
		InspectionWithdraw: InspectionWithdrawn, InspectionHandOver: InspectionPublished,
		InspectionSettle: InspectionPublished, InspectionUnsettle: InspectionPublished,
	},
	InspectionObjected: {
		InspectionRetest: InspectionRetested, InspectionUphold: InspectionUpheld, InspectionCorrect: InspectionCorrected,
		InspectionWithdraw: InspectionWithdrawn, InspectionHandOver: InspectionObjected,
		InspectionSettle: InspectionObjected, InspectionUnsettle: InspectionObjected,
	},
	InspectionRetested: {
		InspectionUphold: InspectionUpheld, InspectionCorrect: InspectionCorrected,
		InspectionWithdraw: InspectionWithdrawn, InspectionHandOver: InspectionRetested,
		InspectionSettle: InspectionRetested, InspectionUnsettle: InspectionRetested,
	},
	InspectionUpheld: {
		InspectionCorrect:  InspectionCorrected,
		InspectionWithdraw: InspectionWithdrawn, InspectionHandOver: InspectionUpheld,
		InspectionSettle: InspectionUpheld, InspectionUnsettle: InspectionUpheld,
	},
	InspectionCorrected: {
		InspectionObject: InspectionObjected, InspectionCorrect: InspectionCorrected,
		InspectionWithdraw: InspectionWithdrawn, InspectionHandOver: InspectionCorrected,
		InspectionSettle: InspectionCorrected, InspectionUnsettle: InspectionCorrected,
	},
}

// Public reports whether the record may be shown at all.
func (s InspectionState) Public() bool {
	switch s {
	case InspectionPublished, InspectionObjected, InspectionRetested, InspectionUpheld, InspectionCorrected:
		return true
	}
	return false
}

// BasisKind says why there was an inspection.
type BasisKind string

// The grounds for an inspection.
const (
	BasisDraw       BasisKind = "draw"       // 双随机抽查
	BasisComplaint  BasisKind = "complaint"  // 投诉举报
	BasisTransfer   BasisKind = "transfer"   // 转办交办
	BasisMonitoring BasisKind = "monitoring" // 数据监测
	BasisCampaign   BasisKind = "campaign"   // 专项检查
	BasisKeySector  BasisKind = "key-sector" // 重点监管
	BasisFollowUp   BasisKind = "follow-up"  // 后续处理
	BasisPledge     BasisKind = "pledge"     // 承诺核查
)

// BasisKinds lists all grounds.
var BasisKinds = []BasisKind{
	BasisDraw, BasisComplaint, BasisTransfer, BasisMonitoring, BasisCampaign, BasisKeySector, BasisFollowUp, BasisPledge,
}

// Basis is the ground for an inspection; a draw names the rank drawn.
type Basis struct {
	Kind BasisKind `json:"kind"`
	Draw string    `json:"draw,omitempty"` // id of the draw
	Rank int       `json:"rank,omitempty"` // in its stratum, from 1; a standby's lies beyond the quota; none if taken outright or still sealed
}

// AssignedInspector opens the commitment of a draw's directory to who an
// inspector is.
type AssignedInspector struct {
	Inspector string `json:"inspector"` // id of the draw
	Salt      string `json:"salt"`      // 32 bytes in hex
}

// VisitOutcome is how the visit went, apart from what was found.
type VisitOutcome string

// The outcomes of a visit.
const (
	VisitDone     VisitOutcome = "done"
	VisitClosed   VisitOutcome = "closed"        // nobody there; business closed that day
	VisitRefused  VisitOutcome = "refused"       // the merchant refused without ground
	VisitNoCard   VisitOutcome = "no-card-shown" // the merchant may refuse then (行政处罚法 Art. 55)
	VisitNotFound VisitOutcome = "not-found"     // no such place
)

// Inspection is the public record of one inspection. Who was inspected and
// what was found is in its bodies, in the collection disclosed. A reader shows
// nothing of it unless State.Public().
type Inspection struct {
	ID         string               `json:"id"`
	Site       string               `json:"site"`
	Basis      Basis                `json:"basis"`
	State      InspectionState      `json:"state"`
	Post       string               `json:"post"`       // subject of the post that is in charge
	Inspectors []string             `json:"inspectors"` // subjects; opaque
	Visited    Date                 `json:"visited"`    // the publication period runs from here
	Entered    string               `json:"entered"`    // RFC 3339, like all stamps below
	EnteredBy  string               `json:"enteredBy"`  // subject
	Reviewed   string               `json:"reviewed,omitempty"`
	Reviewer   string               `json:"reviewer,omitempty"` // subject
	Published  string               `json:"published,omitempty"`
	Changed    string               `json:"changed"`
	Reason     InspectionReason     `json:"reason,omitempty"` // of the last return, objection, correction or withdrawal
	Objections []Objection          `json:"objections,omitempty"`
	Revisions  []InspectionRevision `json:"revisions"`           // bodies in disclosed, numbered from 1
	Follows    string               `json:"follows,omitempty"`   // earlier inspection whose pending matter this one settles
	SettledBy  string               `json:"settledBy,omitempty"` // later inspection that settled this one's pending matter
}

// RevisionKind says what a body of an inspection is.
type RevisionKind string

// The kinds of revision.
const (
	RevisionOriginal   RevisionKind = "original"
	RevisionRetest     RevisionKind = "retest"
	RevisionCorrection RevisionKind = "correction"
)

// InspectionRevision is one body of an inspection: the private value at
// InspectionBodyKey(id, Number).
type InspectionRevision struct {
	Number int          `json:"number"`
	Kind   RevisionKind `json:"kind"`
	Stamp  string       `json:"stamp"`
	By     string       `json:"by"` // subject
}

// Objection is one objection to a result.
type Objection struct {
	Ground   ObjectionGround `json:"ground"`
	Revision int             `json:"revision"`           // objected to
	Document string          `json:"document,omitempty"` // hex SHA-256 of the scanned or signed objection, never of its bare text
	Stamp    string          `json:"stamp"`
}

// ObjectionGround is what an objection is about.
type ObjectionGround string

// The grounds.
const (
	GroundMeasurement ObjectionGround = "measurement"
	GroundFacts       ObjectionGround = "facts"
	GroundIdentity    ObjectionGround = "identity" // another site or merchant
	GroundProcedure   ObjectionGround = "procedure"
)

// InspectionReason is why a record was returned, corrected or withdrawn.
type InspectionReason string

// The reasons to return.
const (
	ReturnIncomplete   InspectionReason = "incomplete"
	ReturnInconsistent InspectionReason = "inconsistent"
	ReturnEvidence     InspectionReason = "evidence-missing"
)

// The reasons to correct.
const (
	CorrectEntryError InspectionReason = "entry-error"
	CorrectObjection  InspectionReason = "objection-accepted"
	CorrectRetest     InspectionReason = "retest-result"
	CorrectDecision   InspectionReason = "decision-changed" // by review or court
)

// The reasons to withdraw.
const (
	WithdrawWrongSubject InspectionReason = "wrong-subject"
	WithdrawProcedure    InspectionReason = "procedure-broken"
	WithdrawAnnulled     InspectionReason = "decision-annulled" // by review or court
	WithdrawDuplicate    InspectionReason = "duplicate"
	WithdrawRepaired     InspectionReason = "credit-repaired" // 信用修复
	WithdrawExpired      InspectionReason = "publication-period-over"
)

// Matter is a subject of inspection 抽查事项.
type Matter string

// The matters.
const (
	MatterInstruments Matter = "instruments-in-use" // 在用计量器具
	MatterUnits       Matter = "units"              // 计量单位使用
	MatterRetail      Matter = "retail-weighing"    // 零售商品称重
	MatterNetContent  Matter = "net-content"        // 定量包装商品
	MatterPledge      Matter = "pledge"             // 诚信计量承诺
	MatterOrganiser   Matter = "market-organiser"   // 市场举办者义务
	MatterOther       Matter = "other"
)

// InspectionReport is what inspectors enter (transient member "inspection").
type InspectionReport struct {
	Salt        string       `json:"salt"`               // 32 random bytes in hex
	Merchant    string       `json:"merchant,omitempty"` // occupant of the site on the day; empty: none
	Outcome     VisitOutcome `json:"outcome"`
	Institution string       `json:"institution,omitempty"` // issuer id of the institution that tested; a retest needs another
	Items       []ReportItem `json:"items,omitempty"`
	Remark      string       `json:"remark,omitempty"`
}

// ReportItem is one matter inspected.
type ReportItem struct {
	Matter       Matter        `json:"matter"`
	Results      []ResultCode  `json:"results"`
	Measurements []Measurement `json:"measurements,omitempty"`
	Evidence     []Evidence    `json:"evidence,omitempty"`
}

// Evidence is a digest of a photograph, record or film.
type Evidence struct {
	Kind   EvidenceKind `json:"kind"`
	Digest string       `json:"digest"` // hex SHA-256 of the file
}

// EvidenceKind says what a piece of evidence is.
type EvidenceKind string

// The kinds of evidence.
const (
	EvidenceRecord EvidenceKind = "record" // 现场检查笔录
	EvidencePhoto  EvidenceKind = "photo"
	EvidenceFilm   EvidenceKind = "film"
	EvidenceSample EvidenceKind = "sample-list"
	EvidenceTest   EvidenceKind = "test-report"
)

// InspectionBody is a report with what the contract computed, as it stands in
// the collection disclosed.
type InspectionBody struct {
	Salt        string       `json:"salt"`
	Merchant    string       `json:"merchant,omitempty"`
	Outcome     VisitOutcome `json:"outcome"`
	Institution string       `json:"institution,omitempty"`
	Items       []BodyItem   `json:"items,omitempty"`
	Remark      string       `json:"remark,omitempty"`
}

// BodyItem is a report item with errors and verdicts.
type BodyItem struct {
	Matter       Matter              `json:"matter"`
	Results      []ResultCode        `json:"results"`
	Measurements []MeasurementResult `json:"measurements,omitempty"`
	Evidence     []Evidence          `json:"evidence,omitempty"`
}

// EnterInspection records a visit; the report travels beside it.
type EnterInspection struct {
	ID         string   `json:"id"`
	Site       string   `json:"site"`
	Basis      Basis    `json:"basis"`
	Inspectors []string `json:"inspectors"` // at least two; the caller is one
	Visited    Date     `json:"visited"`
	Post       string   `json:"post"`              // regulator's subject in charge
	Follows    string   `json:"follows,omitempty"` // earlier inspection whose pending matter this one settles
	// Assigned says who of a draw's inspectors each of Inspectors is, in their
	// order; only where a draw is the ground.
	Assigned []AssignedInspector `json:"assigned,omitempty"`
	// Leaf shows this site's assignment in a draw that is still sealed
	// (chaincode/draw/TRANSCRIPT.md).
	Leaf json.RawMessage `json:"leaf,omitempty"`
}

// InspectionAction names an inspection for the commands that need no more:
// Revise (with a report beside it), Review, Publish, Uphold, Retest (with a
// report beside it).
type InspectionAction struct {
	ID string `json:"id"`
}

// InspectionDecision returns, corrects (with a report beside it) or withdraws
// for a reason.
type InspectionDecision struct {
	ID     string           `json:"id"`
	Reason InspectionReason `json:"reason"`
}

// ObjectToInspection is a merchant's objection.
type ObjectToInspection struct {
	ID       string          `json:"id"`
	Ground   ObjectionGround `json:"ground"`
	Document string          `json:"document,omitempty"` // hex SHA-256 of the scanned or signed objection, never of its bare text
}

// HandOverInspection puts another post in charge.
type HandOverInspection struct {
	ID string `json:"id"`
	To string `json:"to"` // regulator's subject
}

// The events of the family.
const (
	EventInspectionEntered    EventType = "inspection.entered"
	EventInspectionRevised    EventType = "inspection.revised"
	EventInspectionReviewed   EventType = "inspection.reviewed"
	EventInspectionReturned   EventType = "inspection.returned"
	EventInspectionPublished  EventType = "inspection.published"
	EventInspectionObjected   EventType = "inspection.objected"
	EventInspectionRetested   EventType = "inspection.retested"
	EventInspectionUpheld     EventType = "inspection.upheld"
	EventInspectionCorrected  EventType = "inspection.corrected"
	EventInspectionWithdrawn  EventType = "inspection.withdrawn"
	EventInspectionHandedOver EventType = "inspection.handed-over"
)

// InspectionBodyKey is the private key of one body.
func InspectionBodyKey(id string, revision int) string {
	return Key(KindInspectionBody, id, strconv.Itoa(revision))
}
