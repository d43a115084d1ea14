package inprocess_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/network/embedded/inprocess"
)

// service answers in every way that a peer does.
type service struct {
	gp.UnimplementedGatewayServer
	pb.UnimplementedDeliverServer
	kept    *gp.SubmitRequest
	entered chan struct{}
}

func (s *service) Submit(_ context.Context, request *gp.SubmitRequest) (*gp.SubmitResponse, error) {
	s.kept = request
	return &gp.SubmitResponse{}, nil
}

func (s *service) Evaluate(_ context.Context, request *gp.EvaluateRequest) (*gp.EvaluateResponse, error) {
	switch request.GetTransactionId() {
	case "status":
		with, err := status.New(codes.Aborted, "no").WithDetails(&gp.ErrorDetail{Address: "a"})
		return nil, errors.Join(with.Err(), err)
	case "plain":
		return nil, errors.New("plain")
	case "context":
		return nil, context.DeadlineExceeded
	}
	return &gp.EvaluateResponse{Result: &pb.Response{Message: request.GetTransactionId()}}, nil
}

func (s *service) CommitStatus(ctx context.Context, _ *gp.SignedCommitStatusRequest) (*gp.CommitStatusResponse, error) {
	s.entered <- struct{}{}
	<-ctx.Done()
	s.entered <- struct{}{}
	return nil, ctx.Err()
}

// Deliver sends each envelope back as many times as its payload is long.
func (s *service) Deliver(stream pb.Deliver_DeliverServer) error {
	for {
		envelope, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(envelope.GetPayload()) == 0 {
			return status.Error(codes.NotFound, "nothing")
		}
		for range envelope.GetPayload() {
			if err := stream.Send(&pb.DeliverResponse{Type: &pb.DeliverResponse_Status{Status: common.Status_SUCCESS}}); err != nil {
				return err
			}
		}
	}
}

// both gives connections over the network and within the process.
func both(t *testing.T, s *service, interceptors ...inprocess.Interceptor) map[string]grpc.ClientConnInterface {
	within := inprocess.NewServer(interceptors...)
	listening := grpc.NewServer(inprocess.Options(interceptors...)...)
	for _, registrar := range []grpc.ServiceRegistrar{within, listening} {
		gp.RegisterGatewayServer(registrar, s)
		pb.RegisterDeliverServer(registrar, s)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = listening.Serve(listener) }()
	t.Cleanup(listening.Stop)
	dialled, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dialled.Close()) })
	return map[string]grpc.ClientConnInterface{"within": within.Connect("peer"), "dialled": dialled}
}

// TestSame: a call within the process ends as one over the network does.
func TestSame(t *testing.T) {
	for _, name := range []string{"within", "dialled"} {
		t.Run(name, func(t *testing.T) {
			s := &service{entered: make(chan struct{}, 4)}
			connection := both(t, s)[name]
			gateway := gp.NewGatewayClient(connection)
			answer, err := gateway.Evaluate(t.Context(), &gp.EvaluateRequest{TransactionId: "hello"})
			require.NoError(t, err)
			require.Equal(t, "hello", answer.GetResult().GetMessage())
			for id, code := range map[string]codes.Code{"status": codes.Aborted, "plain": codes.Unknown, "context": codes.DeadlineExceeded} {
				_, err := gateway.Evaluate(t.Context(), &gp.EvaluateRequest{TransactionId: id})
				require.Equal(t, code, status.Code(err), id)
				if id == "status" {
					require.Len(t, status.Convert(err).Details(), 1)
				}
			}
			_, err = gateway.Endorse(t.Context(), &gp.EndorseRequest{})
			require.Equal(t, codes.Unimplemented, status.Code(err))
			require.Equal(t, codes.Unimplemented, status.Code(connection.Invoke(t.Context(), "/no/such", &gp.SubmitRequest{}, &gp.SubmitResponse{})))

			request := &gp.SubmitRequest{TransactionId: "mine", PreparedTransaction: &common.Envelope{Payload: []byte("x")}}
			_, err = gateway.Submit(t.Context(), request)
			require.NoError(t, err)
			request.PreparedTransaction.Payload[0] = 'y'
			require.Equal(t, "x", string(s.kept.GetPreparedTransaction().GetPayload()), "the service has a copy")

			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-s.entered; cancel() }()
			_, err = gateway.CommitStatus(ctx, &gp.SignedCommitStatusRequest{})
			require.Equal(t, codes.Canceled, status.Code(err))
			<-s.entered // the service has learnt it
			ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err = gateway.CommitStatus(ctx, &gp.SignedCommitStatusRequest{})
			require.Equal(t, codes.DeadlineExceeded, status.Code(err))
		})
	}
}

func TestSameStream(t *testing.T) {
	for name, connection := range both(t, &service{}) {
		t.Run(name, func(t *testing.T) {
			client := pb.NewDeliverClient(connection)
			stream, err := client.Deliver(t.Context())
			require.NoError(t, err)
			for range 3 {
				require.NoError(t, stream.Send(&common.Envelope{Payload: make([]byte, 20)}))
				for range 20 {
					answer, err := stream.Recv()
					require.NoError(t, err)
					require.Equal(t, common.Status_SUCCESS, answer.GetStatus())
				}
			}
			require.NoError(t, stream.CloseSend())
			_, err = stream.Recv()
			require.ErrorIs(t, err, io.EOF)

			stream, err = client.Deliver(t.Context())
			require.NoError(t, err)
			require.NoError(t, stream.Send(&common.Envelope{Payload: make([]byte, 2)}))
			require.NoError(t, stream.Send(&common.Envelope{}))
			for range 2 { // what was sent before the end comes before it
				_, err = stream.Recv()
				require.NoError(t, err)
			}
			_, err = stream.Recv()
			require.Equal(t, codes.NotFound, status.Code(err))
			require.ErrorIs(t, stream.Send(&common.Envelope{}), io.EOF)

			ctx, cancel := context.WithCancel(t.Context())
			stream, err = client.Deliver(ctx)
			require.NoError(t, err)
			cancel()
			_, err = stream.Recv()
			require.Equal(t, codes.Canceled, status.Code(err))
		})
	}
}

// TestInterceptors: the same ones stand before the services in the same order,
// and know by which name a service was called.
func TestInterceptors(t *testing.T) {
	var order []string
	var called inprocess.Called
	named := func(name string) inprocess.Interceptor {
		return inprocess.Interceptor{Unary: func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			order = append(order, name+info.FullMethod)
			if from, ok := peer.FromContext(ctx); ok {
				called, _ = from.AuthInfo.(inprocess.Called)
			}
			return handler(ctx, request)
		}}
	}
	var streams atomic.Int32
	counting := inprocess.Interceptor{Stream: func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		streams.Add(1)
		return handler(service, stream)
	}}
	for name, connection := range both(t, &service{}, named("outer"), counting, named("inner")) {
		t.Run(name, func(t *testing.T) {
			order = nil
			_, err := gp.NewGatewayClient(connection).Submit(t.Context(), &gp.SubmitRequest{})
			require.NoError(t, err)
			require.Equal(t, []string{"outer/gateway.Gateway/Submit", "inner/gateway.Gateway/Submit"}, order)
			if name == "within" {
				require.Equal(t, "peer", called.ServerName)
			}
			before := streams.Load()
			stream, err := pb.NewDeliverClient(connection).Deliver(t.Context())
			require.NoError(t, err)
			require.NoError(t, stream.CloseSend())
			_, err = stream.Recv()
			require.ErrorIs(t, err, io.EOF)
			require.Equal(t, before+1, streams.Load())
		})
	}
}

// TestStop: a stopping server refuses, waits for those under way, and can end them.
func TestStop(t *testing.T) {
	s := &service{entered: make(chan struct{}, 2)}
	server := inprocess.NewServer()
	gp.RegisterGatewayServer(server, s)
	gateway := gp.NewGatewayClient(server.Connect(""))
	ended := make(chan error, 1)
	go func() {
		_, err := gateway.CommitStatus(t.Context(), &gp.SignedCommitStatusRequest{})
		ended <- err
	}()
	<-s.entered
	graceful := make(chan struct{})
	go func() { server.GracefulStop(); close(graceful) }()
	require.Eventually(t, func() bool {
		_, err := gateway.Submit(t.Context(), &gp.SubmitRequest{})
		return status.Code(err) == codes.Unavailable
	}, 10*time.Second, time.Millisecond)
	select {
	case <-graceful:
		t.Fatal("a call is under way")
	default:
	}
	server.Stop()
	require.Equal(t, codes.Canceled, status.Code(<-ended))
	<-graceful
}
