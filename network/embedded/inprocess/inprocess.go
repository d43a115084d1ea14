// Package inprocess carries gRPC calls to services that run in the same
// process. A connection of it is a grpc.ClientConnInterface like one over the
// network, with the same interceptors before the same services, but without
// sockets, TLS and frames: messages are copied, deadlines and cancellation hold,
// errors are statuses. Metadata is not carried; the services use none.
package inprocess

import (
	"context"
	"net"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Interceptor stands before services; either part may be nil.
type Interceptor struct {
	Unary  grpc.UnaryServerInterceptor
	Stream grpc.StreamServerInterceptor
}

// Options put interceptors before the services of a gRPC server, the first one
// outermost.
func Options(interceptors ...Interceptor) []grpc.ServerOption {
	var options []grpc.ServerOption
	for _, i := range interceptors {
		if i.Unary != nil {
			options = append(options, grpc.ChainUnaryInterceptor(i.Unary))
		}
		if i.Stream != nil {
			options = append(options, grpc.ChainStreamInterceptor(i.Stream))
		}
	}
	return options
}

// Server serves those who connect to it within the process.
type Server struct {
	interceptors []Interceptor
	unary        map[string]method[grpc.MethodDesc]
	streams      map[string]method[grpc.StreamDesc]

	mutex   sync.Mutex // for closing against calls
	closing bool
	calls   sync.WaitGroup
	stopped context.Context // ends the calls under way
	stop    context.CancelFunc
}

type method[D any] struct {
	description D
	service     any
}

// NewServer makes a server without services; they must be registered before
// anybody connects.
func NewServer(interceptors ...Interceptor) *Server {
	s := &Server{interceptors: interceptors, unary: map[string]method[grpc.MethodDesc]{}, streams: map[string]method[grpc.StreamDesc]{}}
	s.stopped, s.stop = context.WithCancel(context.Background())
	return s
}

// RegisterService implements grpc.ServiceRegistrar.
func (s *Server) RegisterService(service *grpc.ServiceDesc, implementation any) {
	for _, m := range service.Methods {
		s.unary["/"+service.ServiceName+"/"+m.MethodName] = method[grpc.MethodDesc]{m, implementation}
	}
	for _, m := range service.Streams {
		s.streams["/"+service.ServiceName+"/"+m.StreamName] = method[grpc.StreamDesc]{m, implementation}
	}
}

// GracefulStop refuses new calls and waits for those under way.
func (s *Server) GracefulStop() {
	s.mutex.Lock()
	s.closing = true
	s.mutex.Unlock()
	s.calls.Wait()
}

// Stop refuses new calls and cancels those under way.
func (s *Server) Stop() {
	s.mutex.Lock()
	s.closing = true
	s.mutex.Unlock()
	s.stop()
}

// begin counts a call and gives its context.
func (s *Server) begin(ctx context.Context, from *peer.Peer) (_ context.Context, end func(), err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closing {
		return nil, nil, status.Error(codes.Unavailable, "the network is stopping")
	}
	s.calls.Add(1)
	ctx, cancel := context.WithCancel(peer.NewContext(ctx, from))
	unbind := context.AfterFunc(s.stopped, cancel)
	return ctx, func() {
		unbind()
		cancel()
		s.calls.Done()
	}, nil
}

// Called is how a caller is known to a service, in place of TLS information:
// by the server name that it asked for.
type Called struct{ ServerName string }

// AuthType implements credentials.AuthInfo.
func (Called) AuthType() string { return "in-process" }

var _ credentials.AuthInfo = Called{}

// address is where calls within the process come from.
type address struct{}

func (address) Network() string { return "in-process" }
func (address) String() string  { return "in-process" }

var _ net.Addr = address{}

// Connect gives a connection to the server under one of its names.
func (s *Server) Connect(serverName string) grpc.ClientConnInterface {
	return &connection{server: s, from: &peer.Peer{Addr: address{}, AuthInfo: Called{serverName}}}
}

type connection struct {
	server *Server
	from   *peer.Peer
}

// Invoke implements grpc.ClientConnInterface.
func (c *connection) Invoke(ctx context.Context, name string, request, reply any, _ ...grpc.CallOption) error {
	m, ok := c.server.unary[name]
	if !ok {
		return status.Errorf(codes.Unimplemented, "unknown method %s", name)
	}
	callCtx, end, err := c.server.begin(ctx, c.from)
	if err != nil {
		return err
	}
	type result struct {
		response any
		err      error
	}
	taken := make(chan struct{}) // the request is copied: the caller may change it
	take := sync.OnceFunc(func() { close(taken) })
	done := make(chan result, 1)
	go func() {
		defer end()
		defer take()
		response, err := m.description.Handler(m.service, callCtx, func(into any) error {
			defer take()
			return copyTo(into, request)
		}, c.server.interceptUnary)
		done <- result{response, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return asStatus(r.err)
		}
		return copyTo(reply, r.response)
	case <-ctx.Done():
		<-taken
		return status.FromContextError(ctx.Err()).Err()
	}
}

func (s *Server) interceptUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	for _, i := range slices.Backward(s.interceptors) {
		if inner := handler; i.Unary != nil {
			handler = func(ctx context.Context, request any) (any, error) { return i.Unary(ctx, request, info, inner) }
		}
	}
	return handler(ctx, request)
}

// copyTo makes an empty message a deep copy of another of its type, so that
// neither side sees what the other one does to its own.
func copyTo(into, from any) error {
	target, source, err := alike(into, from)
	if err != nil {
		return err
	}
	proto.Merge(target, source)
	return nil
}

// moveTo gives an empty message what another of its type holds, which nobody
// uses afterwards.
func moveTo(into, from any) error {
	target, source, err := alike(into, from)
	if err != nil {
		return err
	}
	source.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		target.ProtoReflect().Set(field, value)
		return true
	})
	target.ProtoReflect().SetUnknown(source.ProtoReflect().GetUnknown())
	return nil
}

// alike are two messages of one type.
func alike(into, from any) (target, source proto.Message, err error) {
	target, ok := into.(proto.Message)
	source, also := from.(proto.Message)
	if !ok || !also || target.ProtoReflect().Descriptor() != source.ProtoReflect().Descriptor() {
		return nil, nil, status.Errorf(codes.Internal, "a %T where a %T is expected", from, into)
	}
	return target, source, nil
}

// asStatus is the error that a client would be sent.
func asStatus(err error) error {
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	return status.FromContextError(err).Err()
}
