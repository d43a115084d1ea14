package channel

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
)

// Acceptance is what an MSP says of certificates, told before it is in force.
type Acceptance struct {
	roots, intermediates *x509.CertPool
	issuers              []*x509.Certificate
	lists                []*x509.RevocationList
}

// NewAcceptance reads an MSP. A peer passes over a revocation list that none of
// the organisation's CAs signed; here it is an error, since whoever lays it
// down believes that it revokes.
func NewAcceptance(config *msp.FabricMSPConfig) (*Acceptance, error) {
	a := &Acceptance{roots: x509.NewCertPool(), intermediates: x509.NewCertPool()}
	for pool, texts := range map[*x509.CertPool][][]byte{a.roots: config.GetRootCerts(), a.intermediates: config.GetIntermediateCerts()} {
		for _, text := range texts {
			certificate, err := parseAuthority(text)
			if err != nil {
				return nil, fmt.Errorf("read CA certificate of %s: %w", config.GetName(), err)
			}
			pool.AddCert(certificate)
			a.issuers = append(a.issuers, certificate)
		}
	}
	for _, text := range config.GetRevocationList() {
		list, err := a.parseList(text)
		if err != nil {
			return nil, fmt.Errorf("read revocation list of %s: %w", config.GetName(), err)
		}
		a.lists = append(a.lists, list)
	}
	return a, nil
}

func parseAuthority(text []byte) (*x509.Certificate, error) {
	certificate, err := parseOne(text)
	if err != nil {
		return nil, err
	}
	if !certificate.IsCA {
		return nil, fmt.Errorf("%q is not a certificate authority", certificate.Subject)
	}
	return certificate, nil
}

func parseOne(text []byte) (*x509.Certificate, error) {
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("not one PEM certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

func (a *Acceptance) parseList(text []byte) (*x509.RevocationList, error) {
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("not one PEM revocation list")
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		return nil, err
	}
	for _, issuer := range a.issuers {
		if signedBy(list, issuer) {
			return list, nil
		}
	}
	return nil, fmt.Errorf("signed by %q, by none of the organisation's CAs", list.Issuer)
}

// signedBy asks what Fabric asks: the key's id, and the signature.
func signedBy(list *x509.RevocationList, issuer *x509.Certificate) bool {
	return bytes.Equal(issuer.SubjectKeyId, list.AuthorityKeyId) &&
		issuer.CheckSignature(list.SignatureAlgorithm, list.RawTBSRevocationList, list.Signature) == nil
}

// Check reports why a PEM certificate would not be accepted: of another CA, or
// revoked. As in Fabric, its term is not asked here.
func (a *Acceptance) Check(text []byte) error {
	certificate, err := parseOne(text)
	if err != nil {
		return err
	}
	chains, err := certificate.Verify(x509.VerifyOptions{
		Roots: a.roots, Intermediates: a.intermediates,
		CurrentTime: certificate.NotBefore.Add(time.Second), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("certificate of %q: %w", certificate.Subject.CommonName, err)
	}
	for _, list := range a.lists {
		if !signedBy(list, chains[0][1]) {
			continue
		}
		for _, entry := range list.RevokedCertificateEntries {
			if entry.SerialNumber.Cmp(certificate.SerialNumber) == 0 {
				return fmt.Errorf("certificate of %q: it is revoked", certificate.Subject.CommonName)
			}
		}
	}
	return nil
}
