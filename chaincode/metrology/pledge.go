package metrology

// PledgeState is the state of a pledge. Whether a term has begun or ended is
// computed on reading (Pledge.Standing).
type PledgeState string

// The states of a pledge.
const (
	PledgeSigned    PledgeState = "signed"    // waits for publication
	PledgePublished PledgeState = "published" // on the public list while a published term runs
	PledgeSuspended PledgeState = "suspended" // under a yellow or red card
	PledgeWithdrawn PledgeState = "withdrawn" // by the merchant; final
	PledgeRevoked   PledgeState = "revoked"   // by the regulator; final
)

// PledgeCommand is a command that may change a pledge's state.
type PledgeCommand string

// The commands on a pledge.
const (
	PledgeSign     PledgeCommand = "sign"
	PledgePublish  PledgeCommand = "publish"
	PledgeRenew    PledgeCommand = "renew"
	PledgeWithdraw PledgeCommand = "withdraw"
	PledgeSuspend  PledgeCommand = "suspend"
	PledgeRestore  PledgeCommand = "restore"
	PledgeRevoke   PledgeCommand = "revoke"
)

// PledgeTransitions is the state machine of a pledge. A renewed term needs a
// publication of its own, so publish is also allowed on a published pledge.
var PledgeTransitions = Transitions[PledgeState, PledgeCommand]{
	"":           {PledgeSign: PledgeSigned},
	PledgeSigned: {PledgePublish: PledgePublished, PledgeWithdraw: PledgeWithdrawn},
	PledgePublished: {
		PledgePublish: PledgePublished, PledgeRenew: PledgePublished, PledgeSuspend: PledgeSuspended,
		PledgeWithdraw: PledgeWithdrawn, PledgeRevoke: PledgeRevoked,
	},
	PledgeSuspended: {
		PledgeSuspend: PledgeSuspended, PledgeRestore: PledgePublished,
		PledgeWithdraw: PledgeWithdrawn, PledgeRevoke: PledgeRevoked,
	},
}

// CommitmentCode is one thing a merchant promises, in a form machines read.
// The list is closed; docs of the codes stand in Commitments.
type CommitmentCode string

// The commitments.
const (
	CommitLawAbidance        CommitmentCode = "law-abidance"         // obeys metrology law, accepts supervision by regulator and consumers
	CommitSuitableInstrument CommitmentCode = "suitable-instruments" // has suitable instruments where quantity settles the price
	CommitRetailTolerance    CommitmentCode = "retail-tolerance"     // keeps to the negative deviations for retail weighing
	CommitVerified           CommitmentCode = "verified-instruments" // uses no instrument that is unverified, overdue or failed
	CommitNoTampering        CommitmentCode = "no-tampering"         // does not spoil accuracy nor break seals
	CommitShowQuantity       CommitmentCode = "show-quantity"        // shows unit, process and value on the spot
	CommitCompensate         CommitmentCode = "compensate-shortage"  // compensates a confirmed shortage; value: times the shortage
	CommitNetContent         CommitmentCode = "net-content"          // sells no prepackaged goods that are short
	CommitProperOperation    CommitmentCode = "proper-operation"     // operates instruments properly, follows the code of conduct
	CommitCheckScale         CommitmentCode = "check-scale"          // keeps a check scale 公平秤 for everybody
	CommitPublicPledge       CommitmentCode = "public-pledge"        // shows the pledge and a complaint telephone on the premises
	CommitAnswerComplaint    CommitmentCode = "answer-complaints"    // answers complaints; value: within so many working days
	CommitSelfCheck          CommitmentCode = "self-check"           // checks its instruments itself; value: at least every so many days
	CommitZeroMean           CommitmentCode = "zero-mean"            // adjusts nozzles towards zero error, not to one side of the tolerance
)

// Commitment is one promise with its parameter where the code has one.
type Commitment struct {
	Code  CommitmentCode `json:"code"`
	Value int            `json:"value,omitempty"`
}

// SignatureManner says how the pledge was signed. A key held by a gateway is
// never called the merchant's signature.
type SignatureManner string

// The manners.
const (
	SignedPaper     SignatureManner = "sealed-paper"       // 纸质盖章; the ledger holds the text's digest
	SignedESeal     SignatureManner = "e-seal"             // 电子印章
	SignedClick     SignatureManner = "click"              // confirmed in an application
	SignedOrganiser SignatureManner = "organiser-as-agent" // the market organiser signed for the merchant
)

// SignatoryRole says in what capacity a person signed.
type SignatoryRole string

// The capacities.
const (
	SignatoryLegalRepresentative SignatoryRole = "legal-representative" // 法定代表人
	SignatoryPersonInCharge      SignatoryRole = "person-in-charge"     // 负责人
	SignatoryOperator            SignatoryRole = "operator"             // 个体经营者本人
	SignatoryAgent               SignatoryRole = "agent"                // 受托人
	SignatoryOrganiser           SignatoryRole = "organiser"            // 市场举办者
)

// PledgeSignature tells who signed and how; never by name.
type PledgeSignature struct {
	Manner SignatureManner `json:"manner"`
	Role   SignatoryRole   `json:"role"`
	Signed Date            `json:"signed"`
}

// Card is the colour of a suspension 红黄牌.
type Card string

// The cards.
const (
	CardYellow Card = "yellow"
	CardRed    Card = "red"
)

// PledgeReason is why a pledge was suspended, restored, withdrawn or revoked.
type PledgeReason string

// The reasons to suspend or revoke, after the causes of loss seen in practice.
const (
	ReasonUnverified    PledgeReason = "unverified-instrument" // unverified, overdue or failed instrument in use
	ReasonCheating      PledgeReason = "cheating-device"
	ReasonSealBroken    PledgeReason = "seal-broken"
	ReasonUncompensated PledgeReason = "shortage-uncompensated"
	ReasonRefusal       PledgeReason = "inspection-refused"
	ReasonPenalty       PledgeReason = "penalty"
	ReasonFailedCheck   PledgeReason = "failed-spot-check"
)

// The reasons to restore.
const (
	ReasonRemedied PledgeReason = "remedied"
	ReasonMistake  PledgeReason = "mistake"
	ReasonAnnulled PledgeReason = "decision-annulled"
)

// The reasons to withdraw.
const (
	ReasonBusinessEnded PledgeReason = "business-ended"
	ReasonOwnWish       PledgeReason = "own-wish"
	ReasonReplaced      PledgeReason = "replaced-by-another"
)

// Pledge is a merchant's promise 诚信计量自我承诺. It belongs to the merchant,
// not to a stall, and its whole history stays public.
type Pledge struct {
	ID         string       `json:"id"`
	Merchant   string       `json:"merchant"`
	Programme  string       `json:"programme"`
	Terms      []PledgeTerm `json:"terms"` // oldest first; periods do not overlap
	State      PledgeState  `json:"state"`
	Card       Card         `json:"card,omitempty"`   // while suspended
	Reason     PledgeReason `json:"reason,omitempty"` // of the last suspension, restoration, withdrawal or revocation
	Registered string       `json:"registered"`       // RFC 3339, the submitter's claim
	Changed    string       `json:"changed"`          // RFC 3339 of the last command
}

// PledgeTerm is one period of a pledge with the text that was signed for it.
type PledgeTerm struct {
	From            Date            `json:"from"`
	Until           Date            `json:"until"` // last day included
	Months          int             `json:"months"`
	Template        string          `json:"template"`
	TemplateVersion string          `json:"templateVersion"`
	TextDigest      string          `json:"textDigest"` // hex SHA-256 of the template's text as shown, without the signer's particulars: a name could be guessed back from a digest
	Commitments     []Commitment    `json:"commitments"`
	Signature       PledgeSignature `json:"signature"`
	Rule            RuleReference   `json:"rule"`                // the programme's rule
	Submitter       Caller          `json:"submitter"`           // identity that brought it to the ledger
	Published       string          `json:"published,omitempty"` // RFC 3339; empty: waits for publication
}

// SignPledge records a pledge signed by a merchant.
type SignPledge struct {
	ID        string `json:"id"`
	Merchant  string `json:"merchant"`
	Programme string `json:"programme"`
	TermRequest
}

// TermRequest is what a merchant signs for one period.
type TermRequest struct {
	From            Date            `json:"from"`
	Months          int             `json:"months"`
	Template        string          `json:"template"`
	TemplateVersion string          `json:"templateVersion"`
	TextDigest      string          `json:"textDigest"`
	Commitments     []Commitment    `json:"commitments"`
	Signature       PledgeSignature `json:"signature"`
	Rule            RuleReference   `json:"rule"` // programme ruleset in force on From
}

// RenewPledge adds a period to a pledge.
type RenewPledge struct {
	ID string `json:"id"`
	TermRequest
}

// PublishPledge puts the latest term on the public list.
type PublishPledge struct {
	ID string `json:"id"`
}

// ChangePledge withdraws, restores or revokes a pledge for a reason.
type ChangePledge struct {
	ID     string       `json:"id"`
	Reason PledgeReason `json:"reason"`
}

// SuspendPledge shows a merchant the yellow or the red card.
type SuspendPledge struct {
	ID     string       `json:"id"`
	Card   Card         `json:"card"`
	Reason PledgeReason `json:"reason"`
}

// The events of the family.
const (
	EventPledgeSigned    EventType = "pledge.signed"
	EventPledgePublished EventType = "pledge.published"
	EventPledgeRenewed   EventType = "pledge.renewed"
	EventPledgeWithdrawn EventType = "pledge.withdrawn"
	EventPledgeSuspended EventType = "pledge.suspended"
	EventPledgeRestored  EventType = "pledge.restored"
	EventPledgeRevoked   EventType = "pledge.revoked"
)

// PledgeStanding is what a pledge amounts to on one day.
type PledgeStanding string

// The standings. Only StandingActive is shown as an assurance.
const (
	StandingPending   PledgeStanding = "pending"  // signed, waits for publication
	StandingUpcoming  PledgeStanding = "upcoming" // published, its term has not begun
	StandingActive    PledgeStanding = "active"
	StandingExpired   PledgeStanding = "expired"
	StandingSuspended PledgeStanding = "suspended"
	StandingWithdrawn PledgeStanding = "withdrawn"
	StandingRevoked   PledgeStanding = "revoked"
	StandingClosed    PledgeStanding = "merchant-closed" // a pledge belongs to a merchant that is there to keep it
)
