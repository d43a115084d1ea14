// Command enroll gives people and machines of an organisation their identities
// from its Fabric CA, renews and revokes them, and writes what a gateway and a
// network need of it: wallet files, the CA's certificate and its revocation
// list. It is a module of its own, since fabric-sdk-go is archived and must
// not be linked with anything else.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newRoot().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "enroll:", err)
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "enroll",
		Short:         "Identities from a Fabric CA",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	file := root.PersistentFlags().String("config", "enroll.yaml", "configuration file")
	root.AddCommand(newRegistrar(file), newRegister(file), newEnroll(file), newReenroll(file), newRevoke(file), newCRL(file), newCACert(file))
	return root
}
