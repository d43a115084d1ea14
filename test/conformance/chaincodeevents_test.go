package conformance

import (
	"context"
	"testing"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/stretchr/testify/require"
)

func testChaincodeEvents(t *testing.T, n *testnet) {
	m := n.connect(t, "AssociationMSP")
	emit := func(t *testing.T, args ...string) (*client.Status, string) {
		transaction := m.endorse(t, "event", args...)
		return m.commit(t, transaction), transaction.TransactionID()
	}
	t.Run("NewEventIsReceived", func(t *testing.T) {
		events, err := m.network.ChaincodeEvents(deadline(t), chaincodeName)
		require.NoError(t, err)
		committed, txID := emit(t, "foo", "bar")
		require.Equal(t, &client.ChaincodeEvent{
			BlockNumber: committed.BlockNumber, TransactionID: txID, ChaincodeName: chaincodeName, EventName: "foo", Payload: []byte("bar"),
		}, <-events)
	})
	t.Run("OnlyTheLastEventOfATransactionCounts", func(t *testing.T) {
		committed, _ := emit(t, "first", "1", "second", "2")
		events, err := m.network.ChaincodeEvents(deadline(t), chaincodeName, client.WithStartBlock(committed.BlockNumber))
		require.NoError(t, err)
		require.Equal(t, "second", (<-events).EventName)
	})
	t.Run("ReplayFromABlock", func(t *testing.T) {
		first, _ := emit(t, "replay", "one")
		_, _ = emit(t, "replay", "two")
		events, err := m.network.ChaincodeEvents(deadline(t), chaincodeName, client.WithStartBlock(first.BlockNumber))
		require.NoError(t, err)
		require.Equal(t, "one", string((<-events).Payload))
		require.Equal(t, "two", string((<-events).Payload))
	})
	t.Run("EventOfAnInvalidTransactionIsNotDelivered", func(t *testing.T) {
		proposal, err := m.contract.NewProposal("event", client.WithArguments("invalid", "x"),
			client.WithEndorsingOrganizations("AssociationMSP"))
		require.NoError(t, err)
		transaction, err := proposal.EndorseWithContext(deadline(t))
		require.NoError(t, describe(err))
		invalid := m.commit(t, transaction)
		require.False(t, invalid.Successful)
		_, _ = emit(t, "valid", "x")
		events, err := m.network.ChaincodeEvents(deadline(t), chaincodeName, client.WithStartBlock(invalid.BlockNumber))
		require.NoError(t, err)
		require.Equal(t, "valid", (<-events).EventName)
	})
	t.Run("CheckpointAfterATransactionResumesBehindIt", func(t *testing.T) {
		first, txID := emit(t, "checkpoint", "one")
		_, _ = emit(t, "checkpoint", "two")
		checkpoint := new(client.InMemoryCheckpointer)
		checkpoint.CheckpointTransaction(first.BlockNumber, txID)
		events, err := m.network.ChaincodeEvents(deadline(t), chaincodeName, client.WithCheckpoint(checkpoint))
		require.NoError(t, err)
		require.Equal(t, "two", string((<-events).Payload))
	})
	t.Run("ClosedStreamEnds", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		events, err := m.network.ChaincodeEvents(ctx, chaincodeName)
		require.NoError(t, err)
		cancel()
		_, open := <-events
		require.False(t, open)
	})
	t.Run("ListenersAreIndependent", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		closed, err := m.network.ChaincodeEvents(ctx, chaincodeName)
		require.NoError(t, err)
		open, err := m.network.ChaincodeEvents(deadline(t), chaincodeName)
		require.NoError(t, err)
		_, _ = emit(t, "both", "before")
		require.Equal(t, "before", string((<-closed).Payload))
		require.Equal(t, "before", string((<-open).Payload))
		cancel()
		_, _ = emit(t, "one", "after")
		require.Equal(t, "after", string((<-open).Payload))
		again, err := m.network.ChaincodeEvents(deadline(t), chaincodeName)
		require.NoError(t, err)
		_, _ = emit(t, "both", "again")
		require.Equal(t, "again", string((<-open).Payload))
		require.Equal(t, "again", string((<-again).Payload))
	})
	t.Run("EventsOfAnotherContractAreNotMixedIn", func(t *testing.T) {
		committed, _ := emit(t, "mine", "x")
		ctx, cancel := contextWithTimeout(t, shortWait)
		defer cancel()
		events, err := m.network.ChaincodeEvents(ctx, "somebody-else", client.WithStartBlock(committed.BlockNumber))
		require.NoError(t, err)
		_, open := <-events
		require.False(t, open)
	})
}
