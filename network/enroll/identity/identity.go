// Package identity keeps X.509 identities in files of Fabric's own wallet
// form, which is what gateways read: NAME.id, one identity each.
package identity

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// suffix ends the name of a wallet file.
const suffix = ".id"

// ErrTaken is a label that already stands for an identity.
var ErrTaken = errors.New("the label is taken")

// attributesOID is the extension in which Fabric CA certifies attributes, as
// {"attrs":{"name":"value"}}.
var attributesOID = asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}

// Identity is a certificate with its key, and what the certificate says.
type Identity struct {
	MSPID          string
	Certificate    *x509.Certificate
	CertificatePEM []byte
	KeyPEM         []byte // PKCS #8
	Attributes     map[string]string
}

// Name is the name under which the CA knows the holder: the common name.
func (i *Identity) Name() string { return i.Certificate.Subject.CommonName }

// Expired reports whether the certificate's term is over.
func (i *Identity) Expired(now time.Time) bool { return now.After(i.Certificate.NotAfter) }

// New puts an identity together. The key must be the certificate's.
func New(mspID string, certificatePEM, keyPEM []byte) (*Identity, error) {
	block, _ := pem.Decode(certificatePEM)
	if block == nil {
		return nil, errors.New("read certificate: no PEM block")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, err
	}
	if public, ok := certificate.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(key.Public()) {
		return nil, errors.New("read identity: the key does not belong to the certificate")
	}
	attributes, err := attributesOf(certificate)
	if err != nil {
		return nil, err
	}
	return &Identity{
		MSPID: mspID, Certificate: certificate, CertificatePEM: certificatePEM, KeyPEM: keyPEM, Attributes: attributes,
	}, nil
}

// Key returns the private key.
func (i *Identity) Key() (*ecdsa.PrivateKey, error) { return parseKey(i.KeyPEM) }

func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("read key: no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read key: it is a %T, want ECDSA", parsed)
	}
	return key, nil
}

func attributesOf(certificate *x509.Certificate) (map[string]string, error) {
	for _, extension := range certificate.Extensions {
		if !extension.Id.Equal(attributesOID) {
			continue
		}
		var value struct {
			Attrs map[string]string `json:"attrs"`
		}
		if err := json.Unmarshal(extension.Value, &value); err != nil {
			return nil, fmt.Errorf("read attributes of the certificate: %w", err)
		}
		return value.Attrs, nil
	}
	return map[string]string{}, nil
}

// file is Fabric's wallet form.
type file struct {
	Credentials struct {
		Certificate string `json:"certificate"`
		PrivateKey  string `json:"privateKey"`
	} `json:"credentials"`
	MSPID   string `json:"mspId"`
	Type    string `json:"type"`
	Version int    `json:"version"`
}

// Read reads an identity by its label.
func Read(directory, label string) (*Identity, error) {
	path, err := pathOf(directory, label)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read identity %s: %w", label, err)
	}
	identity, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("read identity %s: %w", label, err)
	}
	return identity, nil
}

func parse(content []byte) (*Identity, error) {
	var f file
	if err := json.Unmarshal(content, &f); err != nil {
		return nil, err
	}
	if f.Type != "X.509" || f.Version != 1 || f.MSPID == "" {
		return nil, errors.New("not an X.509 identity of wallet version 1")
	}
	return New(f.MSPID, []byte(f.Credentials.Certificate), []byte(f.Credentials.PrivateKey))
}

// Create writes a new identity, readable by its owner alone; ErrTaken if the
// label stands for one already.
func Create(directory, label string, identity *Identity) error {
	if err := Free(directory, label); err != nil {
		return err
	}
	return Replace(directory, label, identity)
}

// Free tells in advance whether Create would find its place: ErrTaken if not.
// A secret that may be used once should not be spent on an identity that
// cannot be kept.
func Free(directory, label string) error {
	path, err := pathOf(directory, label)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write identity %s: %w", label, errors.Join(ErrTaken, err))
	}
	return nil
}

// Replace writes an identity whole or not at all, in the place of an earlier one.
func Replace(directory, label string, identity *Identity) error {
	path, err := pathOf(directory, label)
	if err != nil {
		return err
	}
	f := file{MSPID: identity.MSPID, Type: "X.509", Version: 1}
	f.Credentials.Certificate, f.Credentials.PrivateKey = string(identity.CertificatePEM), string(identity.KeyPEM)
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("encode identity %s: %w", label, err)
	}
	return WriteFile(path, append(content, '\n'), 0o600)
}

// WriteFile replaces a file whole or not at all, and has it on the disk when it
// returns. Directories are made, open to their owner alone.
func WriteFile(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(temporary.Name()) // gone already when all went well
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Labels lists the identities of a directory, sorted.
func Labels(directory string) ([]string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, fmt.Errorf("read wallet: %w", err)
	}
	var labels []string
	for _, entry := range entries {
		if label, ok := strings.CutSuffix(entry.Name(), suffix); ok && !entry.IsDir() {
			labels = append(labels, label)
		}
	}
	return labels, nil
}

func pathOf(directory, label string) (string, error) {
	if label == "" || filepath.Base(label) != label || strings.HasPrefix(label, ".") {
		return "", fmt.Errorf("label %q: want a file name without a directory", label)
	}
	return filepath.Join(directory, label+suffix), nil
}
