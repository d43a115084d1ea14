// Package embedded is a Fabric network in one process: four peers' Gateway,
// Deliver and Endorser services on one TLS port, an orderer and a ledger on
// disk. It is for trying, developing, testing and single-office use. One
// operator holds every key, so it is a signed, hash-chained log and not a
// chain kept by independent parties; see README.md for what it does and does
// not do like the real thing.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"

	"github.com/steelyard-ledger/steelyard/network/devca"
	"github.com/steelyard-ledger/steelyard/network/embedded/hostile"
	"github.com/steelyard-ledger/steelyard/network/embedded/inprocess"
	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/orderer"
	"github.com/steelyard-ledger/steelyard/network/embedded/peer"
)

// Config says what network to run. Only Dir and Chaincodes must be set.
type Config struct {
	// Dir holds keys and ledger. It is created; another process must not use it.
	Dir string
	// Listen is the address to serve on; "127.0.0.1:0" (any free port) if empty.
	Listen string
	// Channel is the channel's name; "steelyard" if empty.
	Channel string
	// Organizations are the members' MSP ids, at most 8; the four of the
	// Steelyard network if empty. They cannot change once the ledger exists.
	Organizations []string
	Chaincodes    []Chaincode
	// Logger is told of failures; nil is silent.
	Logger *slog.Logger

	// Ordering bounds blocks and queue; see orderer.Config.
	Ordering orderer.Config
	// TimeWindow is how far a proposal's time may be from this machine's
	// clock; 15 minutes if zero.
	TimeWindow time.Duration
	// ExecuteTimeout ends a chaincode execution; 30 s if zero.
	ExecuteTimeout time.Duration
	// Concurrency bounds the requests under way per service; 500 if zero.
	Concurrency int
	// Hostile makes the network misbehave on purpose; nil behaves.
	Hostile *hostile.Config
	// Disk, if set, stands between the ledger and a file of it, for making it
	// fail on purpose.
	Disk func(file string, disk ledger.Disk) ledger.Disk
	// Strict executes a proposal once for every endorsing organisation and
	// fails if the results differ. Without it, it runs once and all sign.
	Strict bool
}

// Chaincode is a chaincode of the channel, run in this process.
type Chaincode struct {
	Name string
	// Version is written into transactions; "1.0" if empty.
	Version     string
	Contract    shim.Chaincode
	Collections []*pb.StaticCollectionConfig
	// Policy is the endorsement policy; nil is a majority of the organisations.
	Policy *pb.ApplicationPolicy
}

// PeerInfo is what a client needs to connect to one organisation's peer.
type PeerInfo struct {
	MSPID       string
	Endpoint    string // host:port, the same for all
	ServerName  string // chooses the peer by TLS server name
	TLSRootsPEM []byte
	// Connection reaches the same peer from within this process, without
	// sockets and TLS.
	Connection grpc.ClientConnInterface
}

const maxOrganizations = 8

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Channel == "" {
		c.Channel = "steelyard"
	}
	if len(c.Organizations) == 0 {
		c.Organizations = []string{"RegulatorMSP", "InstituteMSP", "AssociationMSP", "NotaryMSP"}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.TimeWindow == 0 {
		c.TimeWindow = 15 * time.Minute
	}
	if c.ExecuteTimeout == 0 {
		c.ExecuteTimeout = 30 * time.Second
	}
	if c.Concurrency == 0 {
		c.Concurrency = 500
	}
	return c
}

// Network is a running network.
type Network struct {
	cfg       Config
	lock      io.Closer
	listener  net.Listener
	material  *material
	manager   *msp.Manager
	ledger    *ledger.Ledger
	orderer   *orderer.Orderer
	server    *grpc.Server
	within    *inprocess.Server // the same services for this process
	stopping  chan struct{}
	done      chan struct{}
	closeOnce sync.Once
	closeErr  error

	reload     sync.Mutex // held while authorities are replaced
	identities []msp.Organization
	trust      []byte

	mu  sync.Mutex
	err error
}

// Start brings the network up on new or old data and returns when it serves.
// The context bounds the start only; Close stops the network.
func Start(ctx context.Context, cfg Config) (*Network, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	n := &Network{cfg: cfg, stopping: make(chan struct{}), done: make(chan struct{})}
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(err, n.abandon())
	}
	go n.watch()
	go n.followAuthorities()
	return n, nil
}

func (c Config) validate() error {
	if c.Dir == "" {
		return errors.New("the embedded network needs a data directory")
	}
	if len(c.Organizations) > maxOrganizations {
		return fmt.Errorf("an embedded network has at most %d organisations, not %d", maxOrganizations, len(c.Organizations))
	}
	seen := map[string]bool{}
	for _, chaincode := range c.Chaincodes {
		if chaincode.Name == "" || chaincode.Contract == nil {
			return errors.New("a chaincode needs a name and a contract")
		}
		if seen[chaincode.Name] {
			return fmt.Errorf("chaincode %s is named twice", chaincode.Name)
		}
		seen[chaincode.Name] = true
	}
	return nil
}

func (n *Network) start(ctx context.Context) error {
	var err error
	if n.lock, err = lockDir(n.cfg.Dir); err != nil {
		return err
	}
	if n.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", n.cfg.Listen); err != nil {
		return fmt.Errorf("the embedded network cannot listen on %s: %w", n.cfg.Listen, err)
	}
	if n.material, err = openMaterial(n.cfg.Dir, n.cfg.Channel, n.cfg.Organizations, n.listener.Addr()); err != nil {
		return err
	}
	if err := n.material.export(n.cfg.Dir); err != nil {
		return err
	}
	if n.manager, err = n.newManager(); err != nil {
		return err
	}
	definitions, err := define(n.manager, n.cfg.Chaincodes)
	if err != nil {
		return err
	}
	n.ledger, err = ledger.Open(ledger.Config{
		Dir: n.cfg.Dir, Channel: n.cfg.Channel, MSP: n.manager, Definitions: definitions, Between: n.cfg.Disk,
	})
	if err != nil {
		return err
	}
	if err := n.begin(); err != nil {
		return err
	}
	if n.trust, err = n.material.trust(n.ledger, n.identities); err != nil {
		return err
	}
	return n.serve(definitions)
}

// begin writes block 0 on a new ledger.
func (n *Network) begin() error {
	if n.ledger.Height() > 0 {
		return nil
	}
	block, err := orderer.Genesis(n.cfg.Channel, n.material.members(), n.cfg.Ordering)
	if err != nil {
		return err
	}
	return n.ledger.Commit(block)
}

func (n *Network) serve(definitions map[string]*ledger.Definition) error {
	members, consenters, err := n.material.signers(n.manager)
	if err != nil {
		return err
	}
	var interceptors []inprocess.Interceptor
	if n.cfg.Hostile != nil {
		enemy := hostile.New(*n.cfg.Hostile)
		n.cfg.Ordering.Hold, n.cfg.Ordering.Arrange = enemy.Hold, enemy.Arrange
		interceptors = append(interceptors, enemy.Interceptor())
		n.cfg.Logger.Warn("the embedded network misbehaves on purpose", "hostile", *n.cfg.Hostile)
	}
	n.orderer, err = orderer.Start(n.cfg.Ordering, n.ledger, n.manager, n.cfg.Channel, consenters)
	if err != nil {
		return err
	}
	chaincodes := map[string]shim.Chaincode{}
	for _, chaincode := range n.cfg.Chaincodes {
		chaincodes[chaincode.Name] = chaincode.Contract
	}
	services, err := peer.New(peer.Config{
		Channel: n.cfg.Channel, Ledger: n.ledger, MSP: n.manager, Orderer: n.orderer, Members: members,
		Chaincodes: chaincodes, Definitions: definitions, TimeWindow: n.cfg.TimeWindow,
		ExecuteTimeout: n.cfg.ExecuteTimeout, Concurrency: n.cfg.Concurrency, Strict: n.cfg.Strict,
		Now: time.Now, Logger: n.cfg.Logger, Stopping: n.stopping,
	})
	if err != nil {
		return err
	}
	credentials, err := n.material.credentials()
	if err != nil {
		return err
	}
	interceptors = append(interceptors, services.Limit())
	n.server = services.NewGRPC(append(inprocess.Options(interceptors...), grpc.Creds(credentials))...)
	n.within = inprocess.NewServer(interceptors...)
	services.Register(n.within)
	go func() { _ = n.server.Serve(n.listener) }() // ends with the server; watch reports failures
	return nil
}

// watch stops everything loudly when the ledger fails.
func (n *Network) watch() {
	<-n.orderer.Done()
	err := n.orderer.Err()
	if err != nil {
		n.mu.Lock()
		n.err = fmt.Errorf("the ledger failed, the network stops: %w", err)
		n.mu.Unlock()
		n.cfg.Logger.Error("the ledger failed, the network stops", "error", err)
		n.stopServing()
	}
	close(n.done)
}

// Endpoint is the host:port the network serves on.
func (n *Network) Endpoint() string { return n.listener.Addr().String() }

// Peers tells how to connect to each organisation's peer.
func (n *Network) Peers() []PeerInfo {
	var peers []PeerInfo
	for _, organization := range n.material.organizations {
		peers = append(peers, PeerInfo{
			MSPID: organization.mspID, Endpoint: n.Endpoint(), ServerName: organization.peerName(),
			TLSRootsPEM: organization.tlsCA.CertificatePEM(), Connection: n.within.Connect(organization.peerName()),
		})
	}
	return peers
}

// Trust is the trust file (trust.json): what a verifier has to pin.
func (n *Network) Trust() []byte {
	n.reload.Lock()
	defer n.reload.Unlock()
	return n.trust
}

// Enroll issues a client identity of the organisation with the attributes in
// its certificate.
func (n *Network) Enroll(mspID string, attributes map[string]string) (devca.Pair, error) {
	for _, organization := range n.material.organizations {
		if organization.mspID == mspID {
			return organization.ca.User(attributes)
		}
	}
	return devca.Pair{}, fmt.Errorf("organisation %s is not in this network", mspID)
}

// EnrollUser does so for a user whose certificate and key are also kept below
// Dir/organizations, where tools made for Fabric's test network look. The same
// user is enrolled once; the attributes of the first time stay.
func (n *Network) EnrollUser(mspID, name string, attributes map[string]string) (devca.Pair, error) {
	for _, o := range n.material.organizations {
		if o.mspID == mspID {
			return o.exportUser(o.directory(n.cfg.Dir), name+"@"+o.domain(), func() (devca.Pair, error) { return o.ca.User(attributes) })
		}
	}
	return devca.Pair{}, fmt.Errorf("organisation %s is not in this network", mspID)
}

// Done is closed when the network has stopped taking transactions.
func (n *Network) Done() <-chan struct{} { return n.done }

// Err is the failure that stopped the network, or nil.
func (n *Network) Err() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// stopServing ends the requests under way.
func (n *Network) stopServing() {
	n.server.Stop()
	n.within.Stop()
}

// stopGrace is how long Close waits for requests under way.
const stopGrace = 5 * time.Second

// Close commits what was submitted, ends requests and streams and closes the
// ledger. Further calls return the first one's result.
func (n *Network) Close() error {
	n.closeOnce.Do(func() {
		graceful := make(chan struct{})
		go func() {
			var serving sync.WaitGroup
			serving.Go(n.server.GracefulStop)
			serving.Go(n.within.GracefulStop)
			serving.Wait()
			close(graceful)
		}()
		err := n.orderer.Close() // those who wait for a commit get their answer
		close(n.stopping)        // streams and hopeless waits end
		select {
		case <-graceful:
		case <-time.After(stopGrace):
			n.stopServing()
		}
		<-n.done
		n.closeErr = errors.Join(err, n.ledger.Close(), n.lock.Close())
	})
	return n.closeErr
}

// abandon undoes a start that failed half way.
func (n *Network) abandon() error {
	var errs []error
	if n.orderer != nil {
		errs = append(errs, n.orderer.Close())
	}
	if n.ledger != nil {
		errs = append(errs, n.ledger.Close())
	}
	if n.listener != nil {
		errs = append(errs, n.listener.Close())
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Close())
	}
	return errors.Join(errs...)
}
