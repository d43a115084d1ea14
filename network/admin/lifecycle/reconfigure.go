package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "github.com/hyperledger/fabric-admin-sdk/pkg/channel"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/admin/channel"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// Configuration returns the channel's configuration as the administrator's
// peer holds it.
func (a *Admin) Configuration(ctx context.Context, name string) (*common.Config, error) {
	block, err := sdk.GetConfigBlock(ctx, a.Connection, a.Identity, name)
	if err != nil {
		return nil, fmt.Errorf("ask %s for the configuration: %w", a.Peer.Name, err)
	}
	if len(block.GetData().GetData()) != 1 {
		return nil, fmt.Errorf("configuration of %s: %d entries in its block, want 1", a.Peer.Name, len(block.GetData().GetData()))
	}
	var envelope common.Envelope
	var payload common.Payload
	var configuration common.ConfigEnvelope
	if err := proto.Unmarshal(block.Data.Data[0], &envelope); err != nil {
		return nil, fmt.Errorf("decode configuration block: %w", err)
	}
	if err := proto.Unmarshal(envelope.GetPayload(), &payload); err != nil {
		return nil, fmt.Errorf("decode configuration block: %w", err)
	}
	if err := proto.Unmarshal(payload.GetData(), &configuration); err != nil {
		return nil, fmt.Errorf("decode configuration block: %w", err)
	}
	return configuration.GetConfig(), nil
}

// Propose computes the update that changes the configuration in force.
func (a *Admin) Propose(ctx context.Context, translator channel.Translator, name string, change func(*common.Config) error) (*channel.Update, error) {
	before, err := a.Configuration(ctx, name)
	if err != nil {
		return nil, err
	}
	after := proto.CloneOf(before)
	if err := change(after); err != nil {
		return nil, err
	}
	return translator.Compute(ctx, name, before, after)
}

// Submit brings a signed update onto the channel and waits until the
// administrator's peer has the new configuration. An ordering node that
// refuses, or does not answer, is passed over for the next one; the update is
// made for one configuration only, so that it cannot take effect twice.
func (a *Admin) Submit(ctx context.Context, plan *consortium.Plan, update *channel.Update) error {
	before, err := a.Configuration(ctx, update.Channel)
	if err != nil {
		return err
	}
	envelope, err := update.Envelope(a.Identity)
	if err != nil {
		return err
	}
	var refusals []error
	for _, node := range plan.Orderers() {
		if err := broadcast(ctx, plan, node, envelope); err != nil {
			refusals = append(refusals, err)
			continue
		}
		err := a.awaitSequence(ctx, update.Channel, before.GetSequence()+1)
		if err == nil || ctx.Err() != nil {
			return err
		}
		refusals = append(refusals, fmt.Errorf("%s took it: %w", node.Name, err))
	}
	return fmt.Errorf("submit channel update: %w", errors.Join(refusals...))
}

func broadcast(ctx context.Context, plan *consortium.Plan, node consortium.Node, envelope *common.Envelope) error {
	connection, err := Dial(plan, node)
	if err != nil {
		return err
	}
	defer connection.Close()
	stream, err := orderer.NewAtomicBroadcastClient(connection).Broadcast(ctx)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", node.Name, err)
	}
	if err := stream.Send(envelope); err != nil {
		return fmt.Errorf("send to %s: %w", node.Name, err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return fmt.Errorf("send to %s: %w", node.Name, err)
	}
	if answer.GetStatus() != common.Status_SUCCESS {
		return fmt.Errorf("%s refuses: %s: %s", node.Name, answer.GetStatus(), answer.GetInfo())
	}
	return nil
}

// awaitSequence waits until the administrator's peer has at least this
// configuration; for some time, since an ordering node can take an update and
// stop before it is ordered.
func (a *Admin) awaitSequence(ctx context.Context, name string, sequence uint64) error {
	ctx, cancel := context.WithTimeout(ctx, ordering)
	defer cancel()
	return retry(ctx, func() error {
		now, err := a.Configuration(ctx, name)
		if err == nil && now.GetSequence() < sequence {
			err = fmt.Errorf("%s has configuration %d, want %d", a.Peer.Name, now.GetSequence(), sequence)
		}
		return err
	})
}

// ordering is how long an accepted update may take to reach a peer: longer
// than a change of the leader.
const ordering = 30 * time.Second

// AwaitConfiguration waits until every peer has at least this configuration.
func AwaitConfiguration(ctx context.Context, plan *consortium.Plan, sequence uint64) error {
	return each(ctx, plan, func(ctx context.Context, admin *Admin) error {
		return admin.awaitSequence(ctx, plan.Channel, sequence)
	})
}
