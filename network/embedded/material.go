package embedded

import (
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/credentials"

	"github.com/steelyard-ledger/steelyard/network/devca"
	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/orderer"
	"github.com/steelyard-ledger/steelyard/network/embedded/peer"
)

// organization is one member with all its keys. In a real network each
// organisation keeps its own.
type organization struct {
	mspID           string
	ca, tlsCA       *devca.CA
	peer, orderer   devca.Pair
	tls, ordererTLS devca.Pair
}

// domain is the organisation's name in host names: RegulatorMSP → regulator.example.com,
// as in Fabric's test network.
func (o *organization) domain() string {
	return strings.ToLower(strings.TrimSuffix(o.mspID, "MSP")) + ".example.com"
}

func (o *organization) peerName() string { return "peer0." + o.domain() }

func (o *organization) ordererName() string { return "orderer0." + o.domain() }

// material is the keys of the whole network, kept below Dir/keys.
type material struct {
	dir           string // of the network
	channel       string
	organizations []*organization
	host          string
	port          int
}

// description is written beside the keys; a start with another one is refused.
type description struct {
	Version       int      `json:"version"`
	Channel       string   `json:"channel"`
	Organizations []string `json:"organizations"`
}

const (
	keysName        = "keys"
	descriptionName = "network.json"
	materialVersion = 1
)

// openMaterial reads the keys, or makes them on the first start.
func openMaterial(dir, channel string, mspIDs []string, address net.Addr) (*material, error) {
	host, portText, err := net.SplitHostPort(address.String())
	if err != nil {
		return nil, fmt.Errorf("read listening address: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("read listening port: %w", err)
	}
	if err := checkDescription(dir, description{materialVersion, channel, mspIDs}); err != nil {
		return nil, err
	}
	m := &material{dir: dir, channel: channel, host: host, port: port}
	for _, mspID := range mspIDs {
		o := &organization{mspID: mspID}
		if err := o.open(filepath.Join(dir, keysName, mspID)); err != nil {
			return nil, fmt.Errorf("keys of %s: %w", mspID, err)
		}
		m.organizations = append(m.organizations, o)
	}
	return m, nil
}

// checkDescription refuses a directory of another network. It is written
// before the first key, so that half-made keys are completed, not misread.
func checkDescription(dir string, want description) error {
	path := filepath.Join(dir, descriptionName)
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		content, err := json.MarshalIndent(want, "", "  ")
		if err != nil {
			return fmt.Errorf("describe the network: %w", err)
		}
		return writeFile(path, append(content, '\n'))
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	var have description
	if err := json.Unmarshal(content, &have); err != nil {
		return fmt.Errorf("the file %s is damaged: %w", path, err)
	}
	if have.Version != want.Version {
		return fmt.Errorf("the data directory %s has version %d; this program reads version %d", dir, have.Version, want.Version)
	}
	if have.Channel != want.Channel || !slices.Equal(have.Organizations, want.Organizations) {
		return fmt.Errorf("the data directory %s belongs to channel %s of %s, not to channel %s of %s",
			dir, have.Channel, strings.Join(have.Organizations, ", "), want.Channel, strings.Join(want.Organizations, ", "))
	}
	return nil
}

// writeFile replaces a file whole or not at all, and has it on the disk when it
// returns: without its keys a ledger cannot go on.
func writeFile(path string, content []byte) error {
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// open reads the organisation's keys, making those that are missing.
func (o *organization) open(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	var err error
	if o.ca, err = openCA(filepath.Join(dir, "ca.pem"), o.domain(), "ca."+o.domain()); err != nil {
		return err
	}
	if o.tlsCA, err = openCA(filepath.Join(dir, "tlsca.pem"), o.domain(), "tlsca."+o.domain()); err != nil {
		return err
	}
	for _, node := range []struct {
		file string
		into *devca.Pair
		make func() (devca.Pair, error)
	}{
		{"peer.pem", &o.peer, func() (devca.Pair, error) { return o.ca.Node(o.peerName(), "peer") }},
		{"orderer.pem", &o.orderer, func() (devca.Pair, error) { return o.ca.Node(o.ordererName(), "orderer") }},
		{"tls.pem", &o.tls, func() (devca.Pair, error) {
			return o.tlsCA.TLS(o.peerName(), o.peerName(), "localhost", "127.0.0.1", "::1")
		}},
		{"orderer-tls.pem", &o.ordererTLS, func() (devca.Pair, error) {
			return o.tlsCA.TLS(o.ordererName(), o.ordererName(), "localhost", "127.0.0.1", "::1")
		}},
	} {
		if *node.into, err = openPair(filepath.Join(dir, node.file), node.make); err != nil {
			return err
		}
	}
	return nil
}

func openCA(path, organization, commonName string) (*devca.CA, error) {
	pair, err := openPair(path, func() (devca.Pair, error) {
		ca, err := devca.New(organization, commonName)
		if err != nil {
			return devca.Pair{}, err
		}
		return ca.PEM()
	})
	if err != nil {
		return nil, err
	}
	ca, err := devca.Load(pair)
	if err != nil {
		return nil, fmt.Errorf("the file %s is damaged: %w", path, err)
	}
	return ca, nil
}

// pemEnd separates certificate and key, which stand in one file so that a
// crash cannot leave one without the other.
const pemEnd = "-----END CERTIFICATE-----\n"

func openPair(path string, create func() (devca.Pair, error)) (devca.Pair, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		pair, err := create()
		if err != nil {
			return devca.Pair{}, err
		}
		return pair, writeFile(path, append(slices.Clone(pair.Certificate), pair.Key...))
	}
	if err != nil {
		return devca.Pair{}, fmt.Errorf("read %s: %w", path, err)
	}
	certificate, key, found := strings.Cut(string(content), pemEnd)
	if !found {
		return devca.Pair{}, fmt.Errorf("the file %s is damaged: it holds no certificate", path)
	}
	return devca.Pair{Certificate: []byte(certificate + pemEnd), Key: []byte(key)}, nil
}

// members describes the organisations for the configuration block.
func (m *material) members() []orderer.Member {
	var members []orderer.Member
	for _, o := range m.organizations {
		members = append(members, orderer.Member{
			MSPID: o.mspID, Root: o.ca.CertificatePEM(), TLSRoot: o.tlsCA.CertificatePEM(),
			Consenter: o.orderer.Certificate, ConsenterTLS: o.ordererTLS.Certificate,
			PeerHost: o.peerName(), OrdererHost: o.ordererName(), Port: m.port,
		})
	}
	return members
}

// signers returns the peers and the consenters with their keys.
func (m *material) signers(manager *msp.Manager) ([]peer.Member, []*msp.Signer, error) {
	var members []peer.Member
	var consenters []*msp.Signer
	for _, o := range m.organizations {
		endorser, err := manager.NewSigner(o.mspID, o.peer.Certificate, o.peer.Key)
		if err != nil {
			return nil, nil, err
		}
		consenter, err := manager.NewSigner(o.mspID, o.orderer.Certificate, o.orderer.Key)
		if err != nil {
			return nil, nil, err
		}
		consenters = append(consenters, consenter)
		members = append(members, peer.Member{
			MSPID: o.mspID, Signer: endorser, ServerName: o.peerName(),
			Address: net.JoinHostPort(m.host, strconv.Itoa(m.port)),
		})
	}
	return members, consenters, nil
}

// credentials answers with the certificate of the peer asked for by name, and
// with the first organisation's for any other name.
func (m *material) credentials() (credentials.TransportCredentials, error) {
	var certificates []tls.Certificate
	for _, o := range m.organizations {
		for _, pair := range []devca.Pair{o.tls, o.ordererTLS} {
			certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
			if err != nil {
				return nil, fmt.Errorf("TLS key of %s: %w", o.mspID, err)
			}
			certificates = append(certificates, certificate)
		}
	}
	return credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, Certificates: certificates}), nil
}

// trustFile is the file a verifier pins: where the chain starts and whose
// certificates count.
type trustFile struct {
	Version              int                   `json:"version"`
	Channel              string                `json:"channel"`
	GenesisHash          string                `json:"genesisHash"`
	Organizations        map[string]trustRoots `json:"organizations"`
	OrdererOrganizations map[string]trustRoots `json:"ordererOrganizations"`
}

type trustRoots struct {
	Roots []string `json:"roots"`
}

func (m *material) trust(l *ledger.Ledger, organizations []msp.Organization) ([]byte, error) {
	genesis, err := l.Block(0)
	if err != nil {
		return nil, fmt.Errorf("read block 0: %w", err)
	}
	hash, err := ledger.HeaderHash(genesis.GetHeader())
	if err != nil {
		return nil, err
	}
	roots := map[string]trustRoots{}
	for _, o := range organizations {
		var texts []string
		for _, root := range o.Roots {
			texts = append(texts, string(root))
		}
		roots[o.MSPID] = trustRoots{texts}
	}
	content, err := json.MarshalIndent(trustFile{
		Version: 1, Channel: m.channel, GenesisHash: hex.EncodeToString(hash),
		Organizations: roots, OrdererOrganizations: roots,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode trust file: %w", err)
	}
	return append(content, '\n'), nil
}
