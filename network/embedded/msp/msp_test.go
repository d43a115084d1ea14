package msp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/devca"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

func authority(t testing.TB, name string) *devca.CA {
	t.Helper()
	ca, err := devca.New(name, "ca")
	require.NoError(t, err)
	return ca
}

func manager(t testing.TB, authorities map[string]*devca.CA, order ...string) *msp.Manager {
	t.Helper()
	var organizations []msp.Organization
	for _, mspID := range order {
		organizations = append(organizations, msp.Organization{MSPID: mspID, Roots: [][]byte{authorities[mspID].CertificatePEM()}})
	}
	m, err := msp.NewManager(organizations)
	require.NoError(t, err)
	return m
}

func serialized(t testing.TB, mspID string, certificate []byte) []byte {
	t.Helper()
	out, err := proto.Marshal(&mb.SerializedIdentity{Mspid: mspID, IdBytes: certificate})
	require.NoError(t, err)
	return out
}

func TestIdentity(t *testing.T) {
	a, b := authority(t, "a"), authority(t, "b")
	m := manager(t, map[string]*devca.CA{"A": a, "B": b}, "A", "B")
	certificate := func(ca *devca.CA, unit string) []byte {
		pair, err := ca.Node("node", unit)
		require.NoError(t, err)
		return pair.Certificate
	}
	cases := map[string]struct {
		identity    []byte
		unreadable  bool
		invalid     bool
		wantMessage string
	}{
		"Peer":                {identity: serialized(t, "A", certificate(a, "peer"))},
		"OtherRoot":           {identity: serialized(t, "A", certificate(b, "peer")), unreadable: true, wantMessage: "unknown authority"},
		"UnknownOrganization": {identity: serialized(t, "X", certificate(a, "peer")), unreadable: true, wantMessage: "MSP X is not defined"},
		"NoRole":              {identity: serialized(t, "A", certificate(a, "guest")), invalid: true, wantMessage: "must be a client, a peer"},
		"NoCertificate":       {identity: serialized(t, "A", []byte("x")), unreadable: true, wantMessage: "PEM"},
		"TwoCertificates":     {identity: serialized(t, "A", append(certificate(a, "peer"), certificate(a, "peer")...)), unreadable: true, wantMessage: "PEM"},
		"TheAuthorityItself":  {identity: serialized(t, "A", a.CertificatePEM()), invalid: true, wantMessage: "Certificate Authority"},
		"NoIdentity":          {identity: []byte{0xff}, unreadable: true, wantMessage: "SerializedIdentity"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			identity, err := m.Deserialize(c.identity)
			if c.unreadable {
				require.ErrorContains(t, err, c.wantMessage)
				return
			}
			require.NoError(t, err)
			if c.invalid {
				require.ErrorContains(t, identity.Validate(), c.wantMessage)
			} else {
				require.NoError(t, identity.Validate())
			}
		})
	}
}

func TestSignature(t *testing.T) {
	a := authority(t, "a")
	m := manager(t, map[string]*devca.CA{"A": a}, "A")
	pair, err := a.Node("peer", "peer")
	require.NoError(t, err)
	signer, err := m.NewSigner("A", pair.Certificate, pair.Key)
	require.NoError(t, err)
	signature, err := signer.Sign([]byte("message"))
	require.NoError(t, err)
	// Another manager has not seen the signature made.
	fresh, err := manager(t, map[string]*devca.CA{"A": a}, "A").Deserialize(signer.Serialized)
	require.NoError(t, err)

	require.NoError(t, fresh.Verify([]byte("message"), signature))
	require.NoError(t, fresh.Verify([]byte("message"), signature), "remembered")
	require.Error(t, fresh.Verify([]byte("massage"), signature))
	require.Error(t, fresh.Verify([]byte("message"), nil))
	require.Error(t, fresh.Verify([]byte("message"), append(append([]byte{}, signature...), 0)))
	var parts struct{ R, S *big.Int }
	_, err = asn1.Unmarshal(signature, &parts)
	require.NoError(t, err)
	parts.S.Sub(elliptic.P256().Params().N, parts.S)
	high, err := asn1.Marshal(parts)
	require.NoError(t, err)
	require.ErrorContains(t, fresh.Verify([]byte("message"), high), "half the order")
}

// TestRememberedSignature: a signature that was made or found good here is so
// of one certificate and one message only.
func TestRememberedSignature(t *testing.T) {
	a := authority(t, "a")
	m := manager(t, map[string]*devca.CA{"A": a}, "A")
	var signers []*msp.Signer
	for _, name := range []string{"one", "other"} {
		pair, err := a.Node(name, "peer")
		require.NoError(t, err)
		signer, err := m.NewSigner("A", pair.Certificate, pair.Key)
		require.NoError(t, err)
		signers = append(signers, signer)
	}
	one, other := signers[0], signers[1]
	signature, err := one.Sign([]byte("message"))
	require.NoError(t, err)
	require.NoError(t, one.Verify([]byte("message"), signature))
	require.Error(t, other.Verify([]byte("message"), signature), "another key")
	require.Error(t, one.Verify([]byte("massage"), signature), "another message")
	second, err := other.Sign([]byte("message"))
	require.NoError(t, err)
	require.Error(t, one.Verify([]byte("message"), second), "another signature")
}

// TestUnreadablePrincipal: a policy may name a principal that cannot be read;
// nobody satisfies it.
func TestUnreadablePrincipal(t *testing.T) {
	a := authority(t, "a")
	m := manager(t, map[string]*devca.CA{"A": a}, "A")
	pair, err := a.Node("peer", "peer")
	require.NoError(t, err)
	identity, err := m.Deserialize(serialized(t, "A", pair.Certificate))
	require.NoError(t, err)
	for _, kind := range []mb.MSPPrincipal_Classification{mb.MSPPrincipal_ROLE, mb.MSPPrincipal_ORGANIZATION_UNIT, mb.MSPPrincipal_IDENTITY, mb.MSPPrincipal_COMBINED, 99} {
		policy, err := msp.NewSignaturePolicy(&cb.SignaturePolicyEnvelope{
			Rule: by(0), Identities: []*mb.MSPPrincipal{{PrincipalClassification: kind, Principal: []byte{0xff}}},
		})
		require.NoError(t, err)
		require.Error(t, policy.Evaluate([]*msp.Identity{identity}), kind)
	}
}

func TestExpiryIsAMatterOfTheClock(t *testing.T) {
	a := authority(t, "a")
	m := manager(t, map[string]*devca.CA{"A": a}, "A")
	pair, err := a.User(nil)
	require.NoError(t, err)
	identity, err := m.Deserialize(serialized(t, "A", pair.Certificate))
	require.NoError(t, err)
	require.NoError(t, identity.Validate())
	require.False(t, identity.ExpiredAt(time.Now()))
	require.True(t, identity.ExpiredAt(time.Now().AddDate(10, 0, 0)))
}

func TestSelfSignedNamesakeIsNoIdentity(t *testing.T) {
	m := manager(t, map[string]*devca.CA{"A": authority(t, "a")}, "A")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"a"}, OrganizationalUnit: []string{"admin"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	_, err = m.Deserialize(serialized(t, "A", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	require.Error(t, err)
}

// role is a principal: a member, peer, … of an organisation.
func role(t testing.TB, mspID string, kind mb.MSPRole_MSPRoleType) *mb.MSPPrincipal {
	t.Helper()
	principal, err := proto.Marshal(&mb.MSPRole{MspIdentifier: mspID, Role: kind})
	require.NoError(t, err)
	return &mb.MSPPrincipal{PrincipalClassification: mb.MSPPrincipal_ROLE, Principal: principal}
}

func by(i int32) *cb.SignaturePolicy {
	return &cb.SignaturePolicy{Type: &cb.SignaturePolicy_SignedBy{SignedBy: i}}
}

func outOf(n int32, rules ...*cb.SignaturePolicy) *cb.SignaturePolicy {
	return &cb.SignaturePolicy{Type: &cb.SignaturePolicy_NOutOf_{NOutOf: &cb.SignaturePolicy_NOutOf{N: n, Rules: rules}}}
}

func TestPolicy(t *testing.T) {
	authorities := map[string]*devca.CA{"A": authority(t, "a"), "B": authority(t, "b"), "C": authority(t, "c")}
	m := manager(t, authorities, "A", "B", "C")
	peer := func(mspID string) *msp.Identity {
		pair, err := authorities[mspID].Node("peer", "peer")
		require.NoError(t, err)
		identity, err := m.Deserialize(serialized(t, mspID, pair.Certificate))
		require.NoError(t, err)
		return identity
	}
	pa, pb, pc, pa2 := peer("A"), peer("B"), peer("C"), peer("A")
	user, err := authorities["A"].User(nil)
	require.NoError(t, err)
	client, err := m.Deserialize(serialized(t, "A", user.Certificate))
	require.NoError(t, err)
	principals := []*mb.MSPPrincipal{
		role(t, "A", mb.MSPRole_PEER), role(t, "B", mb.MSPRole_PEER), role(t, "C", mb.MSPRole_PEER), role(t, "A", mb.MSPRole_MEMBER),
	}
	cases := map[string]struct {
		rule       *cb.SignaturePolicy
		identities []*msp.Identity
		satisfied  bool
	}{
		"One":                          {by(0), []*msp.Identity{pa}, true},
		"OneOfAnother":                 {by(0), []*msp.Identity{pb}, false},
		"Nobody":                       {by(0), nil, false},
		"ClientIsNoPeer":               {by(0), []*msp.Identity{client}, false},
		"ClientIsAMember":              {by(3), []*msp.Identity{client}, true},
		"And":                          {outOf(2, by(0), by(1)), []*msp.Identity{pb, pa}, true},
		"AndWithOneMissing":            {outOf(2, by(0), by(1)), []*msp.Identity{pa, pc}, false},
		"Or":                           {outOf(1, by(0), by(1)), []*msp.Identity{pb}, true},
		"OneSignatureCountsOnce":       {outOf(2, by(0), by(3)), []*msp.Identity{pa}, false},
		"TwoOfOneOrganizationCount":    {outOf(2, by(0), by(3)), []*msp.Identity{pa, pa2}, true},
		"FailedBranchConsumesNothing":  {outOf(1, outOf(2, by(0), by(2)), outOf(2, by(0), by(1))), []*msp.Identity{pa, pb}, true},
		"ZeroOfNone":                   {outOf(0), nil, true},
		"MoreThanThereAreCannotBeDone": {outOf(3, by(0), by(1)), []*msp.Identity{pa, pb, pc}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			policy, err := msp.NewSignaturePolicy(&cb.SignaturePolicyEnvelope{Rule: c.rule, Identities: principals})
			require.NoError(t, err)
			require.Equal(t, c.satisfied, policy.Evaluate(c.identities) == nil)
		})
	}
	t.Run("Majority", func(t *testing.T) {
		majority, err := m.Reference(msp.Endorsement)
		require.NoError(t, err)
		require.NoError(t, majority.Evaluate([]*msp.Identity{pa, pc}))
		require.ErrorContains(t, majority.Evaluate([]*msp.Identity{pa, pa2, client}), "1 sub-policies were satisfied, but this policy requires 2")
	})
}

func TestMalformedPolicyIsRefused(t *testing.T) {
	deep := by(0)
	for range 100 {
		deep = outOf(1, deep)
	}
	for name, envelope := range map[string]*cb.SignaturePolicyEnvelope{
		"Empty":           {},
		"IndexOutOfRange": {Rule: by(1), Identities: []*mb.MSPPrincipal{role(t, "A", mb.MSPRole_PEER)}},
		"NegativeIndex":   {Rule: by(-1), Identities: []*mb.MSPPrincipal{role(t, "A", mb.MSPRole_PEER)}},
		"OtherVersion":    {Version: 1, Rule: outOf(0)},
		"TooDeep":         {Rule: deep, Identities: []*mb.MSPPrincipal{role(t, "A", mb.MSPRole_PEER)}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := msp.NewSignaturePolicy(envelope)
			require.Error(t, err)
		})
	}
}

// FuzzKeyPolicy: a chaincode may set any bytes as a key's policy; evaluating
// them ends, and nobody's signature never satisfies one that names a signer.
func FuzzKeyPolicy(f *testing.F) {
	m := manager(f, map[string]*devca.CA{"A": authority(f, "a")}, "A")
	good, err := proto.Marshal(&cb.SignaturePolicyEnvelope{
		Rule: outOf(1, by(0)), Identities: []*mb.MSPPrincipal{role(f, "A", mb.MSPRole_PEER)},
	})
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, serialized []byte) {
		policy, err := m.KeyPolicy(serialized)
		if err == nil {
			_ = policy.Evaluate(nil)
		}
	})
}

// FuzzDeserialize: an identity made up by a client is refused, not believed.
func FuzzDeserialize(f *testing.F) {
	a := authority(f, "a")
	m := manager(f, map[string]*devca.CA{"A": a}, "A")
	pair, err := a.Node("peer", "peer")
	require.NoError(f, err)
	good := serialized(f, "A", pair.Certificate)
	f.Add(good)
	f.Fuzz(func(t *testing.T, serialized []byte) {
		identity, err := m.Deserialize(serialized)
		if err == nil {
			require.Equal(t, "A", identity.MSPID)
			require.Error(t, identity.Verify([]byte("message"), []byte("signature")))
		}
	})
}
