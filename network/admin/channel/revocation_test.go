package channel

import (
	"encoding/pem"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/devca"
)

func TestAcceptance(t *testing.T) {
	own, added, foreign := newCA(t), newCA(t), newCA(t)
	certify := func(ca *devca.CA) []byte {
		pair, err := ca.User(nil)
		require.NoError(t, err)
		return pair.Certificate
	}
	list := func(ca *devca.CA, certificates ...[]byte) []byte {
		text, err := ca.RevocationList(certificates...)
		require.NoError(t, err)
		return text
	}
	one, other, guest, stranger := certify(own), certify(own), certify(added), certify(foreign)
	config := &msp.FabricMSPConfig{
		Name: "AMSP", RootCerts: [][]byte{own.CertificatePEM(), added.CertificatePEM()},
		RevocationList: [][]byte{list(own, one, guest)},
	}
	a, err := NewAcceptance(config)
	require.NoError(t, err)
	require.NoError(t, a.Check(other))
	require.NoError(t, a.Check(guest), "a list speaks of its issuer's certificates alone")
	require.ErrorContains(t, a.Check(one), "it is revoked")
	require.ErrorContains(t, a.Check(stranger), "unknown authority")
	require.ErrorContains(t, a.Check([]byte("x")), "not one PEM certificate")

	for name, c := range map[string]struct {
		change func(*msp.FabricMSPConfig)
		want   string
	}{
		"ListOfAForeignCA": {func(c *msp.FabricMSPConfig) { c.RevocationList = [][]byte{list(foreign)} }, "by none of the organisation's CAs"},
		"ListThatIsNone":   {func(c *msp.FabricMSPConfig) { c.RevocationList = [][]byte{[]byte("x")} }, "not one PEM revocation list"},
		"RootThatIsNoCA":   {func(c *msp.FabricMSPConfig) { c.RootCerts = [][]byte{one} }, "not a certificate authority"},
		"TwoInOneFile": {func(c *msp.FabricMSPConfig) {
			c.RootCerts = [][]byte{append(own.CertificatePEM(), added.CertificatePEM()...)}
		}, "not one PEM certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := &msp.FabricMSPConfig{Name: "AMSP", RootCerts: config.RootCerts}
			c.change(bad)
			_, err := NewAcceptance(bad)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func newCA(t testing.TB) *devca.CA {
	t.Helper()
	ca, err := devca.New("example", "ca.example")
	require.NoError(t, err)
	return ca
}

// FuzzAcceptance: a list from a file revokes nobody unless the CA signed it.
func FuzzAcceptance(f *testing.F) {
	ca := newCA(f)
	pair, err := ca.User(nil)
	require.NoError(f, err)
	text, err := newCA(f).RevocationList(pair.Certificate)
	require.NoError(f, err)
	f.Add(text)
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL"}))
	f.Fuzz(func(t *testing.T, list []byte) {
		a, err := NewAcceptance(&msp.FabricMSPConfig{Name: "AMSP", RootCerts: [][]byte{ca.CertificatePEM()}, RevocationList: [][]byte{list}})
		if err == nil {
			require.NoError(t, a.Check(pair.Certificate))
		}
	})
}
