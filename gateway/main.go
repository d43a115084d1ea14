// Command gateway is Steelyard's door: the REST interface, the public pages,
// the read model, and the command line. Without arguments it starts an
// embedded network with demonstration content and serves on
// http://localhost:8080.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/gateway/command"
	"github.com/steelyard-ledger/steelyard/gateway/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := root().ExecuteContext(ctx)
	if err == nil {
		return
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(os.Stderr, "steelyard:", text)
	}
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	os.Exit(1)
}

// root is the command tree. The bare command serves, like serve without a file.
func root() *cobra.Command {
	cmd := serveCommand()
	cmd.Use, cmd.Short = "gateway", "Steelyard: a ledger of trust in measurement"
	cmd.Long = "Without a subcommand: start an embedded network with demonstration content in ./data and serve http://localhost:8080."
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.AddCommand(serveCommand(), command.Verify(), command.Draw(), passwordCommand(), versionCommand())
	return cmd
}

func serveCommand() *cobra.Command {
	c := config.Default()
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the REST interface and the pages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settled, err := settle(cmd, file, c)
			if err != nil {
				return err
			}
			return run(cmd.Context(), settled, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&file, "config", "", "configuration file (YAML); without one the embedded network is started")
	flags.StringVar(&c.Listen, "listen", c.Listen, "address of the web server (STEELYARD_LISTEN)")
	flags.StringVar(&c.Data, "data", c.Data, "data directory (STEELYARD_DATA)")
	flags.StringVar(&c.PeerListen, "peer-listen", c.PeerListen, "address of the embedded network's peers (STEELYARD_PEER_LISTEN)")
	flags.StringVar(&c.Tokens, "tokens", "", "token file; default tokens.json in the data directory (STEELYARD_TOKENS)")
	flags.StringVar(&c.LogFormat, "log-format", c.LogFormat, "text or json (STEELYARD_LOG_FORMAT)")
	flags.BoolVar(&c.NoDemo, "no-demo", false, "leave out the demonstration content of an embedded network")
	flags.BoolVar(&c.Demo, "demo", false, "make the demonstration content on the configured network too; it stays there")
	return cmd
}

// settle reads the configuration: file, then environment, then the flags that
// were given.
func settle(cmd *cobra.Command, file string, flags config.Config) (config.Config, error) {
	c := config.Default()
	if file != "" {
		if err := c.Load(file); err != nil {
			return c, err
		}
	}
	c.ApplyEnvironment(os.LookupEnv)
	given := map[string]func(){
		"listen":      func() { c.Listen = flags.Listen },
		"data":        func() { c.Data = flags.Data },
		"tokens":      func() { c.Tokens = flags.Tokens },
		"peer-listen": func() { c.PeerListen = flags.PeerListen },
		"log-format":  func() { c.LogFormat = flags.LogFormat },
		"no-demo":     func() { c.NoDemo = flags.NoDemo },
		"demo":        func() { c.Demo = flags.Demo },
	}
	for name, apply := range given {
		if cmd.Flags().Changed(name) {
			apply()
		}
	}
	return c, c.Complete()
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
			return err
		},
	}
}
