package peer

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/network/embedded/inprocess"
)

// Limits a peer's defaults set as well.
const (
	maxMessage   = 100 << 20
	minKeepalive = time.Minute
)

// Limit is what bounds the requests under way, of each service apart.
func (s *Server) Limit() inprocess.Interceptor {
	limits := map[string]chan struct{}{}
	for _, service := range []string{"gateway.Gateway", "protos.Endorser", "protos.Deliver", "orderer.AtomicBroadcast"} {
		limits[service] = make(chan struct{}, s.cfg.Concurrency)
	}
	return inprocess.Interceptor{
		Unary: func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			release, err := enter(limits, info.FullMethod)
			if err != nil {
				return nil, err
			}
			defer release()
			return handler(ctx, request)
		},
		Stream: func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			release, err := enter(limits, info.FullMethod)
			if err != nil {
				return err
			}
			defer release()
			return handler(server, stream)
		},
	}
}

// NewGRPC makes a gRPC server with the services.
func (s *Server) NewGRPC(options ...grpc.ServerOption) *grpc.Server {
	options = append(options,
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minKeepalive, PermitWithoutStream: true}),
	)
	server := grpc.NewServer(options...)
	s.Register(server)
	return server
}

// enter takes a place in the method's service, or refuses: a client that is
// told at once can back off.
func enter(limits map[string]chan struct{}, method string) (release func(), err error) {
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	places, ok := limits[service]
	if !ok {
		return func() {}, nil
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		return nil, status.Errorf(codes.ResourceExhausted, "too many requests for /%s, exceeding concurrency limit (%d)", service, cap(places))
	}
}
