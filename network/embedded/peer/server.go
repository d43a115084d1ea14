// Package peer serves what clients of a Fabric network talk to: the Gateway,
// Deliver and Endorser services and the orderers' Broadcast, on behalf of all organisations' peers at
// once. A client chooses "its" peer by the server name it connects to.
package peer

import (
	"context"
	"log/slog"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	ab "github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	grpcpeer "google.golang.org/grpc/peer"

	"github.com/steelyard-ledger/steelyard/network/embedded/inprocess"
	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/orderer"
)

// Member is one organisation's peer and ordering node.
type Member struct {
	MSPID  string
	Signer *msp.Signer
	// ServerName is the TLS name by which a client asks for this peer.
	ServerName string
	// Address of peer and ordering node, as error details name them.
	Address string
}

// Config is what the services work on. Every field must be set.
type Config struct {
	Channel     string
	Ledger      *ledger.Ledger
	MSP         *msp.Manager
	Orderer     *orderer.Orderer
	Members     []Member
	Chaincodes  map[string]shim.Chaincode
	Definitions map[string]*ledger.Definition
	// TimeWindow is how far a proposal's time may be from this clock.
	TimeWindow time.Duration
	// ExecuteTimeout ends a chaincode execution.
	ExecuteTimeout time.Duration
	// Concurrency bounds the requests of one service under way at once.
	Concurrency int
	// Strict executes a proposal once for every endorsing organisation and
	// compares the results, instead of once for all.
	Strict bool
	Now    func() time.Time
	Logger *slog.Logger
	// Stopping is closed when streams must end.
	Stopping <-chan struct{}
}

// Server implements the three services.
type Server struct {
	gp.UnimplementedGatewayServer
	pb.UnimplementedEndorserServer
	pb.UnimplementedDeliverServer
	cfg     Config
	readers msp.Policy
	writers msp.Policy
}

// New makes a server.
func New(cfg Config) (*Server, error) {
	readers, err := cfg.MSP.Reference(msp.Readers)
	if err != nil {
		return nil, err
	}
	writers, err := cfg.MSP.Reference(msp.Writers)
	if err != nil {
		return nil, err
	}
	return &Server{cfg: cfg, readers: readers, writers: writers}, nil
}

// Register adds the services to a gRPC server.
func (s *Server) Register(registrar grpc.ServiceRegistrar) {
	gp.RegisterGatewayServer(registrar, s)
	pb.RegisterEndorserServer(registrar, s)
	pb.RegisterDeliverServer(registrar, s)
	ab.RegisterAtomicBroadcastServer(registrar, orderingService{server: s})
}

// local returns the member whose peer the client connected to: the one of the
// server name that it asked for, else the first.
func (s *Server) local(ctx context.Context) *Member {
	name := ""
	if client, ok := grpcpeer.FromContext(ctx); ok {
		switch info := client.AuthInfo.(type) {
		case credentials.TLSInfo:
			name = info.State.ServerName
		case inprocess.Called:
			name = info.ServerName
		}
	}
	for i := range s.cfg.Members {
		if s.cfg.Members[i].ServerName == name {
			return &s.cfg.Members[i]
		}
	}
	return &s.cfg.Members[0]
}

// member returns the organisation's peer, or nil.
func (s *Server) member(mspID string) *Member {
	for i := range s.cfg.Members {
		if s.cfg.Members[i].MSPID == mspID {
			return &s.cfg.Members[i]
		}
	}
	return nil
}
