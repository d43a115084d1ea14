package msp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/devca"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

func user(t testing.TB, ca *devca.CA) []byte {
	t.Helper()
	pair, err := ca.User(nil)
	require.NoError(t, err)
	return pair.Certificate
}

func revocation(t testing.TB, ca *devca.CA, certificates ...[]byte) []byte {
	t.Helper()
	list, err := ca.RevocationList(certificates...)
	require.NoError(t, err)
	return list
}

// validate is what a peer finds of a certificate: why it is no identity, why
// it is an invalid one, or nil.
func validate(t testing.TB, m *msp.Manager, mspID string, certificate []byte) error {
	t.Helper()
	identity, err := m.Deserialize(serialized(t, mspID, certificate))
	if err != nil {
		return err
	}
	return identity.Validate()
}

func TestRevocation(t *testing.T) {
	own, added, foreign := authority(t, "own"), authority(t, "added"), authority(t, "foreign")
	one, other, guest := user(t, own), user(t, own), user(t, added)
	organization := func(lists ...[]byte) []msp.Organization {
		return []msp.Organization{{MSPID: "A", Roots: [][]byte{own.CertificatePEM(), added.CertificatePEM()}, RevocationLists: lists}}
	}
	m, err := msp.NewManager(organization())
	require.NoError(t, err)
	for _, certificate := range [][]byte{one, other, guest} {
		require.NoError(t, validate(t, m, "A", certificate))
	}

	t.Run("OfTheIssuer", func(t *testing.T) {
		require.NoError(t, m.Update(organization(revocation(t, own, one))))
		require.ErrorContains(t, validate(t, m, "A", one), "the certificate has been revoked")
		require.NoError(t, validate(t, m, "A", other))
		require.NoError(t, validate(t, m, "A", guest))
	})
	t.Run("TheNumberOfAnotherIssuersCertificateMeansNothing", func(t *testing.T) {
		require.NoError(t, m.Update(organization(revocation(t, own, guest))))
		require.NoError(t, validate(t, m, "A", guest))
		require.NoError(t, m.Update(organization(revocation(t, own, guest), revocation(t, added, guest))))
		require.ErrorContains(t, validate(t, m, "A", guest), "revoked")
	})
	t.Run("Taken/Back", func(t *testing.T) {
		require.NoError(t, m.Update(organization(revocation(t, own))))
		require.NoError(t, validate(t, m, "A", one))
	})
	t.Run("ARootThatIsGoneCertifiesNobody", func(t *testing.T) {
		require.NoError(t, m.Update([]msp.Organization{{MSPID: "A", Roots: [][]byte{own.CertificatePEM()}}}))
		require.ErrorContains(t, validate(t, m, "A", guest), "the supplied identity is not valid")
		require.NoError(t, validate(t, m, "A", one))
	})
	refused := map[string]struct {
		organizations []msp.Organization
		want          string
	}{
		"ListOfAForeignCA": {organization(revocation(t, foreign, one)), "by none of the organisation's CAs"},
		"ListOfANamesake":  {organization(revocation(t, authority(t, "own"), one)), "by none of the organisation's CAs"},
		"NoPEM":            {organization([]byte("x")), "not one PEM revocation list"},
		"ACertificate":     {organization(own.CertificatePEM()), "not one PEM revocation list"},
		"TwoLists":         {organization(append(revocation(t, own), revocation(t, own)...)), "not one PEM revocation list"},
		"RootThatIsNoCA":   {[]msp.Organization{{MSPID: "A", Roots: [][]byte{one}}}, "not a certificate authority"},
		"AnotherMember":    {[]msp.Organization{{MSPID: "B", Roots: [][]byte{own.CertificatePEM()}}}, "cannot become"},
		"MemberTwice":      {append(organization(), organization()...), "named twice"},
	}
	require.NoError(t, m.Update(organization(revocation(t, own, one))))
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, m.Update(c.organizations), c.want)
			require.ErrorContains(t, validate(t, m, "A", one), "revoked", "what was in force stays")
		})
	}
}

// TestForgedListRevokesNobody: the right CA's key id with another key's signature.
func TestForgedListRevokesNobody(t *testing.T) {
	own := authority(t, "own")
	one := user(t, own)
	certificate, err := devca.ParseCertificate(one)
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	issuer := *own.Certificate
	issuer.PublicKey = key.Public()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: certificate.SerialNumber, RevocationTime: time.Now()}},
	}, &issuer, key)
	require.NoError(t, err)
	_, err = msp.NewManager([]msp.Organization{{
		MSPID: "A", Roots: [][]byte{own.CertificatePEM()},
		RevocationLists: [][]byte{pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})},
	}})
	require.ErrorContains(t, err, "by none of the organisation's CAs")
}

// FuzzRevocationList: a file that an operator lays down is a list of the CA or
// an error, and only a list of the CA revokes.
func FuzzRevocationList(f *testing.F) {
	own := authority(f, "own")
	one := user(f, own)
	f.Add(revocation(f, own))
	f.Add(revocation(f, authority(f, "foreign"), one))
	f.Fuzz(func(t *testing.T, list []byte) {
		m, err := msp.NewManager([]msp.Organization{{MSPID: "A", Roots: [][]byte{own.CertificatePEM()}, RevocationLists: [][]byte{list}}})
		if err == nil {
			require.NoError(t, validate(t, m, "A", one))
		}
	})
}
