package fabric_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/steelyard-ledger/steelyard/gateway/fabric"
)

// TestWithin: peers that run in this process are reached without their port,
// write, read and follow as over it, and are missed alike when they stop.
func TestWithin(t *testing.T) {
	n := startNetwork(t)
	g := startGateway(t, n, func(c *fabric.Config) {
		for i, p := range n.Peers() {
			c.Peers[i].Connection, c.Peers[i].Endpoint = p.Connection, "127.0.0.1:1" // nobody listens there
		}
	})
	const each = 10
	var writing errgroup.Group
	for i := range each {
		for _, key := range []string{"shared", fmt.Sprintf("own-%d", i)} {
			writing.Go(func() error {
				_, err := g.Submit(t.Context(), fmt.Sprintf("%s/%d", key, i), add(key))
				return err
			})
		}
	}
	require.NoError(t, writing.Wait())
	require.Equal(t, each, g.count(t, "shared"))
	require.Equal(t, 1, g.count(t, "own-0"))
	endorsers := g.shown(t)[1].Transactions[0].Endorsers
	require.Contains(t, endorsers, "AssociationMSP", "the peer that was asked is the submitter's own")

	stranger := add("shared")
	stranger.Identity = "nobody"
	_, err := g.Submit(t.Context(), "stranger", stranger)
	require.Equal(t, fabric.Unauthenticated, kindOf(t, err))

	require.NoError(t, n.Close())
	_, err = g.Submit(t.Context(), "late", add("late"))
	require.Equal(t, fabric.Unavailable, kindOf(t, err))
}
