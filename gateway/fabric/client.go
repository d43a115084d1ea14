package fabric

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// Client is a connection to a Fabric network. It is safe for concurrent use.
type Client struct {
	config  Config
	wallet  *wallet
	reader  string
	peers   []*endpoint
	commits *commits
	keys    *turns        // one submission at a time works under a caller's key
	hot     *turns        // one envelope at a time is on its way that changes a key of the ledger
	slots   chan struct{} // one per submission under way
	closed  chan struct{}
	workers sync.WaitGroup // submissions, and what settles those that came too late for their caller

	counters counters

	mutex    sync.Mutex // for what follows, and for closing against workers
	gateways map[gatewayKey]*client.Gateway
	stream   Stream
}

// endpoint is one peer and the connection to it.
type endpoint struct {
	Peer
	connection grpc.ClientConnInterface
	close      func() error
	seen       atomic.Uint64 // a block that the peer is known to have committed
}

type gatewayKey struct {
	label string
	peer  *endpoint
}

// Connect prepares a client. Connections are made when first needed: a peer
// that is down now may be up then. A wrong configuration is refused here.
func Connect(_ context.Context, config Config) (*Client, error) {
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("connect to network: %w", err)
	}
	c := &Client{
		config: config, wallet: newWallet(config.Wallet), reader: config.Reader,
		commits: newCommits(), keys: newTurns(), hot: newTurns(), slots: make(chan struct{}, config.InFlight),
		closed: make(chan struct{}), gateways: map[gatewayKey]*client.Gateway{},
	}
	var err error
	if c.reader == "" {
		c.reader, err = c.wallet.ofOrganization(config.Peers[0].MSPID)
	} else {
		_, err = c.wallet.load(c.reader)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to network: choose the reading identity: %w", err)
	}
	for _, peer := range config.Peers {
		e, err := reach(peer, config.Dial)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connect to peer %s: %w", peer.Endpoint, err), c.Close())
		}
		c.peers = append(c.peers, e)
	}
	return c, nil
}

func reach(peer Peer, further []grpc.DialOption) (*endpoint, error) {
	if peer.Connection != nil {
		return &endpoint{Peer: peer, connection: peer.Connection, close: func() error { return nil }}, nil
	}
	connection, err := dial(peer, further)
	if err != nil {
		return nil, err
	}
	return &endpoint{Peer: peer, connection: connection, close: connection.Close}, nil
}

func dial(peer Peer, further []grpc.DialOption) (*grpc.ClientConn, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(peer.TLSRoots) {
		return nil, errors.New("no TLS root certificate")
	}
	// Reconnecting is quick at first: most losses are a restart next door.
	delays := backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			RootCAs: roots, ServerName: peer.ServerName, MinVersion: tls.VersionTLS12,
		})),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: delays, MinConnectTimeout: 5 * time.Second}),
		// A peer refuses pings more often than once a minute.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 2 * time.Minute, Timeout: 20 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
	}
	return grpc.NewClient(peer.Endpoint, append(options, further...)...)
}

// enter counts a worker that Close waits for; ok is false after Close.
func (c *Client) enter() (leave func(), ok bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.isClosed() {
		return nil, false
	}
	c.workers.Add(1)
	return c.workers.Done, true
}

func (c *Client) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// Close ends everything. What is under way is reported as unknown, and the
// next start finds it in the outbox.
func (c *Client) Close() error {
	c.mutex.Lock()
	first := !c.isClosed()
	if first {
		close(c.closed)
	}
	c.mutex.Unlock()
	c.workers.Wait()
	if !first {
		return nil
	}
	var errs []error
	for _, peer := range c.peers {
		errs = append(errs, peer.close())
	}
	return errors.Join(errs...)
}

// order lists the peers as an identity of an organisation should try them: its
// own organisation's first, since only they may see its transient data before
// others do, then the rest as configured.
func (c *Client) order(mspID string) []*endpoint {
	peers := slices.Clone(c.peers)
	slices.SortStableFunc(peers, func(a, b *endpoint) int {
		switch {
		case a.MSPID == b.MSPID:
			return 0
		case a.MSPID == mspID:
			return -1
		case b.MSPID == mspID:
			return 1
		}
		return 0
	})
	return peers
}

// gateway returns the client of an identity at a peer, made once, and again
// when the identity has been renewed. Calls under way keep the one they have.
func (c *Client) gateway(label string, peer *endpoint) (*client.Gateway, error) {
	s, err := c.wallet.load(label)
	if err != nil {
		return nil, err
	}
	return c.gatewayOf(label, s, peer)
}

// gatewayOf is gateway for an identity that the wallet has just given.
func (c *Client) gatewayOf(label string, s *signer, peer *endpoint) (*client.Gateway, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	key := gatewayKey{label, peer}
	if gateway, ok := c.gateways[key]; ok && uses(gateway, s) {
		return gateway, nil
	}
	gateway, err := client.Connect(s, client.WithSign(s.sign), client.WithClientConnection(peer.connection))
	if err != nil {
		return nil, fmt.Errorf("make gateway client: %w", err)
	}
	c.gateways[key] = gateway
	return gateway, nil
}

// uses reports whether a client was made with this very identity.
func uses(gateway *client.Gateway, s *signer) bool {
	return gateway.Identity() == identity.Identity(s)
}

// try calls one peer after the other until one answers. An answer is anything
// but Unavailable; a refusal by one peer is not asked of another.
func (c *Client) try(ctx context.Context, label string, call func(*client.Gateway) error) error {
	return c.tryPeers(ctx, label, func(_ *endpoint, gateway *client.Gateway) error { return call(gateway) })
}

func (c *Client) tryPeers(ctx context.Context, label string, call func(*endpoint, *client.Gateway) error) error {
	s, err := c.wallet.load(label)
	if err != nil {
		return err
	}
	var last error
	for _, peer := range c.order(s.MspID()) {
		gateway, err := c.gatewayOf(label, s, peer)
		if err != nil {
			return err
		}
		last = call(peer, gateway)
		if last == nil || !isFault(Decode(last), Unavailable) || ctx.Err() != nil {
			return last
		}
		c.config.Logger.WarnContext(ctx, "peer did not answer", "peer", peer.Endpoint, "organization", peer.MSPID, "error", last)
	}
	return last
}

// Evaluate runs a reading transaction on a peer that knows what this gateway
// has been shown, and returns its result. Errors are *metrology.Error or *Fault.
func (c *Client) Evaluate(ctx context.Context, label, function string, request []byte) ([]byte, error) {
	return c.evaluate(ctx, label, c.config.Chaincode, function, request)
}

// Read evaluates as the identity that follows the ledger.
func (c *Client) Read(ctx context.Context, function string, request []byte) ([]byte, error) {
	return c.Evaluate(ctx, c.reader, function, request)
}

func (c *Client) evaluate(ctx context.Context, label, chaincode, function string, args ...[]byte) (result []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeouts.Evaluate)
	defer cancel()
	known := c.known()
	err = c.tryPeers(ctx, label, func(peer *endpoint, gateway *client.Gateway) (err error) {
		if _, err := c.catchUp(ctx, label, peer, known); err != nil {
			return err
		}
		contract := gateway.GetNetwork(c.config.Channel).GetContract(chaincode)
		result, err = contract.EvaluateWithContext(ctx, function, client.WithBytesArguments(args...))
		return err
	})
	if errors.Is(err, ErrNoIdentity) {
		return nil, &Fault{Kind: Unauthenticated, Err: err}
	}
	return result, Decode(err)
}
