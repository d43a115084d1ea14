package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-admin-sdk/pkg/discovery"
	discoveryproto "github.com/hyperledger/fabric-protos-go-apiv2/discovery"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// WaitForPeers waits until the administrator's peer knows the peers of that
// many organisations on the channel.
func (a *Admin) WaitForPeers(ctx context.Context, channelName string, organizations int) error {
	err := retry(ctx, func() error {
		members, err := discovery.NewPeer(a.Connection, a.Identity).PeerMembershipQuery(ctx, channelName, nil)
		if err != nil {
			return err
		}
		if known := len(members.GetPeersByOrg()); known < organizations {
			return fmt.Errorf("peers of %d organisations known, want %d", known, organizations)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("wait until %s knows the other peers: %w", a.Peer.Name, err)
	}
	return nil
}

// WaitForEndorsers waits until the administrator's peer would choose endorsers
// for the chaincode among that many organisations; before, it finds nobody to
// endorse with, however many peers it knows.
func (a *Admin) WaitForEndorsers(ctx context.Context, channelName, chaincode string, organizations int) error {
	err := retry(ctx, func() error {
		known, err := a.endorsers(ctx, channelName, chaincode)
		if err == nil && known < organizations {
			err = fmt.Errorf("endorsers of %d organisations known, want %d", known, organizations)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("wait until %s knows the endorsers of %s: %w", a.Peer.Name, chaincode, err)
	}
	return nil
}

// endorsers asks the discovery service how many organisations' peers it has for
// the chaincode's policy.
func (a *Admin) endorsers(ctx context.Context, channelName, chaincode string) (int, error) {
	id, err := proto.Marshal(&msp.SerializedIdentity{Mspid: a.Identity.MspID(), IdBytes: a.Identity.Credentials()})
	if err != nil {
		return 0, fmt.Errorf("encode identity: %w", err)
	}
	interest := &peer.ChaincodeInterest{Chaincodes: []*peer.ChaincodeCall{{Name: chaincode}}}
	payload, err := proto.Marshal(&discoveryproto.Request{
		Authentication: &discoveryproto.AuthInfo{ClientIdentity: id},
		Queries: []*discoveryproto.Query{{
			Channel: channelName,
			Query:   &discoveryproto.Query_CcQuery{CcQuery: &discoveryproto.ChaincodeQuery{Interests: []*peer.ChaincodeInterest{interest}}},
		}},
	})
	if err != nil {
		return 0, fmt.Errorf("encode discovery request: %w", err)
	}
	signature, err := a.Identity.Sign(payload)
	if err != nil {
		return 0, fmt.Errorf("sign discovery request: %w", err)
	}
	response, err := discoveryproto.NewDiscoveryClient(a.Connection).Discover(ctx,
		&discoveryproto.SignedRequest{Payload: payload, Signature: signature})
	if err != nil {
		return 0, fmt.Errorf("ask %s for endorsers: %w", a.Peer.Name, err)
	}
	known := 0
	for _, result := range response.GetResults() {
		if result.GetError() != nil {
			return 0, errors.New(result.GetError().GetContent())
		}
		for _, descriptor := range result.GetCcQueryRes().GetContent() {
			known += len(descriptor.GetEndorsersByGroups())
		}
	}
	return known, nil
}

// WaitForLeader waits until one of the etcdraft ordering nodes leads. BFT nodes
// need no such wait: they keep requests until there is a leader.
func WaitForLeader(ctx context.Context, plan *consortium.Plan) error {
	err := retry(ctx, func() error {
		_, err := Leader(ctx, plan)
		return err
	})
	if err != nil {
		return fmt.Errorf("wait for the ordering service: %w", err)
	}
	return nil
}

// Leader asks the ordering nodes' metrics which of them leads. Under BFT every
// node names the leader by its number in the configuration.
func Leader(ctx context.Context, plan *consortium.Plan) (consortium.Node, error) {
	nodes := plan.Orderers()
	name := "consensus_etcdraft_is_leader"
	if plan.Orderer == consortium.BFT {
		name = "consensus_BFT_leader_id"
	}
	var failures []error
	for _, node := range nodes {
		values, err := Gauges(ctx, plan, node, name)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		value := values[0]
		switch {
		case plan.Orderer == consortium.BFT && value >= 1 && int(value) <= len(nodes):
			return nodes[int(value)-1], nil
		case plan.Orderer != consortium.BFT && value == 1:
			return node, nil
		}
	}
	return consortium.Node{}, errors.Join(append(failures, errors.New("no ordering node leads"))...)
}
