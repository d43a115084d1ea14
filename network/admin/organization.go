package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/network/admin/channel"
	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
)

// newOrganization holds what a further organisation does, and what is done for
// it; network/README.md tells the steps.
func newOrganization(dir *string) *cobra.Command {
	command := &cobra.Command{Use: "organization", Short: "Let a further organisation in"}
	command.AddCommand(newOrganizationMake(dir), newOrganizationJoin(dir),
		proposal(dir, "propose NAME --as ORGANISATION --out FILE", "Make the channel update that admits it",
			func(ctx context.Context, n *onehost.Network, args []string, by string) (*channel.Update, error) {
				return n.ProposeOrganization(ctx, args[0], by)
			}))
	return command
}

func newOrganizationMake(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "make NAME",
		Short: "Make the keys of an organisation that wants to join",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			n, err := onehost.Open(*dir)
			if err != nil {
				return err
			}
			organization, err := n.MakeOrganization(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "keys of %s made; what the others need of it: %s\n", organization.MSPID, n.MSPDir(organization))
			return nil
		},
	}
}

func newOrganizationJoin(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "join NAME",
		Short: "Start the peer of an organisation that the channel has admitted",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), stepTime)
			defer cancel()
			n, err := onehost.Open(*dir)
			if err != nil {
				return err
			}
			if err := n.JoinOrganization(ctx, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "the peer of %s holds the ledger; gateways need %s anew\nNext: ./scripts/fabric-deploy.sh, after which it endorses\n",
				args[0], n.Plan.Path("trust.json"))
			return nil
		},
	}
}
