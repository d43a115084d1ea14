package lifecycle

import (
	"bytes"
	"context"
	"fmt"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"golang.org/x/sync/errgroup"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// Definition is what the organisations agree on.
type Definition struct {
	Channel     string
	Name        string
	Version     string
	Sequence    int64
	PackageID   string
	Policy      string // signature policy; empty: the channel's, majority of organisations
	Collections []*peer.StaticCollectionConfig
}

// Install installs the package on every peer that lacks it.
func Install(ctx context.Context, plan *consortium.Plan, packageID string, archive []byte) error {
	return each(ctx, plan, func(ctx context.Context, admin *Admin) error {
		client := chaincode.NewPeer(admin.Connection, admin.Identity)
		installed, err := client.QueryInstalled(ctx)
		if err != nil {
			return fmt.Errorf("query packages on %s: %w", admin.Peer.Name, err)
		}
		for _, one := range installed.GetInstalledChaincodes() {
			if one.GetPackageId() == packageID {
				return nil
			}
		}
		if _, err := client.Install(ctx, bytes.NewReader(archive)); err != nil {
			return fmt.Errorf("install on %s: %w", admin.Peer.Name, err)
		}
		return nil
	})
}

// Approve records the approval of the administrator's organisation.
func (a *Admin) Approve(ctx context.Context, definition Definition) error {
	sdk, err := definition.sdk()
	if err != nil {
		return err
	}
	if err := chaincode.NewGateway(a.Connection, a.Identity).Approve(ctx, sdk); err != nil {
		return fmt.Errorf("approve by %s: %w", a.Peer.MSPID, err)
	}
	return nil
}

// Commit makes the approved definition the channel's.
func (a *Admin) Commit(ctx context.Context, definition Definition) error {
	sdk, err := definition.sdk()
	if err != nil {
		return err
	}
	if err := chaincode.NewGateway(a.Connection, a.Identity).Commit(ctx, sdk); err != nil {
		return fmt.Errorf("commit definition: %w", err)
	}
	return nil
}

// ApproveAll lets every organisation of a one-machine network approve.
func ApproveAll(ctx context.Context, plan *consortium.Plan, definition Definition) error {
	return each(ctx, plan, func(ctx context.Context, admin *Admin) error {
		return settle(ctx, func() error { return admin.Approve(ctx, definition) }, func() (bool, error) {
			return admin.Approved(ctx, definition)
		})
	})
}

// Commit commits an approved definition through the first peer, and waits
// until every peer has it.
func Commit(ctx context.Context, plan *consortium.Plan, definition Definition) error {
	first, err := Connect(plan, plan.Peers()[0])
	if err != nil {
		return err
	}
	defer first.Connection.Close()
	err = settle(ctx, func() error { return first.Commit(ctx, definition) }, func() (bool, error) {
		sequence, err := first.Sequence(ctx, definition.Channel, definition.Name)
		return sequence >= definition.Sequence, err
	})
	if err != nil {
		return err
	}
	return each(ctx, plan, func(ctx context.Context, admin *Admin) error {
		return retry(ctx, func() error { return admin.hasSequence(ctx, definition) })
	})
}

// Await waits until every peer knows the peers of that many organisations as
// endorsers of the chaincode. One whose organisation has not approved it never
// becomes one.
func Await(ctx context.Context, plan *consortium.Plan, chaincode string, organizations int) error {
	return each(ctx, plan, func(ctx context.Context, admin *Admin) error {
		return admin.WaitForEndorsers(ctx, plan.Channel, chaincode, organizations)
	})
}

// settle acts until the ledger shows the result. An error of the act alone
// says little: peers a block apart refuse, and under BFT an ordered
// transaction can be reported as UNAVAILABLE.
func settle(ctx context.Context, act func() error, done func() (bool, error)) error {
	return retry(ctx, func() error {
		err := act()
		if err == nil {
			return nil
		}
		if settled, asked := done(); asked == nil && settled {
			return nil
		}
		return err
	})
}

// Approved tells whether the organisation has approved exactly this definition.
func (a *Admin) Approved(ctx context.Context, definition Definition) (bool, error) {
	sdk, err := definition.sdk()
	if err != nil {
		return false, err
	}
	readiness, err := chaincode.NewGateway(a.Connection, a.Identity).CheckCommitReadiness(ctx, sdk)
	if err != nil {
		return false, fmt.Errorf("ask %s for approvals: %w", a.Peer.Name, err)
	}
	return readiness.GetApprovals()[a.Peer.MSPID], nil
}

func (a *Admin) hasSequence(ctx context.Context, want Definition) error {
	sequence, err := a.Sequence(ctx, want.Channel, want.Name)
	if err == nil && sequence < want.Sequence {
		err = fmt.Errorf("%s has sequence %d of %s, want %d", a.Peer.Name, sequence, want.Name, want.Sequence)
	}
	return err
}

// Sequence returns the committed sequence of a chaincode, 0 if there is none.
func (a *Admin) Sequence(ctx context.Context, channelName, name string) (int64, error) {
	committed, err := chaincode.NewGateway(a.Connection, a.Identity).QueryCommitted(ctx, channelName)
	if err != nil {
		return 0, fmt.Errorf("query definitions on %s: %w", a.Peer.Name, err)
	}
	for _, definition := range committed.GetChaincodeDefinitions() {
		if definition.GetName() == name {
			return definition.GetSequence(), nil
		}
	}
	return 0, nil
}

func (d Definition) sdk() (*chaincode.Definition, error) {
	definition := &chaincode.Definition{
		ChannelName: d.Channel,
		PackageID:   d.PackageID,
		Name:        d.Name,
		Version:     d.Version,
		Sequence:    d.Sequence,
	}
	if d.Policy != "" {
		policy, err := chaincode.NewApplicationPolicy(d.Policy, "")
		if err != nil {
			return nil, fmt.Errorf("parse endorsement policy: %w", err)
		}
		definition.ApplicationPolicy = policy
	}
	if len(d.Collections) > 0 {
		definition.Collections = &peer.CollectionConfigPackage{}
		for _, config := range d.Collections {
			definition.Collections.Config = append(definition.Collections.Config, &peer.CollectionConfig{
				Payload: &peer.CollectionConfig_StaticCollectionConfig{StaticCollectionConfig: config},
			})
		}
	}
	return definition, nil
}

// each runs the work with every organisation's administrator at once.
func each(ctx context.Context, plan *consortium.Plan, work func(context.Context, *Admin) error) error {
	admins, done, err := connectAll(plan)
	if err != nil {
		return err
	}
	defer done()
	group, ctx := errgroup.WithContext(ctx)
	for _, admin := range admins {
		group.Go(func() error { return work(ctx, admin) })
	}
	return group.Wait()
}
