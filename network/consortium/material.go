package consortium

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/steelyard-ledger/steelyard/network/devca"
)

// authorities are an organisation's two roots: identities and TLS.
type authorities struct{ identity, tls *devca.CA }

// nodeUnits maps certificates to roles by organisational unit, for every
// issuer of the organisation.
const nodeUnits = `NodeOUs:
  Enable: true
  ClientOUIdentifier:
    OrganizationalUnitIdentifier: client
  PeerOUIdentifier:
    OrganizationalUnitIdentifier: peer
  AdminOUIdentifier:
    OrganizationalUnitIdentifier: admin
  OrdererOUIdentifier:
    OrganizationalUnitIdentifier: orderer
`

// WriteMaterial makes every key and certificate of a new network.
func (p *Plan) WriteMaterial() error {
	var tlsRoots []byte
	for _, organization := range p.Members() {
		root, err := p.WriteMember(organization)
		if err != nil {
			return err
		}
		tlsRoots = append(tlsRoots, root...)
	}
	return writeFile(p.Path("tls", "all-ca.pem"), tlsRoots)
}

// RenewalDir is where a node's next keys wait until it takes them.
func (n Node) RenewalDir() string { return filepath.Join(n.Dir, "renewal") }

// RenewNode makes new keys and certificates of a node, from the same
// authorities, and leaves those in use alone.
func (p *Plan) RenewNode(node Node) error {
	var a authorities
	for name, ca := range map[string]**devca.CA{"identity": &a.identity, "tls": &a.tls} {
		pair, err := readPair(p.Path("ca", node.Organization.Name), name)
		if err != nil {
			return err
		}
		if *ca, err = devca.Load(pair); err != nil {
			return err
		}
	}
	unit := "orderer"
	if node.Cluster == "" {
		unit = "peer"
	}
	node.Dir = node.RenewalDir()
	return p.writeNode(a, node, unit)
}

// WriteMember makes the keys and certificates of one organisation, and returns
// the root of its TLS certificates.
func (p *Plan) WriteMember(organization Organization) (tlsRoot []byte, err error) {
	a, err := p.writeAuthorities(organization)
	if err != nil {
		return nil, fmt.Errorf("make authorities of %s: %w", organization.MSPID, err)
	}
	for unit, nodes := range map[string][]Node{"peer": p.Peers(), "orderer": p.Orderers()} {
		for _, node := range nodes {
			if node.Organization != organization {
				continue
			}
			if err := p.writeNode(a, node, unit); err != nil {
				return nil, err
			}
		}
	}
	if err := p.writeChaincodeKey(a, organization); err != nil {
		return nil, err
	}
	return a.tls.CertificatePEM(), p.writeAdmin(a, organization)
}

func (p *Plan) writeAuthorities(organization Organization) (authorities, error) {
	identity, err := devca.New(organization.Domain, "ca."+organization.Domain)
	if err != nil {
		return authorities{}, err
	}
	tls, err := devca.New(organization.Domain, "tlsca."+organization.Domain)
	if err != nil {
		return authorities{}, err
	}
	a := authorities{identity: identity, tls: tls}
	for name, ca := range map[string]*devca.CA{"identity": identity, "tls": tls} {
		pair, err := ca.PEM()
		if err != nil {
			return authorities{}, err
		}
		if err := writePair(p.Path("ca", organization.Name), name, pair); err != nil {
			return authorities{}, err
		}
	}
	if err := writeFile(p.TLSRoot(organization), tls.CertificatePEM()); err != nil {
		return authorities{}, err
	}
	return a, writeMSP(p.Path("organizations", organization.Name, "msp"), a)
}

// writeMSP writes the public part of an MSP directory.
func writeMSP(dir string, a authorities) error {
	return writeFiles(dir, map[string][]byte{
		"config.yaml":       []byte(nodeUnits),
		"cacerts/ca.pem":    a.identity.CertificatePEM(),
		"tlscacerts/ca.pem": a.tls.CertificatePEM(),
	})
}

func (p *Plan) writeNode(a authorities, node Node, unit string) error {
	if err := writeMSP(filepath.Join(node.Dir, "msp"), a); err != nil {
		return err
	}
	identity, err := a.identity.Node(node.Name, unit)
	if err != nil {
		return err
	}
	tls, err := a.tls.TLS(node.Name, node.Name, "localhost", p.Host)
	if err != nil {
		return err
	}
	return writeFiles(node.Dir, map[string][]byte{
		"msp/signcerts/cert.pem": identity.Certificate,
		"msp/keystore/key.pem":   identity.Key,
		"tls/server.crt":         tls.Certificate,
		"tls/server.key":         tls.Key,
		"tls/ca.crt":             a.tls.CertificatePEM(),
	})
}

func (p *Plan) writeChaincodeKey(a authorities, organization Organization) error {
	name := "chaincode." + organization.Domain
	pair, err := a.tls.TLS(name, name, "localhost", p.Host)
	if err != nil {
		return err
	}
	return writePair(p.Path("chaincode", organization.Name), "server", pair)
}

// writeAdmin makes the organisation's administrator: an identity for the
// ledger and a TLS client for the ordering nodes' admin endpoints.
func (p *Plan) writeAdmin(a authorities, organization Organization) error {
	identity, err := a.identity.Node("admin."+organization.Domain, "admin")
	if err != nil {
		return err
	}
	if err := writeIdentity(p.AdminFile(organization), organization.MSPID, identity); err != nil {
		return err
	}
	tls, err := a.tls.TLS("admin."+organization.Domain, "admin."+organization.Domain)
	if err != nil {
		return err
	}
	return writePair(p.Path("admins"), organization.Name+"-tls", tls)
}

// AdminFile is the wallet file of an organisation's administrator.
func (p *Plan) AdminFile(organization Organization) string {
	return p.Path("admins", organization.Name+".id")
}

// TLSRoot is the certificate that an organisation's servers are checked with.
func (p *Plan) TLSRoot(organization Organization) string {
	return p.Path("tls", organization.Name+"-ca.pem")
}

// Enroll issues a client identity of the organisation, as a Fabric CA would.
func (p *Plan) Enroll(mspID string, attributes map[string]string) (devca.Pair, error) {
	for _, organization := range p.Members() {
		if organization.MSPID == mspID {
			pair, err := readPair(p.Path("ca", organization.Name), "identity")
			if err != nil {
				return devca.Pair{}, err
			}
			ca, err := devca.Load(pair)
			if err != nil {
				return devca.Pair{}, err
			}
			return ca.User(attributes)
		}
	}
	return devca.Pair{}, fmt.Errorf("enroll with %s: no such organisation", mspID)
}

// walletFile is Fabric's own wallet format, version 1.
type walletFile struct {
	Credentials struct {
		Certificate string `json:"certificate"`
		PrivateKey  string `json:"privateKey"`
	} `json:"credentials"`
	MSPID   string `json:"mspId"`
	Type    string `json:"type"`
	Version int    `json:"version"`
}

func writeIdentity(path, mspID string, pair devca.Pair) error {
	file := walletFile{MSPID: mspID, Type: "X.509", Version: 1}
	file.Credentials.Certificate = string(pair.Certificate)
	file.Credentials.PrivateKey = string(pair.Key)
	data, err := json.Marshal(file)
	if err != nil {
		return fmt.Errorf("encode identity: %w", err)
	}
	return writeFile(path, data)
}

// ReadIdentity reads a wallet file.
func ReadIdentity(path string) (mspID string, pair devca.Pair, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", devca.Pair{}, fmt.Errorf("read identity: %w", err)
	}
	var file walletFile
	if err := json.Unmarshal(data, &file); err != nil {
		return "", devca.Pair{}, fmt.Errorf("decode identity %s: %w", path, err)
	}
	if file.Version != 1 || !strings.EqualFold(file.Type, "X.509") {
		return "", devca.Pair{}, fmt.Errorf("identity %s: want an X.509 wallet file, version 1", path)
	}
	credentials := file.Credentials
	return file.MSPID, devca.Pair{Certificate: []byte(credentials.Certificate), Key: []byte(credentials.PrivateKey)}, nil
}

func writePair(dir, name string, pair devca.Pair) error {
	return writeFiles(dir, map[string][]byte{name + ".crt": pair.Certificate, name + ".key": pair.Key})
}

func readPair(dir, name string) (devca.Pair, error) {
	certificate, err := os.ReadFile(filepath.Join(dir, name+".crt"))
	if err != nil {
		return devca.Pair{}, fmt.Errorf("read certificate: %w", err)
	}
	key, err := os.ReadFile(filepath.Join(dir, name+".key"))
	if err != nil {
		return devca.Pair{}, fmt.Errorf("read key: %w", err)
	}
	return devca.Pair{Certificate: certificate, Key: key}, nil
}

func writeFiles(dir string, files map[string][]byte) error {
	for name, data := range files {
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), data); err != nil {
			return err
		}
	}
	return nil
}
