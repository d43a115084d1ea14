package peer

import (
	"context"

	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// CommitStatus waits for a transaction's block and tells how it ended.
func (s *Server) CommitStatus(ctx context.Context, signed *gp.SignedCommitStatusRequest) (*gp.CommitStatusResponse, error) {
	if len(signed.GetRequest()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "a commit status request is required")
	}
	var request gp.CommitStatusRequest
	if err := proto.Unmarshal(signed.GetRequest(), &request); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "invalid status request: %v", err)
	}
	switch {
	case request.GetIdentity() == nil:
		return nil, status.Error(codes.InvalidArgument, "no identity provided")
	case request.GetChannelId() == "":
		return nil, status.Error(codes.InvalidArgument, "no channel ID provided")
	case request.GetTransactionId() == "":
		return nil, status.Error(codes.InvalidArgument, "transaction ID should not be empty")
	}
	if err := s.checkReader(request.GetChannelId(), signed.GetRequest(), request.GetIdentity(), signed.GetSignature()); err != nil {
		return nil, err
	}
	ctx, cancel := s.untilStopped(ctx)
	defer cancel()
	outcome, err := s.cfg.Ledger.Await(ctx, request.GetTransactionId())
	if err != nil {
		return nil, stopped(ctx, err)
	}
	return &gp.CommitStatusResponse{Result: outcome.Code, BlockNumber: outcome.Block}, nil
}

// checkReader lets readers of the channel pass.
func (s *Server) checkReader(channel string, data, identity, signature []byte) error {
	if channel != s.cfg.Channel {
		return status.Errorf(codes.PermissionDenied, "could not find policy manager for channel %s", channel)
	}
	if err := s.checkPolicy(s.readers, data, identity, signature); err != nil {
		return status.Error(codes.PermissionDenied, err.Error())
	}
	return nil
}

// untilStopped ends with the request or when the network stops.
func (s *Server) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-s.cfg.Stopping:
			cancel(errStopping)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

var errStopping = status.Error(codes.Unavailable, "the network is stopping")

// stopped words the end of a wait: the network's stop, else the client's.
func stopped(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause == errStopping {
		return cause
	}
	return status.FromContextError(err).Err()
}
