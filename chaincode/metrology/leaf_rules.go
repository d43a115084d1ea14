package metrology

import "fmt"

// Bounds of a leaf. They are limits of this format, not of any regulation.
const (
	maxLeafInstruments = 200
	maxLeafDigests     = 8
	maxLeafText        = 128 // bytes of UTF-8
	maxIDBytes         = 64
	digestHexDigits    = 64 // all three algorithms give 32 bytes
)

// kindRule is one row of the table of kinds.
type kindRule struct {
	file        bool // a file exists, so at least one digest is required; otherwise none is allowed
	content     bool // the c14n-sha256 digest is required
	validity    bool // 有效期至 may be stated
	regulation  bool // the regulation is required
	category    bool // the catalogue category is required
	conclusions []Conclusion
}

// ruleOf gives the row of a kind. Sources: 强制检定管理办法 Art. 9 (pass →
// certificate or mark, fail → notice of result without validity); a
// calibration certificate gives data and no verdict, and the next date it may
// suggest is no validity.
func ruleOf(kind CertificateKind) (kindRule, bool) {
	good := []Conclusion{ConclusionPass, ConclusionClass}
	switch kind {
	case KindVerification:
		return kindRule{file: true, validity: true, regulation: true, category: true, conclusions: good}, true
	case KindMark:
		return kindRule{validity: true, regulation: true, category: true, conclusions: good}, true
	case KindResultNotice:
		return kindRule{file: true, regulation: true, category: true, conclusions: []Conclusion{ConclusionFail}}, true
	case KindCalibration:
		return kindRule{file: true, conclusions: []Conclusion{ConclusionNone}}, true
	case KindDCC:
		return kindRule{file: true, content: true, conclusions: []Conclusion{ConclusionNone}}, true
	}
	return kindRule{}, false
}

// Validate checks the rules of form: those that need nothing but the leaf.
// Scope, the issuer's validity and whether the number is taken are the
// contract's. Errors carry CodeInvalid and the field at fault.
func (l Leaf) Validate() error {
	rule, known := ruleOf(l.Kind)
	if !known {
		return FieldErrorf(CodeInvalid, "kind", "%q is not a kind of certificate", string(l.Kind))
	}
	if !isLeafID(l.Issuer) {
		return FieldErrorf(CodeInvalid, "issuer", "want 1 to %d of A-Z a-z 0-9 . _ -", maxIDBytes)
	}
	if err := checkText("number", l.Number, true); err != nil {
		return err
	}
	if err := checkText("regulation", l.Regulation, rule.regulation); err != nil {
		return err
	}
	if err := l.checkDates(rule); err != nil {
		return err
	}
	if err := l.checkDigests(rule); err != nil {
		return err
	}
	return l.checkInstruments(rule)
}

func (l Leaf) checkDates(rule kindRule) error {
	if err := CheckDate("performed", l.Performed); err != nil {
		return err
	}
	if err := CheckDate("issued", l.Issued); err != nil {
		return err
	}
	if l.Issued.Before(l.Performed) {
		return FieldErrorf(CodeInvalid, "issued", "issued on %s, before the work of %s", l.Issued, l.Performed)
	}
	if l.ValidUntil == "" {
		return nil // verified once for good, or no validity stated
	}
	if err := CheckDate("validUntil", l.ValidUntil); err != nil {
		return err
	}
	if !rule.validity {
		return FieldErrorf(CodeInvalid, "validUntil", "a %s states no validity", l.Kind)
	}
	if l.ValidUntil.Before(l.Issued) {
		return FieldErrorf(CodeInvalid, "validUntil", "expires on %s, before its issue on %s", l.ValidUntil, l.Issued)
	}
	return nil
}

func (l Leaf) checkDigests(rule kindRule) error {
	switch {
	case rule.file && len(l.Digests) == 0:
		return FieldErrorf(CodeInvalid, "digests", "a %s has a file, so it needs a digest", l.Kind)
	case !rule.file && len(l.Digests) > 0:
		return FieldErrorf(CodeInvalid, "digests", "a %s has no file, so it has no digest", l.Kind)
	case len(l.Digests) > maxLeafDigests:
		return FieldErrorf(CodeInvalid, "digests", "%d digests, more than %d", len(l.Digests), maxLeafDigests)
	}
	seen := make(map[Digest]bool, len(l.Digests))
	content := false
	for i, digest := range l.Digests {
		field := fmt.Sprintf("digests[%d]", i)
		if err := digest.check(field); err != nil {
			return err
		}
		if seen[digest] {
			return FieldErrorf(CodeInvalid, field, "the same digest twice")
		}
		seen[digest] = true
		content = content || digest.Algorithm == AlgorithmC14NSHA256
	}
	if rule.content && !content {
		return FieldErrorf(CodeInvalid, "digests",
			"a %s needs %s, since signatures added later change its bytes", l.Kind, AlgorithmC14NSHA256)
	}
	return nil
}

// Validate checks algorithm and length. Errors carry CodeInvalid.
func (d Digest) Validate() error { return d.check("digest") }

func (d Digest) check(field string) error {
	switch d.Algorithm {
	case AlgorithmSHA256, AlgorithmSM3, AlgorithmC14NSHA256:
	default:
		return FieldErrorf(CodeInvalid, field+".algorithm", "%q is not a digest algorithm", d.Algorithm)
	}
	if len(d.Value) != digestHexDigits {
		return FieldErrorf(CodeInvalid, field+".value", "%d digits, want %d", len(d.Value), digestHexDigits)
	}
	for _, c := range []byte(d.Value) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return FieldErrorf(CodeInvalid, field+".value", "want lower-case hexadecimal digits")
		}
	}
	return nil
}

func (l Leaf) checkInstruments(rule kindRule) error {
	if len(l.Instruments) == 0 || len(l.Instruments) > maxLeafInstruments {
		return FieldErrorf(CodeInvalid, "instruments", "%d instruments, want 1 to %d", len(l.Instruments), maxLeafInstruments)
	}
	ids := make(map[string]bool, len(l.Instruments))
	for i, instrument := range l.Instruments {
		field := fmt.Sprintf("instruments[%d]", i)
		if err := instrument.check(field, l.Kind, rule); err != nil {
			return err
		}
		if instrument.ID != "" && ids[instrument.ID] {
			return FieldErrorf(CodeInvalid, field+".id", "%s stands twice in one certificate", instrument.ID)
		}
		ids[instrument.ID] = true
	}
	return nil
}

func (i LeafInstrument) check(field string, kind CertificateKind, rule kindRule) error {
	if i.ID == "" && i.Serial == "" {
		return FieldErrorf(CodeInvalid, field+".serial", "an instrument without id needs its serial number")
	}
	if i.ID != "" && !isLeafID(i.ID) {
		return FieldErrorf(CodeInvalid, field+".id", "want 1 to %d of A-Z a-z 0-9 . _ -", maxIDBytes)
	}
	if err := checkText(field+".serial", i.Serial, false); err != nil {
		return err
	}
	if err := checkText(field+".category", i.Category, rule.category); err != nil {
		return err
	}
	if err := checkText(field+".class", i.Class, i.Conclusion == ConclusionClass); err != nil {
		return err
	}
	if i.Class != "" && i.Conclusion != ConclusionClass {
		return FieldErrorf(CodeInvalid, field+".class", "a class stands only with the conclusion %q", ConclusionClass)
	}
	for _, allowed := range rule.conclusions {
		if i.Conclusion == allowed {
			return nil
		}
	}
	return FieldErrorf(CodeInvalid, field+".conclusion", "a %s cannot conclude %q", kind, string(i.Conclusion))
}

// isLeafID reports whether id has the form of an id on the ledger.
func isLeafID(id string) bool {
	for _, c := range []byte(id) {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return id != "" && len(id) <= maxIDBytes
}
