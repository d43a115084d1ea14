package onehost

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// Contract is what to deploy: Go source with a main package that serves the
// contract, see ServiceProgram for its environment.
type Contract struct {
	Name        string
	Source      string // Go package path or directory
	Policy      string // empty: the channel's majority of organisations
	Collections []*peer.StaticCollectionConfig
}

// Deploy builds the contract, starts a service per organisation, and brings
// the definition through install, approve and commit. Deploying again is an
// upgrade: the new services run beside the old until all peers have the new
// definition. After a failure the old ones go on as if nothing had been.
func (n *Network) Deploy(ctx context.Context, contract Contract) (Deployment, error) {
	deployments, err := n.Deployments()
	if err != nil {
		return Deployment{}, err
	}
	next, err := n.plan(ctx, contract, deployments)
	if err != nil {
		return Deployment{}, err
	}
	if output, err := exec.CommandContext(ctx, "go", "build", "-o", next.Binary, contract.Source).CombinedOutput(); err != nil {
		return Deployment{}, fmt.Errorf("build %s: %w\n%s", contract.Source, err, output)
	}
	if err := n.rollOut(ctx, contract, next); err != nil {
		return Deployment{}, errors.Join(err, n.stopServices(context.WithoutCancel(ctx), next))
	}
	return next, n.replace(ctx, deployments, next)
}

// plan chooses the sequence, after the one on the ledger, and a free port.
func (n *Network) plan(ctx context.Context, contract Contract, deployments []Deployment) (Deployment, error) {
	admin, err := lifecycle.Connect(n.Plan, n.Plan.Peers()[0])
	if err != nil {
		return Deployment{}, err
	}
	defer admin.Connection.Close()
	sequence, err := admin.Sequence(ctx, n.Plan.Channel, contract.Name)
	if err != nil {
		return Deployment{}, err
	}
	used := map[int]bool{}
	for _, d := range deployments {
		used[d.Slot] = true
	}
	next := Deployment{Name: contract.Name, Sequence: sequence + 1, Version: strconv.FormatInt(sequence+1, 10)}
	for _, organization := range n.Plan.Members() {
		next.Organizations = append(next.Organizations, organization.Name)
	}
	for used[next.Slot] {
		next.Slot++
	}
	if next.Slot >= consortium.Slots {
		return Deployment{}, fmt.Errorf("deploy %s: all %d chaincode ports of a peer are in use", contract.Name, consortium.Slots)
	}
	next.Binary = n.Plan.Path("chaincode", "bin", next.label())
	next.PackageID, _, err = lifecycle.Package(next.label(), next.Slot)
	return next, err
}

func (d Deployment) label() string { return d.Name + "_" + d.Version }

func (n *Network) rollOut(ctx context.Context, contract Contract, d Deployment) error {
	for _, organization := range n.members(d) {
		if err := n.startService(ctx, organization, d); err != nil {
			return err
		}
	}
	id, archive, err := lifecycle.Package(d.label(), d.Slot)
	if err != nil {
		return err
	}
	if err := lifecycle.Install(ctx, n.Plan, id, archive); err != nil {
		return err
	}
	definition := lifecycle.Definition{
		Channel:     n.Plan.Channel,
		Name:        d.Name,
		Version:     d.Version,
		Sequence:    d.Sequence,
		PackageID:   d.PackageID,
		Policy:      contract.Policy,
		Collections: contract.Collections,
	}
	if err := lifecycle.ApproveAll(ctx, n.Plan, definition); err != nil {
		return err
	}
	if err := lifecycle.Commit(ctx, n.Plan, definition); err != nil {
		return err
	}
	return lifecycle.Await(ctx, n.Plan, d.Name, len(n.members(d)))
}

// replace records the new deployment, then stops the services it replaces.
func (n *Network) replace(ctx context.Context, deployments []Deployment, next Deployment) error {
	kept := []Deployment{next}
	var old []Deployment
	for _, d := range deployments {
		if d.Name == next.Name {
			old = append(old, d)
		} else {
			kept = append(kept, d)
		}
	}
	if err := n.saveDeployments(kept); err != nil {
		return err
	}
	for _, d := range old {
		if err := n.stopServices(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (n *Network) stopServices(ctx context.Context, d Deployment) error {
	var failures []error
	for _, organization := range n.members(d) {
		failures = append(failures, n.ServiceProgram(organization, d).Forget(ctx))
	}
	return errors.Join(failures...)
}
