// Package devca is the development certificate authority of both the embedded
// network and the one-machine consortium: for every organisation an identity
// CA and a TLS CA. A real organisation runs a CA of its own (see
// network/enroll); nothing here is meant to guard more than one machine.
//
// User certificates carry Fabric CA's attribute extension
// (OID 1.2.3.4.5.6.7.8.1), which cryptogen cannot write, and a random common
// name: creators stand in every block for good, so a subject must not tell
// who the person is.
package devca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// validity of everything this CA issues: long enough for a trial, short
// enough that nobody mistakes it for a production CA.
const validity = 3 * 365 * 24 * time.Hour

// attributesOID is where Fabric CA, and so Fabric's cid library, keeps attributes.
var attributesOID = asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}

// CA issues certificates for one organisation and one purpose (identities or TLS).
type CA struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Pair is a PEM certificate with its PKCS #8 PEM key.
type Pair struct {
	Certificate []byte
	Key         []byte
}

// New makes a self-signed CA for the organisation.
func New(organization, commonName string) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate CA key: %w", err)
	}
	template, err := newTemplate(pkix.Name{Organization: []string{organization}, CommonName: commonName})
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("self-sign CA certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse CA certificate: %w", err)
	}
	return &CA{Certificate: certificate, key: key}, nil
}

// Load restores a CA from what PEM wrote.
func Load(pair Pair) (*CA, error) {
	certificate, err := ParseCertificate(pair.Certificate)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(pair.Key)
	if block == nil {
		return nil, fmt.Errorf("load CA key: no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("load CA key: %w", err)
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("load CA key: %T, want ECDSA", key)
	}
	return &CA{Certificate: certificate, key: ec}, nil
}

// PEM returns the CA's certificate and key, for Load.
func (ca *CA) PEM() (Pair, error) { return encode(ca.Certificate.Raw, ca.key) }

// CertificatePEM returns the CA's certificate alone.
func (ca *CA) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate.Raw})
}

// Node issues an identity for a peer, orderer or admin. The organisational
// unit (peer, orderer, admin, client) is what Fabric's NodeOUs classify by.
func (ca *CA) Node(commonName, unit string) (Pair, error) {
	return ca.issue(pkix.Name{CommonName: commonName, OrganizationalUnit: []string{unit}}, nil, nil)
}

// User issues a client identity with a random common name and the given attributes.
func (ca *CA) User(attributes map[string]string) (Pair, error) {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return Pair{}, fmt.Errorf("draw a common name: %w", err)
	}
	value, err := json.Marshal(map[string]any{"attrs": attributes})
	if err != nil {
		return Pair{}, fmt.Errorf("encode attributes: %w", err)
	}
	name := pkix.Name{CommonName: hex.EncodeToString(random[:]), OrganizationalUnit: []string{"client"}}
	return ca.issue(name, []pkix.Extension{{Id: attributesOID, Value: value}}, nil)
}

// TLS issues a certificate for servers and mutual-TLS clients. A host is a DNS
// name or an IP address.
func (ca *CA) TLS(commonName string, hosts ...string) (Pair, error) {
	return ca.issue(pkix.Name{CommonName: commonName}, nil, hosts)
}

// RevocationList is a signed list (PEM) of certificates (PEM) that count no
// more. Nothing here remembers earlier lists: name all that are revoked.
func (ca *CA) RevocationList(revoked ...[]byte) ([]byte, error) {
	now := time.Now()
	list := &x509.RevocationList{Number: big.NewInt(now.UnixMilli()), ThisUpdate: now, NextUpdate: now.Add(validity)}
	for _, text := range revoked {
		certificate, err := ParseCertificate(text)
		if err != nil {
			return nil, err
		}
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: certificate.SerialNumber, RevocationTime: now})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, ca.Certificate, ca.key)
	if err != nil {
		return nil, fmt.Errorf("sign revocation list: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), nil
}

func (ca *CA) issue(name pkix.Name, extensions []pkix.Extension, hosts []string) (Pair, error) {
	name.Organization = ca.Certificate.Subject.Organization
	template, err := newTemplate(name)
	if err != nil {
		return Pair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtraExtensions = extensions
	if hosts != nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("generate key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Certificate, key.Public(), ca.key)
	if err != nil {
		return Pair{}, fmt.Errorf("issue certificate for %q: %w", name.CommonName, err)
	}
	return encode(der, key)
}

func newTemplate(name pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("draw serial number: %w", err)
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      name,
		NotBefore:    now.Add(-5 * time.Minute), // clocks of other machines
		NotAfter:     now.Add(validity),
	}, nil
}

// ParseCertificate reads one PEM certificate.
func ParseCertificate(pemBytes []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(pemBytes)
	if block == nil {
		return nil, fmt.Errorf("parse certificate: no PEM block")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	return certificate, nil
}

func encode(der []byte, key *ecdsa.PrivateKey) (Pair, error) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("encode key: %w", err)
	}
	return Pair{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	}, nil
}
