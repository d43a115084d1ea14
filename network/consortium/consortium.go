// Package consortium describes the real Hyperledger Fabric network: four
// organisations, a peer and an ordering node each, their addresses, keys and
// settings. It only writes files; starting programs and talking to them is
// network/admin's work. The compose file beside it reads the same files.
package consortium

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The names every part of Steelyard agrees on.
const (
	Channel   = "steelyard"
	Chaincode = "metrology"
)

// Kinds of ordering service.
const (
	BFT  = "BFT"
	Raft = "etcdraft"
)

// PlanFile holds the plan inside a network's directory; it is written once and
// read by every later command.
const PlanFile = "plan.json"

// Organization is a member of the consortium.
type Organization struct {
	MSPID  string // e.g. RegulatorMSP
	Name   string // e.g. regulator
	Domain string // e.g. regulator.steelyard
}

// Organizations returns the four founders, in the order of their ports.
func Organizations() []Organization {
	names := []string{"regulator", "institute", "association", "notary"}
	organizations := make([]Organization, len(names))
	for i, name := range names {
		organizations[i] = organization(name)
	}
	return organizations
}

func organization(name string) Organization {
	return Organization{
		MSPID:  strings.ToUpper(name[:1]) + name[1:] + "MSP",
		Name:   name,
		Domain: name + ".steelyard",
	}
}

// Members returns the founders and those that joined later, in the order of
// their ports.
func (p *Plan) Members() []Organization {
	members := Organizations()
	for _, name := range p.Joined {
		members = append(members, organization(name))
	}
	return members
}

// Member finds a member by its name.
func (p *Plan) Member(name string) (Organization, error) {
	for _, member := range p.Members() {
		if member.Name == name {
			return member, nil
		}
	}
	return Organization{}, fmt.Errorf("no organisation %q in the network", name)
}

// Majority is the policy "a peer of each of more than half of the members". The
// channel's own majority policy means the same and costs a peer three times
// as many checks: it tries all signatures anew for every organisation.
func (p *Plan) Majority() string {
	var peers []string
	for _, member := range p.Members() {
		peers = append(peers, "'"+member.MSPID+".peer'")
	}
	return fmt.Sprintf("OutOf(%d, %s)", len(peers)/2+1, strings.Join(peers, ", "))
}

// organizationName is what may stand in host names and, capitalised, in MSP ids.
var organizationName = regexp.MustCompile(`^[a-z][a-z0-9]{1,19}$`)

// With returns the plan with one more organisation, to be saved once the
// channel has admitted it.
func (p *Plan) With(name string) (*Plan, error) {
	if !organizationName.MatchString(name) {
		return nil, fmt.Errorf("organisation %q: want 2 to 20 small letters and digits, a letter first", name)
	}
	if _, err := p.Member(name); err == nil {
		return nil, fmt.Errorf("organisation %q is in the network already", name)
	}
	with := *p
	with.Joined = append(slices.Clone(p.Joined), name)
	return &with, nil
}

// Plan is all that a network's owner decides. Zero values of Tuning mean the
// settings that the README gives reasons for.
type Plan struct {
	Version int    `json:"version"`
	Channel string `json:"channel"`
	Orderer string `json:"orderer"` // BFT or etcdraft
	Host    string `json:"host"`    // address that all nodes listen on and announce
	Port    int    `json:"port"`    // first of Ports() ports
	Tuning  Tuning `json:"tuning"`
	// Joined names the organisations that came after the founders, in the
	// order of their ports. They have a peer and no ordering node.
	Joined []string `json:"joined,omitempty"`

	dir string
}

// Tuning is what the block-cutting sweep varies. Durations are Go durations.
type Tuning struct {
	MaxMessageCount         int    `json:"maxMessageCount"`
	PreferredMaxBytes       string `json:"preferredMaxBytes"`       // etcdraft only
	BatchTimeout            string `json:"batchTimeout"`            // etcdraft only: BFT ignores it
	RequestBatchMaxInterval string `json:"requestBatchMaxInterval"` // BFT only
	GatewayConcurrency      int    `json:"gatewayConcurrency"`      // requests in flight per peer, all clients together
	TimeWindow              string `json:"timeWindow"`              // between a request's clock and the node's; not under a minute
}

// New returns the plan for dir, with defaults filled in.
func New(dir string, plan Plan) (*Plan, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve network directory: %w", err)
	}
	plan.dir = absolute
	plan.Version = 1
	plan.Channel = cmp.Or(plan.Channel, Channel)
	plan.Orderer = cmp.Or(plan.Orderer, BFT)
	plan.Host = cmp.Or(plan.Host, "127.0.0.1")
	plan.Port = cmp.Or(plan.Port, 7051)
	plan.Tuning = Tuning{
		MaxMessageCount:         cmp.Or(plan.Tuning.MaxMessageCount, 100),
		PreferredMaxBytes:       cmp.Or(plan.Tuning.PreferredMaxBytes, "2 MB"),
		BatchTimeout:            cmp.Or(plan.Tuning.BatchTimeout, "50ms"),
		RequestBatchMaxInterval: cmp.Or(plan.Tuning.RequestBatchMaxInterval, "20ms"),
		GatewayConcurrency:      cmp.Or(plan.Tuning.GatewayConcurrency, 2000),
		TimeWindow:              cmp.Or(plan.Tuning.TimeWindow, "15m"),
	}
	if plan.Orderer != BFT && plan.Orderer != Raft {
		return nil, fmt.Errorf("ordering service %q: want %s or %s", plan.Orderer, BFT, Raft)
	}
	if plan.Port < 1024 || plan.Port+len(plan.Ports()) > 65535 {
		return nil, fmt.Errorf("first port %d: want 1024 to %d", plan.Port, 65535-len(plan.Ports()))
	}
	return &plan, nil
}

// Load reads the plan of an existing network. A directory without one gives
// an error that is fs.ErrNotExist.
func Load(dir string) (*Plan, error) {
	data, err := os.ReadFile(filepath.Join(dir, PlanFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no Fabric network in %s: %w", dir, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("read network plan: %w", err)
	}
	var plan Plan
	if err := json.Unmarshal(data, &plan); err != nil {
		return nil, fmt.Errorf("decode %s: %w", filepath.Join(dir, PlanFile), err)
	}
	if plan.Version != 1 {
		return nil, fmt.Errorf("network in %s has format %d; this program knows format 1", dir, plan.Version)
	}
	return New(dir, plan)
}

// Save writes the plan; from then on the network counts as made.
func (p *Plan) Save() error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("encode network plan: %w", err)
	}
	return writeFile(p.Path(PlanFile), append(data, '\n'))
}

// Path returns the absolute path of a file in the network's directory.
func (p *Plan) Path(elements ...string) string {
	return filepath.Join(append([]string{p.dir}, elements...)...)
}

// Ports per organisation, counted from its first.
const (
	portPeer              = 0
	portPeerOperations    = 1
	portChaincode         = 2 // and the next Slots-1
	portChaincodeCallback = 9 // peers insist on it; services do not use it
	portOrderer           = 10
	portOrdererCluster    = 11
	portOrdererAdmin      = 12
	portOrdererOperation  = 13
	portsPerOrganization  = 20
)

// Slots is how many chaincode services a peer can have at once: the running
// one, its successor during an upgrade, and others beside it.
const Slots = 7

// Node is one peer or ordering node.
type Node struct {
	Organization
	Name       string // host name in its certificates, e.g. peer0.regulator.steelyard
	Endpoint   string // host:port that clients and other nodes use
	Operations string // host:port of metrics and health
	Cluster    string // ordering nodes: host:port for the other ordering nodes
	Admin      string // ordering nodes: host:port of the channel participation API
	Callback   string // peers: host:port for chaincode started by the peer itself
	Dir        string
}

// Peers returns one peer per organisation.
func (p *Plan) Peers() []Node {
	var nodes []Node
	for i, organization := range p.Members() {
		name := "peer0." + organization.Domain
		nodes = append(nodes, Node{
			Organization: organization,
			Name:         name,
			Endpoint:     p.address(i, portPeer),
			Operations:   p.address(i, portPeerOperations),
			Callback:     p.address(i, portChaincodeCallback),
			Dir:          p.Path("nodes", name),
		})
	}
	return nodes
}

// Orderers returns one ordering node per organisation for BFT (four tolerate
// one faulty), and three for etcdraft (three tolerate one stopped).
func (p *Plan) Orderers() []Node {
	organizations := Organizations()
	if p.Orderer == Raft {
		organizations = organizations[:3]
	}
	var nodes []Node
	for i, organization := range organizations {
		name := "orderer0." + organization.Domain
		nodes = append(nodes, Node{
			Organization: organization,
			Name:         name,
			Endpoint:     p.address(i, portOrderer),
			Operations:   p.address(i, portOrdererOperation),
			Cluster:      p.address(i, portOrdererCluster),
			Admin:        p.address(i, portOrdererAdmin),
			Dir:          p.Path("nodes", name),
		})
	}
	return nodes
}

// ChaincodeAddress is where an organisation's chaincode service in a slot listens.
func (p *Plan) ChaincodeAddress(organization Organization, slot int) string {
	for i, o := range p.Members() {
		if o == organization {
			return p.address(i, portChaincode+slot)
		}
	}
	return ""
}

// Ports lists every port the network may use.
func (p *Plan) Ports() []int {
	var ports []int
	for i := range p.Members() {
		for offset := range portOrdererOperation + 1 {
			ports = append(ports, p.Port+i*portsPerOrganization+offset)
		}
	}
	return ports
}

func (p *Plan) address(organization, offset int) string {
	return net.JoinHostPort(p.Host, strconv.Itoa(p.Port+organization*portsPerOrganization+offset))
}

// writeFile writes private by default: most files here are keys or name them.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	return nil
}
