package metrology

// Role is what an identity may do. It stands in the certificate's attribute
// "role".
type Role string

// The roles.
const (
	RoleRegulator   Role = "regulator"   // market supervision authority 市场监管部门
	RoleInspector   Role = "inspector"   // enforcement officer 执法检查人员
	RoleInstitute   Role = "institute"   // verification institute 计量检定机构
	RoleMerchant    Role = "merchant"    // operator 经营者
	RoleAssociation Role = "association" // association or market organiser 行业协会、市场举办者
	RoleNotary      Role = "notary"      // notary 公证机构
)

// The organisations of the consortium, by MSP id.
const (
	RegulatorMSP   = "RegulatorMSP"
	InstituteMSP   = "InstituteMSP"
	AssociationMSP = "AssociationMSP"
	NotaryMSP      = "NotaryMSP"
)

// RoleOrganizations binds each role to the one organisation whose CA may give
// it. Any CA can mint any attribute; only this table makes it count.
var RoleOrganizations = map[Role]string{
	RoleRegulator:   RegulatorMSP,
	RoleInspector:   RegulatorMSP,
	RoleInstitute:   InstituteMSP,
	RoleMerchant:    AssociationMSP,
	RoleAssociation: AssociationMSP,
	RoleNotary:      NotaryMSP,
}

// Caller is who submitted a transaction, as its certificate says.
type Caller struct {
	MSP     string `json:"msp"`
	Role    Role   `json:"role"`
	Subject string `json:"subject"` // opaque id of the post; the ledger binds it to what it acts for
}

// Check refuses a caller without a subject, with an unknown role, or with a
// role that its organisation's CA may not give.
func (c Caller) Check() error {
	organization, known := RoleOrganizations[c.Role]
	switch {
	case !known:
		return Errorf(CodeForbidden, "the certificate carries no known role")
	case organization != c.MSP:
		return Errorf(CodeForbidden, "role %s cannot be given by %s", c.Role, c.MSP)
	case !ValidID(c.Subject):
		return Errorf(CodeForbidden, "the certificate carries no usable subject")
	}
	return nil
}

// Require refuses every role but those named.
func (c Caller) Require(roles ...Role) error {
	for _, role := range roles {
		if c.Role == role {
			return nil
		}
	}
	return Errorf(CodeForbidden, "role %s may not do this", c.Role)
}

// PrincipalKind says what a subject acts for.
type PrincipalKind string

// The kinds of principal.
const (
	PrincipalMerchant PrincipalKind = "merchant"
	PrincipalIssuer   PrincipalKind = "issuer"
)

// Binding lets one subject act for one merchant or issuer, until revoked. A
// new certificate for the same post needs no new binding.
type Binding struct {
	MSP       string        `json:"msp"`
	Subject   string        `json:"subject"`
	Kind      PrincipalKind `json:"kind"`
	Principal string        `json:"principal"` // id of the merchant or issuer
	Revoked   bool          `json:"revoked,omitempty"`
}

// Permits refuses when b does not let caller act for the principal. found is
// whether a binding is recorded at all.
func (b Binding) Permits(found bool, caller Caller, kind PrincipalKind, principal string) error {
	if !found || b.Revoked || b.MSP != caller.MSP || b.Subject != caller.Subject || b.Kind != kind || b.Principal != principal {
		return Errorf(CodeForbidden, "this identity does not act for %s %s", kind, principal)
	}
	return nil
}
