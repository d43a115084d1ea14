package conformance

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// TestLifecycle takes a real network of its own from its first start over an
// agreed, refused and upgraded contract to a second start on old data.
func TestLifecycle(t *testing.T) {
	if os.Getenv("STEELYARD_NETWORK") != "real" {
		t.Skip("STEELYARD_NETWORK is not real")
	}
	dir, wish := t.TempDir(), consortium.Plan{Port: onehost.FreePort(), Orderer: os.Getenv("STEELYARD_ORDERER")}
	n := openRealIn(t, dir, wish)
	m := n.connect(t, "InstituteMSP")
	key := newKey()
	m.submit(t, "put", key, "kept")

	t.Run("DefinitionNeedsThreeOfFourApprovals", func(t *testing.T) { testApprovals(t, n) })
	t.Run("UpgradeKeepsTheState", func(t *testing.T) {
		before := n.services(t)
		_, err := n.host.Deploy(patiently(t), onehost.Contract{Name: chaincodeName, Source: "./chaincode", Collections: collections(t)})
		require.NoError(t, err)
		deployments, err := n.host.Deployments()
		require.NoError(t, err)
		require.Len(t, deployments, 1)
		require.Equal(t, int64(2), deployments[0].Sequence)
		require.Equal(t, "kept", m.evaluate(t, "get", key))
		m.submit(t, "put", key, "upgraded")
		for _, service := range before {
			pid, err := service.PID()
			require.NoError(t, err)
			require.Zero(t, pid, "%s still runs", service.Name)
		}
	})
	t.Run("FailedDeploymentChangesNothing", func(t *testing.T) {
		_, err := n.host.Deploy(patiently(t), onehost.Contract{Name: chaincodeName, Source: "./nowhere"})
		require.ErrorContains(t, err, "build ./nowhere")
		require.Equal(t, "upgraded", m.evaluate(t, "get", key))
	})
	t.Run("DownLeavesNothingRunning", func(t *testing.T) {
		require.NoError(t, n.host.Down(t.Context()))
		programs, err := n.host.Programs()
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(programs), 11)
		for _, program := range programs {
			pid, err := program.PID()
			require.NoError(t, err)
			require.Zero(t, pid, "%s still runs", program.Name)
		}
	})
	t.Run("SecondStartOnOldData", func(t *testing.T) {
		again, err := onehost.Up(patiently(t), dir, consortium.Plan{})
		require.NoError(t, err)
		require.Equal(t, n.host.Plan, again.Plan)
		n.awaitPeers(t)
		require.Equal(t, "upgraded", m.evaluate(t, "get", key))
		m.submit(t, "put", key, "again")
		require.Equal(t, "again", m.evaluate(t, "get", key))
	})
}

// testApprovals lets two organisations approve, which is no majority, then a third.
func testApprovals(t *testing.T, n *testnet) {
	ctx := patiently(t)
	id, archive, err := lifecycle.Package("other_1", 6)
	require.NoError(t, err)
	require.NoError(t, lifecycle.Install(ctx, n.host.Plan, id, archive))
	definition := lifecycle.Definition{Channel: consortium.Channel, Name: "other", Version: "1", Sequence: 1, PackageID: id}
	var admins []*lifecycle.Admin
	for _, node := range n.host.Plan.Peers() {
		admin, err := lifecycle.Connect(n.host.Plan, node)
		require.NoError(t, err)
		t.Cleanup(func() { _ = admin.Connection.Close() })
		admins = append(admins, admin)
	}
	approve := func(admin *lifecycle.Admin) {
		require.Eventually(t, func() bool {
			_ = admin.Approve(ctx, definition) // may be told UNAVAILABLE and yet be ordered
			approved, err := admin.Approved(ctx, definition)
			return err == nil && approved
		}, resume, 200*time.Millisecond)
	}
	approve(admins[0])
	approve(admins[1])
	require.ErrorContains(t, admins[0].Commit(ctx, definition), "chaincode definition not agreed to by this org")
	approve(admins[2])
	require.NoError(t, lifecycle.Commit(ctx, n.host.Plan, definition))
	sequence, err := admins[3].Sequence(ctx, consortium.Channel, "other")
	require.NoError(t, err)
	require.Equal(t, int64(1), sequence, "the fourth organisation has it too, though it never approved")
}

// patiently bounds a step of administration.
func patiently(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
