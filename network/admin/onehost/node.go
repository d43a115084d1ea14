package onehost

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/steelyard-ledger/steelyard/network/admin/channel"
	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/admin/process"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// node finds a peer or ordering node by its name.
func (n *Network) node(name string) (consortium.Node, error) {
	for _, node := range append(n.Plan.Peers(), n.Plan.Orderers()...) {
		if node.Name == name {
			return node, nil
		}
	}
	return consortium.Node{}, fmt.Errorf("no node %q in the network", name)
}

func isOrderer(node consortium.Node) bool { return node.Cluster != "" }

func (n *Network) nodeProgram(node consortium.Node) (process.Program, error) {
	if isOrderer(node) {
		return n.OrdererProgram(node), nil
	}
	return n.PeerProgram(node)
}

// StopNode stops one peer or ordering node.
func (n *Network) StopNode(ctx context.Context, name string) error {
	node, err := n.node(name)
	if err != nil {
		return err
	}
	program, err := n.nodeProgram(node)
	if err != nil {
		return err
	}
	return program.Stop(ctx)
}

// StartNode starts one peer or ordering node and waits until it answers. It
// may be catching up still, and others may be down.
func (n *Network) StartNode(ctx context.Context, name string) error {
	node, err := n.node(name)
	if err != nil {
		return err
	}
	if err := n.findTools(ctx); err != nil {
		return err
	}
	genesis, err := n.Plan.GenesisBlock()
	if err != nil {
		return err
	}
	program, err := n.nodeProgram(node)
	if err != nil {
		return err
	}
	return started(ctx, program, func(ctx context.Context) error {
		if isOrderer(node) {
			return lifecycle.JoinOrderer(ctx, n.Plan, node, genesis)
		}
		return n.withPeer(node, func(admin *lifecycle.Admin) error { return admin.JoinPeer(ctx, n.Plan.Channel, genesis) })
	})
}

// MakeCertificates makes a node's next keys and certificates.
func (n *Network) MakeCertificates(name string) (consortium.Node, error) {
	node, err := n.node(name)
	if err != nil {
		return consortium.Node{}, err
	}
	return node, n.Plan.RenewNode(node)
}

// ProposeCertificates has a member compute the update that gives an ordering
// node its next certificates. A peer's are in no configuration.
func (n *Network) ProposeCertificates(ctx context.Context, name, by string) (*channel.Update, error) {
	node, err := n.node(name)
	if err != nil {
		return nil, err
	}
	if !isOrderer(node) {
		return nil, fmt.Errorf("%s is a peer: no channel update is needed, install its certificates", name)
	}
	var next channel.Certificates
	for path, target := range map[string]*[]byte{"msp/signcerts/cert.pem": &next.Identity, "tls/server.crt": &next.TLS} {
		if *target, err = os.ReadFile(filepath.Join(node.RenewalDir(), filepath.FromSlash(path))); err != nil {
			return nil, fmt.Errorf("read next certificates of %s: %w", name, err)
		}
	}
	at, err := address(node.Cluster)
	if err != nil {
		return nil, err
	}
	return n.Propose(ctx, by, func(c *common.Config) error { return channel.SetConsenter(c, at, next) })
}

// InstallCertificates gives a node its next keys and certificates and starts
// it again. After an interruption it is done again.
func (n *Network) InstallCertificates(ctx context.Context, name string) error {
	node, err := n.node(name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(node.RenewalDir()); err != nil {
		return fmt.Errorf("no next certificates of %s, make them first: %w", name, err)
	}
	if err := n.StopNode(ctx, name); err != nil {
		return err
	}
	if err := moveFiles(node.RenewalDir(), node.Dir); err != nil {
		return fmt.Errorf("install certificates of %s: %w", name, err)
	}
	// A peer keeps what its builder made of an installed package, with the
	// certificate by which it is known to its contract service. Without it the
	// builder runs again.
	if err := os.RemoveAll(filepath.Join(node.Dir, "data", "externalbuilder", "builds")); err != nil {
		return fmt.Errorf("install certificates of %s: %w", name, err)
	}
	return n.StartNode(ctx, name)
}

// moveFiles moves every file below from to the same place below to, and
// removes what is left of from.
func moveFiles(from, to string) error {
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return os.Rename(path, filepath.Join(to, relative))
	})
	if err != nil {
		return err
	}
	return os.RemoveAll(from)
}

func address(endpoint string) (channel.Address, error) {
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return channel.Address{}, fmt.Errorf("address %s: %w", endpoint, err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return channel.Address{}, fmt.Errorf("address %s: %w", endpoint, err)
	}
	return channel.Address{Host: host, Port: int32(number)}, nil
}
