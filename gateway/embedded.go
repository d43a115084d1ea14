package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"gopkg.in/yaml.v3"

	"github.com/steelyard-ledger/steelyard/chaincode/contract"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/config"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/wallet"
	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/embedded"
)

// Names on the embedded network; a real one is named by configuration.
const (
	channelName   = "steelyard"
	chaincodeName = "metrology"
)

// posts are the identities that the embedded network starts with: one per
// role, and a second inspector and officer, since a visit needs two and a
// review somebody else.
var posts = []struct {
	label string
	role  metrology.Role
}{
	{"regulator", metrology.RoleRegulator},
	{"inspector", metrology.RoleInspector},
	{"inspector2", metrology.RoleInspector},
	{"institute", metrology.RoleInstitute},
	{"association", metrology.RoleAssociation},
	{"merchant", metrology.RoleMerchant},
	{"notary", metrology.RoleNotary},
}

// link is a network to talk to.
type link struct {
	channel   string
	chaincode string
	peers     []fabric.Peer
	wallet    string
	trust     []byte
	failed    func() error    // waits; why the network ended, for one that runs in this process
	done      <-chan struct{} // closed when it ends
	close     func() error
}

// startEmbedded starts the embedded network on the data directory and enrols
// the posts that have no identity yet.
func startEmbedded(ctx context.Context, data, listen string, log *slog.Logger) (*link, error) {
	chaincode, err := contract.New()
	if err != nil {
		return nil, err
	}
	collections, err := consortium.Collections()
	if err != nil {
		return nil, err
	}
	network, err := embedded.Start(ctx, embedded.Config{
		Dir: filepath.Join(data, "network"), Listen: listen, Channel: channelName, Logger: log,
		Chaincodes: []embedded.Chaincode{{Name: chaincodeName, Contract: chaincode, Collections: collections}},
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w (choose another address with --peer-listen)", err)
	}
	if err != nil {
		return nil, err
	}
	l := &link{
		channel: channelName, chaincode: chaincodeName, wallet: filepath.Join(data, "wallet"), trust: network.Trust(),
		failed: network.Err, done: network.Done(), close: network.Close,
	}
	for _, peer := range network.Peers() {
		l.peers = append(l.peers, fabric.Peer{MSPID: peer.MSPID, Endpoint: peer.Endpoint, ServerName: peer.ServerName, TLSRoots: peer.TLSRootsPEM, Connection: peer.Connection})
	}
	if err := enrolPosts(network, l.wallet); err != nil {
		return nil, fmt.Errorf("enrol: %w", joinClose(err, network.Close))
	}
	if err := handOut(data, l); err != nil {
		return nil, joinClose(err, network.Close)
	}
	return l, nil
}

// handOut writes what a further gateway needs to join this network, until it
// is started again: gateway.yaml with the files it names.
func handOut(data string, l *link) error {
	network := config.Network{Channel: l.channel, Chaincode: l.chaincode, Wallet: "wallet", Trust: "trust.json", Embedded: true}
	if err := os.MkdirAll(filepath.Join(data, "tls"), 0o700); err != nil {
		return fmt.Errorf("make directory for TLS roots: %w", err)
	}
	for _, peer := range l.peers {
		roots := filepath.Join("tls", peer.MSPID+".pem")
		if err := writePrivate(filepath.Join(data, roots), peer.TLSRoots); err != nil {
			return err
		}
		network.Peers = append(network.Peers, config.Peer{MSPID: peer.MSPID, Endpoint: peer.Endpoint, ServerName: peer.ServerName, TLSRoots: roots})
	}
	content, err := yaml.Marshal(struct {
		Listen  string         `yaml:"listen"`
		Data    string         `yaml:"data"`
		Network config.Network `yaml:"network"`
	}{"127.0.0.1:8081", "second-gateway", network})
	if err != nil {
		return fmt.Errorf("encode gateway.yaml: %w", err)
	}
	if err := writePrivate(filepath.Join(data, "gateway.yaml"), content); err != nil {
		return err
	}
	return writePrivate(filepath.Join(data, "trust.json"), l.trust)
}

// enrolPosts gives each post an identity with a random subject, once.
func enrolPosts(network *embedded.Network, directory string) error {
	for _, post := range posts {
		if wallet.Has(directory, post.label) {
			continue
		}
		msp := metrology.RoleOrganizations[post.role]
		pair, err := network.EnrollUser(msp, post.label, map[string]string{"role": string(post.role), "subject": "p-" + randomHex(8)})
		if err != nil {
			return err
		}
		if err := wallet.Put(directory, post.label, msp, pair.Certificate, pair.Key); err != nil {
			return err
		}
	}
	return nil
}
