package embedded

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/steelyard-ledger/steelyard/network/devca"
)

// organizationsName is the directory with certificates in the layout of
// Fabric's test network, for tools that expect it.
const organizationsName = "organizations"

// nodeUnits is the MSP configuration that reads roles from certificates.
const nodeUnits = `NodeOUs:
  Enable: true
  ClientOUIdentifier:
    Certificate: cacerts/%[1]s
    OrganizationalUnitIdentifier: client
  PeerOUIdentifier:
    Certificate: cacerts/%[1]s
    OrganizationalUnitIdentifier: peer
  AdminOUIdentifier:
    Certificate: cacerts/%[1]s
    OrganizationalUnitIdentifier: admin
  OrdererOUIdentifier:
    Certificate: cacerts/%[1]s
    OrganizationalUnitIdentifier: orderer
`

// export writes, below dir/organizations/peerOrganizations/<domain>, what a
// client or Fabric's command line needs: roots, and the users User1 and Admin.
// The nodes' own keys stay in dir/keys. Users that are there are kept.
func (m *material) export(dir string) error {
	for _, o := range m.organizations {
		if err := o.export(o.directory(dir)); err != nil {
			return fmt.Errorf("write certificates of %s: %w", o.mspID, err)
		}
	}
	return nil
}

// directory is where the organisation's certificates stand below dir.
func (o *organization) directory(dir string) string {
	return filepath.Join(dir, organizationsName, "peerOrganizations", o.domain())
}

func (o *organization) export(base string) error {
	files := map[string][]byte{
		"ca/" + o.rootName("ca"):                              o.ca.CertificatePEM(),
		"tlsca/" + o.rootName("tlsca"):                        o.tlsCA.CertificatePEM(),
		filepath.Join("peers", o.peerName(), "tls", "ca.crt"): o.tlsCA.CertificatePEM(),
	}
	o.addMSP(files, "msp")
	for path, content := range files {
		if err := keep(filepath.Join(base, path), content); err != nil {
			return err
		}
	}
	for name, create := range map[string]func() (devca.Pair, error){
		"User1": func() (devca.Pair, error) { return o.ca.User(nil) },
		"Admin": func() (devca.Pair, error) { return o.ca.Node("Admin@"+o.domain(), "admin") },
	} {
		if _, err := o.exportUser(base, name+"@"+o.domain(), create); err != nil {
			return err
		}
	}
	return nil
}

func (o *organization) rootName(kind string) string { return kind + "." + o.domain() + "-cert.pem" }

// addMSP adds the files by which a node or tool knows the organisation.
func (o *organization) addMSP(files map[string][]byte, at string) {
	files[filepath.Join(at, "cacerts", o.rootName("ca"))] = o.ca.CertificatePEM()
	files[filepath.Join(at, "tlscacerts", o.rootName("tlsca"))] = o.tlsCA.CertificatePEM()
	files[filepath.Join(at, "config.yaml")] = fmt.Appendf(nil, nodeUnits, o.rootName("ca"))
}

// exportUser makes the user unless it is complete; the certificate comes last.
func (o *organization) exportUser(base, name string, create func() (devca.Pair, error)) (devca.Pair, error) {
	at := filepath.Join(base, "users", name, "msp")
	certificate, key := filepath.Join(at, "signcerts", name+"-cert.pem"), filepath.Join(at, "keystore", "priv_sk")
	if found, err := os.ReadFile(certificate); err == nil {
		kept, err := os.ReadFile(key)
		return devca.Pair{Certificate: found, Key: kept}, err
	}
	pair, err := create()
	if err != nil {
		return pair, err
	}
	files := map[string][]byte{}
	o.addMSP(files, at)
	for path, content := range files {
		if err := keep(path, content); err != nil {
			return pair, err
		}
	}
	for _, file := range []struct {
		path    string
		content []byte
	}{{key, pair.Key}, {certificate, pair.Certificate}} {
		if err := os.MkdirAll(filepath.Dir(file.path), 0o700); err != nil {
			return pair, fmt.Errorf("make directory: %w", err)
		}
		if err := writeFile(file.path, file.content); err != nil {
			return pair, err
		}
	}
	return pair, nil
}

// keep writes a file unless it is there with that content.
func keep(path string, content []byte) error {
	if found, err := os.ReadFile(path); err == nil && bytes.Equal(found, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	return writeFile(path, content)
}
