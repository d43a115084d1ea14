package onehost

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
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
// definition.
func (n *Network) Deploy(ctx context.Context, contract Contract) (Deployment, error) {
	deployments, err := n.Deployments()
	if err != nil {
		return Deployment{}, err
	}
	next := Deployment{Name: contract.Name, Sequence: 1}
	var previous *Deployment
	used := map[int]bool{}
	for i, d := range deployments {
		used[d.Slot] = true
		if d.Name == contract.Name {
			previous = &deployments[i]
			next.Sequence = d.Sequence + 1
		}
	}
	for used[next.Slot] {
		next.Slot++
	}
	if next.Slot >= consortium.Slots {
		return Deployment{}, fmt.Errorf("deploy %s: all %d chaincode ports of a peer are in use", contract.Name, consortium.Slots)
	}
	next.Version = strconv.FormatInt(next.Sequence, 10)
	label := contract.Name + "_" + next.Version
	next.Binary = n.Plan.Path("chaincode", "bin", label)
	if output, err := exec.CommandContext(ctx, "go", "build", "-o", next.Binary, contract.Source).CombinedOutput(); err != nil {
		return Deployment{}, fmt.Errorf("build %s: %w\n%s", contract.Source, err, output)
	}
	var archive []byte
	if next.PackageID, archive, err = lifecycle.Package(label, next.Slot); err != nil {
		return Deployment{}, err
	}
	if err := n.rollOut(ctx, contract, next, archive); err != nil {
		return Deployment{}, err
	}
	return next, n.retire(ctx, deployments, previous, next)
}

func (n *Network) rollOut(ctx context.Context, contract Contract, d Deployment, archive []byte) error {
	for _, organization := range consortium.Organizations() {
		if err := n.ServiceProgram(organization, d).Start(); err != nil {
			return err
		}
	}
	if err := lifecycle.Install(ctx, n.Plan, d.PackageID, archive); err != nil {
		return err
	}
	return lifecycle.Commit(ctx, n.Plan, lifecycle.Definition{
		Name:        d.Name,
		Version:     d.Version,
		Sequence:    d.Sequence,
		PackageID:   d.PackageID,
		Policy:      contract.Policy,
		Collections: contract.Collections,
	})
}

// retire records the new deployment, then stops the services it replaces.
func (n *Network) retire(ctx context.Context, deployments []Deployment, previous *Deployment, next Deployment) error {
	var old []Deployment
	if previous != nil {
		old = append(old, *previous)
		deployments = slices.DeleteFunc(deployments, func(d Deployment) bool { return d.Name == next.Name })
	}
	if err := n.saveDeployments(append(deployments, next)); err != nil {
		return err
	}
	for _, d := range old {
		for _, organization := range consortium.Organizations() {
			if err := n.ServiceProgram(organization, d).Stop(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}
