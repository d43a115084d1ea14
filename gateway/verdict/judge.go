package verdict

import (
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Facts are what is known of one certificate on one day.
type Facts struct {
	Today  metrology.Date   // in Asia/Shanghai
	Digest metrology.Digest // of the file shown; zero when asked by number

	// Certificate is nil when nothing is registered under the digest or number.
	Certificate *Certificate
	// Issuer is the issuer's record; nil when there is none.
	Issuer *metrology.Issuer
	// Instruments are the ledger's records of those the leaf names by id; one
	// that is missing is simply not used.
	Instruments map[string]metrology.Instrument
	// Serial is what the asker read on the nameplate; empty: not said.
	Serial string
	// Embedded says that the facts come from the embedded network.
	Embedded bool
}

// Certificate is an anchored certificate with what became of it.
type Certificate struct {
	Leaf        metrology.Leaf
	Renditions  []metrology.Digest
	State       metrology.CertificateState
	Key         string // id of the issuer's key that signed its batch
	FailedLater bool   // an instrument of it failed a later verification
}

// Judge answers the four questions.
func Judge(facts Facts) Verdict {
	if facts.Certificate == nil || facts.Digest != (metrology.Digest{}) && !facts.Certificate.names(facts.Digest) {
		return notRegistered(facts)
	}
	verdict := Verdict{
		Integrity: answer(integrity(facts.Digest)),
		Status:    answer(status(facts)),
		Issuer:    answer(issuer(facts)),
		Match:     answer(match(facts)),
	}
	verdict.NotProven = statements(facts, verdict)
	return verdict
}

// Unchecked is the verdict when the facts could not be had.
func Unchecked() Verdict {
	unknown := answer(CouldNotCheck)
	return Verdict{
		Integrity: unknown, Status: unknown, Issuer: unknown, Match: unknown,
		NotProven: []Statement{statement("nothing-checked")},
	}
}

// Anchored is the verdict on what offline evidence proves: that the leaf was
// anchored. It knows nothing of today.
func Anchored(facts Facts) Verdict {
	verdict := Judge(facts)
	if facts.Certificate == nil || verdict.Integrity.Outcome == NotRegistered {
		return verdict
	}
	verdict.Status, verdict.Issuer = answer(CouldNotCheck), answer(IssuerNotChecked)
	verdict.NotProven = append([]Statement{statement("not-today")}, statements(facts, verdict)...)
	return verdict
}

func notRegistered(facts Facts) Verdict {
	nothing := answer(NotApplicable)
	verdict := Verdict{Integrity: answer(NotRegistered), Status: nothing, Issuer: nothing, Match: nothing}
	verdict.NotProven = []Statement{statement("not-registered-is-not-forged")}
	if facts.Embedded {
		verdict.NotProven = append(verdict.NotProven, statement("one-operator"))
	}
	return verdict
}

func (c Certificate) names(digest metrology.Digest) bool {
	for _, named := range append(c.Leaf.Digests[:len(c.Leaf.Digests):len(c.Leaf.Digests)], c.Renditions...) {
		if named == digest {
			return true
		}
	}
	return false
}

func integrity(digest metrology.Digest) Outcome {
	switch digest.Algorithm {
	case "":
		return FileNotShown
	case metrology.AlgorithmC14NSHA256:
		return RegisteredContent
	}
	return Registered
}

// status goes from the gravest downwards; the first that holds is the answer.
func status(facts Facts) Outcome {
	certificate := facts.Certificate
	switch {
	case certificate.State == metrology.CertificateRevoked:
		return Revoked
	case certificate.State == metrology.CertificateSuperseded:
		return Superseded
	case certificate.Leaf.Kind == metrology.KindResultNotice:
		return Failed
	case !certificate.Leaf.Kind.Verification() && facts.any(underDuty):
		return DutyNotMet
	case certificate.FailedLater:
		return FailedLater
	case facts.any(repairedSince):
		return RepairedSince
	case certificate.Leaf.ValidUntil != "" && certificate.Leaf.ValidUntil.Before(facts.Today): // the last day is included
		return Expired
	case certificate.Leaf.Kind.Verification() && certificate.Leaf.ValidUntil == "" && facts.any(cycleOver):
		return CycleOver
	case facts.any(frozen):
		return InstrumentFrozen
	case facts.any(retired):
		return InstrumentRetired
	case !certificate.Leaf.Kind.Verification():
		return CalibrationOnly
	case certificate.Leaf.ValidUntil == "":
		return NoTerm
	}
	return Valid
}

// any reports whether something holds of an instrument that the answer is
// about: the one whose serial number was given, if the certificate names it,
// and otherwise any that it names.
func (f Facts) any(holds func(Facts, metrology.Instrument) bool) bool {
	given := foldSerial(f.Serial)
	holdsOfAny := false
	for _, named := range f.Certificate.Leaf.Instruments {
		instrument, known := f.Instruments[named.ID]
		if !known {
			continue
		}
		if given != "" && given == foldSerial(instrument.Serial) {
			return holds(f, instrument)
		}
		holdsOfAny = holdsOfAny || holds(f, instrument)
	}
	return holdsOfAny
}

func underDuty(_ Facts, instrument metrology.Instrument) bool { return instrument.UnderDuty() }

// repairedSince reports whether the instrument was repaired after the work. On
// the day of the work itself the record does not tell which came first; then
// its state does.
func repairedSince(f Facts, instrument metrology.Instrument) bool {
	performed := f.Certificate.Leaf.Performed
	return instrument.State == metrology.InstrumentRepaired && !instrument.Repaired.Before(performed) ||
		performed.Before(instrument.Repaired)
}

// cycleOver reports whether the cycle of the instrument's rule is over; it
// stands in for a last day that the certificate does not state.
func cycleOver(f Facts, instrument metrology.Instrument) bool {
	return instrument.CycleMonths > 0 && f.Certificate.Leaf.Performed.AddMonths(instrument.CycleMonths).Before(f.Today)
}

func frozen(_ Facts, instrument metrology.Instrument) bool {
	return instrument.State == metrology.InstrumentInDispute || instrument.State == metrology.InstrumentSealed
}

func retired(_ Facts, instrument metrology.Instrument) bool {
	return instrument.State == metrology.InstrumentRetired
}

// issuer judges what became of the key, then the authority on the day of the
// work, as the contract did when it anchored, then what became of the issuer.
func issuer(facts Facts) Outcome {
	if facts.Issuer == nil {
		return IssuerUnknown
	}
	for _, key := range facts.Issuer.Keys {
		if key.ID == facts.Certificate.Key && key.Reason == metrology.KeyCompromised {
			return KeyCompromised
		}
	}
	if _, covered := authority(facts); !covered {
		return NotAuthorized
	}
	if facts.Issuer.State != metrology.IssuerActive {
		return AuthorityEnded
	}
	return Authorized
}

// authority is the weakest ground on which the issuer did its work; covered
// is false where it had none.
func authority(facts Facts) (weakest metrology.Authority, covered bool) {
	leaf := facts.Certificate.Leaf
	weakest = metrology.AuthorityAuthorized
	for _, named := range leaf.Instruments {
		work := metrology.Work{
			Kind: leaf.Kind, Category: named.Category, Regulation: leaf.Regulation,
			Compulsory: facts.Instruments[named.ID].UnderDuty(), // false where the ledger has no record
		}
		ground, found := facts.Issuer.AuthorityFor(work, leaf.Performed)
		if !found {
			return "", false
		}
		if ground != metrology.AuthorityAuthorized {
			weakest = ground
		}
	}
	return weakest, true
}

// onOwnStandards reports whether a verification rests on standards assessed
// for their holder's own work.
func onOwnStandards(facts Facts) bool {
	if facts.Issuer == nil || !facts.Certificate.Leaf.Kind.Verification() {
		return false
	}
	ground, covered := authority(facts)
	return covered && ground == metrology.AuthorityEstablished
}

// match compares the serial number read on the nameplate with those the
// certificate names. Where the ledger's record of an instrument disagrees with
// the certificate, nothing matches.
func match(facts Facts) Outcome {
	given := foldSerial(facts.Serial)
	if given == "" {
		return MatchUnknown
	}
	named := false
	for _, instrument := range facts.Certificate.Leaf.Instruments {
		serial := foldSerial(instrument.Serial)
		if recorded, known := facts.Instruments[instrument.ID]; known {
			onLedger := foldSerial(recorded.Serial)
			if serial == "" {
				serial = onLedger
			} else if onLedger != serial {
				named = true
				continue
			}
		}
		named = named || serial != ""
		if serial == given {
			return Match
		}
	}
	if !named {
		return NoSerial
	}
	return Mismatch
}

// foldSerial takes away what typing changes: letter case, full-width forms and
// spaces at the ends. Everything else must agree.
func foldSerial(serial string) string {
	half := strings.Map(func(c rune) rune {
		if c >= 0xFF01 && c <= 0xFF5E { // full-width ASCII
			return c - 0xFEE0
		}
		return c
	}, serial)
	return strings.ToUpper(strings.TrimSpace(half))
}

// statements lists what the answers do not prove.
func statements(facts Facts, verdict Verdict) []Statement {
	var list []Statement
	add := func(when bool, code string) {
		if when {
			list = append(list, statement(code))
		}
	}
	leaf := facts.Certificate.Leaf
	add(verdict.Integrity.Outcome == FileNotShown, "file-not-compared")
	add(verdict.Integrity.Outcome == RegisteredContent, "signature-not-checked")
	add(verdict.Match.Outcome != Match, "instrument-not-compared")
	add(verdict.Match.Outcome == Match, "serial-can-be-copied")
	add(!leaf.Kind.Verification(), "calibration-is-no-verification")
	add(onOwnStandards(facts), "own-standards")
	add(leaf.Kind.Verification(), "accurate-only-then")
	add(true, "time-is-claimed")
	add(facts.Embedded, "one-operator")
	return list
}
