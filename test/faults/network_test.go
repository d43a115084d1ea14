package faults

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errNetwork is what a broken connection looks like.
var errNetwork = status.Error(codes.Unavailable, "injected: connection reset")

// dial puts the faults between the gateway and its peers. A call is named by
// its gRPC method; of a stream, opening, sending and receiving are three.
func (p *plan) dial() []grpc.DialOption {
	unary := func(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		return p.meetAs("peer "+method, errNetwork, func() error { return invoke(ctx, method, request, reply, connection, options...) })
	}
	stream := func(ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (s grpc.ClientStream, err error) {
		err = p.meetAs("peer "+method+" open", errNetwork, func() (err error) { s, err = open(ctx, description, connection, method, options...); return err })
		if err != nil {
			return nil, err
		}
		return &breakingStream{s, p, "peer " + method}, nil
	}
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(unary), grpc.WithChainStreamInterceptor(stream)}
}

type breakingStream struct {
	grpc.ClientStream
	plan *plan
	name string
}

func (s *breakingStream) SendMsg(message any) error {
	return s.plan.meetAs(s.name+" send", errNetwork, func() error { return s.ClientStream.SendMsg(message) })
}

func (s *breakingStream) RecvMsg(message any) error {
	return s.plan.meetAs(s.name+" receive", errNetwork, func() error { return s.ClientStream.RecvMsg(message) })
}
