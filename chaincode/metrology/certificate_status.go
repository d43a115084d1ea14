package metrology

import "strings"

// CertificateStatus is how a certificate stands on a day, in a word that
// programs may rely on.
type CertificateStatus string

// The statuses of a certificate. All but the last answer the question whether
// it stands today; the last is about who signed it.
const (
	StatusValid             CertificateStatus = "valid"
	StatusNoTerm            CertificateStatus = "no-term"            // it states no end
	StatusExpired           CertificateStatus = "expired"            // after its last day
	StatusRevoked           CertificateStatus = "revoked"            // 撤销
	StatusSuperseded        CertificateStatus = "superseded"         // 替换
	StatusFailed            CertificateStatus = "failed"             // it is a 检定结果通知书
	StatusFailedLater       CertificateStatus = "failed-later"       // its instrument failed a later verification
	StatusCalibrationOnly   CertificateStatus = "calibration-only"   // data without a verdict; answers no duty to verify
	StatusDutyNotMet        CertificateStatus = "duty-not-met"       // calibration of an instrument under compulsory verification
	StatusCycleOver         CertificateStatus = "cycle-over"         // it states no end, and its instrument's verification cycle is over
	StatusRepairedSince     CertificateStatus = "repaired-since"     // its instrument was repaired after the work
	StatusInstrumentFrozen  CertificateStatus = "instrument-frozen"  // its instrument is sealed or in dispute
	StatusInstrumentRetired CertificateStatus = "instrument-retired" // its instrument was taken out of use
	StatusKeyCompromised    CertificateStatus = "key-compromised"    // the key that signed it was reported stolen
)

// CertificateStatuses lists all statuses.
func CertificateStatuses() []CertificateStatus {
	return []CertificateStatus{
		StatusValid, StatusNoTerm, StatusExpired, StatusRevoked, StatusSuperseded, StatusFailed, StatusFailedLater, StatusCalibrationOnly,
		StatusDutyNotMet, StatusCycleOver, StatusRepairedSince, StatusInstrumentFrozen, StatusInstrumentRetired, StatusKeyCompromised,
	}
}

// CertificateFacts are what a certificate's status on a day rests on.
type CertificateFacts struct {
	Leaf           Leaf
	State          CertificateState
	FailedLater    bool                  // an instrument of it failed a later verification
	KeyCompromised bool                  // the key that signed its batch was reported stolen
	Instruments    map[string]Instrument // the ledger's records of those the leaf names by id; a missing one is not used
	Serial         string                // read on the nameplate; empty: not said
	Today          Date                  // in Asia/Shanghai
}

// Status answers whether the certificate stands today, whoever signed it. It
// goes from the gravest downwards; the first that holds is the answer.
func (f CertificateFacts) Status() CertificateStatus {
	verification := f.Leaf.Kind.Verification()
	switch {
	case f.State == CertificateRevoked:
		return StatusRevoked
	case f.State == CertificateSuperseded:
		return StatusSuperseded
	case f.Leaf.Kind == KindResultNotice:
		return StatusFailed
	case !verification && f.any(Instrument.UnderDuty):
		return StatusDutyNotMet
	case f.FailedLater:
		return StatusFailedLater
	case f.any(f.repairedSince):
		return StatusRepairedSince
	case f.Leaf.ValidUntil != "" && f.Leaf.ValidUntil.Before(f.Today): // the last day is included
		return StatusExpired
	case verification && f.Leaf.ValidUntil == "" && f.any(f.cycleOver):
		return StatusCycleOver
	case f.any(frozen):
		return StatusInstrumentFrozen
	case f.any(retired):
		return StatusInstrumentRetired
	case !verification:
		return StatusCalibrationOnly
	case f.Leaf.ValidUntil == "":
		return StatusNoTerm
	}
	return StatusValid
}

// Standing is the one word for where there is no room for two answers, such as
// a list: the status, unless a stolen key may have made the statement.
func (f CertificateFacts) Standing() CertificateStatus {
	status := f.Status()
	switch status {
	case StatusRevoked, StatusSuperseded, StatusFailed: // nobody relies on it either way
		return status
	}
	if f.KeyCompromised {
		return StatusKeyCompromised
	}
	return status
}

// any reports whether something holds of an instrument that the answer is
// about: the one whose serial number was given, if the certificate names it,
// and otherwise any that it names.
func (f CertificateFacts) any(holds func(Instrument) bool) bool {
	given := FoldSerial(f.Serial)
	holdsOfAny := false
	for _, named := range f.Leaf.Instruments {
		instrument, known := f.Instruments[named.ID]
		if !known {
			continue
		}
		if given != "" && given == FoldSerial(instrument.Serial) {
			return holds(instrument)
		}
		holdsOfAny = holdsOfAny || holds(instrument)
	}
	return holdsOfAny
}

// repairedSince reports whether the instrument was repaired after the work. On
// the day of the work itself the record does not tell which came first; then
// its state does.
func (f CertificateFacts) repairedSince(instrument Instrument) bool {
	performed := f.Leaf.Performed
	return instrument.State == InstrumentRepaired && !instrument.Repaired.Before(performed) || performed.Before(instrument.Repaired)
}

// cycleOver reports whether the cycle of the instrument's rule is over; it
// stands in for a last day that the certificate does not state.
func (f CertificateFacts) cycleOver(instrument Instrument) bool {
	return instrument.CycleMonths > 0 && f.Leaf.Performed.AddMonths(instrument.CycleMonths).Before(f.Today)
}

func frozen(instrument Instrument) bool {
	return instrument.State == InstrumentInDispute || instrument.State == InstrumentSealed
}

func retired(instrument Instrument) bool { return instrument.State == InstrumentRetired }

// FoldSerial takes away what typing changes in a serial number: letter case,
// full-width forms and spaces at the ends. Everything else must agree.
func FoldSerial(serial string) string {
	half := strings.Map(func(c rune) rune {
		if c >= 0xFF01 && c <= 0xFF5E { // full-width ASCII
			return c - 0xFEE0
		}
		return c
	}, serial)
	return strings.ToUpper(strings.TrimSpace(half))
}
