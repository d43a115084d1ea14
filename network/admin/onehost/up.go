package onehost

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"golang.org/x/sync/errgroup"

	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/admin/process"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// Up makes the network in dir if there is none, starts it, and returns when
// all peers know each other. On old data the plan written there counts; a
// different wish is an error, not a change.
func Up(ctx context.Context, dir string, wish consortium.Plan) (*Network, error) {
	tools, err := FindTools(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := choosePlan(dir, wish)
	if err != nil {
		return nil, err
	}
	n := &Network{Plan: plan, tools: tools}
	running, err := n.running()
	if err != nil {
		return nil, err
	}
	if !running {
		if err := portsFree(plan); err != nil {
			return nil, err
		}
	}
	if err := n.prepare(); err != nil {
		return nil, err
	}
	if err := n.makeGenesis(ctx); err != nil {
		return nil, err
	}
	if err := n.handOut(); err != nil {
		return nil, err
	}
	err = n.startNodes(ctx)
	if err == nil {
		err = n.startServices(ctx)
	}
	if err != nil && !running {
		err = errors.Join(err, n.Down(context.WithoutCancel(ctx)))
	}
	return n, err
}

func choosePlan(dir string, wish consortium.Plan) (*consortium.Plan, error) {
	plan, err := consortium.Load(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return consortium.New(dir, wish)
	}
	if err != nil {
		return nil, err
	}
	if wish.Orderer != "" && wish.Orderer != plan.Orderer {
		return nil, fmt.Errorf("the network in %s orders with %s, not %s; use another directory", dir, plan.Orderer, wish.Orderer)
	}
	if wish.Port != 0 && wish.Port != plan.Port {
		return nil, fmt.Errorf("the network in %s has its ports from %d on, not %d; use another directory", dir, plan.Port, wish.Port)
	}
	return plan, nil
}

// portsFree names the first port that a stranger holds.
func portsFree(plan *consortium.Plan) error {
	for _, port := range plan.Ports() {
		listener, err := net.Listen("tcp", net.JoinHostPort(plan.Host, strconv.Itoa(port)))
		if err != nil {
			return fmt.Errorf("port %d is taken by another program (%w); choose other ports with --port", port, err)
		}
		_ = listener.Close()
	}
	return nil
}

// running tells whether any program of the network runs: then its ports are its own.
func (n *Network) running() (bool, error) {
	programs, err := n.Programs()
	if err != nil {
		return false, err
	}
	for _, program := range programs {
		if pid, err := program.PID(); err != nil || pid != 0 {
			return pid != 0, err
		}
	}
	return false, nil
}

// prepare writes keys and settings. The plan comes last: a directory without
// it was never finished and is made anew.
func (n *Network) prepare() error {
	_, err := os.Stat(n.Plan.Path(consortium.PlanFile))
	if errors.Is(err, fs.ErrNotExist) {
		if err := n.Plan.WriteMaterial(); err != nil {
			return err
		}
	}
	if err := n.Plan.WriteSettings(n.tools.Builder); err != nil {
		return err
	}
	return n.Plan.Save()
}

// makeGenesis makes block 0, once for all.
func (n *Network) makeGenesis(ctx context.Context) error {
	if _, err := os.Stat(n.Plan.Path("genesis.block")); err == nil {
		return nil
	}
	command := exec.CommandContext(ctx, n.tools.Configtxgen, "-configPath", n.Plan.Path(),
		"-profile", "Steelyard", "-channelID", n.Plan.Channel, "-outputBlock", n.Plan.Path("genesis.block"))
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("make block 0 with configtxgen: %w\n%s", err, output)
	}
	return nil
}

func (n *Network) handOut() error {
	genesis, err := n.Plan.GenesisBlock()
	if err != nil {
		return err
	}
	return n.Plan.WriteHandouts(genesis)
}

func (n *Network) startNodes(ctx context.Context) error {
	genesis, err := n.Plan.GenesisBlock()
	if err != nil {
		return err
	}
	group, nodes := errgroup.WithContext(ctx)
	for _, node := range n.Plan.Orderers() {
		group.Go(func() error {
			return started(nodes, n.OrdererProgram(node), func(ctx context.Context) error {
				return lifecycle.JoinOrderer(ctx, n.Plan, node, genesis)
			})
		})
	}
	for _, node := range n.Plan.Peers() {
		group.Go(func() error {
			program, err := n.PeerProgram(node)
			if err != nil {
				return err
			}
			return started(nodes, program, func(ctx context.Context) error { return n.joinPeer(ctx, node, genesis) })
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if n.Plan.Orderer == consortium.Raft {
		return lifecycle.WaitForLeader(ctx, n.Plan)
	}
	return nil
}

func (n *Network) joinPeer(ctx context.Context, node consortium.Node, genesis *common.Block) error {
	return n.withPeer(node, func(admin *lifecycle.Admin) error {
		if err := admin.JoinPeer(ctx, n.Plan.Channel, genesis); err != nil {
			return err
		}
		return admin.WaitForPeers(ctx, n.Plan.Channel, len(n.Plan.Peers()))
	})
}

// started starts the program and waits for it to be of use. What goes wrong is
// told with the end of the program's log, at once if the program ends.
func started(ctx context.Context, program process.Program, wait func(context.Context) error) error {
	if err := program.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for ctx.Err() == nil {
			if pid, err := program.PID(); err == nil && pid == 0 {
				cancel(fmt.Errorf("%s ended", program.Name))
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	if err := wait(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return fmt.Errorf("%w\nlast lines of %s:\n%s", err, program.LogFile(), program.LastLines(10))
	}
	return nil
}

// startServices starts what was deployed, and waits until it can be called.
func (n *Network) startServices(ctx context.Context) error {
	deployments, err := n.Deployments()
	if err != nil {
		return err
	}
	for _, d := range deployments {
		for _, organization := range n.members(d) {
			if err := n.startService(ctx, organization, d); err != nil {
				return err
			}
		}
		if err := lifecycle.Await(ctx, n.Plan, d.Name, len(n.members(d))); err != nil {
			return err
		}
	}
	return nil
}

// startService starts an organisation's service and waits until it listens:
// a peer that finds nobody there refuses at once.
func (n *Network) startService(ctx context.Context, organization consortium.Organization, d Deployment) error {
	address := n.Plan.ChaincodeAddress(organization, d.Slot)
	return started(ctx, n.ServiceProgram(organization, d), func(ctx context.Context) error {
		var dialer net.Dialer
		for {
			connection, err := dialer.DialContext(ctx, "tcp", address)
			if err == nil {
				return connection.Close()
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for the contract service of %s: %w", organization.MSPID, err)
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}
