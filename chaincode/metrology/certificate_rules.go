package metrology

import (
	"encoding/json"
	"errors"
	"fmt"
)

// maxRenditionDigests bounds the digests of all renditions of a certificate.
const maxRenditionDigests = 64

// BatchLeaf is one leaf of a request, read, or what is wrong with it.
type BatchLeaf struct {
	Raw  json.RawMessage
	Leaf Leaf
	Err  error // from a rule; nil for a good leaf
	Same bool  // the error is that this very leaf is already anchored
}

// ReadLeaves reads the leaves of a batch and checks what needs nothing but the
// issuer's record: form, scope, validity, and that no number stands twice.
func ReadLeaves(issuer Issuer, raws []json.RawMessage, today Date) ([]BatchLeaf, error) {
	if len(raws) == 0 || len(raws) > MaxBatchLeaves {
		return nil, FieldErrorf(CodeInvalid, "leaves", "%d leaves, want 1 to %d", len(raws), MaxBatchLeaves)
	}
	leaves := make([]BatchLeaf, len(raws))
	first := make(map[string]int, len(raws))
	for i, raw := range raws {
		leaf, err := ParseLeaf(raw)
		if err == nil {
			err = issuer.CheckLeaf(leaf, today)
		}
		if earlier, twice := first[leaf.Number]; err == nil && twice {
			err = FieldErrorf(CodeConflict, "number", "%q stands in leaf %d too", leaf.Number, earlier)
		} else if err == nil {
			first[leaf.Number] = i
		}
		leaves[i] = BatchLeaf{Raw: raw, Leaf: leaf, Err: err}
	}
	return leaves, nil
}

// Reject tells what is wrong with the leaf, which stands at index.
func (l BatchLeaf) Reject(index int) RejectedLeaf {
	var e *Error
	if !errors.As(l.Err, &e) {
		e = &Error{Code: CodeInternal, Message: l.Err.Error()}
	}
	return RejectedLeaf{Index: index, Code: e.Code, Field: e.Field, Message: e.Message, Same: l.Same}
}

// RejectedLeavesError makes the error that carries the first
// MaxRejectedLeaves of the list as JSON.
func RejectedLeavesError(rejected []RejectedLeaf) error {
	if len(rejected) > MaxRejectedLeaves {
		rejected = rejected[:MaxRejectedLeaves]
	}
	list, err := json.Marshal(rejected)
	if err != nil {
		return fmt.Errorf("encode rejected leaves: %w", err)
	}
	return &Error{Code: CodeRejectedLeaves, Field: "leaves", Message: string(list)}
}

// Apply returns the certificate after a command that needs no more than a
// state change.
func (c Certificate) Apply(command CertificateCommand) (Certificate, error) {
	next, err := CertificateTransitions.Next("certificate", c.State, command)
	c.State = next
	return c, err
}

// AddRendition returns the certificate with more digests.
func (c Certificate) AddRendition(digests []Digest) (Certificate, error) {
	c, err := c.Apply(CertificateAddDigest)
	if err != nil {
		return c, err
	}
	if len(digests) == 0 || len(c.Renditions)+len(digests) > maxRenditionDigests {
		return c, FieldErrorf(CodeInvalid, "digests", "want at least one digest, and at most %d for one certificate", maxRenditionDigests)
	}
	seen := make(map[Digest]bool)
	for _, digest := range c.Renditions {
		seen[digest] = true
	}
	for i, digest := range digests {
		field := fmt.Sprintf("digests[%d]", i)
		if err := digest.check(field); err != nil {
			return c, err
		}
		if seen[digest] {
			return c, FieldErrorf(CodeConflict, field, "is already registered")
		}
		seen[digest] = true
	}
	c.Renditions = append(append([]Digest(nil), c.Renditions...), digests...)
	return c, nil
}

// Revoke returns the certificate after its issuer or the regulator took it
// back. Fabrication and lack of authority are the regulator's findings.
func (c Certificate) Revoke(reason CertificateReason, by Role, stamp string) (Certificate, error) {
	c, err := c.Apply(CertificateRevoke)
	if err != nil {
		return c, err
	}
	reasons := IssuerRevocationReasons
	if by == RoleRegulator {
		reasons = RegulatorRevocationReasons
	}
	c.Reason, c.ChangedBy, c.Changed = reason, by, stamp
	return c, OneOf("reason", reason, reasons...)
}

// Supersede returns the certificate after successor, another certificate of
// the same issuer, took its place.
func (c Certificate) Supersede(cmd SupersedeCertificate, successor Certificate, by Role, stamp string) (Certificate, error) {
	if cmd.Successor == cmd.Number {
		return c, FieldErrorf(CodeInvalid, "successor", "a certificate cannot supersede itself")
	}
	c, err := c.Apply(CertificateSupersede)
	if err != nil {
		return c, err
	}
	if _, err := successor.Apply(CertificateSucceed); err != nil {
		return c, FieldErrorf(CodeState, "successor", "certificate %q is %s", cmd.Successor, successor.State)
	}
	c.Reason, c.ChangedBy, c.Changed, c.Successor = cmd.Reason, by, stamp, cmd.Successor
	return c, OneOf("reason", cmd.Reason, SupersessionReasons...)
}
