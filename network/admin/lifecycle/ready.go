package lifecycle

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"

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
		var failures []error
		for _, node := range plan.Orderers() {
			leads, err := leading(ctx, plan, node)
			if leads {
				return nil
			}
			failures = append(failures, err)
		}
		return errors.Join(append(failures, errors.New("no ordering node leads"))...)
	})
	if err != nil {
		return fmt.Errorf("wait for the ordering service: %w", err)
	}
	return nil
}

// leading reads an ordering node's metrics.
func leading(ctx context.Context, plan *consortium.Plan, node consortium.Node) (bool, error) {
	pool, err := readPool(plan.TLSRoot(node.Organization))
	if err != nil {
		return false, err
	}
	certificate, err := adminTLS(plan, node.Organization)
	if err != nil {
		return false, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: pool, Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+node.Operations+"/metrics", nil)
	if err != nil {
		return false, fmt.Errorf("make request: %w", err)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return false, fmt.Errorf("read metrics of %s: %w", node.Name, err)
	}
	defer response.Body.Close()
	metrics, err := io.ReadAll(io.LimitReader(response.Body, 1<<22))
	if err != nil {
		return false, fmt.Errorf("read metrics of %s: %w", node.Name, err)
	}
	return bytes.Contains(metrics, []byte(`consensus_etcdraft_is_leader{channel="`+plan.Channel+`"} 1`)), nil
}
