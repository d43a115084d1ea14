package onehost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/steelyard-ledger/steelyard/network/admin/channel"
	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// MakeOrganization makes the keys of an organisation that wants to join, and
// returns it. The others need its MSP directory only, which holds no key.
func (n *Network) MakeOrganization(name string) (consortium.Organization, error) {
	with, err := n.Plan.With(name)
	if err != nil {
		return consortium.Organization{}, err
	}
	organization, err := with.Member(name)
	if err != nil {
		return consortium.Organization{}, err
	}
	if _, err := os.Stat(n.MSPDir(organization)); err == nil {
		return consortium.Organization{}, fmt.Errorf("make %s: its keys exist already, see %s", name, n.MSPDir(organization))
	}
	_, err = with.WriteMember(organization)
	return organization, err
}

// MSPDir is the public part of an organisation's MSP: what it gives the others.
func (n *Network) MSPDir(organization consortium.Organization) string {
	return n.Plan.Path("organizations", organization.Name, "msp")
}

// ProposeOrganization has a member compute the update that admits an
// organisation that was made here.
func (n *Network) ProposeOrganization(ctx context.Context, name, by string) (*channel.Update, error) {
	with, err := n.Plan.With(name)
	if err != nil {
		return nil, err
	}
	peer := with.Peers()[len(with.Members())-1]
	config, err := channel.ReadMSP(n.MSPDir(peer.Organization), peer.MSPID)
	if err != nil {
		return nil, err
	}
	anchor, err := address(peer.Endpoint)
	if err != nil {
		return nil, err
	}
	return n.Propose(ctx, by, func(c *common.Config) error {
		return channel.AddOrganization(c, config, anchor)
	})
}

// JoinOrganization starts the peer of an organisation that the channel has
// admitted and lets it join. It endorses after the next deployment. Done
// again, it does what is left to do.
func (n *Network) JoinOrganization(ctx context.Context, name string) error {
	if err := n.findTools(ctx); err != nil {
		return err
	}
	plan := n.Plan
	if _, err := plan.Member(name); err != nil {
		if plan, err = n.Plan.With(name); err != nil {
			return err
		}
	}
	organization, err := plan.Member(name)
	if err != nil {
		return err
	}
	if err := n.admitted(ctx, organization); err != nil {
		return err
	}
	n.Plan = plan
	for _, step := range []func() error{n.prepare, n.handOut} {
		if err := step(); err != nil {
			return err
		}
	}
	index := slices.Index(plan.Members(), organization)
	program, err := n.PeerProgram(plan.Peers()[index])
	if err != nil {
		return err
	}
	genesis, err := plan.GenesisBlock()
	if err != nil {
		return err
	}
	return started(ctx, program, func(ctx context.Context) error { return n.joinPeer(ctx, plan.Peers()[index], genesis) })
}

func (n *Network) admitted(ctx context.Context, organization consortium.Organization) error {
	return n.withPeer(n.Plan.Peers()[0], func(admin *lifecycle.Admin) error {
		config, err := admin.Configuration(ctx, n.Plan.Channel)
		if err == nil && !slices.Contains(channel.Members(config), organization.MSPID) {
			err = fmt.Errorf("the channel has not admitted %s: its members sign and submit the update first", organization.MSPID)
		}
		return err
	})
}

// Propose has a member compute a channel update.
func (n *Network) Propose(ctx context.Context, by string, change func(*common.Config) error) (*channel.Update, error) {
	if err := n.findTools(ctx); err != nil {
		return nil, err
	}
	var update *channel.Update
	err := n.as(by, func(admin *lifecycle.Admin) error {
		var err error
		update, err = admin.Propose(ctx, channel.Translator(n.tools.Configtxlator), n.Plan.Channel, change)
		return err
	})
	return update, err
}

// Sign adds the signatures of these members' administrators.
func (n *Network) Sign(update *channel.Update, members ...string) error {
	for _, name := range members {
		if err := n.as(name, func(admin *lifecycle.Admin) error { return update.Sign(admin.Identity) }); err != nil {
			return err
		}
	}
	return nil
}

// Submit has a member submit a signed update, and waits until all peers obey it.
func (n *Network) Submit(ctx context.Context, update *channel.Update, by string) (sequence uint64, err error) {
	err = n.as(by, func(admin *lifecycle.Admin) error {
		if err := admin.Submit(ctx, n.Plan, update); err != nil {
			return err
		}
		config, err := admin.Configuration(ctx, n.Plan.Channel)
		sequence = config.GetSequence()
		return err
	})
	if err != nil {
		return 0, err
	}
	return sequence, lifecycle.AwaitConfiguration(ctx, n.Plan, sequence)
}

// as runs the work as a member's administrator.
func (n *Network) as(name string, work func(*lifecycle.Admin) error) error {
	for _, peer := range n.Plan.Peers() {
		if peer.Organization.Name == name {
			return n.withPeer(peer, work)
		}
	}
	_, err := n.Plan.Member(name)
	return err
}

// withPeer runs the work as the administrator of a peer's organisation.
func (n *Network) withPeer(peer consortium.Node, work func(*lifecycle.Admin) error) error {
	admin, err := lifecycle.Connect(n.Plan, peer)
	if err != nil {
		return err
	}
	return errors.Join(work(admin), admin.Connection.Close())
}

// findTools looks for Fabric's programs, if that was not done yet.
func (n *Network) findTools(ctx context.Context) error {
	if n.tools.Peer != "" {
		return nil
	}
	tools, err := FindTools(ctx)
	n.tools = tools
	return err
}
