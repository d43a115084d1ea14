package msp

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// crlBlock is the PEM type of a revocation list (RFC 7468, section 6).
const crlBlock = "X509 CRL"

// authority is what one organisation's CAs say: whom they certified, and whom
// no longer.
type authority struct {
	pool    *x509.CertPool
	roots   []*x509.Certificate
	revoked map[entry]bool
}

// entry is a certificate on a revocation list, by its issuer's key.
type entry struct{ issuerKeyID, serial string }

func entryOf(issuer *x509.Certificate, serial *big.Int) entry {
	return entry{string(issuer.SubjectKeyId), serial.String()}
}

func newAuthority(organization Organization) (*authority, error) {
	a := &authority{pool: x509.NewCertPool(), revoked: map[entry]bool{}}
	for _, root := range organization.Roots {
		certificate, err := parseRoot(root)
		if err != nil {
			return nil, fmt.Errorf("read CA certificate of %s: %w", organization.MSPID, err)
		}
		a.pool.AddCert(certificate)
		a.roots = append(a.roots, certificate)
	}
	for _, list := range organization.RevocationLists {
		if err := a.revoke(list); err != nil {
			return nil, fmt.Errorf("read revocation list of %s: %w", organization.MSPID, err)
		}
	}
	return a, nil
}

func parseRoot(text []byte) (*x509.Certificate, error) {
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("not one PEM certificate")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	if !certificate.IsCA {
		return nil, fmt.Errorf("%q is not a certificate authority", certificate.Subject)
	}
	return certificate, nil
}

// revoke takes in a revocation list. A peer passes over a list that none of
// the roots signed; here it is an error, since it can only be a mistake.
func (a *authority) revoke(text []byte) error {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != crlBlock || len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("not one PEM revocation list")
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		return err
	}
	for _, root := range a.roots {
		// The issuer by its key's id and signature, as in Fabric, which asks for no
		// particular key usage of the CA.
		if !bytes.Equal(root.SubjectKeyId, list.AuthorityKeyId) ||
			root.CheckSignature(list.SignatureAlgorithm, list.RawTBSRevocationList, list.Signature) != nil {
			continue
		}
		for _, revoked := range list.RevokedCertificateEntries {
			a.revoked[entryOf(root, revoked.SerialNumber)] = true
		}
		return nil
	}
	return fmt.Errorf("signed by %q, by none of the organisation's CAs", list.Issuer)
}

// issuer verifies the chain and returns its root. It verifies, like Fabric, as
// of the certificate's own first second: whether a block is valid must not
// depend on the day it is looked at. Expiry is checked at the doors. A
// certificate of a foreign root is no identity at all.
func (a *authority) issuer(certificate *x509.Certificate) (*x509.Certificate, error) {
	chains, err := certificate.Verify(x509.VerifyOptions{
		Roots:       a.pool,
		CurrentTime: certificate.NotBefore.Add(time.Second),
		KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return nil, fmt.Errorf("the supplied identity is not valid: %w", err)
	}
	chain := chains[0]
	return chain[len(chain)-1], nil
}

// revokedBy reports a certificate on its issuer's list. As in Fabric, neither
// the date of the revocation nor the term of the list matters: what the
// configuration says holds while it is in force.
func (a *authority) revokedBy(issuer, certificate *x509.Certificate) error {
	if a.revoked[entryOf(issuer, certificate.SerialNumber)] {
		return errors.New("the certificate has been revoked")
	}
	return nil
}
