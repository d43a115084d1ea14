package main

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
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/enroll/identity"
)

func TestEnroll(t *testing.T) {
	ca := startCA(t)
	d := newDesk(t, ca)
	d.registrar(ca, "admin")
	name := d.member("merchant", "merchant-7")

	one, err := identity.Read(d.path("wallet"), "merchant-7")
	require.NoError(t, err)
	require.Equal(t, "AssociationMSP", one.MSPID)
	require.Equal(t, "merchant", one.Attributes["role"])
	require.Regexp(t, `^p-[0-9a-f]{16}$`, one.Attributes["subject"])
	require.Equal(t, name, one.Name())
	require.Regexp(t, `^[0-9a-f]{32}$`, name, "nothing that tells who it is")
	require.Equal(t, []string{"client"}, one.Certificate.Subject.OrganizationalUnit)
	info, err := os.Stat(d.path("wallet", "merchant-7.id"))
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())

	t.Run("ChainsToTheCA", func(t *testing.T) {
		d.run("", "cacert", "--msp", d.path("msp"))
		root := readPEM(t, d.path("msp", "cacerts", "ca-association.pem"), "CERTIFICATE")
		parent, err := x509.ParseCertificate(root)
		require.NoError(t, err)
		require.NoError(t, one.Certificate.CheckSignatureFrom(parent))
	})
	t.Run("SubjectOfAPostThatChangesHands", func(t *testing.T) {
		name, secret := d.register("association", "--subject", "p-0123")
		d.run(secret, "enroll", "--name", name, "--label", "successor", "--secret-file", "-")
		successor, err := identity.Read(d.path("wallet"), "successor")
		require.NoError(t, err)
		require.Equal(t, "p-0123", successor.Attributes["subject"])
	})
	t.Run("SecretFromTheEnvironment", func(t *testing.T) {
		name, secret := d.register("merchant")
		t.Setenv(secretVariable, secret)
		d.run("", "enroll", "--name", name, "--label", "from-environment")
	})
	t.Run("SecretFromAFile", func(t *testing.T) {
		out := d.run("", "register", "--role", "merchant", "--secret-out", d.path("secret"))
		d.run("", "enroll", "--name", strings.Fields(out)[1], "--label", "from-file", "--secret-file", d.path("secret"))
	})
	t.Run("Renewed", func(t *testing.T) {
		d.run("", "reenroll", "--label", "merchant-7")
		renewed, err := identity.Read(d.path("wallet"), "merchant-7")
		require.NoError(t, err)
		require.Equal(t, one.Attributes["subject"], renewed.Attributes["subject"], "the ledger knows the holder by it")
		require.Equal(t, one.Attributes["role"], renewed.Attributes["role"])
		require.NotEqual(t, one.KeyPEM, renewed.KeyPEM)
		require.NotEqual(t, one.Certificate.SerialNumber, renewed.Certificate.SerialNumber)
	})
	t.Run("RenewedWhereTheEndIsNear", func(t *testing.T) {
		require.Empty(t, d.run("", "reenroll", "--within", "720h"), "nothing ends within a month")
		require.Contains(t, d.run("", "reenroll", "--within", "9000h"), "from-file renewed until")
	})
}

func readPEM(t *testing.T, path, kind string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	block, rest := pem.Decode(content)
	require.NotNil(t, block)
	require.Empty(t, rest)
	require.Equal(t, kind, block.Type)
	return block.Bytes
}

func TestRevoke(t *testing.T) {
	ca := startCA(t)
	d := newDesk(t, ca)
	d.registrar(ca, "admin")
	d.member("merchant", "one")
	two := d.member("merchant", "two")
	d.member("merchant", "three")
	list := func() []string {
		d.run("", "crl", "--msp", d.path("msp"))
		parsed, err := x509.ParseRevocationList(readPEM(t, d.path("msp", "crls", "ca-association.pem"), "X509 CRL"))
		require.NoError(t, err)
		root, err := x509.ParseCertificate(readPEM(t, d.path("msp", "cacerts", "ca-association.pem"), "CERTIFICATE"))
		require.NoError(t, err)
		require.NoError(t, parsed.CheckSignatureFrom(root))
		var serials []string
		for _, entry := range parsed.RevokedCertificateEntries {
			serials = append(serials, entry.SerialNumber.String())
		}
		return serials
	}
	serial := func(label string) string {
		one, err := identity.Read(d.path("wallet"), label)
		require.NoError(t, err)
		return one.Certificate.SerialNumber.String()
	}
	require.Empty(t, list())

	require.Contains(t, d.run("", "revoke", "--label", "one", "--reason", "keycompromise"), "certificates: 1")
	require.Equal(t, []string{serial("one")}, list())
	_, err := d.try("", "reenroll", "--label", "one")
	require.ErrorContains(t, err, "a certificate that is revoked")
	_, err = d.try("", "revoke", "--label", "one")
	require.ErrorContains(t, err, "already revoked")

	d.run("", "reenroll", "--label", "two")
	require.Contains(t, d.run("", "revoke", "--name", two, "--reason", "cessationofoperation"), "certificates: 2", "the renewed one and the one before")
	require.Len(t, list(), 3)
	require.Contains(t, list(), serial("two"))
	require.NotContains(t, list(), serial("three"))

	for name, c := range map[string]struct {
		arguments []string
		want      string
	}{
		"UnknownHolder":   {[]string{"revoke", "--name", "nobody"}, "the CA refuses (10): Identity nobody was not found"},
		"UnknownReason":   {[]string{"revoke", "--label", "three", "--reason", "boredom"}, `reason "boredom": want one of unspecified`},
		"NobodyNamed":     {[]string{"revoke"}, "give --label or --name"},
		"LabelAndName":    {[]string{"revoke", "--label", "one", "--name", two}, "give --label or --name"},
		"NoSuchLabel":     {[]string{"revoke", "--label", "four"}, "no such file"},
		"NoListDirectory": {[]string{"crl"}, `required flag(s) "msp" not set`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.try("", c.arguments...)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestRefused: what goes wrong is said in one sentence that repeats no request
// and no secret, and leaves no file.
func TestRefused(t *testing.T) {
	ca := startCA(t)
	d := newDesk(t, ca)
	d.registrar(ca, "admin")
	name, secret := d.register("merchant")
	refused := func(want, secret string, arguments ...string) {
		t.Helper()
		_, err := d.try(secret, arguments...)
		require.ErrorContains(t, err, want)
		require.Less(t, len(err.Error()), 300, err.Error())
		require.NotContains(t, err.Error(), "\n")
		if secret != "" {
			require.NotContains(t, err.Error(), secret)
		}
	}
	enroll := []string{"enroll", "--name", name, "--label", "m", "--secret-file", "-"}
	t.Run("WrongSecret", func(t *testing.T) {
		refused("wrong name or secret", "not-the-secret", enroll...)
		require.NoFileExists(t, d.path("wallet", "m.id"))
	})
	t.Run("NoSecret", func(t *testing.T) {
		refused("no secret: give --secret-file", "", "enroll", "--name", name, "--label", "m")
		refused("the first line is empty", "", enroll...)
		refused("no such file", "", "enroll", "--name", name, "--label", "m", "--secret-file", d.path("none"))
	})
	t.Run("UnknownName", func(t *testing.T) {
		refused("wrong name or secret", secret, "enroll", "--name", "nobody", "--label", "m", "--secret-file", "-")
	})
	t.Run("LabelTaken", func(t *testing.T) {
		d.run(secret, enroll...)
		refused("the label is taken", secret, enroll...)
		refused("want a file name", secret, "enroll", "--name", name, "--label", "../m", "--secret-file", "-")
	})
	t.Run("SecretUsedTwice", func(t *testing.T) {
		refused("a secret that has been used", secret, "enroll", "--name", name, "--label", "again", "--secret-file", "-")
	})
	t.Run("RoleAndSubjectThatAreNone", func(t *testing.T) {
		refused("want small letters", "", "register", "--role", "Merchant 7", "--secret-out", d.path("s"))
		refused("never a name or number of a person", "", "register", "--role", "merchant", "--subject", "张三", "--secret-out", d.path("s"))
	})
	t.Run("SecretFileTaken", func(t *testing.T) {
		refused("file exists", "", "register", "--role", "merchant", "--secret-out", d.path("enroll.yaml"))
	})
	t.Run("AttributeTheHolderLacks", func(t *testing.T) {
		// The registrar is registered without role and subject.
		refused("the CA refuses (0): Failed to find requested attributes: The following required attributes are missing: [role subject]", ca.secret, "enroll", "--name", "admin", "--label", "admin", "--secret-file", "-")
		require.NoFileExists(t, d.path("wallet", "admin.id"))
	})
	t.Run("CADown", func(t *testing.T) {
		ca.stop()
		refused("does not answer: dial tcp", "", "reenroll", "--label", "m")
		refused("does not answer: dial tcp", "", "register", "--role", "merchant", "--secret-out", d.path("s"))
		refused("does not answer: dial tcp", "", "crl", "--msp", d.path("msp"))
		require.NoFileExists(t, d.path("s"))
		_, err := identity.Read(d.path("wallet"), "m")
		require.NoError(t, err, "what was there stays")
	})
}

// TestRefusedElsewhere: other registrars, other CAs.
func TestRefusedElsewhere(t *testing.T) {
	ca := startCA(t)
	t.Run("Expired", func(t *testing.T) {
		hasty := startCAIn(t, t.TempDir(), "-1m") // what it certifies has ended
		late := newDesk(t, hasty)
		late.run(hasty.secret, "enroll", "--name", "holder", "--label", "late", "--secret-file", "-")
		_, err := late.try("", "reenroll", "--label", "late")
		require.ErrorContains(t, err, "it cannot be renewed; have the registrar register the holder again, with --subject p-0123")
		late.registrar(hasty, "admin")
		_, err = late.try("", "crl", "--msp", late.path("msp"))
		require.ErrorContains(t, err, "the registrar's certificate has expired at")
	})
	t.Run("ClerkMayNotRegisterTheSubject", func(t *testing.T) {
		clerk := newDesk(t, ca)
		clerk.registrar(ca, "clerk")
		_, err := clerk.try("", "register", "--role", "merchant", "--secret-out", clerk.path("s"))
		require.ErrorContains(t, err, "may not do that, or not with these attributes")
		require.NoFileExists(t, clerk.path("s"))
		_, err = clerk.try("", "crl", "--msp", clerk.path("msp"))
		require.ErrorContains(t, err, "the CA refuses (71)")
	})
	t.Run("NoRegistrar", func(t *testing.T) {
		_, err := newDesk(t, ca).try("", "register", "--role", "merchant", "--secret-out", filepath.Join(t.TempDir(), "s"))
		require.ErrorContains(t, err, "enroll the registrar first")
	})
	t.Run("CAOfAnotherRoot", func(t *testing.T) {
		other := newDesk(t, ca)
		other.configure(ca.url, startCA(t).tlsRoots)
		_, err := other.try(ca.secret, "registrar", "--secret-file", "-")
		require.ErrorContains(t, err, "is not the CA that the TLS roots certify")
	})
}

// TestRootWithHighS: half of all CA certificates carry a signature whose S is
// above half the order, which the archived client stumbled over elsewhere.
// Such a CA, brought along by the organisation, serves like any other.
func TestRootWithHighS(t *testing.T) {
	ca := startCAIn(t, highRoot(t), "8760h")
	d := newDesk(t, ca)
	d.registrar(ca, "admin")
	d.member("merchant", "one")
	d.run("", "reenroll", "--label", "one")
	d.run("", "revoke", "--label", "one")
	require.Contains(t, d.run("", "crl", "--msp", d.path("msp")), "1 revoked certificates")
}

// highRoot makes a home directory for the CA server that holds such a root.
func highRoot(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	half := new(big.Int).Rsh(key.Params().N, 1)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca.association"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	for {
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		certificate, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		var signature struct{ R, S *big.Int }
		_, err = asn1.Unmarshal(certificate.Signature, &signature)
		require.NoError(t, err)
		if signature.S.Cmp(half) <= 0 {
			continue
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		for name, block := range map[string]*pem.Block{
			"ca-cert.pem": {Type: "CERTIFICATE", Bytes: der}, "ca-key.pem": {Type: "PRIVATE KEY", Bytes: pkcs8},
		} {
			require.NoError(t, os.WriteFile(filepath.Join(home, name), pem.EncodeToMemory(block), 0o600))
		}
		return home
	}
}
