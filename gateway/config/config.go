// Package config is the gateway's one configuration: a documented struct, read
// from a file, the environment and flags, in that order of precedence from low
// to high. What it does not understand it refuses.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"
)

// Config says how one gateway runs. Relative paths in a file are relative to
// that file.
type Config struct {
	// Listen is the address of the web server, host:port.
	Listen string `yaml:"listen"`
	// Data is the directory of the read model, the outbox and the gateway's
	// secret; for the embedded network, of its ledger too.
	Data string `yaml:"data"`
	// PeerListen is the address of the embedded network's peers, host:port.
	// Fabric clients and tools reach it there.
	PeerListen string `yaml:"peerListen"`
	// ProfileListen is the address, host:port on loopback, where Go's profiles
	// of this process can be fetched under /debug/pprof/. Empty: nowhere.
	ProfileListen string `yaml:"profileListen"`
	// Tokens is the file of bearer tokens, a JSON object from wallet label to
	// token. It is written with random tokens when absent. Default: tokens.json in Data.
	Tokens string `yaml:"tokens"`
	// LogFormat is "text" or "json".
	LogFormat string `yaml:"logFormat"`
	// NoDemo leaves out the demonstration content, which an embedded network has.
	NoDemo bool `yaml:"noDemo"`
	// Demo makes the demonstration content on the configured network. Its
	// wallet must hold all posts; nothing takes the content off the ledger again.
	Demo bool `yaml:"demo"`
	// Limits bound what one client may ask.
	Limits Limits `yaml:"limits"`
	// ReadModel is the database that public reads come from; absent means: a
	// SQLite file in Data.
	ReadModel ReadModel `yaml:"readModel"`
	// Observe takes part in draws by itself, for each organisation whose officer
	// the wallet holds. Absent: on the embedded network and in a demonstration.
	Observe *bool `yaml:"observe"`
	// SecureCookies says that visitors come by TLS, which something before this
	// gateway ends: the desks' cookies are then for TLS alone.
	SecureCookies bool `yaml:"secureCookies"`
	// Beacon says where rounds of public beacons are fetched and which beacons
	// of one's own plans may pin.
	Beacon Beacon `yaml:"beacon"`
	// Gateways are the addresses of other gateways, such as
	// https://gateway.example, from which files of large draws that are missing
	// here are fetched. Their roots are checked.
	Gateways []string `yaml:"gateways"`
	// Network is the Fabric network to talk to; absent means: start the embedded one.
	Network *Network `yaml:"network"`
}

// Beacon names drand's relays and networks. A relay is trusted with nothing:
// every round is verified with the key that the draw's plan pins.
type Beacon struct {
	// Relays are the addresses of drand HTTP relays, such as
	// https://api.drand.sh, asked in order. None: rounds are brought by hand or
	// by other gateways.
	Relays []string `yaml:"relays"`
	// Chains are files with the chain information of further drand networks, a
	// consortium's own, as drand gives it at /info. quicknet is known anyway.
	Chains []string `yaml:"chains"`
}

// Limits are requests a second of one client, sustained; four seconds' worth may
// come at once. Zero means: the usual limit.
type Limits struct {
	Reads  float64 `yaml:"readsPerSecond"`  // of one address; usually 2000
	Writes float64 `yaml:"writesPerSecond"` // with one token; usually 1000
}

// ReadModel names a database. It holds nothing that the ledger does not have:
// an empty one is filled from block 0. A file of SQLite belongs to one gateway;
// a PostgreSQL database may be shared by several gateways of one ledger, of
// which one projects and the others read, until it falls silent for 5 s.
type ReadModel struct {
	// Driver is "sqlite" or, for PostgreSQL, "pgx".
	Driver string `yaml:"driver"`
	// DSN is the file of SQLite, or a PostgreSQL connection string. The
	// PostgreSQL database must order text by its bytes: CREATE DATABASE …
	// TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'. SQLite overwrites what is
	// deleted at once; PostgreSQL keeps it in its files until it vacuums them
	// and ends its write-ahead log.
	DSN string `yaml:"dsn"`
}

// Drivers of the read model.
const (
	DriverSQLite   = "sqlite"
	DriverPostgres = "pgx"
)

// Network names a channel of a Fabric network, the peers that serve it, and
// what to trust.
type Network struct {
	Channel   string `yaml:"channel"`
	Chaincode string `yaml:"chaincode"`
	// Wallet is a directory of Fabric wallet files, <label>.id.
	Wallet string `yaml:"wallet"`
	// Trust is the pinned trust file: genesis hash and CA roots.
	Trust string `yaml:"trust"`
	// Peers are tried in order.
	Peers []Peer `yaml:"peers"`
	// Embedded marks the embedded network of another gateway, so that this one
	// says so too on every page.
	Embedded bool `yaml:"embedded,omitempty"`
}

// Peer is one endpoint of Fabric's Gateway service.
type Peer struct {
	MSPID      string `yaml:"mspId"`
	Endpoint   string `yaml:"endpoint"`   // host:port
	ServerName string `yaml:"serverName"` // name in its TLS certificate
	TLSRoots   string `yaml:"tlsRoots"`   // PEM file
}

// Embedded reports whether the network is an embedded one, this gateway's own
// or another's.
func (c Config) Embedded() bool { return c.Network == nil || c.Network.Embedded }

// Demonstrate reports whether the ledger is to have demonstration content.
func (c Config) Demonstrate() bool {
	if c.Network == nil {
		return !c.NoDemo
	}
	return c.Demo
}

// Observes reports whether this gateway takes part in draws by itself.
func (c Config) Observes() bool {
	if c.Observe != nil {
		return *c.Observe
	}
	return c.Network == nil || c.Demonstrate()
}

// Default is what runs without any setting: the embedded network with
// demonstration content in ./data, on loopback only.
func Default() Config {
	return Config{Listen: "127.0.0.1:8080", Data: "data", PeerListen: "127.0.0.1:7051", LogFormat: "text"}
}

// Load reads a YAML file over c. Unknown keys are refused.
func (c *Config) Load(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read configuration %s: %w", path, err)
	}
	base := filepath.Dir(path)
	for _, p := range c.paths() {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(base, *p)
		}
	}
	return nil
}

func (c *Config) paths() []*string {
	paths := []*string{&c.Data, &c.Tokens}
	if c.ReadModel.Driver != DriverPostgres {
		paths = append(paths, &c.ReadModel.DSN)
	}
	for i := range c.Beacon.Chains {
		paths = append(paths, &c.Beacon.Chains[i])
	}
	if c.Network != nil {
		paths = append(paths, &c.Network.Wallet, &c.Network.Trust)
		for i := range c.Network.Peers {
			paths = append(paths, &c.Network.Peers[i].TLSRoots)
		}
	}
	return paths
}

// environment maps each variable to the setting it overrides.
func (c *Config) environment() map[string]*string {
	return map[string]*string{
		"STEELYARD_LISTEN":      &c.Listen,
		"STEELYARD_DATA":        &c.Data,
		"STEELYARD_PEER_LISTEN": &c.PeerListen,
		"STEELYARD_TOKENS":      &c.Tokens,
		"STEELYARD_LOG_FORMAT":  &c.LogFormat,
		// A DSN may hold a password, which belongs in no file or command line.
		"STEELYARD_READ_MODEL_DRIVER": &c.ReadModel.Driver,
		"STEELYARD_READ_MODEL_DSN":    &c.ReadModel.DSN,
	}
}

// ApplyEnvironment overrides settings from variables such as STEELYARD_LISTEN.
func (c *Config) ApplyEnvironment(lookup func(string) (string, bool)) {
	for name, setting := range c.environment() {
		if value, set := lookup(name); set {
			*setting = value
		}
	}
}

// Complete fills in what follows from other settings and refuses what cannot work.
func (c *Config) Complete() error {
	if c.Listen == "" {
		return errors.New("listen: an address is needed, such as 127.0.0.1:8080")
	}
	if c.Data == "" {
		return errors.New("data: a directory is needed")
	}
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		return fmt.Errorf("logFormat: %q is neither text nor json", c.LogFormat)
	}
	if c.Limits.Reads < 0 || c.Limits.Writes < 0 {
		return errors.New("limits: a number of requests a second cannot be negative")
	}
	for i, address := range c.Gateways {
		if at, err := url.Parse(address); err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" {
			return fmt.Errorf("gateways[%d]: %q is no address such as https://gateway.example", i, address)
		}
	}
	if !onLoopback(c.ProfileListen) {
		return fmt.Errorf("profileListen: %q is no address on loopback, such as 127.0.0.1:6060", c.ProfileListen)
	}
	if c.Tokens == "" {
		c.Tokens = filepath.Join(c.Data, "tokens.json")
	}
	if err := c.ReadModel.complete(c.Data); err != nil {
		return err
	}
	if c.Network != nil {
		return c.Network.check()
	}
	if c.PeerListen == "" {
		return errors.New("peerListen: an address is needed, such as 127.0.0.1:7051")
	}
	return nil
}

// onLoopback reports whether an address, if there is one, is for this machine alone.
func onLoopback(address string) bool {
	if address == "" {
		return true
	}
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().IsLoopback()
}

func (r *ReadModel) complete(data string) error {
	switch r.Driver {
	case "", DriverSQLite:
		r.Driver = DriverSQLite
		if r.DSN == "" {
			r.DSN = filepath.Join(data, "readmodel.db")
		}
	case DriverPostgres:
		if r.DSN == "" {
			return errors.New("readModel.dsn: pgx needs a connection string, such as postgres://user@host/database")
		}
	default:
		return fmt.Errorf("readModel.driver: %q is neither %s nor %s", r.Driver, DriverSQLite, DriverPostgres)
	}
	return nil
}

func (n *Network) check() error {
	required := []struct{ key, value string }{
		{"network.channel", n.Channel}, {"network.chaincode", n.Chaincode}, {"network.wallet", n.Wallet}, {"network.trust", n.Trust},
	}
	for i, peer := range n.Peers {
		at := fmt.Sprintf("network.peers[%d].", i)
		required = append(required, struct{ key, value string }{at + "endpoint", peer.Endpoint},
			struct{ key, value string }{at + "mspId", peer.MSPID}, struct{ key, value string }{at + "tlsRoots", peer.TLSRoots})
	}
	for _, r := range required {
		if r.value == "" {
			return fmt.Errorf("%s: is required", r.key)
		}
	}
	if len(n.Peers) == 0 {
		return errors.New("network.peers: at least one peer is needed")
	}
	return nil
}
