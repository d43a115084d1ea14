// Command admin starts, deploys to and stops a consortium on one machine; the
// scripts/fabric-*.sh call it.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// dirVariable names the network's directory, for compose.yaml too.
const dirVariable = "STEELYARD_FABRIC"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newRoot().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "admin",
		Short:         "Run a Hyperledger Fabric consortium on this machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	dir := root.PersistentFlags().String("dir", cmp.Or(os.Getenv(dirVariable), "./fabric-data"),
		"directory of the network's keys, settings and ledgers; "+dirVariable+" names another default")
	root.AddCommand(newUp(dir), newDeploy(dir), newDown(dir), newStatus(dir), newKeep(dir), newPrepare(dir), newJoin(dir), newChannel(dir), newOrganization(dir), newMSP(dir),
		newNode(dir), newCertificate(dir))
	return root
}

func newUp(dir *string) *cobra.Command {
	var wish consortium.Plan
	command := &cobra.Command{
		Use:   "up",
		Short: "Start the network, making it first if there is none",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), 90*time.Second)
			defer cancel()
			n, err := onehost.Up(ctx, *dir, wish)
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "Fabric network up: %d peers, %d %s ordering nodes, channel %s, files in %s\nNext: ./scripts/fabric-deploy.sh\n",
				len(n.Plan.Peers()), len(n.Plan.Orderers()), n.Plan.Orderer, n.Plan.Channel, n.Plan.Path())
			return nil
		},
	}
	addPlanFlags(command.Flags(), &wish)
	return command
}

func addPlanFlags(flags *pflag.FlagSet, wish *consortium.Plan) {
	flags.StringVar(&wish.Orderer, "orderer", "", "ordering service of a new network: BFT (default) or etcdraft")
	flags.StringVar(&wish.Host, "host", "", "address to listen on and announce (default 127.0.0.1)")
	flags.IntVar(&wish.Port, "port", 0, "first of 80 ports (default 7051)")
	flags.IntVar(&wish.Tuning.MaxMessageCount, "max-message-count", 0, "transactions per block at most")
	flags.StringVar(&wish.Tuning.RequestBatchMaxInterval, "batch-interval", "", "longest wait before a BFT block is cut")
	flags.StringVar(&wish.Tuning.BatchTimeout, "batch-timeout", "", "longest wait before an etcdraft block is cut")
}

func newPrepare(dir *string) *cobra.Command {
	var wish consortium.Plan
	command := &cobra.Command{
		Use:   "prepare",
		Short: "Write keys and settings for nodes that something else starts, such as compose.yaml",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			n, err := onehost.Prepare(command.Context(), *dir, wish)
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "files written to %s\nNext: STEELYARD_FABRIC=%s docker compose -f network/consortium/compose.yaml up -d\n",
				n.Plan.Path(), n.Plan.Path())
			return nil
		},
	}
	addPlanFlags(command.Flags(), &wish)
	return command
}

func newJoin(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "join",
		Short: "Let running nodes join the channel",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), 90*time.Second)
			defer cancel()
			n, err := onehost.Open(*dir)
			if err != nil {
				return err
			}
			if err := n.Join(ctx); err != nil {
				return err
			}
			fmt.Fprintln(command.OutOrStdout(), "all nodes joined\nNext: ./scripts/fabric-deploy.sh")
			return nil
		},
	}
}

func newDeploy(dir *string) *cobra.Command {
	contract := onehost.Contract{}
	command := &cobra.Command{
		Use:   "deploy",
		Short: "Build the contract, start its services and commit its definition; again: upgrade",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), 3*time.Minute)
			defer cancel()
			n, err := onehost.Open(*dir)
			if err != nil {
				return fmt.Errorf("%w; start one with ./scripts/fabric-up.sh", err)
			}
			if contract.Collections, err = n.Plan.Collections(); err != nil {
				return err
			}
			contract.Policy = cmp.Or(contract.Policy, n.Plan.Majority())
			d, err := n.Deploy(ctx, contract)
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "%s version %s deployed on %d peers\n"+
				"--demo makes content to try things with, which stays; leave it out on a ledger in earnest\n"+
				"Next: go run ./gateway serve --demo --config %s\n",
				d.Name, d.Version, len(n.Plan.Peers()), n.Plan.Path("gateway.yaml"))
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&contract.Name, "name", consortium.Chaincode, "chaincode name")
	flags.StringVar(&contract.Source, "source", "./chaincode", "Go package that serves the contract")
	flags.StringVar(&contract.Policy, "policy", "", "signature policy (default: majority of organisations)")
	return command
}

func newDown(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop every program of the network; the data stay",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			n, err := onehost.Open(*dir)
			if err != nil {
				return err
			}
			if err := n.Down(command.Context()); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "Fabric network stopped; data kept in %s\n", n.Plan.Path())
			return nil
		},
	}
}

func newKeep(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "keep",
		Short: "Look after the running network: start again what has ended or keeps the others from ordering",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			n, err := onehost.Open(*dir)
			if err != nil {
				return err
			}
			return n.Keep(command.Context(), func(text string) {
				fmt.Fprintln(command.OutOrStdout(), time.Now().Format(time.RFC3339), text)
			})
		},
	}
}

func newStatus(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Tell which programs run, and each peer's height and contracts",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			n, err := onehost.Open(*dir)
			if err != nil {
				return err
			}
			return printStatus(command.Context(), command.OutOrStdout(), n)
		},
	}
}

func printStatus(ctx context.Context, out io.Writer, n *onehost.Network) error {
	programs, err := n.Programs()
	if err != nil {
		return err
	}
	stopped := 0
	for _, program := range programs {
		pid, err := program.PID()
		if err != nil {
			return err
		}
		state := fmt.Sprintf("running, process %d", pid)
		if pid == 0 {
			state = "stopped"
			stopped++
		}
		name := program.Name
		if owner := filepath.Base(program.Dir); owner != name {
			name += " of " + owner
		}
		fmt.Fprintf(out, "%-36s %s\n", name, state)
	}
	for _, peer := range n.Plan.Peers() {
		fmt.Fprintf(out, "%-36s %s\n", peer.Name, peerStatus(ctx, n, peer))
	}
	if stopped > 0 {
		return fmt.Errorf("%d of %d programs are stopped", stopped, len(programs))
	}
	return nil
}

func peerStatus(ctx context.Context, n *onehost.Network, peer consortium.Node) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	admin, err := lifecycle.Connect(n.Plan, peer)
	if err != nil {
		return err.Error()
	}
	defer admin.Connection.Close()
	height, err := admin.Height(ctx, n.Plan.Channel)
	if err != nil {
		return err.Error()
	}
	sequence, err := admin.Sequence(ctx, n.Plan.Channel, consortium.Chaincode)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("height %d, %s sequence %d", height, consortium.Chaincode, sequence)
}
