// Package signing keeps the private keys of issuers that entrusted them to
// this gateway, and signs with them. A key that stays with its issuer is
// better; then the issuer sends its signature with the request.
package signing

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

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
	private, err := d.load(issuer)
	if err != nil {
		return "", nil, err
	}
	signed, err = private.sign(message)
	if err != nil {
		return "", nil, fmt.Errorf("sign for issuer %s: %w", issuer, err)
	}
	if err := private.public.Verify(message, signed); err != nil { // a fault in the computation may give the key away
		return "", nil, fmt.Errorf("check own signature for issuer %s: %w", issuer, err)
	}
	return private.public.ID(), signed, nil
}

// Key returns the public key of an issuer, to register it on the ledger.
func (d *Directory) Key(issuer string) (signature.Key, error) {
	private, err := d.load(issuer)
	return private.public, err
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
func (d *Directory) load(issuer string) (privateKey, error) {
	if err := metrology.CheckID("issuer", issuer); err != nil { // it becomes a file name
		return privateKey{}, err
	}
	info, err := os.Stat(d.file(issuer))
	if errors.Is(err, fs.ErrNotExist) {
		return privateKey{}, metrology.FieldErrorf(metrology.CodeInvalid, "signature", "is required: this gateway holds no key of issuer %s", issuer)
	}
	if err != nil {
		return privateKey{}, fmt.Errorf("read key of issuer %s: %w", issuer, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return privateKey{}, fmt.Errorf("read key of issuer %s: others can read the file (mode %v, want 0600)", issuer, info.Mode().Perm())
	}
	if info.Size() > maxKeyFile {
		return privateKey{}, fmt.Errorf("read key of issuer %s: larger than %d bytes", issuer, maxKeyFile)
	}
	content, err := os.ReadFile(d.file(issuer))
	if err != nil {
		return privateKey{}, fmt.Errorf("read key of issuer %s: %w", issuer, err)
	}
	private, err := parse(content)
	if err != nil {
		return privateKey{}, fmt.Errorf("read key of issuer %s: %w", issuer, err)
	}
	return private, nil
}

// privateKey is a key of one of the two schemes.
type privateKey struct {
	p256   *ecdsa.PrivateKey
	sm2    *sm2.PrivateKey
	public signature.Key
}

// parse reads a PEM file with one PKCS #8 key.
func parse(content []byte) (privateKey, error) {
	block, _ := pem.Decode(content)
	if block == nil || block.Type != pemType {
		return privateKey{}, fmt.Errorf("no PEM block %q", pemType)
	}
	signer, err := signature.ParseSigner(block.Bytes)
	if err != nil {
		return privateKey{}, err
	}
	private := privateKey{public: signer.Key()}
	parsed, err := smx509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return privateKey{}, err
	}
	switch parsed := parsed.(type) {
	case *ecdsa.PrivateKey:
		private.p256 = parsed
	case *sm2.PrivateKey:
		private.sm2 = parsed
	}
	return private, nil
}

func (k privateKey) sign(message []byte) ([]byte, error) {
	if k.sm2 != nil {
		return k.sm2.SignWithSM2(noEntropy{}, nil, message)
	}
	sum := sha256.Sum256(message)
	return k.p256.Sign(nil, sum[:], crypto.SHA256) // no randomness: RFC 6979
}

// noEntropy makes SM2 signatures repeatable: gmsm draws the nonce from a
// generator keyed with the private key, the caller's entropy and the digest,
// which keeps its secrecy without the entropy (as RFC 6979 does for ECDSA).
type noEntropy struct{}

func (noEntropy) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
