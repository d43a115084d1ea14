package devca

import (
	"crypto/x509"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

func newCA(t *testing.T) *CA {
	t.Helper()
	ca, err := New("institute.example.com", "ca.institute.example.com")
	require.NoError(t, err)
	return ca
}

// verify parses an issued certificate and checks its chain.
func verify(t *testing.T, ca *CA, pair Pair, options x509.VerifyOptions) *x509.Certificate {
	t.Helper()
	certificate, err := ParseCertificate(pair.Certificate)
	require.NoError(t, err)
	options.Roots = x509.NewCertPool()
	options.Roots.AddCert(ca.Certificate)
	_, err = certificate.Verify(options)
	require.NoError(t, err)
	return certificate
}

var anyUse = x509.VerifyOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}

func TestUser(t *testing.T) {
	ca := newCA(t)
	first, err := ca.User(map[string]string{"role": "institute", "subject": "p-7"})
	require.NoError(t, err)
	second, err := ca.User(map[string]string{"role": "institute", "subject": "p-7"})
	require.NoError(t, err)
	a, b := verify(t, ca, first, anyUse), verify(t, ca, second, anyUse)

	require.NotEqual(t, a.Subject.CommonName, b.Subject.CommonName, "a subject is random: creators stand in every block")
	require.Equal(t, []string{"client"}, a.Subject.OrganizationalUnit)
	var found map[string]map[string]string
	for _, extension := range a.Extensions {
		if extension.Id.Equal(attributesOID) {
			require.NoError(t, json.Unmarshal(extension.Value, &found))
		}
	}
	require.Equal(t, map[string]string{"role": "institute", "subject": "p-7"}, found["attrs"])
}

func TestNode(t *testing.T) {
	ca := newCA(t)
	for _, unit := range []string{"peer", "orderer", "admin"} {
		pair, err := ca.Node(unit+"0.institute.example.com", unit)
		require.NoError(t, err)
		certificate := verify(t, ca, pair, anyUse)
		require.Equal(t, []string{unit}, certificate.Subject.OrganizationalUnit)
		require.Equal(t, []string{"institute.example.com"}, certificate.Subject.Organization)
	}
}

func TestTLS(t *testing.T) {
	ca := newCA(t)
	pair, err := ca.TLS("peer0", "peer0.institute.example.com", "127.0.0.1")
	require.NoError(t, err)
	for _, name := range []string{"peer0.institute.example.com", "127.0.0.1"} {
		verify(t, ca, pair, x509.VerifyOptions{DNSName: name, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}})
	}
	certificate, err := ParseCertificate(pair.Certificate)
	require.NoError(t, err)
	require.Error(t, certificate.VerifyHostname("elsewhere.example.com"))
}

func TestLoad(t *testing.T) {
	ca := newCA(t)
	kept, err := ca.PEM()
	require.NoError(t, err)
	again, err := Load(kept)
	require.NoError(t, err)
	pair, err := again.User(nil)
	require.NoError(t, err)
	verify(t, ca, pair, anyUse)
	require.Positive(t, new(big.Int).Set(again.Certificate.SerialNumber).Sign())

	for name, broken := range map[string]Pair{
		"ErrNoCertificate": {Key: kept.Key},
		"ErrNoKey":         {Certificate: kept.Certificate},
		"ErrKeyIsNotPKCS8": {Certificate: kept.Certificate, Key: kept.Certificate},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(broken)
			require.Error(t, err)
		})
	}
}
