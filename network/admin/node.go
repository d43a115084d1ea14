package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/network/admin/channel"
	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
)

func newNode(dir *string) *cobra.Command {
	command := &cobra.Command{Use: "node", Short: "Start or stop one peer or ordering node"}
	command.AddCommand(
		step(dir, "start NODE", "Start a node and wait until it is of use",
			func(ctx context.Context, n *onehost.Network, name string) (string, error) {
				return name + " runs", n.StartNode(ctx, name)
			}),
		step(dir, "stop NODE", "Stop a node; its data stay",
			func(ctx context.Context, n *onehost.Network, name string) (string, error) {
				return name + " is stopped", n.StopNode(ctx, name)
			}))
	return command
}

// newCertificate holds the steps by which a node changes its keys;
// network/README.md tells their order.
func newCertificate(dir *string) *cobra.Command {
	command := &cobra.Command{Use: "certificate", Short: "Change a node's keys and certificates"}
	command.AddCommand(
		step(dir, "make NODE", "Make a node's next keys and certificates",
			func(_ context.Context, n *onehost.Network, name string) (string, error) {
				node, err := n.MakeCertificates(name)
				return "next keys of " + name + " in " + node.RenewalDir(), err
			}),
		proposal(dir, "propose NODE --as ORGANISATION --out FILE", "Make the channel update for an ordering node's next certificates",
			func(ctx context.Context, n *onehost.Network, args []string, by string) (*channel.Update, error) {
				return n.ProposeCertificates(ctx, args[0], by)
			}),
		step(dir, "install NODE", "Start a node again with its next certificates",
			func(ctx context.Context, n *onehost.Network, name string) (string, error) {
				return name + " runs with its new certificates", n.InstallCertificates(ctx, name)
			}))
	return command
}

// step is a command that does one thing to one node or organisation, and says so.
func step(dir *string, use, short string, do func(context.Context, *onehost.Network, string) (string, error)) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), stepTime)
			defer cancel()
			n, err := onehost.Open(*dir)
			if err != nil {
				return err
			}
			done, err := do(ctx, n, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(command.OutOrStdout(), done)
			return nil
		},
	}
}
