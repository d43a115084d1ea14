// Package verdict answers the four questions that somebody with a certificate
// in hand asks: is this file registered, does the certificate stand today, who
// issued it, and is it about the instrument before me. The answers are
// separate: none is derived from another, and "could not check" is an answer
// of its own. The package is pure; the caller brings the facts and the date.
//
// In its words 核验 is always the checking of a file, and 检定 the verification
// of an instrument.
package verdict

import "github.com/steelyard-ledger/steelyard/chaincode/metrology"

// Outcome is the answer to one question, in a word that programs may rely on.
type Outcome string

// Outcomes of any question.
const (
	CouldNotCheck Outcome = "could-not-check" // the facts were not to be had
	NotApplicable Outcome = "not-applicable"  // there is no certificate to ask about
)

// Outcomes of the question of integrity: is this file registered?
const (
	Registered        Outcome = "registered"         // its bytes are
	RegisteredContent Outcome = "registered-content" // its content is; signatures or comments differ
	NotRegistered     Outcome = "not-registered"     // says nothing against the file
	FileNotShown      Outcome = "file-not-shown"     // asked by number alone
)

// Outcomes of the question of status: does the certificate stand today? They
// are the domain's, which says what each means.
const (
	Valid             = Outcome(metrology.StatusValid)
	NoTerm            = Outcome(metrology.StatusNoTerm)
	Expired           = Outcome(metrology.StatusExpired)
	Revoked           = Outcome(metrology.StatusRevoked)
	Superseded        = Outcome(metrology.StatusSuperseded)
	Failed            = Outcome(metrology.StatusFailed)
	FailedLater       = Outcome(metrology.StatusFailedLater)
	CalibrationOnly   = Outcome(metrology.StatusCalibrationOnly)
	DutyNotMet        = Outcome(metrology.StatusDutyNotMet)
	CycleOver         = Outcome(metrology.StatusCycleOver)
	RepairedSince     = Outcome(metrology.StatusRepairedSince)
	InstrumentFrozen  = Outcome(metrology.StatusInstrumentFrozen)
	InstrumentRetired = Outcome(metrology.StatusInstrumentRetired)
)

// Outcomes of the question of the issuer.
const (
	Authorized       Outcome = "authorized"      // it had authority for this on the day of the work
	AuthorityEnded   Outcome = "authority-ended" // it had, and has ended or been suspended since
	NotAuthorized    Outcome = "not-authorized"  // no grant covers this on the day of the work
	KeyCompromised           = Outcome(metrology.StatusKeyCompromised)
	IssuerUnknown    Outcome = "issuer-unknown"    // no such issuer on this ledger
	IssuerNotChecked Outcome = "issuer-unverified" // only what the evidence says; the register was not asked
)

// Outcomes of the question of match: is it about the instrument before me?
const (
	MatchUnknown Outcome = "unknown" // no serial number was given
	Match        Outcome = "match"   // the serial number given is in the certificate
	Mismatch     Outcome = "mismatch"
	NoSerial     Outcome = "no-serial" // the certificate names none
)

// Tone says how an answer may be shown. Nothing but Good may be green.
type Tone string

// The tones.
const (
	Good    Tone = "good"
	Neutral Tone = "neutral" // neither; such as a question nobody asked
	Caution Tone = "caution" // nothing good is shown, nothing bad either
	Bad     Tone = "bad"
	Unknown Tone = "unknown" // could not be checked
)

// Text is one statement in both languages.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Answer is the answer to one question.
type Answer struct {
	Outcome Outcome `json:"outcome"`
	Tone    Tone    `json:"tone"`
	Text    Text    `json:"text"`
}

// Statement says in plain words what an answer does not prove.
type Statement struct {
	Code string `json:"code"`
	Text Text   `json:"text"`
}

// Verdict is the four answers about one certificate.
type Verdict struct {
	Integrity Answer      `json:"integrity"`
	Status    Answer      `json:"status"`
	Issuer    Answer      `json:"issuer"`
	Match     Answer      `json:"match"`
	NotProven []Statement `json:"notProven"`
}

// Answers lists the four in their order.
func (v Verdict) Answers() [4]Answer { return [4]Answer{v.Integrity, v.Status, v.Issuer, v.Match} }

// Tone is the gravest of the four: bad, caution, unknown, neutral, good. It is
// good only if every question that was asked was answered well; a match that
// nobody asked for (MatchUnknown) leaves it as it is. A tone this program does
// not know, from a newer service, counts as unknown.
func (v Verdict) Tone() Tone {
	rank := map[Tone]int{Good: 0, Neutral: 1, Unknown: 2, Caution: 3, Bad: 4}
	worst := Good
	for _, answer := range v.Answers() {
		tone := answer.Tone
		if _, known := rank[tone]; !known {
			tone = Unknown
		}
		if answer.Outcome != MatchUnknown && rank[tone] > rank[worst] {
			worst = tone
		}
	}
	return worst
}

// Report is the answer of the service to one file or digest.
type Report struct {
	Day      metrology.Date     `json:"day"`     // in Asia/Shanghai, for which the status holds
	Digests  []metrology.Digest `json:"digests"` // that were asked for
	Findings []Finding          `json:"findings"`
	Ledger   Ledger             `json:"ledger"`
}

// Finding is one certificate that names the file, with its verdict. When none
// does, a report holds one finding without certificate.
type Finding struct {
	Certificate *Reference `json:"certificate,omitempty"`
	Verdict     Verdict    `json:"verdict"`
}

// Reference names a certificate and where it was anchored.
type Reference struct {
	ID            string                    `json:"id"` // hex RFC 6962 leaf hash
	Issuer        string                    `json:"issuer"`
	Number        string                    `json:"number"`
	Kind          metrology.CertificateKind `json:"kind"`
	Block         uint64                    `json:"block"`
	TransactionID string                    `json:"transactionId"`
	Time          string                    `json:"time"` // RFC 3339, the submitter's claim
}

// Ledger says how fresh the facts are.
type Ledger struct {
	Height   uint64 `json:"height"`
	LastTime string `json:"lastTime"` // claimed time of the newest transaction, RFC 3339
	Notice   string `json:"notice,omitempty"`
}
