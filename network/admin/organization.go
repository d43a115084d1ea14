package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/network/admin/channel"
	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
)

// newOrganization holds what a further organisation does, and what is done for
// it; network/README.md tells the order.
func newOrganization(dir *string) *cobra.Command {
	command := &cobra.Command{Use: "organization", Short: "Let a further organisation in"}
	command.AddCommand(
		step(dir, "make NAME", "Make the keys of an organisation that wants to join",
			func(_ context.Context, n *onehost.Network, name string) (string, error) {
				organization, err := n.MakeOrganization(name)
				return fmt.Sprintf("keys of %s made; what the others need of it: %s", organization.MSPID, n.MSPDir(organization)), err
			}),
		proposal(dir, "propose NAME --as ORGANISATION --out FILE", "Make the channel update that admits it",
			func(ctx context.Context, n *onehost.Network, args []string, by string) (*channel.Update, error) {
				return n.ProposeOrganization(ctx, args[0], by)
			}),
		step(dir, "join NAME", "Start the peer of an organisation that the channel has admitted",
			func(ctx context.Context, n *onehost.Network, name string) (string, error) {
				err := n.JoinOrganization(ctx, name)
				return fmt.Sprintf("the peer of %s holds the ledger; gateways need %s anew\nNext: ./scripts/fabric-deploy.sh, after which it endorses",
					name, n.Plan.Path("trust.json")), err
			}))
	return command
}
