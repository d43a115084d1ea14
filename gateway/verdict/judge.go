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
	case !certificate.Leaf.Kind.Verification() && facts.underDuty():
		return DutyNotMet
	case certificate.FailedLater:
		return FailedLater
	case !certificate.Leaf.Kind.Verification():
		return CalibrationOnly
	case certificate.Leaf.ValidUntil == "":
		return NoTerm
	case certificate.Leaf.ValidUntil.Before(facts.Today): // the last day is included
		return Expired
	}
	return Valid
}

// underDuty reports whether an instrument of the certificate is under
// compulsory verification.
func (f Facts) underDuty() bool {
	for _, named := range f.Certificate.Leaf.Instruments {
		instrument, known := f.Instruments[named.ID]
		if known && instrument.Use.Compulsory() && instrument.Mode != metrology.ModeNone {
			return true
		}
	}
	return false
}

// issuer judges the authority on the day of the work, as the contract did when
// it anchored, and then what became of the issuer and its key.
func issuer(facts Facts) Outcome {
	if facts.Issuer == nil {
		return IssuerUnknown
	}
	for _, key := range facts.Issuer.Keys {
		if key.ID == facts.Certificate.Key && key.Reason == metrology.KeyCompromised {
			return KeyCompromised
		}
	}
	leaf := facts.Certificate.Leaf
	for _, instrument := range leaf.Instruments {
		if _, covered := facts.Issuer.AuthorityFor(leaf.Kind, instrument.Category, leaf.Regulation, leaf.Performed); !covered {
			return NotAuthorized
		}
	}
	if facts.Issuer.State != metrology.IssuerActive {
		return AuthorityEnded
	}
	return Authorized
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
	add(leaf.Kind.Verification(), "accurate-only-then")
	add(true, "time-is-claimed")
	add(facts.Embedded, "one-operator")
	return list
}
