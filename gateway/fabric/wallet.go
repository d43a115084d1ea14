package fabric

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hyperledger/fabric-gateway/pkg/identity"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// ErrNoIdentity is an identity label that the wallet does not hold.
var ErrNoIdentity = errors.New("no such identity in the wallet")

// walletSuffix ends the file name of an identity in Fabric's file wallets.
const walletSuffix = ".id"

// signer is one identity of the wallet, ready to sign.
type signer struct {
	*identity.X509Identity
	sign   identity.Sign
	holder holder
	file   fs.FileInfo // that it was read from
}

// holder is whom a certificate was issued to, as the ledger sees it.
type holder struct{ mspID, role, subject string }

// wallet reads identities from a directory and keeps what it has read until the
// file changes: an identity may be renewed with a new key under the same label,
// and one that is taken out of the directory signs no more. Another holder
// under the same label is refused: the gateway has bound tokens to the first.
type wallet struct {
	directory string
	mutex     sync.Mutex
	signers   map[string]*signer
}

func newWallet(directory string) *wallet {
	return &wallet{directory: directory, signers: map[string]*signer{}}
}

// load returns the identity with a label; ErrNoIdentity when there is none.
func (w *wallet) load(label string) (*signer, error) {
	if label == "" || filepath.Base(label) != label {
		return nil, fmt.Errorf("load identity %q: %w", label, ErrNoIdentity)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	s, err := w.read(label)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("load identity %q: %w", label, ErrNoIdentity)
	}
	if err != nil {
		return nil, fmt.Errorf("load identity %q: %w", label, err)
	}
	return s, nil
}

// read reads the file of a label unless it is the one that was read last.
func (w *wallet) read(label string) (*signer, error) {
	path := filepath.Join(w.directory, label+walletSuffix)
	file, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	earlier := w.signers[label]
	if earlier != nil && os.SameFile(earlier.file, file) && earlier.file.ModTime().Equal(file.ModTime()) {
		return earlier, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := parseIdentity(data)
	if err != nil {
		return nil, err
	}
	if earlier != nil && s.holder != earlier.holder {
		return nil, errors.New("it has become another holder's while the gateway runs: restart the gateway")
	}
	s.file = file
	w.signers[label] = s
	return s, nil
}

// ofOrganization returns the first label, in the order of names, of an organisation.
func (w *wallet) ofOrganization(mspID string) (string, error) {
	entries, err := os.ReadDir(w.directory)
	if err != nil {
		return "", fmt.Errorf("read wallet: %w", err)
	}
	for _, entry := range entries { // sorted by name
		label, ok := strings.CutSuffix(entry.Name(), walletSuffix)
		if !ok || entry.IsDir() {
			continue
		}
		s, err := w.load(label)
		if err != nil {
			return "", err
		}
		if s.MspID() == mspID {
			return label, nil
		}
	}
	return "", fmt.Errorf("read wallet %s: %w of %s", w.directory, ErrNoIdentity, mspID)
}

// parseIdentity reads one identity in the JSON that Fabric's own SDKs keep in
// file wallets: {"credentials":{"certificate":PEM,"privateKey":PEM},
// "mspId":…,"type":"X.509","version":1}.
func parseIdentity(data []byte) (*signer, error) {
	var file struct {
		Credentials struct {
			Certificate string `json:"certificate"`
			PrivateKey  string `json:"privateKey"`
		} `json:"credentials"`
		MSPID   string `json:"mspId"`
		Type    string `json:"type"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("decode identity: %w", err)
	}
	if file.Type != "X.509" || file.Version != 1 || file.MSPID == "" {
		return nil, fmt.Errorf("decode identity: type %q, version %d, organization %q; want X.509, 1 and a name", file.Type, file.Version, file.MSPID)
	}
	certificate, err := identity.CertificateFromPEM([]byte(file.Credentials.Certificate))
	if err != nil {
		return nil, fmt.Errorf("decode certificate: %w", err)
	}
	id, err := identity.NewX509Identity(file.MSPID, certificate)
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	key, err := identity.PrivateKeyFromPEM([]byte(file.Credentials.PrivateKey))
	if err != nil {
		return nil, fmt.Errorf("decode private key: %w", err)
	}
	sign, err := identity.NewPrivateKeySign(key)
	if err != nil {
		return nil, fmt.Errorf("make signer: %w", err)
	}
	attributes, err := ledger.Attributes(certificate)
	if err != nil {
		return nil, err
	}
	return &signer{X509Identity: id, sign: sign, holder: holder{file.MSPID, attributes["role"], attributes["subject"]}}, nil
}
