package fabric_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// A gateway that follows nothing knows how far it is behind; one that follows
// knows when it last missed nothing, and once no peer answers that moment stays.
func TestAskHeights(t *testing.T) {
	n := startNetwork(t)
	g := startGateway(t, n, nil)
	_, err := g.Submit(t.Context(), "a", add("a"))
	require.NoError(t, err)
	blocks := g.shown(t)

	config := n.config(t, openOutbox(t, filepath.Join(t.TempDir(), "o.db")))
	config.Timeouts.Height = 50 * time.Millisecond
	client := connect(t, config)
	ctx, cancel := context.WithCancel(t.Context())
	asking := make(chan struct{})
	go func() { defer close(asking); client.AskHeights(ctx) }()
	defer func() { cancel(); <-asking }()
	soon := func(why string, holds func() bool) {
		require.Eventually(t, holds, 10*time.Second, 10*time.Millisecond, why)
	}
	soon("peers tell their height", func() bool { return client.Stream().Newest == uint64(len(blocks)) })
	require.Equal(t, uint64(len(blocks)), client.Stream().Behind())
	require.True(t, client.Stream().Current.IsZero(), "nothing is applied yet")

	following := make(chan error, 1)
	follow, stop := context.WithCancel(t.Context())
	go func() {
		at := &ledger.Position{Number: blocks[0].Number, Hash: blocks[0].Hash}
		following <- client.Follow(follow, at, func(context.Context, ...ledger.Block) error { return nil })
	}()
	soon("it catches up", func() bool { return client.Stream().Behind() == 0 && !client.Stream().Current.IsZero() })
	first := client.Stream().Current
	soon("it goes on asking", func() bool { return client.Stream().Current.After(first) })
	stop()
	require.ErrorIs(t, <-following, context.Canceled)

	_, err = g.Submit(t.Context(), "b", add("b"))
	require.NoError(t, err)
	soon("a block that nobody applied is missed", func() bool { return client.Stream().Behind() == 1 })
	last := client.Stream().Current
	time.Sleep(4 * config.Timeouts.Height)
	require.Equal(t, last, client.Stream().Current, "its data gets older")
}
