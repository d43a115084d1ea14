package web

import (
	"strings"

	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// optionGroups names the group of messages that holds the words of a type's
// codes, where it is not the type's own name in small letters.
var optionGroups = map[string]string{
	"PledgeReason": "reason", "CertificateReason": "reason", "InspectionReason": "reason", "InstrumentReason": "reason",
	"IssuerReason": "reason", "KeyReason": "key-reason", "DrawReason": "draw-reason", "ExclusionReason": "exclusion",
	"SubstitutionReason": "substitution", "CertificateKind": "kind", "VisitOutcome": "visit", "ResultCode": "result",
	"BasisKind": "basis", "VerificationMode": "mode", "PartKind": "part", "SignatoryRole": "signatory",
	"SignatureManner": "manner", "CommitmentCode": "commitment", "LimitUnit": "limit", "ObjectionGround": "ground",
	"EvidenceKind": "evidence", "RulesetKind": "ruleset-kind", "DeadlineCode": "deadline", "OverrideReason": "override",
	"MerchantKind": "merchant-kind", "SiteKind": "site-kind",
}

// groupOf is the group of messages of a type's codes.
func groupOf(typeName string) string {
	_, name, _ := strings.Cut(typeName, ".")
	if group, named := optionGroups[name]; named {
		return group
	}
	return strings.ToLower(name)
}

// option says the words of a code that a control offers.
func (c catalogue) option(control form.Control, code string) string {
	return c.term(groupOf(control.Type), code)
}

// fieldKey names the message that labels a control: a member by its name, a
// path parameter by what it identifies.
func fieldKey(f form.Field) string {
	if strings.HasPrefix(f.Name, "{") {
		return f.Type
	}
	return f.Name
}

// label says what a control is for.
func (c catalogue) label(control form.Control) string {
	return c.term("field", fieldKey(control.Field))
}

// hint says what a control takes; empty when its label says enough.
func (c catalogue) hint(control form.Control) string { return c["hint."+fieldKey(control.Field)] }
