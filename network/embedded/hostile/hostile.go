// Package hostile makes a network misbehave on purpose, by a fixed seed, so
// that clients can be tested against what a real network does on a bad day:
// answers lost after the work was done, streams that break, blocks that come
// late and in another order. It never changes what is committed to something
// false: every block is one that an honest network might have made.
package hostile

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/network/embedded/inprocess"
)

// Config says how hostile. The zero value changes nothing. Chances are from 0
// (never) to 1 (always).
type Config struct {
	// Seed fixes the sequence of misfortunes; which request meets which one
	// still depends on the order of requests.
	Seed uint64
	// LoseSubmit is the chance that a transaction is taken but the client is
	// told that the network is unavailable.
	LoseSubmit float64
	// RefuseSubmit is the chance that it is told so and nothing is taken.
	RefuseSubmit float64
	// LoseStatus is the chance that the answer to a commit status is lost.
	LoseStatus float64
	// DropStream is the chance, for each message on a stream, that the stream
	// breaks instead.
	DropStream float64
	// MaxDelay bounds a random wait before each block, in which transactions
	// gather and grow stale: the more wait, the more MVCC conflicts.
	MaxDelay time.Duration
	// Shuffle puts the transactions of a block in random order.
	Shuffle bool
}

// Hostile applies a Config.
type Hostile struct {
	cfg Config
	mu  sync.Mutex
	rng *rand.Rand
}

// New makes a Hostile.
func New(cfg Config) *Hostile {
	return &Hostile{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0))}
}

func (h *Hostile) happens(chance float64) bool {
	if chance <= 0 {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rng.Float64() < chance
}

var errLost = status.Error(codes.Unavailable, "the connection was lost (on purpose)")

// Interceptor puts the misfortunes before services.
func (h *Hostile) Interceptor() inprocess.Interceptor {
	return inprocess.Interceptor{Unary: h.unary, Stream: h.stream}
}

func (h *Hostile) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	lose := 0.0
	switch info.FullMethod {
	case gp.Gateway_Submit_FullMethodName:
		if h.happens(h.cfg.RefuseSubmit) {
			return nil, errLost
		}
		lose = h.cfg.LoseSubmit
	case gp.Gateway_CommitStatus_FullMethodName:
		lose = h.cfg.LoseStatus
	}
	response, err := handler(ctx, request)
	if err == nil && h.happens(lose) {
		return nil, errLost
	}
	return response, err
}

func (h *Hostile) stream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(server, breaking{stream, h})
}

// breaking is a stream that may end at any message.
type breaking struct {
	grpc.ServerStream
	hostile *Hostile
}

func (b breaking) SendMsg(message any) error {
	if b.hostile.happens(b.hostile.cfg.DropStream) {
		return errLost
	}
	return b.ServerStream.SendMsg(message)
}

// Hold waits before a block is cut.
func (h *Hostile) Hold() {
	if h.cfg.MaxDelay > 0 {
		h.mu.Lock()
		wait := time.Duration(h.rng.Int64N(int64(h.cfg.MaxDelay)))
		h.mu.Unlock()
		time.Sleep(wait)
	}
}

// Arrange reorders the transactions of a block.
func (h *Hostile) Arrange(envelopes [][]byte) {
	if h.cfg.Shuffle {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.rng.Shuffle(len(envelopes), func(i, j int) { envelopes[i], envelopes[j] = envelopes[j], envelopes[i] })
	}
}
