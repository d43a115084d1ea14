package onehost

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// ImageBuilder is where Fabric's peer image keeps the service builder.
const ImageBuilder = "/opt/hyperledger/ccaas_builder"

// Prepare writes the files of a network whose nodes somebody else starts,
// such as network/consortium/compose.yaml. Of Fabric's programs it needs
// configtxgen only.
func Prepare(ctx context.Context, dir string, wish consortium.Plan) (*Network, error) {
	tools := Tools{Builder: ImageBuilder}
	if err := locate("configtxgen", &tools.Configtxgen); err != nil {
		return nil, err
	}
	plan, err := choosePlan(dir, wish)
	if err != nil {
		return nil, err
	}
	n := &Network{Plan: plan, tools: tools}
	if err := n.prepare(); err != nil {
		return nil, err
	}
	if err := n.makeGenesis(ctx); err != nil {
		return nil, err
	}
	if err := n.handOut(); err != nil {
		return nil, err
	}
	for _, node := range plan.Peers() {
		config, err := n.builderConfig(node)
		if err != nil {
			return nil, err
		}
		line := "CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG='" + config + "'\n"
		if err := os.WriteFile(plan.Path("nodes", node.Name, "peer.env"), []byte(line), 0o600); err != nil {
			return nil, fmt.Errorf("write environment of %s: %w", node.Name, err)
		}
	}
	return n, nil
}

// Join lets nodes that run already join the channel.
func (n *Network) Join(ctx context.Context) error {
	genesis, err := n.Plan.GenesisBlock()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, node := range n.Plan.Orderers() {
		group.Go(func() error { return lifecycle.JoinOrderer(ctx, n.Plan, node, genesis) })
	}
	for _, node := range n.Plan.Peers() {
		group.Go(func() error { return n.joinPeer(ctx, node, genesis) })
	}
	return group.Wait()
}
