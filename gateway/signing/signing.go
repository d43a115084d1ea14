// Package signing keeps the private keys of issuers that entrusted them to
// this gateway, and signs with them. A key that stays with its issuer is
// better; then the issuer sends its signature with the request.
package signing

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

// suffix ends the name of a key file.
const suffix = ".pem"

// pemType is the label of a PKCS #8 private key (RFC 7468, section 10).
const pemType = "PRIVATE KEY"

// maxKeyFile bounds a key file, in bytes.
const maxKeyFile = 8 << 10

// Directory holds one file <issuer>.pem for each issuer: a PKCS #8 key, ECDSA
// on P-256 or SM2, readable by its owner only. Files may come and go while the
// gateway runs. It is safe for concurrent use.
type Directory struct{ path string }

// NewDirectory uses the directory at path, which need not exist yet.
func NewDirectory(path string) *Directory { return &Directory{path: path} }

// Sign makes a detached signature of issuer over message and returns the key's
// id with it. The same key and message always give the same signature: ECDSA
// after RFC 6979, and SM2 with a nonce derived from key and message alone.
// Without a key of the issuer the error is metrology.CodeInvalid for the field
// "signature", since then the request has to bring one.
func (d *Directory) Sign(ctx context.Context, issuer string, message []byte) (keyID string, signed []byte, err error) {
	if err := ctx.Err(); err != nil {
		return "", nil, err
	}
	signer, err := d.load(issuer)
	if err != nil {
		return "", nil, err
	}
	signed, err = signer.Sign(message)
	if err != nil {
		return "", nil, fmt.Errorf("sign for issuer %s: %w", issuer, err)
	}
	if err := signer.Key().Verify(message, signed); err != nil { // a fault in the computation may give the key away
		return "", nil, fmt.Errorf("check own signature for issuer %s: %w", issuer, err)
	}
	return signer.Key().ID(), signed, nil
}

// Key returns the public key of an issuer, to register it on the ledger.
func (d *Directory) Key(issuer string) (signature.Key, error) {
	signer, err := d.load(issuer)
	if err != nil {
		return signature.Key{}, err
	}
	return signer.Key(), nil
}

// Generate makes a key for an issuer that has none here. scheme is
// signature.SchemeP256 or signature.SchemeSM2.
func (d *Directory) Generate(issuer, scheme string) (signature.Key, error) {
	if err := metrology.CheckID("issuer", issuer); err != nil {
		return signature.Key{}, err
	}
	generate := signature.GenerateP256
	switch scheme {
	case signature.SchemeP256:
	case signature.SchemeSM2:
		generate = signature.GenerateSM2
	default:
		return signature.Key{}, fmt.Errorf("make key of issuer %s: scheme %q is unknown", issuer, scheme)
	}
	signer, err := generate()
	if err != nil {
		return signature.Key{}, err
	}
	encoded, err := signer.PKCS8()
	if err != nil {
		return signature.Key{}, fmt.Errorf("encode key of issuer %s: %w", issuer, err)
	}
	return signer.Key(), d.write(issuer, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: encoded}))
}

func (d *Directory) write(issuer string, content []byte) error {
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return fmt.Errorf("make key directory: %w", err)
	}
	file, err := os.OpenFile(d.file(issuer), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write key of issuer %s: %w", issuer, err)
	}
	if _, err = file.Write(content); err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write key of issuer %s: %w", issuer, err)
	}
	return nil
}

func (d *Directory) file(issuer string) string { return filepath.Join(d.path, issuer+suffix) }

// load reads the key of an issuer.
func (d *Directory) load(issuer string) (*signature.Signer, error) {
	if err := metrology.CheckID("issuer", issuer); err != nil { // it becomes a file name
		return nil, err
	}
	info, err := os.Stat(d.file(issuer))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "signature", "is required: this gateway holds no key of issuer %s", issuer)
	}
	if err != nil {
		return nil, fmt.Errorf("read key of issuer %s: %w", issuer, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read key of issuer %s: others can read the file (mode %v, want 0600)", issuer, info.Mode().Perm())
	}
	if info.Size() > maxKeyFile {
		return nil, fmt.Errorf("read key of issuer %s: larger than %d bytes", issuer, maxKeyFile)
	}
	content, err := os.ReadFile(d.file(issuer))
	if err != nil {
		return nil, fmt.Errorf("read key of issuer %s: %w", issuer, err)
	}
	signer, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("read key of issuer %s: %w", issuer, err)
	}
	return signer, nil
}

// parse reads a PEM file with one PKCS #8 key.
func parse(content []byte) (*signature.Signer, error) {
	block, _ := pem.Decode(content)
	if block == nil || block.Type != pemType {
		return nil, fmt.Errorf("no PEM block %q", pemType)
	}
	return signature.ParseSigner(block.Bytes)
}
