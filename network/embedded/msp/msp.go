// Package msp decides who a creator is: it verifies certificates against the
// organisations of one channel as Fabric's membership service providers do
// (chain, key usage, NodeOUs), checks signatures, and evaluates policies.
package msp

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sync"
	"time"

	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

// identityCacheSize bounds the parsed certificates kept; creators repeat.
const identityCacheSize = 4096

// Organization is one member of the channel with the roots of its identity CAs.
type Organization struct {
	MSPID string
	// Roots are the PEM certificates of the organisation's identity CAs.
	Roots [][]byte
	// RevocationLists are PEM, each signed by one of the roots.
	RevocationLists [][]byte
}

// Manager knows the organisations of one channel. It is safe for concurrent use.
type Manager struct {
	order []string
	// verified remembers signatures already found good: an envelope is checked
	// when it is submitted and again when its block is validated.
	verified *signatureCache

	mu          sync.Mutex
	authorities map[string]*authority // by MSP id; replaced whole, never changed
	known       map[string]*Identity  // what they say of the certificates seen
}

// NewManager makes a manager for the organisations, in their order.
func NewManager(organizations []Organization) (*Manager, error) {
	m := &Manager{verified: newSignatureCache()}
	for _, organization := range organizations {
		m.order = append(m.order, organization.MSPID)
	}
	return m, m.Update(organizations)
}

// Update replaces the organisations' roots and revocation lists, from the next
// question on. The organisations themselves stay; on an error so does all.
func (m *Manager) Update(organizations []Organization) error {
	authorities := map[string]*authority{}
	var order []string
	for _, organization := range organizations {
		if _, twice := authorities[organization.MSPID]; twice {
			return fmt.Errorf("organisation %s is named twice", organization.MSPID)
		}
		one, err := newAuthority(organization)
		if err != nil {
			return err
		}
		authorities[organization.MSPID] = one
		order = append(order, organization.MSPID)
	}
	if !slices.Equal(order, m.order) {
		return fmt.Errorf("the organisations are %v and cannot become %v", m.order, order)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.authorities, m.known = authorities, map[string]*Identity{}
	return nil
}

// Organizations returns the MSP ids in their configured order.
func (m *Manager) Organizations() []string { return m.order }

// Identity is a certificate said to belong to an organisation. Only Validate
// tells whether it does.
type Identity struct {
	MSPID       string
	Certificate *x509.Certificate
	// Serialized is the msp.SerializedIdentity it was read from.
	Serialized []byte

	invalid error
	role    mb.MSPRole_MSPRoleType
	manager *Manager
}

// Deserialize reads an msp.SerializedIdentity. It fails for an unknown
// organisation or something that is no certificate.
func (m *Manager) Deserialize(serialized []byte) (*Identity, error) {
	m.mu.Lock()
	known, authorities := m.known[string(serialized)], m.authorities
	m.mu.Unlock()
	if known != nil {
		return known, nil
	}
	identity, err := m.parse(serialized, authorities)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !maps.Equal(authorities, m.authorities) {
		return identity, nil // of an order that has just been replaced: not to be remembered
	}
	if len(m.known) >= identityCacheSize {
		clear(m.known)
	}
	m.known[string(serialized)] = identity
	return identity, nil
}

func (m *Manager) parse(serialized []byte, authorities map[string]*authority) (*Identity, error) {
	var message mb.SerializedIdentity
	if err := proto.Unmarshal(serialized, &message); err != nil {
		return nil, fmt.Errorf("could not deserialize a SerializedIdentity: %w", err)
	}
	by, ok := authorities[message.GetMspid()]
	if !ok {
		return nil, fmt.Errorf("MSP %s is not defined on channel", message.GetMspid())
	}
	block, rest := pem.Decode(message.GetIdBytes())
	if block == nil || len(rest) > 0 {
		return nil, errors.New("could not decode the PEM structure")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	identity := &Identity{
		MSPID: message.GetMspid(), Certificate: certificate,
		Serialized: append([]byte(nil), serialized...), manager: m,
	}
	issuer, err := by.issuer(certificate)
	if err != nil {
		return nil, err
	}
	if identity.role, identity.invalid = classify(certificate); identity.invalid == nil {
		identity.invalid = by.revokedBy(issuer, certificate)
	}
	return identity, nil
}

// classify reads the NodeOU role of a certificate that may be an identity.
func classify(certificate *x509.Certificate) (mb.MSPRole_MSPRoleType, error) {
	if certificate.IsCA {
		return 0, errors.New("an X509 certificate with Basic Constraint: Certificate Authority equals true cannot be used as an identity")
	}
	if _, ok := certificate.PublicKey.(*ecdsa.PublicKey); !ok {
		return 0, fmt.Errorf("public key is %T, want ECDSA", certificate.PublicKey)
	}
	units := map[string]mb.MSPRole_MSPRoleType{
		"client": mb.MSPRole_CLIENT, "peer": mb.MSPRole_PEER,
		"admin": mb.MSPRole_ADMIN, "orderer": mb.MSPRole_ORDERER,
	}
	var found []mb.MSPRole_MSPRoleType
	for _, unit := range certificate.Subject.OrganizationalUnit {
		if role, ok := units[unit]; ok {
			found = append(found, role)
		}
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("the identity must be a client, a peer, an orderer or an admin identity to be valid, not a combination of them; units %v",
			certificate.Subject.OrganizationalUnit)
	}
	return found[0], nil
}

// Validate reports why the certificate does not belong to its organisation, or nil.
func (id *Identity) Validate() error { return id.invalid }

// ExpiredAt reports whether the certificate is out of its term.
func (id *Identity) ExpiredAt(now time.Time) bool { return now.After(id.Certificate.NotAfter) }

// Verify checks an ECDSA signature over the SHA-256 of the message. A high S
// is refused, as every Fabric node does.
func (id *Identity) Verify(message, signature []byte) error {
	digest := sha256.Sum256(message)
	entry := cacheKey(id.Certificate.Raw, digest[:], signature)
	if id.manager.verified.has(entry) {
		return nil
	}
	key, ok := id.Certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return fmt.Errorf("public key is %T, want ECDSA", id.Certificate.PublicKey)
	}
	var parts struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(signature, &parts)
	if err != nil || len(rest) > 0 {
		return errors.New("the signature is invalid: not a DER sequence of R and S")
	}
	if parts.S.Cmp(halfOrder(key)) > 0 {
		return errors.New("the signature is invalid: S is larger than half the order")
	}
	if !ecdsa.VerifyASN1(key, digest[:], signature) {
		return errors.New("the signature is invalid")
	}
	id.manager.verified.add(entry)
	return nil
}

func halfOrder(key *ecdsa.PublicKey) *big.Int {
	return new(big.Int).Rsh(key.Curve.Params().N, 1)
}

// principal is whom a policy asks for, read once; one that cannot be read is
// nobody.
type principal struct {
	kind  mb.MSPPrincipal_Classification
	mspID string
	role  mb.MSPRole_MSPRoleType
	// exact is the organisational unit or the serialized identity.
	exact string
}

func readPrincipal(message *mb.MSPPrincipal) principal {
	nobody := principal{kind: -1}
	switch kind := message.GetPrincipalClassification(); kind {
	case mb.MSPPrincipal_ROLE:
		var role mb.MSPRole
		if proto.Unmarshal(message.GetPrincipal(), &role) != nil {
			return nobody
		}
		return principal{kind: kind, mspID: role.GetMspIdentifier(), role: role.GetRole()}
	case mb.MSPPrincipal_ORGANIZATION_UNIT:
		var unit mb.OrganizationUnit
		if proto.Unmarshal(message.GetPrincipal(), &unit) != nil {
			return nobody
		}
		return principal{kind: kind, mspID: unit.GetMspIdentifier(), exact: unit.GetOrganizationalUnitIdentifier()}
	case mb.MSPPrincipal_IDENTITY:
		return principal{kind: kind, exact: string(message.GetPrincipal())}
	default:
		return nobody
	}
}

// satisfies reports whether a valid identity is what the principal asks for.
func (id *Identity) satisfies(asked principal) bool {
	switch asked.kind {
	case mb.MSPPrincipal_ROLE:
		return asked.mspID == id.MSPID && (asked.role == mb.MSPRole_MEMBER || asked.role == id.role)
	case mb.MSPPrincipal_ORGANIZATION_UNIT:
		return asked.mspID == id.MSPID && slices.Contains(id.Certificate.Subject.OrganizationalUnit, asked.exact)
	case mb.MSPPrincipal_IDENTITY:
		return asked.exact == string(id.Serialized)
	default:
		return false
	}
}
