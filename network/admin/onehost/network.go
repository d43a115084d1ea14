package onehost

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"github.com/steelyard-ledger/steelyard/network/admin/process"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// Network is a consortium whose programs run, or can run, on this machine.
type Network struct {
	Plan  *consortium.Plan
	tools Tools
}

// Open finds an existing network; it needs no Fabric programs.
func Open(dir string) (*Network, error) {
	plan, err := consortium.Load(dir)
	if err != nil {
		return nil, err
	}
	return &Network{Plan: plan}, nil
}

// PeerProgram is the peer of an organisation.
func (n *Network) PeerProgram(node consortium.Node) (process.Program, error) {
	config, err := n.builderConfig(node)
	if err != nil {
		return process.Program{}, err
	}
	return process.Program{
		Name: node.Name,
		Dir:  node.Dir,
		Path: n.tools.Peer,
		Args: []string{"node", "start"},
		Env:  append(append(shared(), thrift()...), "FABRIC_CFG_PATH="+node.Dir, "CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG="+config),
	}, nil
}

// OrdererProgram is the ordering node of an organisation.
func (n *Network) OrdererProgram(node consortium.Node) process.Program {
	return process.Program{
		Name: node.Name,
		Dir:  node.Dir,
		Path: n.tools.Orderer,
		Env:  append(shared(), "FABRIC_CFG_PATH="+node.Dir),
	}
}

// shared is the environment of every node, unless the caller's says otherwise:
// Fabric's logs kept to warnings, one plain line each, and a heap that may grow
// fivefold between collections, since each of many programs has a small one.
func shared() []string {
	return []string{
		"GOGC=" + cmp.Or(os.Getenv("GOGC"), "400"),
		"FABRIC_LOGGING_SPEC=" + cmp.Or(os.Getenv("FABRIC_LOGGING_SPEC"), "warning:orderer.common.broadcast=error"),
		"FABRIC_LOGGING_FORMAT=" + cmp.Or(os.Getenv("FABRIC_LOGGING_FORMAT"),
			"%{time:2006-01-02T15:04:05.000Z07:00} %{level} [%{module}] %{message}"),
	}
}

// thrift lets one of many programs on a machine use a quarter of its processors
// at once: then they get in one another's way less (network/README.md). Not an
// ordering node, which falls behind the others with one.
func thrift() []string {
	return []string{"GOMAXPROCS=" + cmp.Or(os.Getenv("GOMAXPROCS"), strconv.Itoa(max(1, runtime.NumCPU()/4)))}
}

// builderConfig is what the service builder fills into connection.json: where
// this organisation's contract services are, and the keys to reach them.
func (n *Network) builderConfig(node consortium.Node) (string, error) {
	values := map[string]any{}
	var addresses []string
	for slot := range consortium.Slots {
		addresses = append(addresses, n.Plan.ChaincodeAddress(node.Organization, slot))
	}
	values["addresses"] = addresses
	for key, path := range map[string]string{
		"root_cert":   "tls/ca.crt",
		"client_cert": "tls/server.crt",
		"client_key":  "tls/server.key",
	} {
		data, err := os.ReadFile(filepath.Join(node.Dir, filepath.FromSlash(path)))
		if err != nil {
			return "", fmt.Errorf("read key of %s: %w", node.Name, err)
		}
		values[key] = string(data)
	}
	data, err := json.Marshal(values)
	if err != nil {
		return "", fmt.Errorf("encode builder configuration: %w", err)
	}
	return string(data), nil
}

// Deployment is a committed chaincode and its services.
type Deployment struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Sequence  int64  `json:"sequence"`
	PackageID string `json:"packageId"`
	Slot      int    `json:"slot"`
	Binary    string `json:"binary"`
	// Organizations are those with a service, by name; empty: the founders.
	Organizations []string `json:"organizations,omitempty"`
}

// members are the organisations with a service of the deployment.
func (n *Network) members(d Deployment) []consortium.Organization {
	if len(d.Organizations) == 0 {
		return consortium.Organizations()
	}
	return slices.DeleteFunc(n.Plan.Members(), func(o consortium.Organization) bool { return !slices.Contains(d.Organizations, o.Name) })
}

// ServiceProgram is an organisation's service of a deployed chaincode. The
// environment's names are those of Fabric's own samples.
func (n *Network) ServiceProgram(organization consortium.Organization, d Deployment) process.Program {
	dir := n.Plan.Path("chaincode", organization.Name)
	return process.Program{
		Name: fmt.Sprintf("%s_%d", d.Name, d.Sequence),
		Dir:  dir,
		Path: d.Binary,
		Env: append(thrift(),
			"CHAINCODE_SERVER_ADDRESS="+n.Plan.ChaincodeAddress(organization, d.Slot),
			"CHAINCODE_ID="+d.PackageID,
			"CORE_CHAINCODE_ID_NAME="+d.PackageID,
			"CHAINCODE_TLS_CERT="+filepath.Join(dir, "server.crt"),
			"CHAINCODE_TLS_KEY="+filepath.Join(dir, "server.key"),
			"CHAINCODE_CLIENT_CA_CERT="+n.Plan.TLSRoot(organization),
		),
	}
}

// Deployments lists what fabric-deploy has deployed here.
func (n *Network) Deployments() ([]Deployment, error) {
	data, err := os.ReadFile(n.Plan.Path("deployments.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read deployments: %w", err)
	}
	var deployments []Deployment
	if err := json.Unmarshal(data, &deployments); err != nil {
		return nil, fmt.Errorf("decode deployments.json: %w", err)
	}
	return deployments, nil
}

func (n *Network) saveDeployments(deployments []Deployment) error {
	data, err := json.MarshalIndent(deployments, "", "  ")
	if err != nil {
		return fmt.Errorf("encode deployments: %w", err)
	}
	path := n.Plan.Path("deployments.json")
	if err := os.WriteFile(path+".new", append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write deployments: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write deployments: %w", err)
	}
	return nil
}

// Programs lists everything that was ever started for the network, in the
// order to stop it: services, peers, ordering nodes. It goes by the files that
// programs leave, so that nothing is forgotten after an interrupted command.
func (n *Network) Programs() ([]process.Program, error) {
	var dirs []string
	for _, organization := range n.Plan.Members() {
		dirs = append(dirs, n.Plan.Path("chaincode", organization.Name))
	}
	for _, node := range append(n.Plan.Peers(), n.Plan.Orderers()...) {
		dirs = append(dirs, node.Dir)
	}
	var programs []process.Program
	for _, dir := range dirs {
		found, err := process.Find(dir)
		if err != nil {
			return nil, err
		}
		programs = append(programs, found...)
	}
	return programs, nil
}

// Down stops every program of the network. The data stay.
func (n *Network) Down(ctx context.Context) error {
	programs, err := n.Programs()
	if err != nil {
		return err
	}
	var failures []error
	for _, program := range programs {
		failures = append(failures, program.Stop(ctx))
	}
	return errors.Join(failures...)
}
