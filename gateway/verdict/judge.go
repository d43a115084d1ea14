package verdict

import (
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

// status answers with the domain's own word, whoever signed: the question of
// the issuer is apart.
func status(facts Facts) Outcome {
	certificate := facts.Certificate
	return Outcome(metrology.CertificateFacts{
		Leaf: certificate.Leaf, State: certificate.State, FailedLater: certificate.FailedLater,
		Instruments: facts.Instruments, Serial: facts.Serial, Today: facts.Today,
	}.Status())
}

// issuer judges what became of the key, then the authority on the day of the
// work, as the contract did when it anchored, then what became of the issuer.
func issuer(facts Facts) Outcome {
	if facts.Issuer == nil {
		return IssuerUnknown
	}
	if facts.Issuer.KeyStolen(facts.Certificate.Key) {
		return KeyCompromised
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
	given := metrology.FoldSerial(facts.Serial)
	if given == "" {
		return MatchUnknown
	}
	named := false
	for _, instrument := range facts.Certificate.Leaf.Instruments {
		serial := metrology.FoldSerial(instrument.Serial)
		if recorded, known := facts.Instruments[instrument.ID]; known {
			onLedger := metrology.FoldSerial(recorded.Serial)
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
