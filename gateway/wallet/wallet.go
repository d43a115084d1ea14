// Package wallet keeps X.509 identities in a directory, in the JSON form of
// Fabric's own file wallets.
package wallet

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// Identity is one identity of a wallet, as its certificate describes it.
type Identity struct {
	Label   string
	MSPID   string
	Role    string
	Subject string
}

// file is Fabric's wallet format.
type file struct {
	Credentials credentials `json:"credentials"`
	MSPID       string      `json:"mspId"`
	Type        string      `json:"type"`
	Version     int         `json:"version"`
}

type credentials struct {
	Certificate string `json:"certificate"`
	PrivateKey  string `json:"privateKey"`
}

// suffix ends the name of a wallet file.
const suffix = ".id"

// Put writes an identity, readable by its owner only. It replaces none.
func Put(directory, label, mspID string, certificate, key []byte) error {
	content, err := json.MarshalIndent(file{
		Credentials: credentials{Certificate: string(certificate), PrivateKey: string(key)},
		MSPID:       mspID, Type: "X.509", Version: 1,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode identity %s: %w", label, err)
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return fmt.Errorf("make wallet: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(directory, label+suffix), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write identity %s: %w", label, err)
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write identity %s: %w", label, err)
	}
	return nil
}

// Has reports whether a label is taken.
func Has(directory, label string) bool {
	_, err := os.Stat(filepath.Join(directory, label+suffix))
	return err == nil
}

// List describes every identity of a wallet, sorted by label.
func List(directory string) ([]Identity, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, fmt.Errorf("read wallet: %w", err)
	}
	var identities []Identity
	for _, entry := range entries {
		label, ok := strings.CutSuffix(entry.Name(), suffix)
		if !ok || entry.IsDir() {
			continue
		}
		identity, err := describe(filepath.Join(directory, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read identity %s: %w", label, err)
		}
		identity.Label = label
		identities = append(identities, identity)
	}
	return identities, nil
}

func describe(path string) (Identity, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Identity{}, err
	}
	var f file
	if err := json.Unmarshal(content, &f); err != nil {
		return Identity{}, err
	}
	block, _ := pem.Decode([]byte(f.Credentials.Certificate))
	if block == nil {
		return Identity{}, errors.New("no PEM certificate")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return Identity{}, err
	}
	attributes, err := ledger.Attributes(certificate)
	if err != nil {
		return Identity{}, err
	}
	return Identity{MSPID: f.MSPID, Role: attributes["role"], Subject: attributes["subject"]}, nil
}
