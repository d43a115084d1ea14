package fabric_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	gatewaypb "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
)

// faults stand between the client and the network: by gRPC method, what to do
// with a call. It may make the call never, once or twice, and answer at will.
type faults map[string]func(call func() error) error

func (f faults) options() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(
		func(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
			call := func() error { return invoke(ctx, method, request, reply, connection, options...) }
			if fault, ok := f[method]; ok {
				return fault(call)
			}
			return call()
		})}
}

var errNetwork = status.Error(codes.Unavailable, "injected: connection reset")

// The ways in which one call can go wrong.
func lostRequest(func() error) error     { return errNetwork }
func lostAnswer(call func() error) error { _ = call(); return errNetwork }
func twice(call func() error) error {
	if err := call(); err != nil {
		return err
	}
	_ = call() // a second copy may be refused
	return nil
}

// first applies a fault to the first count calls only.
func first(count int32, fault func(func() error) error) func(func() error) error {
	var calls atomic.Int32
	return func(call func() error) error {
		if calls.Add(1) <= count {
			return fault(call)
		}
		return call()
	}
}

// TestFaults: every call to the network fails once as "did not happen" and
// once as "happened but reported failed", and the action happens once.
func TestFaults(t *testing.T) {
	n := startNetwork(t)
	for i, c := range []struct {
		method string
		name   string
		fault  func(func() error) error
	}{
		{"Endorse", "lost request", lostRequest},
		{"Endorse", "lost answer", lostAnswer},
		{"Submit", "lost request", lostRequest},
		{"Submit", "lost answer", lostAnswer},
		{"Submit", "ordered twice", twice},
	} {
		for _, failures := range []int32{1, 5} { // one peer fails; all four do, and the first again
			t.Run(fmt.Sprintf("%s/%s/%d", c.method, c.name, failures), func(t *testing.T) {
				key := fmt.Sprintf("n%d-%d", i, failures)
				g := startGateway(t, n, func(config *fabric.Config) {
					config.Dial = faults{"/gateway.Gateway/" + c.method: first(failures, c.fault)}.options()
				})
				_, err := g.Submit(t.Context(), key, add(key))
				if err != nil { // nothing was sent: every peer failed to endorse
					require.Equal(t, fabric.Unavailable, kindOf(t, err))
					require.Equal(t, "Endorse", c.method)
					require.Equal(t, 0, g.count(t, key))
					_, err = g.Submit(t.Context(), key, add(key))
				}
				require.NoError(t, err)
				require.Equal(t, 1, g.count(t, key))
			})
		}
	}
}

// TestUnknown: with no word from the stream nor from any peer the outcome is
// unknown, and a later request under the same key finds out.
func TestUnknown(t *testing.T) {
	n := startNetwork(t)
	for i, c := range []struct {
		name    string
		fault   func(func() error) error
		happens int // before anybody asks again
	}{{"never sent", lostRequest, 0}, {"sent, answer lost", lostAnswer, 1}} {
		t.Run(c.name, func(t *testing.T) {
			key := fmt.Sprintf("n%d", i)
			path := filepath.Join(t.TempDir(), "outbox.db")
			box := openOutbox(t, path)
			config := n.config(t, box)
			config.Timeouts.Commit = 300 * time.Millisecond
			config.Dial = faults{"/gateway.Gateway/Submit": c.fault, "/gateway.Gateway/Evaluate": lostRequest}.options()
			blind := connect(t, config) // no Follow
			_, err := blind.Submit(t.Context(), key, add(key))
			require.Equal(t, fabric.Unknown, kindOf(t, err))
			entry, found, err := box.Find(t.Context(), "merchant", key)
			require.NoError(t, err)
			require.True(t, found)
			require.Equal(t, outbox.Unknown, entry.State)
			require.NoError(t, blind.Close())

			g := startGateway(t, n, func(config *fabric.Config) { config.Outbox = box })
			require.Equal(t, c.happens, g.count(t, key))
			open, err := g.Recover(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1-c.happens, open, "recovery sends nothing")
			require.Equal(t, c.happens, g.count(t, key))

			receipt, err := g.Submit(t.Context(), key, add(key))
			require.NoError(t, err)
			require.Equal(t, entry.TransactionID, receipt.TransactionID, "the same envelope")
			require.Equal(t, 1, g.count(t, key))
		})
	}
}

// TestUnknownIsSettledLater: a commit that the stream shows after its caller
// was told "unknown" is recorded all the same.
func TestUnknownIsSettledLater(t *testing.T) {
	n := startNetwork(t)
	box := openOutbox(t, filepath.Join(t.TempDir(), "outbox.db"))
	config := n.config(t, box)
	config.Timeouts.Commit = 200 * time.Millisecond
	config.Dial = faults{"/gateway.Gateway/Evaluate": lostRequest}.options()
	client := connect(t, config)
	_, err := client.Submit(t.Context(), "k1", add("n"))
	require.Equal(t, fabric.Unknown, kindOf(t, err))

	go func() {
		_ = client.Follow(t.Context(), nil, func(context.Context, ...ledger.Block) error { return nil })
	}()
	require.Eventually(t, func() bool {
		entry, _, err := box.Find(t.Context(), "merchant", "k1")
		return err == nil && entry.State == outbox.Committed
	}, 10*time.Second, 10*time.Millisecond)
}

// brittle ends every block stream after so many messages.
func brittle(messages int) grpc.DialOption {
	return grpc.WithChainStreamInterceptor(
		func(ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
			stream, err := open(ctx, description, connection, method, options...)
			return &brittleStream{stream, messages}, err
		})
}

type brittleStream struct {
	grpc.ClientStream
	left int
}

func (s *brittleStream) RecvMsg(message any) error {
	if s.left == 0 {
		return errNetwork
	}
	s.left--
	return s.ClientStream.RecvMsg(message)
}

// TestFollowResumes: the stream breaks after every third block, and each block
// is shown once.
func TestFollowResumes(t *testing.T) {
	g := startGateway(t, startNetwork(t), func(c *fabric.Config) { c.Dial = []grpc.DialOption{brittle(3)} })
	for i := range 20 {
		_, err := g.Submit(t.Context(), fmt.Sprint(i), add("n"))
		require.NoError(t, err)
	}
	require.Equal(t, 20, g.count(t, "n"))
	require.GreaterOrEqual(t, len(g.shown(t)), 21)
}

// TestEndorsersDisagree: peers at different heights answer differently for a
// moment; asking again helps, and if it does not, the rule is told.
func TestEndorsersDisagree(t *testing.T) {
	n := startNetwork(t)
	disagree := func(func() error) error {
		answer, err := status.New(codes.Aborted, "failed to collect enough transaction endorsements, see attached details for more info").
			WithDetails(&gatewaypb.ErrorDetail{MspId: "InstituteMSP", Message: "chaincode response 500, NOT_FOUND: no site s1"})
		require.NoError(t, err)
		return answer.Err()
	}
	endorse := func(fault func(func() error) error) func(*fabric.Config) {
		return func(c *fabric.Config) { c.Dial = faults{"/gateway.Gateway/Endorse": fault}.options() }
	}
	g := startGateway(t, n, endorse(first(3, disagree)))
	_, err := g.Submit(t.Context(), "k1", add("n"))
	require.NoError(t, err)
	require.Equal(t, 1, g.count(t, "n"))

	g = startGateway(t, n, endorse(disagree))
	_, err = g.Submit(t.Context(), "k2", add("n"))
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
	require.Equal(t, 1, g.count(t, "n"))
}

// TestRefusalOfThePast: a peer that has not committed what this gateway has
// shown refuses what is right; its refusal counts once it has caught up.
func TestRefusalOfThePast(t *testing.T) {
	n := startNetwork(t)
	refusal, err := status.New(codes.Aborted, "failed to endorse transaction, see attached details for more info").
		WithDetails(&gatewaypb.ErrorDetail{MspId: "AssociationMSP", Message: "chaincode response 500, NOT_FOUND: no site s1"})
	require.NoError(t, err)
	var asked, refusals atomic.Int32
	g := startGateway(t, n, func(c *fabric.Config) {
		c.Dial = faults{"/gateway.Gateway/Endorse": func(call func() error) error {
			asked.Add(1)
			if refusals.Add(-1) < 0 {
				return call()
			}
			return refusal.Err()
		}}.options()
	})
	_, err = g.Submit(t.Context(), "k1", add("n"))
	require.NoError(t, err)

	asked.Store(0)
	refusals.Store(1)
	_, err = g.Submit(t.Context(), "k2", add("n"))
	require.NoError(t, err)
	require.Equal(t, int32(2), asked.Load(), "once behind, once caught up")
	require.Equal(t, 2, g.count(t, "n"))

	asked.Store(0)
	refusals.Store(10)
	_, err = g.Submit(t.Context(), "k3", add("n"))
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
	require.Equal(t, int32(2), asked.Load(), "a block has come since")
	_, err = g.Submit(t.Context(), "k3", add("n"))
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
	require.Equal(t, int32(3), asked.Load(), "the peer was known to be up to date")
}
