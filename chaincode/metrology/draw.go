package metrology

import (
	"encoding/json"
	"fmt"
)

// The kinds of key that draws add to KindDraw.
const (
	KindDrawCount   Kind = "draw-count" // authority: value DrawCount
	KindObservation Kind = "obs"        // draw, MSP: value DrawObservation; needs a peer of that organisation
)

// The parts of a draw, as they follow its id in a key of KindDraw.
const (
	DrawPartPhase      = "phase"      // value Draw; the fence that every step reads
	DrawPartPlan       = "plan"       // the plan in its canonical form
	DrawPartObjects    = "objects"    // chunk: value DrawChunk
	DrawPartInspectors = "inspectors" // chunk: value DrawChunk
	DrawPartIneligible = "ineligible" // chunk: value DrawChunk
	DrawPartExclusions = "exclusions" // chunk: value DrawChunk
	DrawPartFreeze     = "freeze"     // value DrawFreeze
	DrawPartCommitment = "commitment" // MSP: value DrawCommitment
	DrawPartReveal     = "reveal"     // MSP: value DrawReveal
	DrawPartClose      = "close"      // value DrawClose
	DrawPartBeacon     = "beacon"     // value DrawBeacon
	DrawPartResult     = "result"     // value DrawResult
	DrawPartRefuted    = "refuted"    // number: value DrawResult, a posting that was voided
)

// DrawLists are the parts that directories consist of.
var DrawLists = []string{DrawPartObjects, DrawPartInspectors, DrawPartIneligible, DrawPartExclusions}

// DrawKey is the key of a part of a draw.
func DrawKey(id string, parts ...string) string {
	return Key(KindDraw, append([]string{id}, parts...)...)
}

// DrawChunkKey is the key of one chunk of a directory, counted from 0.
func DrawChunkKey(id, list string, chunk int) string {
	return DrawKey(id, list, fmt.Sprintf("%04d", chunk))
}

// DrawOrganizations contribute to every draw. The regulator files it; the
// others approve and observe.
var DrawOrganizations = []string{RegulatorMSP, InstituteMSP, AssociationMSP, NotaryMSP}

// DrawWitnesses are the organisations whose approvals and observations count.
var DrawWitnesses = []string{InstituteMSP, AssociationMSP, NotaryMSP}

// DrawPhase is the state of a draw.
type DrawPhase string

// The phases.
const (
	DrawPlanned    DrawPhase = "planned"    // filed, awaits another organisation
	DrawApproved   DrawPhase = "approved"   // directories are filed and published for objection
	DrawFrozen     DrawPhase = "frozen"     // awaits two other organisations
	DrawCommitting DrawPhase = "committing" // the freeze is in force
	DrawRevealing  DrawPhase = "revealing"
	DrawClosed     DrawPhase = "closed" // waits for observations and for the round
	DrawSeeded     DrawPhase = "seeded" // the beacon's round is on the ledger: the outcome is settled
	DrawSealed     DrawPhase = "sealed" // a holder of the secret has committed to the outcome
	DrawDrawn      DrawPhase = "drawn"
	DrawInfeasible DrawPhase = "infeasible" // the outcome leaves slots that nobody can fill
	DrawCancelled  DrawPhase = "cancelled"
	DrawVoid       DrawPhase = "void"
)

// DrawPhases lists all phases.
var DrawPhases = []DrawPhase{
	DrawPlanned, DrawApproved, DrawFrozen, DrawCommitting, DrawRevealing, DrawClosed, DrawSeeded, DrawSealed, DrawDrawn, DrawInfeasible,
	DrawCancelled, DrawVoid,
}

// DrawCommand is a step of a draw.
type DrawCommand string

// The steps. Each changes the phase record but those of one organisation
// (commit, reveal, observe), which only read it.
const (
	DrawFile          DrawCommand = "plan"
	DrawApprove       DrawCommand = "approve"
	DrawAcceptEscrow  DrawCommand = "accept-escrow" // of a sealed draw's secret, by the notary
	DrawFileDirectory DrawCommand = "file-directory"
	DrawSetFreeze     DrawCommand = "freeze"
	DrawApproveFreeze DrawCommand = "approve-freeze"
	DrawEnactFreeze   DrawCommand = "enact-freeze" // the last approval needed
	DrawCommit        DrawCommand = "commit"
	DrawOpen          DrawCommand = "open"
	DrawRevealSecret  DrawCommand = "reveal"
	DrawSetClose      DrawCommand = "close"
	DrawObserve       DrawCommand = "observe"
	DrawSeed          DrawCommand = "beacon"
	DrawCommitLeaves  DrawCommand = "commit-leaves" // of a sealed result, by a holder of the secret
	DrawPost          DrawCommand = "result"        // of an open draw, or by the opening of a sealed one
	DrawFail          DrawCommand = "fail"          // the result cannot be assigned
	DrawCancel        DrawCommand = "cancel"
	DrawAnnul         DrawCommand = "void"
	DrawChallenge     DrawCommand = "challenge" // voids a posted result
)

// DrawTransitions is the state machine of a draw. Cancelling ends when reveals
// open; from there on a draw has its outcome or is void. A challenge voids what
// was posted as the outcome, never the outcome itself.
var DrawTransitions = Transitions[DrawPhase, DrawCommand]{
	"":             {DrawFile: DrawPlanned},
	DrawPlanned:    {DrawAcceptEscrow: DrawPlanned, DrawApprove: DrawApproved, DrawCancel: DrawCancelled},
	DrawApproved:   {DrawAcceptEscrow: DrawApproved, DrawFileDirectory: DrawApproved, DrawSetFreeze: DrawFrozen, DrawCancel: DrawCancelled},
	DrawFrozen:     {DrawApproveFreeze: DrawFrozen, DrawEnactFreeze: DrawCommitting, DrawCancel: DrawCancelled, DrawAnnul: DrawVoid},
	DrawCommitting: {DrawCommit: DrawCommitting, DrawOpen: DrawRevealing, DrawCancel: DrawCancelled, DrawAnnul: DrawVoid},
	DrawRevealing:  {DrawRevealSecret: DrawRevealing, DrawSetClose: DrawClosed, DrawAnnul: DrawVoid},
	DrawClosed:     {DrawObserve: DrawClosed, DrawSeed: DrawSeeded, DrawAnnul: DrawVoid},
	DrawSeeded:     {DrawCommitLeaves: DrawSealed, DrawPost: DrawDrawn, DrawFail: DrawInfeasible},
	DrawSealed:     {DrawCommitLeaves: DrawSealed, DrawPost: DrawDrawn, DrawFail: DrawInfeasible},
	DrawDrawn:      {DrawChallenge: DrawSeeded},
	DrawInfeasible: {DrawChallenge: DrawSeeded},
}

// DrawReason says why a draw was cancelled.
type DrawReason string

// The reasons for cancelling.
const (
	DrawPlanMistaken      DrawReason = "plan-mistaken"
	DrawDirectoryMistaken DrawReason = "directory-mistaken" // an objection was right
	DrawTaskWithdrawn     DrawReason = "task-withdrawn"     // the superior plan was changed
	DrawForceMajeure      DrawReason = "force-majeure"
)

// ExclusionReason says why a place of the register is not in the directory.
type ExclusionReason string

// The reasons for excluding a place.
const (
	ExcludedVisitCap   ExclusionReason = "visit-cap"    // visits recorded and reserved this year reach the cap
	ExcludedClosed     ExclusionReason = "closed"       // no longer in business
	ExcludedSuspended  ExclusionReason = "suspended"    // business suspended 歇业、停业整顿
	ExcludedScope      ExclusionReason = "out-of-scope" // has none of the matters of the plan
	ExcludedOtherDraw  ExclusionReason = "other-draw"   // stands in the directory of a joint draw
	ExcludedOpenCase   ExclusionReason = "open-case"    // under investigation
	ExcludedTooNewHere ExclusionReason = "too-new"      // opened after the cut-off
)

// ExclusionReasons lists the reasons.
var ExclusionReasons = []ExclusionReason{
	ExcludedVisitCap, ExcludedClosed, ExcludedSuspended, ExcludedScope, ExcludedOtherDraw, ExcludedOpenCase, ExcludedTooNewHere,
}

// DrawTerms are the members of a plan that the protocol reads
// (chaincode/draw/TRANSCRIPT.md). The plan's other members are free.
type DrawTerms struct {
	Authority     string    `json:"authority"`    // division code of who files it
	Title         string    `json:"title"`        // what is drawn for
	Regulator     string    `json:"regulator"`    // MSP
	Observations  int       `json:"observations"` // how many organisations must have seen the close
	Margin        int64     `json:"margin"`       // seconds
	TimeWindow    int64     `json:"timeWindow"`   // seconds by which peers bound a transaction's time
	Demonstration bool      `json:"demonstration,omitempty"`
	Beacon        DrawChain `json:"beacon"`
	// Departments of a joint draw; none: the authority draws alone.
	Departments []DrawDepartment `json:"departments,omitempty"`
	Seal        string           `json:"seal,omitempty"`       // of a sealed draw; draws.md section 1
	OpenWithin  int64            `json:"openWithin,omitempty"` // seconds after the round by which a sealed draw is opened
	// Sampling names the ruleset whose ratios the plan's rates are; none: the
	// rates are the authority's own.
	Sampling *RuleReference `json:"sampling,omitempty"`
}

// DrawChain pins a beacon in a plan. Byte strings are lower-case hex.
type DrawChain struct {
	ChainHash   string `json:"chainHash"`
	Scheme      string `json:"scheme"`
	PublicKey   string `json:"publicKey"`
	Period      int64  `json:"period"`      // seconds
	GenesisTime int64  `json:"genesisTime"` // seconds since 1970
	GenesisSeed string `json:"genesisSeed"`
	BeaconID    string `json:"beaconId"`
}

// DrawApproval is another organisation's own transaction agreeing to a step.
type DrawApproval struct {
	Step string `json:"step"` // plan or freeze
	Org  string `json:"org"`
	Hash string `json:"hash"` // the plan hash or F
	Time int64  `json:"time"` // seconds since 1970, the submitter's claim, here and below
}

// Draw is the phase record of a draw, the one key that every step reads. A
// step that was endorsed on an earlier phase fails when it comes late.
type Draw struct {
	ID        string         `json:"id"`
	Phase     DrawPhase      `json:"phase"`
	PlanHash  string         `json:"planHash"`
	Terms     DrawTerms      `json:"terms"`
	Filed     int64          `json:"filed"`
	Approvals []DrawApproval `json:"approvals"`
	Freeze    string         `json:"freeze,omitempty"` // F
	Round     int64          `json:"round,omitempty"`
	RoundTime int64          `json:"roundTime,omitempty"` // when the round is due
	Escrowed  int64          `json:"escrowed,omitempty"`  // when the notary accepted the secret of a sealed draw
	OpenBy    int64          `json:"openBy,omitempty"`    // by when a sealed draw is opened
	Reason    DrawReason     `json:"reason,omitempty"`    // of a cancellation
	Ended     int64          `json:"ended,omitempty"`     // drawn, infeasible, cancelled or void
	ByFile    bool           `json:"byFile,omitempty"`    // the objects stand in a file; the result is posted by roots
	Refuted   int            `json:"refuted,omitempty"`   // how many posted results were voided
}

// DrawCount numbers an authority's draws without gaps. Numbers are never used
// again, whatever became of the draw.
type DrawCount struct {
	Filed int `json:"filed"`
}

// DrawObject is a place that can be drawn.
type DrawObject struct {
	ID      string `json:"id"`
	Stratum string `json:"stratum"`
	Weight  int64  `json:"weight"`
}

// DrawInspector is an inspector under an id made for this draw.
type DrawInspector struct {
	ID     string   `json:"id"`
	Cap    int64    `json:"cap"`
	Skills []string `json:"skills"`
	// Holder commits to the subject behind the id (draw.InspectorHolder); without
	// it no inspection can cite the draw.
	Holder string `json:"holder,omitempty"`
}

// DrawExclusion is a place left out of the directory.
type DrawExclusion struct {
	ID     string          `json:"id"`
	Reason ExclusionReason `json:"reason"`
}

// DrawChunk is a part of one list of the directories; exactly the member of
// its list is there.
type DrawChunk struct {
	Objects    []DrawObject    `json:"objects,omitempty"`
	Inspectors []DrawInspector `json:"inspectors,omitempty"`
	Ineligible [][]string      `json:"ineligible,omitempty"` // [inspector, object]; the pair is public, its reason is not
	Exclusions []DrawExclusion `json:"exclusions,omitempty"`
}

// DrawChunks says of how many chunks each list consists.
type DrawChunks struct {
	Objects    int `json:"objects"`
	Inspectors int `json:"inspectors"`
	Ineligible int `json:"ineligible"`
	Exclusions int `json:"exclusions"`
}

// DrawFreeze is what the write-once key of a freeze holds.
type DrawFreeze struct {
	PlanHash       string     `json:"planHash"`
	ObjectsRoot    string     `json:"objectsRoot"`
	Objects        int64      `json:"objects"`
	InspectorsRoot string     `json:"inspectorsRoot"`
	Inspectors     int64      `json:"inspectors"`
	IneligibleRoot string     `json:"ineligibleRoot"`
	Ineligible     int64      `json:"ineligible"`
	Freeze         string     `json:"freeze"` // F
	Round          int64      `json:"round"`
	Chunks         DrawChunks `json:"chunks"`
	Time           int64      `json:"time"`
	// Strata sums up a directory of objects that stands in a file, by name.
	Strata []DrawTotal `json:"strata,omitempty"`
}

// DrawCommitment is an organisation's commitment.
type DrawCommitment struct {
	Org        string `json:"org"`
	Commitment string `json:"commitment"`
	Time       int64  `json:"time"`
}

// DrawReveal is the secret behind an organisation's commitment.
type DrawReveal struct {
	Org    string `json:"org"`
	Secret string `json:"secret"`
	Time   int64  `json:"time"`
}

// DrawClose ends the contributions.
type DrawClose struct {
	Freeze       string   `json:"freeze"`
	Contribution string   `json:"contribution"` // C
	Withheld     []string `json:"withheld"`     // organisations that committed and did not reveal
	Time         int64    `json:"time"`
}

// DrawObservation is an organisation's statement, through its own peer, that
// it has seen the close. Filing the draw creates it without a time.
type DrawObservation struct {
	Draw         string `json:"draw"`
	Org          string `json:"org"`
	Freeze       string `json:"freeze,omitempty"`
	Contribution string `json:"contribution,omitempty"`
	Time         int64  `json:"time,omitempty"`
}

// DrawBeacon is the round's signature.
type DrawBeacon struct {
	Round     int64  `json:"round"`
	Signature string `json:"signature"`
	Time      int64  `json:"time"`
}

// DrawResult is the outcome: as the contract recomputed it, or as somebody
// posted it by its roots, open to challenge.
type DrawResult struct {
	Result     json.RawMessage  `json:"result,omitempty"`     // as `draw compute` gives it, recomputed
	Standby    []DrawStandby    `json:"standby,omitempty"`    // the ranks that follow the quota
	Loads      map[string]int64 `json:"loads,omitempty"`      // inspector → objects
	Infeasible string           `json:"infeasible,omitempty"` // the deficient set, where slots cannot be filled
	Time       int64            `json:"time"`
	Posting    json.RawMessage  `json:"posting,omitempty"`  // lists by their roots (chaincode/draw/POSTING.md), not recomputed
	Seed       string           `json:"seed,omitempty"`     // of a posting: the one that tickets follow from
	PostedBy   string           `json:"postedBy,omitempty"` // MSP
	Refuted    *DrawRefuted     `json:"refuted,omitempty"`  // why a posting was voided
}

// DrawStandby lists the standby ranks of a stratum.
type DrawStandby struct {
	Stratum string   `json:"stratum"`
	Objects []string `json:"objects"`
}

// The events of the family.
const (
	EventDrawPlanned        EventType = "draw.planned"
	EventDrawApproved       EventType = "draw.approved"
	EventDrawDirectoryFiled EventType = "draw.directory-filed"
	EventDrawFrozen         EventType = "draw.frozen"
	EventDrawFreezeApproved EventType = "draw.freeze-approved"
	EventDrawCommitted      EventType = "draw.committed"
	EventDrawOpened         EventType = "draw.opened"
	EventDrawRevealed       EventType = "draw.revealed"
	EventDrawClosed         EventType = "draw.closed"
	EventDrawObserved       EventType = "draw.observed"
	EventDrawSeeded         EventType = "draw.seeded"
	EventDrawDrawn          EventType = "draw.drawn"
	EventDrawInfeasible     EventType = "draw.found-infeasible"
	EventDrawCancelled      EventType = "draw.cancelled"
	EventDrawVoided         EventType = "draw.voided"
	EventDrawRefuted        EventType = "draw.result-refuted"
)
