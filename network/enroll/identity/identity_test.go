package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/enroll/identity"
)

// pair makes a self-signed certificate with Fabric CA's attribute extension.
func pair(t testing.TB, attributes string) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "holder"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	if attributes != "" {
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}, Value: []byte(attributes)}}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func TestWallet(t *testing.T) {
	certificate, key := pair(t, `{"attrs":{"role":"merchant","subject":"p-1"}}`)
	one, err := identity.New("AssociationMSP", certificate, key)
	require.NoError(t, err)
	require.Equal(t, "holder", one.Name())
	require.False(t, one.Expired(time.Now()))
	require.True(t, one.Expired(time.Now().Add(2*time.Hour)))
	dir := filepath.Join(t.TempDir(), "wallet")
	require.NoError(t, identity.Create(dir, "m", one))
	require.ErrorIs(t, identity.Create(dir, "m", one), identity.ErrTaken)
	require.NoError(t, identity.Replace(dir, "m", one))
	read, err := identity.Read(dir, "m")
	require.NoError(t, err)
	require.Equal(t, one, read)
	labels, err := identity.Labels(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"m"}, labels, "no file is left half-written")
	_, err = identity.Read(dir, "n")
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, label := range []string{"", "a/b", "..", ".hidden"} {
		require.ErrorContains(t, identity.Replace(dir, label, one), "want a file name", label)
	}
}

func TestNew(t *testing.T) {
	certificate, key := pair(t, "")
	_, other := pair(t, "")
	broken, brokenKey := pair(t, "{")
	for name, c := range map[string]struct {
		certificate, key []byte
		want             string
	}{
		"KeyOfAnother":     {certificate, other, "does not belong to the certificate"},
		"NoCertificate":    {[]byte("x"), key, "no PEM block"},
		"NotACertificate":  {key, key, "read certificate"},
		"NoKey":            {certificate, nil, "read key: no PEM block"},
		"NotAKey":          {certificate, certificate, "read key"},
		"BrokenAttributes": {broken, brokenKey, "read attributes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := identity.New("AssociationMSP", c.certificate, c.key)
			require.ErrorContains(t, err, c.want)
		})
	}
	one, err := identity.New("AssociationMSP", certificate, key)
	require.NoError(t, err)
	require.Empty(t, one.Attributes)
}

// FuzzRead: whatever stands in a wallet file is an identity whose key fits, or
// an error.
func FuzzRead(f *testing.F) {
	certificate, key := pair(f, `{"attrs":{"role":"merchant"}}`)
	one, err := identity.New("AssociationMSP", certificate, key)
	require.NoError(f, err)
	dir := f.TempDir()
	require.NoError(f, identity.Create(dir, "good", one))
	good, err := os.ReadFile(filepath.Join(dir, "good.id"))
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"type":"X.509","version":1,"mspId":"M"}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "x.id"), content, 0o600))
		read, err := identity.Read(dir, "x")
		if err != nil {
			return
		}
		private, err := read.Key()
		require.NoError(t, err)
		require.True(t, private.PublicKey.Equal(read.Certificate.PublicKey))
	})
}
