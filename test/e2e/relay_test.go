package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// relay stands between a gateway and one peer, with the peer's own TLS key, so
// that it sees which call is under way and can cut the connection in its midst.
type relay struct {
	address string
	peer    *grpc.ClientConn

	mutex sync.Mutex
	open  map[string]net.Conn // by the gateway's address
	armed *cut
}

// cut is a connection to be lost at a call.
type cut struct {
	method   string // how the last part of gRPC's method name begins, such as Endorse
	answered bool   // after the peer has acted, before the gateway learns it
	done     func() // told when it has happened
}

// startRelay relays to a peer until the test ends.
func startRelay(t *testing.T, plan *consortium.Plan, node consortium.Node) *relay {
	t.Helper()
	roots, err := os.ReadFile(plan.TLSRoot(node.Organization))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(roots))
	r := &relay{open: map[string]net.Conn{}}
	r.peer, err = grpc.NewClient("passthrough:///"+node.Endpoint, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, node.Name)),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(100<<20), grpc.MaxCallSendMsgSize(100<<20)))
	require.NoError(t, err)
	pair, err := tls.LoadX509KeyPair(filepath.Join(node.Dir, "tls", "server.crt"), filepath.Join(node.Dir, "tls", "server.key"))
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r.address = listener.Addr().String()
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&pair)), grpc.ForceServerCodec(raw{}),
		grpc.MaxRecvMsgSize(100<<20), grpc.MaxSendMsgSize(100<<20),
		grpc.UnknownServiceHandler(func(_ any, down grpc.ServerStream) error { return r.pass(down) }))
	go func() { _ = server.Serve(tracked{listener, r}) }()
	t.Cleanup(func() {
		server.Stop()
		_ = r.peer.Close()
	})
	return r
}

// cutAt loses the connection at the next call of a method, once.
func (r *relay) cutAt(c *cut) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.armed = c
}

// lose closes the connection that a call came by, if a cut waits for the call.
func (r *relay) lose(ctx context.Context, method string, answered bool) bool {
	from, ok := peer.FromContext(ctx)
	if !ok {
		return false
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.armed == nil || r.armed.answered != answered || !strings.HasPrefix(path.Base(method), r.armed.method) {
		return false
	}
	if connection, ok := r.open[from.Addr.String()]; ok {
		_ = connection.Close()
	}
	r.armed.done()
	r.armed = nil
	return true
}

var errCut = status.Error(codes.Unavailable, "the connection was cut")

// pass hands one call through, message by message.
func (r *relay) pass(down grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(down)
	if r.lose(down.Context(), method, false) {
		return errCut
	}
	ctx := down.Context()
	if sent, ok := metadata.FromIncomingContext(ctx); ok {
		ctx = metadata.NewOutgoingContext(ctx, sent)
	}
	up, err := r.peer.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	go func() {
		var message []byte
		for down.RecvMsg(&message) == nil && up.SendMsg(&message) == nil {
		}
		_ = up.CloseSend()
	}()
	for {
		var message []byte
		if err := up.RecvMsg(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if r.lose(down.Context(), method, true) {
			return errCut
		}
		if err := down.SendMsg(&message); err != nil {
			return err
		}
	}
}

// raw leaves messages as the bytes they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) ([]byte, error) {
	message, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("message is %T", v)
	}
	return *message, nil
}

func (raw) Unmarshal(data []byte, v any) error {
	message, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("message is %T", v)
	}
	*message = append([]byte(nil), data...)
	return nil
}

// tracked knows the connections it has accepted.
type tracked struct {
	net.Listener
	relay *relay
}

func (l tracked) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err == nil {
		l.relay.mutex.Lock()
		l.relay.open[connection.RemoteAddr().String()] = connection
		l.relay.mutex.Unlock()
	}
	return connection, err
}

// drop closes every connection.
func (r *relay) drop() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, connection := range r.open {
		_ = connection.Close()
	}
}
