package lifecycle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"golang.org/x/sync/errgroup"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// Package makes the chaincode package for a service in the given slot. It
// holds no code and no address: each peer's builder fills in its own service
// from CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG, so that all organisations
// install, and can compare, the same package.
func Package(label string, slot int) (id string, archive []byte, err error) {
	connection, err := json.Marshal(map[string]any{
		"address":              fmt.Sprintf("{{index .addresses %d}}", slot),
		"dial_timeout":         "10s",
		"tls_required":         true,
		"client_auth_required": true,
		"root_cert":            "{{.root_cert}}",
		"client_cert":          "{{.client_cert}}",
		"client_key":           "{{.client_key}}",
	})
	if err != nil {
		return "", nil, fmt.Errorf("encode connection: %w", err)
	}
	code, err := pack(file{"connection.json", connection})
	if err != nil {
		return "", nil, err
	}
	metadata, err := json.Marshal(map[string]string{"type": "ccaas", "label": label})
	if err != nil {
		return "", nil, fmt.Errorf("encode metadata: %w", err)
	}
	archive, err = pack(file{"metadata.json", metadata}, file{"code.tar.gz", code})
	if err != nil {
		return "", nil, err
	}
	return chaincode.GetPackageID(label, archive), archive, nil
}

type file struct {
	name string
	data []byte
}

// pack writes a tar.gz without times and owners: equal content, equal package.
func pack(files ...file) ([]byte, error) {
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	archive := tar.NewWriter(compressed)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data)), Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
		if _, err := archive.Write(f.data); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("close archive: %w", err)
	}
	if err := compressed.Close(); err != nil {
		return nil, fmt.Errorf("close archive: %w", err)
	}
	return out.Bytes(), nil
}

// Definition is what the organisations agree on.
type Definition struct {
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

// Commit lets every organisation approve the definition, commits it, and
// waits until every peer has it and knows the others that have it.
func Commit(ctx context.Context, plan *consortium.Plan, definition Definition) error {
	sdk, err := definition.sdk(plan.Channel)
	if err != nil {
		return err
	}
	err = each(ctx, plan, func(ctx context.Context, admin *Admin) error {
		if err := chaincode.NewGateway(admin.Connection, admin.Identity).Approve(ctx, sdk); err != nil {
			return fmt.Errorf("approve by %s: %w", admin.Peer.MSPID, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	first, err := Connect(plan, plan.Peers()[0])
	if err != nil {
		return err
	}
	defer first.Connection.Close()
	// The peers approved in blocks of their own; one that is a block behind refuses.
	err = retry(ctx, func() error {
		return chaincode.NewGateway(first.Connection, first.Identity).Commit(ctx, sdk)
	})
	if err != nil {
		return fmt.Errorf("commit definition: %w", err)
	}
	return each(ctx, plan, func(ctx context.Context, admin *Admin) error {
		if err := retry(ctx, func() error { return admin.hasSequence(ctx, sdk) }); err != nil {
			return err
		}
		return admin.WaitForPeers(ctx, plan.Channel, definition.Name, len(plan.Peers()))
	})
}

func (a *Admin) hasSequence(ctx context.Context, want *chaincode.Definition) error {
	sequence, err := a.Sequence(ctx, want.ChannelName, want.Name)
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

func (d Definition) sdk(channelName string) (*chaincode.Definition, error) {
	definition := &chaincode.Definition{
		ChannelName: channelName,
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
