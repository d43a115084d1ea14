package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/network/admin/channel"
	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
)

// stepTime bounds one command.
const stepTime = 90 * time.Second

// newChannel holds the steps that every channel update takes, whatever it
// changes. Each organisation signs at home; the file goes from one to the next.
func newChannel(dir *string) *cobra.Command {
	command := &cobra.Command{Use: "channel", Short: "Sign and submit channel updates"}
	command.AddCommand(newChannelSign(dir), newChannelSubmit(dir))
	return command
}

func newChannelSign(dir *string) *cobra.Command {
	var members []string
	command := &cobra.Command{
		Use:   "sign FILE --as ORGANISATION",
		Short: "Add an administrator's signature to a channel update",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			n, err := onehost.Open(*dir)
			if err != nil {
				return err
			}
			update, err := channel.ReadFile(args[0])
			if err != nil {
				return err
			}
			if err := n.Sign(update, members...); err != nil {
				return err
			}
			if err := update.WriteFile(args[0]); err != nil {
				return err
			}
			signers, err := update.Signers()
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "%s is signed by %v\n", args[0], signers)
			return nil
		},
	}
	command.Flags().StringSliceVar(&members, "as", nil, "organisations whose administrators sign, e.g. regulator,notary")
	return obliged(command, "as")
}

func newChannelSubmit(dir *string) *cobra.Command {
	var member string
	command := &cobra.Command{
		Use:   "submit FILE --as ORGANISATION",
		Short: "Submit a channel update that enough administrators have signed",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), stepTime)
			defer cancel()
			n, err := onehost.Open(*dir)
			if err != nil {
				return err
			}
			update, err := channel.ReadFile(args[0])
			if err != nil {
				return err
			}
			sequence, err := n.Submit(ctx, update, member)
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "configuration %d is in force on all peers\n", sequence)
			return nil
		},
	}
	command.Flags().StringVar(&member, "as", "", "organisation whose administrator submits")
	return obliged(command, "as")
}

// obliged marks a flag as required.
func obliged(command *cobra.Command, flag string) *cobra.Command {
	_ = command.MarkFlagRequired(flag) // refuses only a flag that is not there
	return command
}

// proposal is a command that makes a channel update and writes it to a file.
func proposal(dir *string, use, short string, propose func(context.Context, *onehost.Network, []string, string) (*channel.Update, error)) *cobra.Command {
	var by, out string
	command := &cobra.Command{
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
			update, err := propose(ctx, n, args, by)
			if err != nil {
				return err
			}
			if err := n.Sign(update, by); err != nil {
				return err
			}
			if err := update.WriteFile(out); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "channel update in %s, signed by %s\nNext: the others sign it (channel sign), one submits it (channel submit)\n", out, by)
			return nil
		},
	}
	command.Flags().StringVar(&by, "as", "", "organisation that proposes, and signs first")
	command.Flags().StringVar(&out, "out", "", "file to write the channel update to")
	return obliged(obliged(command, "as"), "out")
}
