package lifecycle

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/hyperledger/fabric-admin-sdk/pkg/channel"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// JoinOrderer lets an ordering node join the channel through the channel
// participation API, waiting until the node answers. One that has joined
// already is left alone.
func JoinOrderer(ctx context.Context, plan *consortium.Plan, node consortium.Node, genesis *common.Block) error {
	pool, err := readPool(plan.TLSRoot(node.Organization))
	if err != nil {
		return err
	}
	certificate, err := adminTLS(plan, node.Organization)
	if err != nil {
		return err
	}
	url := "https://" + node.Admin
	var list channel.ChannelList
	err = retry(ctx, func() error {
		list, err = channel.ListChannel(url, pool, certificate)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask %s for its channels: %w", node.Name, err)
	}
	for _, c := range list.Channels {
		if c.Name == plan.Channel {
			return nil
		}
	}
	response, err := channel.CreateChannel(url, genesis, pool, certificate)
	if err != nil {
		return fmt.Errorf("join %s to the channel: %w", node.Name, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("join %s to the channel: %s: %s", node.Name, response.Status, body)
	}
	return nil
}

// JoinPeer lets the administrator's peer join the channel, waiting until the
// peer answers. One that has joined already is left alone.
func (a *Admin) JoinPeer(ctx context.Context, name string, genesis *common.Block) error {
	joined := false
	err := retry(ctx, func() error {
		channels, err := channel.ListChannelOnPeer(ctx, a.Connection, a.Identity)
		for _, c := range channels {
			joined = joined || c.GetChannelId() == name
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("ask %s for its channels: %w", a.Peer.Name, err)
	}
	if joined {
		return nil
	}
	if err := channel.JoinChannel(ctx, a.Connection, a.Identity, genesis); err != nil {
		return fmt.Errorf("join %s to the channel: %w", a.Peer.Name, err)
	}
	return nil
}

// Height returns the number of blocks that the administrator's peer holds.
func (a *Admin) Height(ctx context.Context, name string) (uint64, error) {
	info, err := channel.GetBlockChainInfo(ctx, a.Connection, a.Identity, name)
	if err != nil {
		return 0, fmt.Errorf("ask %s for its height: %w", a.Peer.Name, err)
	}
	return info.GetHeight(), nil
}

// retry repeats until the call succeeds or the context ends; then the call's
// own last error tells what was wrong.
func retry(ctx context.Context, call func() error) error {
	for {
		err := call()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
