package metrology

// Authority is the ground on which an institution may issue documents. An
// institution may hold several, each as a Grant of its own.
type Authority string

// The kinds of authority.
const (
	AuthorityAuthorized  Authority = "authorized"           // 计量授权: statutory or authorised for compulsory verification (计量法 Art. 20)
	AuthorityEstablished Authority = "established-standard" // 建标: measurement standards assessed for its own work (计量法 Art. 7 to 9)
	AuthorityAccredited  Authority = "cnas"                 // CNAS accreditation: calibration only
)

// ScopeItem is one row of a scope: which instruments, by which regulation or
// method. Both are compared as exact text with what a leaf says.
type ScopeItem struct {
	Category   string `json:"category"`   // code in the catalogue of instruments
	Regulation string `json:"regulation"` // such as JJG 443-2023
}

// Grant is one authority with its scope and its validity, both ends included.
type Grant struct {
	Authority Authority   `json:"authority"`
	Number    string      `json:"number,omitempty"` // number of the certificate of authority
	From      Date        `json:"from"`
	Until     Date        `json:"until"`
	Scope     []ScopeItem `json:"scope"`
}

// IssuerKey is a public key that an issuer signs its batches with.
type IssuerKey struct {
	ID     string    `json:"id"`     // hex SHA-256 of the SubjectPublicKeyInfo
	Scheme string    `json:"scheme"` // signature.SchemeP256 or signature.SchemeSM2
	SPKI   []byte    `json:"spki"`   // DER SubjectPublicKeyInfo; base64 in JSON
	From   Date      `json:"from"`
	Until  Date      `json:"until"`
	Ended  string    `json:"ended,omitempty"` // RFC 3339, the submitter's claim: revoked at
	Reason KeyReason `json:"reason,omitempty"`
}

// KeyReason says why a key was revoked.
type KeyReason string

// The reasons to revoke a key.
const (
	KeyCompromised KeyReason = "compromised" // somebody else may have it
	KeyReplaced    KeyReason = "replaced"    // a newer key is in use
	KeyLost        KeyReason = "lost"        // nobody has it
)

// IssuerReason says why an issuer was suspended or ended.
type IssuerReason string

// The reasons to suspend or end an issuer.
const (
	IssuerInvestigated       IssuerReason = "under-investigation"   // 立案调查
	IssuerAssessmentFailed   IssuerReason = "assessment-failed"     // 考核不合格
	IssuerStandardsUntraced  IssuerReason = "standards-untraced"    // 计量标准未溯源或失准
	IssuerOwnRequest         IssuerReason = "own-request"           // 自行申请
	IssuerDissolved          IssuerReason = "dissolved"             // 注销、撤销建制
	IssuerMerged             IssuerReason = "merged"                // 合并; names a successor
	IssuerAuthorityWithdrawn IssuerReason = "authority-withdrawn"   // 撤销授权
	IssuerAuthorityLapsed    IssuerReason = "authority-not-renewed" // 授权到期未续
)

// SuspensionReasons and EndReasons say which reason fits which command.
var (
	SuspensionReasons = []IssuerReason{IssuerInvestigated, IssuerAssessmentFailed, IssuerStandardsUntraced, IssuerOwnRequest}
	EndReasons        = []IssuerReason{IssuerDissolved, IssuerMerged, IssuerAuthorityWithdrawn, IssuerAuthorityLapsed, IssuerOwnRequest}
)

// IssuerState is the state of an issuer's record.
type IssuerState string

// The states of an issuer.
const (
	IssuerActive    IssuerState = "active"
	IssuerSuspended IssuerState = "suspended" // may not anchor; may still revoke
	IssuerEnded     IssuerState = "ended"
)

// IssuerCommand is a command that may change an issuer.
type IssuerCommand string

// The commands on an issuer.
const (
	IssuerRegister  IssuerCommand = "register"
	IssuerAmend     IssuerCommand = "amend"
	IssuerAddKey    IssuerCommand = "add-key"
	IssuerRevokeKey IssuerCommand = "revoke-key"
	IssuerAppoint   IssuerCommand = "appoint"
	IssuerDismiss   IssuerCommand = "dismiss"
	IssuerSuspend   IssuerCommand = "suspend"
	IssuerResume    IssuerCommand = "resume"
	IssuerEnd       IssuerCommand = "end"
	IssuerPurge     IssuerCommand = "purge-profile"
	IssuerAnchor    IssuerCommand = "anchor" // certificates; leaves the issuer's record alone
)

// IssuerTransitions is the state machine of an issuer. An ended issuer can
// still lose keys, agents and its profile, and gains nothing.
var IssuerTransitions = Transitions[IssuerState, IssuerCommand]{
	"": {IssuerRegister: IssuerActive},
	IssuerActive: {
		IssuerAmend: IssuerActive, IssuerAddKey: IssuerActive, IssuerRevokeKey: IssuerActive, IssuerAppoint: IssuerActive,
		IssuerDismiss: IssuerActive, IssuerPurge: IssuerActive, IssuerAnchor: IssuerActive,
		IssuerSuspend: IssuerSuspended, IssuerEnd: IssuerEnded,
	},
	IssuerSuspended: {
		IssuerAmend: IssuerSuspended, IssuerRevokeKey: IssuerSuspended, IssuerAppoint: IssuerSuspended, IssuerDismiss: IssuerSuspended,
		IssuerPurge: IssuerSuspended, IssuerResume: IssuerActive, IssuerEnd: IssuerEnded,
	},
	IssuerEnded: {IssuerRevokeKey: IssuerEnded, IssuerDismiss: IssuerEnded, IssuerPurge: IssuerEnded},
}

// Issuer is the public record of an institution that issues certificates. Its
// name and address are in its Profile.
type Issuer struct {
	ID         string       `json:"id"`
	Region     string       `json:"region"` // GB/T 2260, of its seat
	Grants     []Grant      `json:"grants"`
	Keys       []IssuerKey  `json:"keys,omitempty"`
	Successor  string       `json:"successor,omitempty"` // issuer that answers for its certificates once it has ended
	State      IssuerState  `json:"state"`
	Reason     IssuerReason `json:"reason,omitempty"` // of the suspension or the end
	Registered string       `json:"registered"`       // RFC 3339, the submitter's claim
	Profile    bool         `json:"profile"`          // whether a profile was given and not purged since
}

// RegisterIssuer asks for a new issuer. The profile travels beside it.
type RegisterIssuer struct {
	ID     string  `json:"id"`
	Region string  `json:"region"`
	Grants []Grant `json:"grants"`
}

// AmendIssuer replaces region and grants; a new profile may travel beside it.
// What was granted on days gone by stays: a grant ends yesterday at the
// earliest, and a change of scope is another grant.
type AmendIssuer struct {
	ID      string  `json:"id"`
	Region  string  `json:"region"`
	Grants  []Grant `json:"grants"`
	Profile bool    `json:"profile,omitempty"` // a new profile travels beside it
}

// AddIssuerKey registers a public key.
type AddIssuerKey struct {
	ID    string `json:"id"`   // the issuer
	SPKI  []byte `json:"spki"` // DER SubjectPublicKeyInfo; base64 in JSON
	From  Date   `json:"from"`
	Until Date   `json:"until"`
}

// RevokeIssuerKey ends a key. Batches signed with it before stay as they are;
// they tell which key signed them.
type RevokeIssuerKey struct {
	ID     string    `json:"id"`  // the issuer
	Key    string    `json:"key"` // id of the key
	Reason KeyReason `json:"reason"`
}

// SuspendIssuer stops an issuer for a time.
type SuspendIssuer struct {
	ID     string       `json:"id"`
	Reason IssuerReason `json:"reason"`
}

// EndIssuer ends an issuer for good, with a successor where there is one.
type EndIssuer struct {
	ID        string       `json:"id"`
	Reason    IssuerReason `json:"reason"`
	Successor string       `json:"successor,omitempty"`
}

// IssuerAction names an issuer for the commands that need no more.
type IssuerAction struct {
	ID string `json:"id"`
}

// The events of the family.
const (
	EventIssuerRegistered    EventType = "issuer.registered"
	EventIssuerAmended       EventType = "issuer.amended"
	EventIssuerKeyAdded      EventType = "issuer.key-added"
	EventIssuerKeyRevoked    EventType = "issuer.key-revoked"
	EventIssuerAppointed     EventType = "issuer.agent-appointed"
	EventIssuerDismissed     EventType = "issuer.agent-dismissed"
	EventIssuerSuspended     EventType = "issuer.suspended"
	EventIssuerResumed       EventType = "issuer.resumed"
	EventIssuerEnded         EventType = "issuer.ended"
	EventIssuerProfilePurged EventType = "issuer.profile-purged"
)
