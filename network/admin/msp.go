package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
)

// newMSP lets an organisation change what it is known by.
func newMSP(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "msp NAME",
		Short: "Bring an organisation's CA certificates and revocation lists onto the channel",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), stepTime)
			defer cancel()
			n, err := onehost.Open(*dir)
			if err != nil {
				return err
			}
			sequence, err := n.SetMSP(ctx, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "configuration %d is in force on all peers; verifiers need %s anew if a CA was added\n",
				sequence, n.Plan.Path("trust.json"))
			return nil
		},
	}
}
