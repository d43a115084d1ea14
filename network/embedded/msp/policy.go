package msp

import (
	"errors"
	"fmt"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// maxPolicyDepth bounds the nesting of a policy read from the outside.
const maxPolicyDepth = 32

// Policy is satisfied by a set of identities whose signatures were verified,
// or, in planning, are taken for granted.
type Policy interface {
	// Evaluate returns nil if the identities satisfy the policy.
	Evaluate(identities []*Identity) error
}

// SignedData is a signature to be counted by a policy.
type SignedData struct {
	Data, Identity, Signature []byte
}

// Signers returns the identities whose certificate and signature are good,
// each once, in order. A bad one is left out, as Fabric does: the policy fails
// only if too few remain.
func (m *Manager) Signers(set []SignedData) []*Identity {
	var signers []*Identity
	seen := map[string]bool{}
	for _, signed := range set {
		identity, err := m.Deserialize(signed.Identity)
		if err != nil || identity.Validate() != nil {
			continue
		}
		if seen[string(identity.Certificate.Raw)] || identity.Verify(signed.Data, signed.Signature) != nil {
			continue
		}
		seen[string(identity.Certificate.Raw)] = true
		signers = append(signers, identity)
	}
	return signers
}

type signaturePolicy struct {
	rule       *cb.SignaturePolicy
	principals []principal
}

func newSignaturePolicy(envelope *cb.SignaturePolicyEnvelope) signaturePolicy {
	policy := signaturePolicy{rule: envelope.GetRule()}
	for _, identity := range envelope.GetIdentities() {
		policy.principals = append(policy.principals, readPrincipal(identity))
	}
	return policy
}

// NewSignaturePolicy checks a signature policy and makes it evaluable.
func NewSignaturePolicy(envelope *cb.SignaturePolicyEnvelope) (Policy, error) {
	if envelope.GetVersion() != 0 {
		return nil, fmt.Errorf("this evaluator only understands messages of version 0, but version was %d", envelope.GetVersion())
	}
	if err := checkRule(envelope.GetRule(), len(envelope.GetIdentities()), maxPolicyDepth); err != nil {
		return nil, err
	}
	return newSignaturePolicy(envelope), nil
}

func checkRule(rule *cb.SignaturePolicy, identities, depth int) error {
	if depth == 0 {
		return errors.New("policy is nested too deeply")
	}
	switch kind := rule.GetType().(type) {
	case *cb.SignaturePolicy_SignedBy:
		if kind.SignedBy < 0 || int(kind.SignedBy) >= identities {
			return fmt.Errorf("identity index out of range, requested %d, but identities length is %d", kind.SignedBy, identities)
		}
		return nil
	case *cb.SignaturePolicy_NOutOf_:
		for _, sub := range kind.NOutOf.GetRules() {
			if err := checkRule(sub, identities, depth-1); err != nil {
				return err
			}
		}
		return nil
	default:
		return fmt.Errorf("unknown type: %T", kind)
	}
}

func (p signaturePolicy) Evaluate(identities []*Identity) error {
	used := make([]bool, len(identities))
	if !p.satisfied(p.rule, identities, used) {
		return errors.New("signature set did not satisfy policy")
	}
	return nil
}

// satisfied marks the identities it consumes: one signature counts once.
func (p signaturePolicy) satisfied(rule *cb.SignaturePolicy, identities []*Identity, used []bool) bool {
	if kind, ok := rule.GetType().(*cb.SignaturePolicy_NOutOf_); ok {
		var verified int32
		trial := make([]bool, len(used))
		for _, sub := range kind.NOutOf.GetRules() {
			copy(trial, used)
			if p.satisfied(sub, identities, trial) {
				verified++
				copy(used, trial)
			}
		}
		return verified >= kind.NOutOf.GetN()
	}
	asked := p.principals[rule.GetSignedBy()]
	for i, identity := range identities {
		if !used[i] && identity.satisfies(asked) {
			used[i] = true
			return true
		}
	}
	return false
}

// implicitMeta asks for a number of sub-policies, one per organisation.
type implicitMeta struct {
	name      string
	threshold int
	parts     []Policy
}

func (p implicitMeta) Evaluate(identities []*Identity) error {
	satisfied := 0
	for _, part := range p.parts {
		if part.Evaluate(identities) == nil {
			satisfied++
		}
	}
	if satisfied < p.threshold {
		return fmt.Errorf("implicit policy evaluation failed - %d sub-policies were satisfied, but this policy requires %d of the '%s' sub-policies to be satisfied",
			satisfied, p.threshold, p.name)
	}
	return nil
}

// References of the channel policies this network knows.
const (
	Readers     = "/Channel/Application/Readers"
	Writers     = "/Channel/Application/Writers"
	Endorsement = "/Channel/Application/Endorsement"
)

// OrgRoles are the roles that satisfy an organisation's own policies; the same
// table writes the configuration block.
func OrgRoles() map[string][]mb.MSPRole_MSPRoleType {
	return map[string][]mb.MSPRole_MSPRoleType{
		"Readers":     {mb.MSPRole_ADMIN, mb.MSPRole_PEER, mb.MSPRole_CLIENT},
		"Writers":     {mb.MSPRole_ADMIN, mb.MSPRole_CLIENT},
		"Admins":      {mb.MSPRole_ADMIN},
		"Endorsement": {mb.MSPRole_PEER},
	}
}

// AnyRole is the signature policy "one signature of an identity of the
// organisation in any of the roles".
func AnyRole(mspID string, roles []mb.MSPRole_MSPRoleType) (*cb.SignaturePolicyEnvelope, error) {
	envelope := &cb.SignaturePolicyEnvelope{}
	var rules []*cb.SignaturePolicy
	for i, role := range roles {
		principal, err := proto.Marshal(&mb.MSPRole{MspIdentifier: mspID, Role: role})
		if err != nil {
			return nil, fmt.Errorf("encode principal: %w", err)
		}
		envelope.Identities = append(envelope.Identities, &mb.MSPPrincipal{
			PrincipalClassification: mb.MSPPrincipal_ROLE, Principal: principal,
		})
		rules = append(rules, &cb.SignaturePolicy{Type: &cb.SignaturePolicy_SignedBy{SignedBy: int32(i)}})
	}
	envelope.Rule = &cb.SignaturePolicy{Type: &cb.SignaturePolicy_NOutOf_{
		NOutOf: &cb.SignaturePolicy_NOutOf{N: 1, Rules: rules},
	}}
	return envelope, nil
}

// Reference returns the channel policy of that path.
func (m *Manager) Reference(path string) (Policy, error) {
	var name string
	threshold := 1
	switch path {
	case Readers:
		name = "Readers"
	case Writers:
		name = "Writers"
	case Endorsement:
		name, threshold = "Endorsement", len(m.order)/2+1
	default:
		return nil, fmt.Errorf("failed to retrieve policy for reference %s", path)
	}
	meta := implicitMeta{name: name, threshold: threshold}
	for _, mspID := range m.order {
		envelope, err := AnyRole(mspID, OrgRoles()[name])
		if err != nil {
			return nil, err
		}
		meta.parts = append(meta.parts, newSignaturePolicy(envelope))
	}
	return meta, nil
}

// ApplicationPolicy reads a serialized peer.ApplicationPolicy: a chaincode's or
// collection's endorsement policy.
func (m *Manager) ApplicationPolicy(policy *pb.ApplicationPolicy) (Policy, error) {
	switch kind := policy.GetType().(type) {
	case *pb.ApplicationPolicy_SignaturePolicy:
		return NewSignaturePolicy(kind.SignaturePolicy)
	case *pb.ApplicationPolicy_ChannelConfigPolicyReference:
		return m.Reference(kind.ChannelConfigPolicyReference)
	default:
		return nil, fmt.Errorf("unsupported policy type %T", kind)
	}
}

// KeyPolicy reads a key-level policy as a chaincode sets it: a serialized
// common.SignaturePolicyEnvelope.
func (m *Manager) KeyPolicy(serialized []byte) (Policy, error) {
	var envelope cb.SignaturePolicyEnvelope
	if err := proto.Unmarshal(serialized, &envelope); err != nil {
		return nil, fmt.Errorf("read key-level policy: %w", err)
	}
	return NewSignaturePolicy(&envelope)
}
