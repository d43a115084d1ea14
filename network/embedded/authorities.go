package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

// mspName is the directory where an operator lays further CA certificates and
// revocation lists of an organisation: Dir/msp/<MSP id>/cacerts/*.pem and
// crls/*.pem, named as in Fabric's MSP directories.
const mspName = "msp"

// lookAgain is how often that directory is read while the network runs.
const lookAgain = time.Second

// newManager makes the manager from the organisations' own CAs and from what
// the operator added.
func (n *Network) newManager() (*msp.Manager, error) {
	organizations, err := n.material.identities()
	if err != nil {
		return nil, err
	}
	n.identities = organizations
	return msp.NewManager(organizations)
}

// identities are the organisations with all their CAs and revocation lists.
func (m *material) identities() ([]msp.Organization, error) {
	var organizations []msp.Organization
	for _, o := range m.organizations {
		base := filepath.Join(m.dir, mspName, o.mspID)
		roots, err := readAll(filepath.Join(base, "cacerts"))
		if err != nil {
			return nil, err
		}
		lists, err := readAll(filepath.Join(base, "crls"))
		if err != nil {
			return nil, err
		}
		organizations = append(organizations, msp.Organization{
			MSPID: o.mspID, Roots: append([][]byte{o.ca.CertificatePEM()}, roots...), RevocationLists: lists,
		})
	}
	return organizations, nil
}

// readAll reads the PEM files of a directory, sorted by name; none if there is
// no directory.
func readAll(dir string) ([][]byte, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read authorities: %w", err)
	}
	var contents [][]byte
	for _, entry := range entries {
		if entry.IsDir() || !strings.HasSuffix(entry.Name(), ".pem") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read authorities: %w", err)
		}
		contents = append(contents, content)
	}
	return contents, nil
}

// Reload takes in CA certificates and revocation lists that were added,
// replaced or removed below Dir/msp. On an error everything stays as it was.
// What is in a block keeps its verdict; what is not yet in one is judged anew.
func (n *Network) Reload() error {
	n.reload.Lock()
	defer n.reload.Unlock()
	organizations, err := n.material.identities()
	if err != nil || reflect.DeepEqual(organizations, n.identities) {
		return err
	}
	trust, err := n.material.trust(n.ledger, organizations)
	if err != nil {
		return err
	}
	if err := n.manager.Update(organizations); err != nil {
		return err
	}
	n.identities, n.trust = organizations, trust
	n.cfg.Logger.Info("certificate authorities and revocation lists read again")
	return nil
}

// followAuthorities reloads by itself until the network ends.
func (n *Network) followAuthorities() {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	told := ""
	for {
		select {
		case <-n.done:
			return
		case <-ticker.C:
		}
		text := ""
		if err := n.Reload(); err != nil {
			text = err.Error()
		}
		if text != told && text != "" {
			n.cfg.Logger.Error("certificate authorities stay as they were", "error", text)
		}
		told = text
	}
}
