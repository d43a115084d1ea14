package metrology

import (
	"encoding/json"
	"slices"
)

// Use is what an instrument is used for. Only the first four put it under
// compulsory verification (计量法 Art. 9), if the catalogue lists it.
type Use string

// The uses.
const (
	UseTrade       Use = "trade-settlement" // 贸易结算
	UseSafety      Use = "safety"           // 安全防护
	UseMedical     Use = "medical"          // 医疗卫生
	UseEnvironment Use = "environmental"    // 环境监测
	UseOther       Use = "other"
)

// CompulsoryUses put a listed instrument under compulsory verification.
var CompulsoryUses = []Use{UseTrade, UseSafety, UseMedical, UseEnvironment}

// Compulsory reports whether the use puts a listed instrument under compulsory
// verification.
func (u Use) Compulsory() bool { return slices.Contains(CompulsoryUses, u) }

// VerificationMode is how an instrument is verified, after the catalogue of
// 2020 No. 42.
type VerificationMode string

// The modes.
const (
	ModePeriodic      VerificationMode = "periodic"       // 周期检定
	ModeFirstUntilBad VerificationMode = "first-scrap"    // 首次强制检定，失准报废
	ModeFirstRotation VerificationMode = "first-rotation" // 首次强制检定，限期使用到期轮换
	ModeNone          VerificationMode = "none"           // not under compulsory verification
)

// Delivery is where an instrument is verified (送检方式).
type Delivery string

// The ways of delivery.
const (
	DeliveryOnSite Delivery = "on-site" // 现场检定
	DeliverySent   Delivery = "sent"    // 送检
)

// PartKind says what a part of an instrument is.
type PartKind string

// The kinds of part.
const (
	PartNozzle    PartKind = "nozzle"    // 加油枪
	PartSeal      PartKind = "seal"      // 铅封
	PartMainboard PartKind = "mainboard" // 计量主板、编码器
	PartOther     PartKind = "other"
)

// Part is a part that is addressed or sealed apart, such as a nozzle.
type Part struct {
	ID     string   `json:"id"` // unique within the instrument
	Kind   PartKind `json:"kind"`
	Serial string   `json:"serial,omitempty"` // or the number on a seal
}

// ExternalID is a code the instrument already carries elsewhere.
type ExternalID struct {
	Scheme string `json:"scheme"` // identifier, such as e-cqs, production-code, repair-code, verification-code
	Value  string `json:"value"`
}

// InstrumentState is the state of an instrument. What depends on the day
// (verified, due, overdue) is computed on reading.
type InstrumentState string

// The states of an instrument.
const (
	InstrumentRegistered InstrumentState = "registered" // 已备案
	InstrumentInUse      InstrumentState = "in-use"     // 在用
	InstrumentRepaired   InstrumentState = "repaired"   // 修理后待检定: may not be used before it is verified again
	InstrumentInDispute  InstrumentState = "in-dispute" // 计量纠纷: technical state frozen (计量法实施细则 Art. 35)
	InstrumentSealed     InstrumentState = "sealed"     // 封存、先行登记保存
	InstrumentRetired    InstrumentState = "retired"    // 报废、停用
)

// InstrumentCommand is a command that may change an instrument.
type InstrumentCommand string

// The commands on an instrument. A dispute or a seal ends by one of three
// commands, which its outcome and the state before choose.
const (
	InstrumentRegister    InstrumentCommand = "register"
	InstrumentAmend       InstrumentCommand = "amend"
	InstrumentReplace     InstrumentCommand = "replace-parts"
	InstrumentPutInUse    InstrumentCommand = "put-in-use"
	InstrumentRepair      InstrumentCommand = "repair"
	InstrumentReverify    InstrumentCommand = "reverify"
	InstrumentVerify      InstrumentCommand = "verify" // a certificate is anchored for it; leaves the record alone
	InstrumentOpenDispute InstrumentCommand = "open-dispute"
	InstrumentSeal        InstrumentCommand = "seal"
	InstrumentRelease     InstrumentCommand = "release"                  // back to where it was
	InstrumentReleaseTest InstrumentCommand = "release-for-verification" // released, to be verified before use
	InstrumentCondemn     InstrumentCommand = "condemn"                  // found wrong in a dispute
	InstrumentRetire      InstrumentCommand = "retire"
)

// InstrumentTransitions is the state machine of an instrument. In a dispute
// nothing may be done to it but deciding the dispute; sealed evidence cannot
// be retired.
var InstrumentTransitions = Transitions[InstrumentState, InstrumentCommand]{
	"": {InstrumentRegister: InstrumentRegistered},
	InstrumentRegistered: {
		InstrumentAmend: InstrumentRegistered, InstrumentReplace: InstrumentRegistered, InstrumentVerify: InstrumentRegistered,
		InstrumentPutInUse: InstrumentInUse, InstrumentRepair: InstrumentRepaired, InstrumentSeal: InstrumentSealed,
		InstrumentRetire: InstrumentRetired,
	},
	InstrumentInUse: {
		InstrumentAmend: InstrumentInUse, InstrumentVerify: InstrumentInUse, InstrumentRepair: InstrumentRepaired,
		InstrumentOpenDispute: InstrumentInDispute, InstrumentSeal: InstrumentSealed, InstrumentRetire: InstrumentRetired,
	},
	InstrumentRepaired: {
		InstrumentAmend: InstrumentRepaired, InstrumentReplace: InstrumentRepaired, InstrumentVerify: InstrumentRepaired,
		InstrumentRepair: InstrumentRepaired, InstrumentReverify: InstrumentInUse, InstrumentOpenDispute: InstrumentInDispute,
		InstrumentSeal: InstrumentSealed, InstrumentRetire: InstrumentRetired,
	},
	InstrumentInDispute: {
		InstrumentRelease: InstrumentInUse, InstrumentReleaseTest: InstrumentRepaired, InstrumentCondemn: InstrumentSealed,
	},
	InstrumentSealed: {
		InstrumentVerify:  InstrumentSealed,
		InstrumentRelease: InstrumentInUse, InstrumentReleaseTest: InstrumentRepaired,
	},
	InstrumentRetired: {InstrumentVerify: InstrumentRetired},
}

// InstrumentReason says why an instrument was repaired, disputed, sealed,
// released or retired.
type InstrumentReason string

// The reasons.
const (
	RepairAdjusted   InstrumentReason = "adjusted"         // 调整
	RepairPart       InstrumentReason = "part-replaced"    // 更换部件
	RepairSealBroken InstrumentReason = "seal-broken"      // 铅封拆动
	DisputeMediation InstrumentReason = "mediation"        // 计量调解
	DisputeArbitrate InstrumentReason = "arbitration"      // 仲裁检定
	SealEvidence     InstrumentReason = "evidence"         // 先行登记保存 (行政处罚法 Art. 56: decided within 7 days)
	SealFailed       InstrumentReason = "failed"           // 检定或检查不合格
	SealTampered     InstrumentReason = "tampered"         // 作弊装置、破坏铅封
	OutcomeConforms  InstrumentReason = "conforms"         // found right
	OutcomeDeviates  InstrumentReason = "deviates"         // found wrong
	OutcomeWithdrawn InstrumentReason = "withdrawn"        // dispute or seal withdrawn without a finding
	RetireScrapped   InstrumentReason = "scrapped"         // 报废
	RetireSold       InstrumentReason = "disposed"         // 转让、退还
	RetireLost       InstrumentReason = "lost"             // 遗失
	RetireRotated    InstrumentReason = "rotated"          // 到期轮换
	RetireMistake    InstrumentReason = "registered-error" // registered wrongly, or twice
)

// InstrumentDescription is what is said of an instrument and may be put right
// later (the e-CQS ledger fields, domain.md 3.1).
type InstrumentDescription struct {
	Name        string           `json:"name"`                // 器具名称
	Category    string           `json:"category"`            // 项别–种别: code in the catalogue
	Range       string           `json:"range,omitempty"`     // 测量范围, as on the nameplate
	Accuracy    string           `json:"accuracy,omitempty"`  // 准确度等级, as on the nameplate
	Origin      string           `json:"origin,omitempty"`    // 产地
	Use         Use              `json:"use"`                 // 用途
	Mode        VerificationMode `json:"mode"`                // 强制检定方式
	Delivery    Delivery         `json:"delivery"`            // 送检方式
	Region      string           `json:"region"`              // GB/T 2260, where it is used
	Site        string           `json:"site,omitempty"`      // site where it stands; none for a taximeter
	Owner       string           `json:"owner"`               // merchant
	User        string           `json:"user"`                // merchant who uses it and owes its verification
	CycleRule   *RuleReference   `json:"cycleRule,omitempty"` // ruleset of kind cycle, only with ModePeriodic; none: the certificate's own 有效期至 governs
	ExternalIDs []ExternalID     `json:"externalIds,omitempty"`
}

// UnderDuty reports whether the instrument is under compulsory verification.
func (d InstrumentDescription) UnderDuty() bool { return d.Use.Compulsory() && d.Mode != ModeNone }

// Instrument is the public record of one measuring instrument.
type Instrument struct {
	ID string `json:"id"`
	Nameplate
	InstrumentDescription
	Parts       []Part           `json:"parts,omitempty"`
	CycleMonths int              `json:"cycleMonths,omitempty"` // from the cycle rule named
	State       InstrumentState  `json:"state"`
	Before      InstrumentState  `json:"before,omitempty"`   // state before the dispute or seal
	Reason      InstrumentReason `json:"reason,omitempty"`   // of the last change of state
	Repaired    Date             `json:"repaired,omitempty"` // day of the last repair
	Previous    string           `json:"previous,omitempty"` // id of the retired record of the same nameplate, if there was one
	Registered  string           `json:"registered"`         // RFC 3339, the submitter's claim
}

// RegisterInstrument asks for a new instrument.
type RegisterInstrument struct {
	ID string `json:"id"`
	Nameplate
	InstrumentDescription
	Parts  []Part `json:"parts,omitempty"`
	Issuer string `json:"issuer,omitempty"` // institution the caller acts for, if its role is institute
}

// AmendInstrument replaces the description.
type AmendInstrument struct {
	ID string `json:"id"`
	InstrumentDescription
}

// ReplaceParts replaces the list of parts of an instrument not yet, or not, in
// use. On one in use a new part is a repair.
type ReplaceParts struct {
	ID    string `json:"id"`
	Parts []Part `json:"parts"`
}

// RepairInstrument records a repair; the instrument then needs verification.
type RepairInstrument struct {
	ID     string           `json:"id"`
	On     Date             `json:"on"`
	Reason InstrumentReason `json:"reason"`
	Parts  []Part           `json:"parts,omitempty"` // the new list, if it changed
}

// ReverifyInstrument returns a repaired instrument to use on the strength of
// an anchored certificate.
type ReverifyInstrument struct {
	ID   string          `json:"id"`
	Leaf json.RawMessage `json:"leaf"` // of the certificate, exactly its bytes; the ledger holds its hash
}

// InstrumentDecision names an instrument and a reason, for OpenDispute,
// CloseDispute, Seal, Unseal and Retire.
type InstrumentDecision struct {
	ID     string           `json:"id"`
	Reason InstrumentReason `json:"reason"`
}

// InstrumentAction names an instrument for the commands that need no more.
type InstrumentAction struct {
	ID string `json:"id"`
}

// The events of the family.
const (
	EventInstrumentRegistered    EventType = "instrument.registered"
	EventInstrumentAmended       EventType = "instrument.amended"
	EventInstrumentPartsReplaced EventType = "instrument.parts-replaced"
	EventInstrumentPutInUse      EventType = "instrument.put-in-use"
	EventInstrumentRepaired      EventType = "instrument.repaired"
	EventInstrumentReverified    EventType = "instrument.reverified"
	EventInstrumentDisputed      EventType = "instrument.dispute-opened"
	EventInstrumentDisputeClosed EventType = "instrument.dispute-closed"
	EventInstrumentSealed        EventType = "instrument.sealed"
	EventInstrumentUnsealed      EventType = "instrument.unsealed"
	EventInstrumentRetired       EventType = "instrument.retired"
)
