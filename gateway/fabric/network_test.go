package fabric_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
	"github.com/steelyard-ledger/steelyard/network/devca"
	"github.com/steelyard-ledger/steelyard/network/embedded"
)

// network is an embedded network with the counter and a wallet for it.
type network struct {
	*embedded.Network
	wallet string
	trust  ledger.Trust
}

var organizations = []string{"RegulatorMSP", "InstituteMSP", "AssociationMSP", "NotaryMSP"}

func startNetwork(t testing.TB) *network {
	started, err := embedded.Start(t.Context(), embedded.Config{
		Dir: t.TempDir(), Listen: "127.0.0.1:0", Channel: "steelyard", Organizations: organizations,
		Chaincodes: []embedded.Chaincode{{Name: "metrology", Contract: counter{}, Collections: []*peer.StaticCollectionConfig{disclosed(t)}}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, started.Close()) })
	trust, err := ledger.ParseTrust(started.Trust())
	require.NoError(t, err)
	n := &network{Network: started, wallet: t.TempDir(), trust: trust}
	for label, mspID := range map[string]string{"regulator": "RegulatorMSP", "merchant": "AssociationMSP"} {
		pair, err := started.Enroll(mspID, map[string]string{"role": label, "subject": label + "-1"})
		require.NoError(t, err)
		writeIdentity(t, n.wallet, label, mspID, pair)
	}
	return n
}

// writeIdentity puts an identity into a wallet directory.
func writeIdentity(t testing.TB, directory, label, mspID string, pair devca.Pair) {
	data, err := json.Marshal(map[string]any{
		"credentials": map[string]string{"certificate": string(pair.Certificate), "privateKey": string(pair.Key)},
		"mspId":       mspID, "type": "X.509", "version": 1,
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(directory, label+".id"), data, 0o600))
}

// disclosed is a collection of all organisations.
func disclosed(t testing.TB) *peer.StaticCollectionConfig {
	policy := &common.SignaturePolicyEnvelope{}
	some := &common.SignaturePolicy_NOutOf{N: 1}
	for i, mspID := range organizations {
		role, err := proto.Marshal(&msp.MSPRole{MspIdentifier: mspID, Role: msp.MSPRole_MEMBER})
		require.NoError(t, err)
		policy.Identities = append(policy.Identities, &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: role})
		some.Rules = append(some.Rules, &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: int32(i)}})
	}
	policy.Rule = &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{NOutOf: some}}
	return &peer.StaticCollectionConfig{
		Name: "disclosed", MaximumPeerCount: 3,
		MemberOrgsPolicy: &peer.CollectionPolicyConfig{Payload: &peer.CollectionPolicyConfig_SignaturePolicy{SignaturePolicy: policy}},
	}
}

func (n *network) config(t testing.TB, box fabric.Outbox) fabric.Config {
	config := fabric.Config{
		Channel: "steelyard", Chaincode: "metrology", Wallet: n.wallet, Trust: n.trust, Outbox: box,
		Timeouts: fabric.Timeouts{Commit: 10 * time.Second, Resend: 50 * time.Millisecond, Stream: 50 * time.Millisecond},
	}
	for _, p := range n.Peers() {
		config.Peers = append(config.Peers, fabric.Peer{MSPID: p.MSPID, Endpoint: p.Endpoint, ServerName: p.ServerName, TLSRoots: p.TLSRootsPEM})
	}
	return config
}

func openOutbox(t testing.TB, path string) *outbox.Store {
	box, err := outbox.Open(context.Background(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, box.Close()) })
	return box
}

func connect(t testing.TB, config fabric.Config) *fabric.Client {
	client, err := fabric.Connect(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

// gateway is a client that follows its network, and what it has been shown.
type gateway struct {
	*fabric.Client
	*network
	mutex  sync.Mutex
	blocks []ledger.Block
}

// startGateway connects with a fresh outbox and follows from block 0. change
// may alter the configuration first.
func startGateway(t testing.TB, n *network, change func(*fabric.Config)) *gateway {
	config := n.config(t, openOutbox(t, filepath.Join(t.TempDir(), "outbox.db")))
	if change != nil {
		change(&config)
	}
	g := &gateway{Client: connect(t, config), network: n}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Follow(ctx, nil, g.apply) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("follow ended: %v", err)
		}
	})
	return g
}

func (g *gateway) apply(_ context.Context, blocks ...ledger.Block) error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.blocks = append(g.blocks, blocks...)
	return nil
}

// shown returns the blocks shown so far and fails unless they are 0, 1, 2 ….
func (g *gateway) shown(t testing.TB) []ledger.Block {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for i, block := range g.blocks {
		require.Equal(t, uint64(i), block.Number, "every block once and in order")
	}
	return append([]ledger.Block(nil), g.blocks...)
}

// count is the counter on the ledger.
func (g *gateway) count(t testing.TB, key string) int {
	value, err := g.Evaluate(t.Context(), "regulator", "count:Get", []byte(key))
	require.NoError(t, err)
	count, _ := strconv.Atoi(string(value))
	return count
}

func add(key string) fabric.Call {
	return fabric.Call{Identity: "merchant", Function: "count:Add", Request: []byte(key)}
}
