package onehost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/steelyard-ledger/steelyard/network/admin/channel"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// SetMSP brings an organisation's MSP directory onto the channel: its CAs and
// revocation lists. The organisation's own administrator decides that alone.
// An MSP under which the administrator or a node of the organisation would no
// longer be one is refused: nobody could take it back. The organisation's
// nodes get the same files, for their next start, and the trust file is
// written anew.
func (n *Network) SetMSP(ctx context.Context, name string) (sequence uint64, err error) {
	organization, err := n.Plan.Member(name)
	if err != nil {
		return 0, err
	}
	config, err := channel.ReadMSP(n.MSPDir(organization), organization.MSPID)
	if err != nil {
		return 0, err
	}
	accepts, err := channel.NewAcceptance(config)
	if err != nil {
		return 0, err
	}
	if err := n.keepsIn(organization, accepts); err != nil {
		return 0, fmt.Errorf("set MSP of %s: it would lock out its own: %w", organization.MSPID, err)
	}
	update, err := n.Propose(ctx, name, func(c *common.Config) error { return channel.SetMSP(c, config) })
	if err != nil {
		return 0, err
	}
	if err := n.Sign(update, name); err != nil {
		return 0, err
	}
	if sequence, err = n.Submit(ctx, update, name); err != nil {
		return 0, err
	}
	for _, node := range n.nodesOf(organization) {
		if err := copyMSP(n.MSPDir(organization), filepath.Join(node.Dir, "msp")); err != nil {
			return sequence, err
		}
	}
	return sequence, n.handOut()
}

// keepsIn checks the administrator's and the nodes' certificates.
func (n *Network) keepsIn(organization consortium.Organization, accepts *channel.Acceptance) error {
	_, admin, err := consortium.ReadIdentity(n.Plan.AdminFile(organization))
	if err != nil {
		return err
	}
	if err := accepts.Check(admin.Certificate); err != nil {
		return err
	}
	for _, node := range n.nodesOf(organization) {
		certificate, err := os.ReadFile(filepath.Join(node.Dir, "msp", "signcerts", "cert.pem"))
		if err != nil {
			return fmt.Errorf("read certificate of %s: %w", node.Name, err)
		}
		if err := accepts.Check(certificate); err != nil {
			return err
		}
	}
	return nil
}

func (n *Network) nodesOf(organization consortium.Organization) []consortium.Node {
	var nodes []consortium.Node
	for _, node := range append(n.Plan.Peers(), n.Plan.Orderers()...) {
		if node.Organization == organization {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// copyMSP makes the CAs and revocation lists of one MSP directory those of
// another; what the other has besides, its node's key above all, stays.
func copyMSP(from, to string) error {
	for _, name := range []string{"cacerts", "intermediatecerts", "crls"} {
		source, target := filepath.Join(from, name), filepath.Join(to, name)
		fresh := target + ".new" // of an interrupted copy nothing counts
		steps := []func() error{
			func() error { return os.RemoveAll(fresh) },
			func() error { return copyDirectory(source, fresh) },
			func() error { return os.RemoveAll(target) },
			func() error { return os.Rename(fresh, target) },
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return fmt.Errorf("copy MSP: %w", err)
			}
		}
	}
	return nil
}

// copyDirectory copies a directory; one that is not there counts as empty.
func copyDirectory(source, target string) error {
	if _, err := os.Stat(source); errors.Is(err, os.ErrNotExist) {
		return os.MkdirAll(target, 0o700)
	}
	return os.CopyFS(target, os.DirFS(source))
}
