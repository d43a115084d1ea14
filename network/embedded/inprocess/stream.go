package inprocess

import (
	"context"
	"io"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// ahead is how many messages one side of a stream may send before the other
// takes them.
const ahead = 4

// stream joins the two sides of a call.
type stream struct {
	up, down chan proto.Message
	done     chan struct{} // closed when the service has returned
	err      error         // what it returned; io.EOF for success
}

// NewStream implements grpc.ClientConnInterface.
func (c *connection) NewStream(ctx context.Context, _ *grpc.StreamDesc, name string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	m, ok := c.server.streams[name]
	if !ok {
		return nil, status.Errorf(codes.Unimplemented, "unknown method %s", name)
	}
	callCtx, end, err := c.server.begin(ctx, c.from)
	if err != nil {
		return nil, err
	}
	s := &stream{up: make(chan proto.Message, ahead), down: make(chan proto.Message, ahead), done: make(chan struct{})}
	info := &grpc.StreamServerInfo{FullMethod: name, IsClientStream: m.description.ClientStreams, IsServerStream: m.description.ServerStreams}
	go func() {
		defer end()
		defer close(s.done)
		s.err = io.EOF
		if err := c.server.interceptStream(m.service, &serverSide{stream: s, ctx: callCtx}, info, m.description.Handler); err != nil {
			s.err = asStatus(err)
		}
	}()
	return &clientSide{stream: s, ctx: ctx, closeUp: sync.OnceFunc(func() { close(s.up) })}, nil
}

func (s *Server) interceptStream(service any, side grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	for _, i := range slices.Backward(s.interceptors) {
		if inner := handler; i.Stream != nil {
			handler = func(service any, side grpc.ServerStream) error { return i.Stream(service, side, info, inner) }
		}
	}
	return handler(service, side)
}

// clientSide is a stream as its client sees it.
type clientSide struct {
	*stream
	ctx     context.Context
	closeUp func()
}

// Header implements grpc.ClientStream; there is none.
func (c *clientSide) Header() (metadata.MD, error) { return metadata.MD{}, nil }

// Trailer implements grpc.ClientStream; there is none.
func (c *clientSide) Trailer() metadata.MD { return metadata.MD{} }

// Context implements grpc.ClientStream.
func (c *clientSide) Context() context.Context { return c.ctx }

// CloseSend implements grpc.ClientStream.
func (c *clientSide) CloseSend() error {
	c.closeUp()
	return nil
}

// SendMsg implements grpc.ClientStream: io.EOF when the service has returned,
// RecvMsg then says why.
func (c *clientSide) SendMsg(m any) error {
	message, err := cloned(m)
	if err != nil {
		return err
	}
	select {
	case <-c.done:
		return io.EOF // although there may be room
	default:
	}
	select {
	case c.up <- message:
		return nil
	case <-c.done:
		return io.EOF
	case <-c.ctx.Done():
		return status.FromContextError(c.ctx.Err()).Err()
	}
}

// RecvMsg implements grpc.ClientStream.
func (c *clientSide) RecvMsg(into any) error {
	select {
	case message := <-c.down:
		return moveTo(into, message)
	case <-c.ctx.Done():
		return status.FromContextError(c.ctx.Err()).Err()
	case <-c.done:
	}
	select { // what was sent before the end
	case message := <-c.down:
		return moveTo(into, message)
	default:
		return c.err
	}
}

// serverSide is a stream as its service sees it.
type serverSide struct {
	*stream
	ctx context.Context
}

// SetHeader implements grpc.ServerStream; headers are not carried.
func (s *serverSide) SetHeader(metadata.MD) error { return nil }

// SendHeader implements grpc.ServerStream; headers are not carried.
func (s *serverSide) SendHeader(metadata.MD) error { return nil }

// SetTrailer implements grpc.ServerStream; trailers are not carried.
func (s *serverSide) SetTrailer(metadata.MD) {}

// Context implements grpc.ServerStream.
func (s *serverSide) Context() context.Context { return s.ctx }

// SendMsg implements grpc.ServerStream.
func (s *serverSide) SendMsg(m any) error {
	message, err := cloned(m)
	if err != nil {
		return err
	}
	select {
	case s.down <- message:
		return nil
	case <-s.ctx.Done():
		return status.FromContextError(s.ctx.Err()).Err()
	}
}

// RecvMsg implements grpc.ServerStream: io.EOF when the client sends no more.
func (s *serverSide) RecvMsg(into any) error {
	select {
	case message, open := <-s.up:
		if !open {
			return io.EOF
		}
		return moveTo(into, message)
	case <-s.ctx.Done():
		return status.FromContextError(s.ctx.Err()).Err()
	}
}

func cloned(m any) (proto.Message, error) {
	message, ok := m.(proto.Message)
	if !ok {
		return nil, status.Errorf(codes.Internal, "a %T is no message", m)
	}
	return proto.Clone(message), nil
}
