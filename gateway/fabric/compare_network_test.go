package fabric_test

import (
	"context"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

func TestFollowCompares(t *testing.T) {
	n := startNetwork(t)
	g := startGateway(t, n, nil)
	receipt, err := g.Submit(t.Context(), "a", add("a"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return g.Stream().Agreed >= receipt.BlockNumber }, 10*time.Second, 10*time.Millisecond)
	require.Contains(t, organizations[1:], g.Stream().AgreedBy, "not the organisation that is followed")
}

// TestFollowDisagreement: a peer that calls other transactions valid than
// the rest is found out, whichever of the two is followed.
func TestFollowDisagreement(t *testing.T) {
	n := startNetwork(t)
	g := startGateway(t, n, nil)
	_, err := g.Submit(t.Context(), "a", add("a"))
	require.NoError(t, err)
	for name, followedLies := range map[string]bool{"the followed peer lies": true, "the others lie": false} {
		t.Run(name, func(t *testing.T) {
			config := n.config(t, openOutbox(t, filepath.Join(t.TempDir(), "o.db")))
			var followed atomic.Pointer[grpc.ClientConn] // the one that is asked first
			config.Dial = append(config.Dial, grpc.WithStreamInterceptor(func(
				ctx context.Context, desc *grpc.StreamDesc, c *grpc.ClientConn, method string, streamer grpc.Streamer, options ...grpc.CallOption,
			) (grpc.ClientStream, error) {
				stream, err := streamer(ctx, desc, c, method, options...)
				followed.CompareAndSwap(nil, c)
				if err == nil && (followed.Load() == c) == followedLies {
					stream = lyingStream{stream}
				}
				return stream, err
			}))
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := connect(t, config).Follow(ctx, nil, func(context.Context, ...ledger.Block) error { return nil })
			require.ErrorIs(t, err, fabric.ErrPeersDisagree)
		})
	}
}

// lyingStream calls the first transaction of every block after block 0 an
// MVCC conflict.
type lyingStream struct{ grpc.ClientStream }

func (s lyingStream) RecvMsg(message any) error {
	if err := s.ClientStream.RecvMsg(message); err != nil {
		return err
	}
	response, _ := message.(*peer.DeliverResponse)
	block := response.GetBlock()
	if private := response.GetBlockAndPrivateData(); private != nil {
		block = private.GetBlock()
	}
	if block.GetHeader().GetNumber() == 0 {
		return nil
	}
	const filter = common.BlockMetadataIndex_TRANSACTIONS_FILTER
	codes := slices.Clone(block.GetMetadata().GetMetadata()[filter])
	codes[0] = byte(peer.TxValidationCode_MVCC_READ_CONFLICT)
	block.Metadata.Metadata[filter] = codes
	return nil
}
