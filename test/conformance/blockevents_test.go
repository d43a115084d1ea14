package conformance

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

func testBlockEvents(t *testing.T, n *testnet) {
	m := n.connect(t, "NotaryMSP")
	t.Run("BlocksAreChainedFromBlock0", func(t *testing.T) { testChain(t, m) })
	t.Run("StartBlockIsTheFirstReceived", func(t *testing.T) {
		committed := m.commit(t, m.endorse(t, "put", newKey(), "x"))
		events, err := m.network.BlockEvents(deadline(t), client.WithStartBlock(committed.BlockNumber))
		require.NoError(t, err)
		require.Equal(t, committed.BlockNumber, (<-events).GetHeader().GetNumber())
	})
	t.Run("WithoutStartOnlyNewBlocks", func(t *testing.T) {
		height := chainInfo(t, m).GetHeight()
		events, err := m.network.FilteredBlockEvents(deadline(t))
		require.NoError(t, err)
		m.submit(t, "put", newKey(), "x")
		require.GreaterOrEqual(t, (<-events).GetNumber(), height-1)
	})
	t.Run("FilteredBlocksTellTransactionsAndEventNames", func(t *testing.T) {
		transaction := m.endorse(t, "event", "name", "payload")
		committed := m.commit(t, transaction)
		events, err := m.network.FilteredBlockEvents(deadline(t), client.WithStartBlock(committed.BlockNumber))
		require.NoError(t, err)
		block := <-events
		require.Equal(t, consortium.Channel, block.GetChannelId())
		for _, one := range block.GetFilteredTransactions() {
			if one.GetTxid() == transaction.TransactionID() {
				require.Equal(t, peer.TxValidationCode_VALID, one.GetTxValidationCode())
				require.Equal(t, common.HeaderType_ENDORSER_TRANSACTION, one.GetType())
				actions := one.GetTransactionActions().GetChaincodeActions()
				require.Len(t, actions, 1)
				require.Equal(t, "name", actions[0].GetChaincodeEvent().GetEventName())
				require.Empty(t, actions[0].GetChaincodeEvent().GetPayload())
				return
			}
		}
		require.Fail(t, "transaction not in its block")
	})
	t.Run("PrivateDataComeWithTheirBlock", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "secret")))
		require.Equal(t, "secret", privateWrite(t, m, disclosed, key))
	})
	t.Run("PrivateDataOfOthersDoNot", func(t *testing.T) {
		regulator, institute := n.connect(t, "RegulatorMSP"), n.connect(t, "InstituteMSP")
		key := newKey()
		require.NoError(t, describe(regulator.putPrivate(t, restricted, key, "secret", "RegulatorMSP", "NotaryMSP", "AssociationMSP")))
		height := chainInfo(t, regulator).GetHeight()
		awaitHeight(t, m, height)
		awaitHeight(t, institute, height)
		require.Equal(t, "secret", privateWrite(t, m, restricted, key))
		require.Empty(t, privateWrite(t, institute, restricted, key))
	})
	t.Run("PurgedPrivateDataAreNotDelivered", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "secret")))
		m.submit(t, "purgePrivate", disclosed, key)
		require.Empty(t, privateWrite(t, m, disclosed, key))
	})
	for name, listen := range m.blockStreams() {
		t.Run("CheckpointResumesAfterTheLastBlock/"+name, func(t *testing.T) {
			checkpoint := new(client.InMemoryCheckpointer)
			checkpoint.CheckpointBlock(4)
			require.Equal(t, uint64(5), <-listen(t, deadline(t), client.WithStartBlock(1), client.WithCheckpoint(checkpoint)))
		})
		t.Run("ListenersAreIndependent/"+name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			closed, open := listen(t, ctx), listen(t, deadline(t))
			at := m.commit(t, m.endorse(t, "put", newKey(), "x")).BlockNumber
			await(t, closed, at)
			await(t, open, at)
			cancel()
			await(t, open, m.commit(t, m.endorse(t, "put", newKey(), "x")).BlockNumber)
			again := listen(t, deadline(t))
			at = m.commit(t, m.endorse(t, "put", newKey(), "x")).BlockNumber
			await(t, open, at)
			await(t, again, at)
		})
	}
}

// listener opens a stream of block numbers.
type listener func(t *testing.T, ctx context.Context, options ...client.BlockEventsOption) <-chan uint64

// blockStreams are the three kinds of block events.
func (m *member) blockStreams() map[string]listener {
	return map[string]listener{
		"Blocks": func(t *testing.T, ctx context.Context, options ...client.BlockEventsOption) <-chan uint64 {
			events, err := m.network.BlockEvents(ctx, options...)
			require.NoError(t, err)
			return numbers(events, func(block *common.Block) uint64 { return block.GetHeader().GetNumber() })
		},
		"Filtered": func(t *testing.T, ctx context.Context, options ...client.BlockEventsOption) <-chan uint64 {
			events, err := m.network.FilteredBlockEvents(ctx, options...)
			require.NoError(t, err)
			return numbers(events, (*peer.FilteredBlock).GetNumber)
		},
		"WithPrivateData": func(t *testing.T, ctx context.Context, options ...client.BlockEventsOption) <-chan uint64 {
			events, err := m.network.BlockAndPrivateDataEvents(ctx, options...)
			require.NoError(t, err)
			return numbers(events, func(event *peer.BlockAndPrivateData) uint64 { return event.GetBlock().GetHeader().GetNumber() })
		},
	}
}

func numbers[E any](events <-chan E, number func(E) uint64) <-chan uint64 {
	all := make(chan uint64, 100)
	go func() {
		defer close(all)
		for event := range events {
			all <- number(event)
		}
	}()
	return all
}

// await reads until a block.
func await(t *testing.T, stream <-chan uint64, number uint64) {
	t.Helper()
	for got := range stream {
		if got == number {
			return
		}
		require.Less(t, got, number)
	}
	require.Fail(t, "the stream ended")
}

// awaitHeight waits until the member's peer has caught up with another's.
func awaitHeight(t *testing.T, m *member, height uint64) {
	t.Helper()
	require.Eventually(t, func() bool { return chainInfo(t, m).GetHeight() >= height }, 10*time.Second, 20*time.Millisecond)
}

// testChain checks numbers, hashes and metadata of all blocks so far.
func testChain(t *testing.T, m *member) {
	height := chainInfo(t, m).GetHeight()
	events, err := m.network.BlockEvents(deadline(t), client.WithStartBlock(0))
	require.NoError(t, err)
	var previous []byte
	for number := range height {
		block, ok := <-events
		require.True(t, ok)
		require.Equal(t, number, block.GetHeader().GetNumber())
		require.Equal(t, previous, block.GetHeader().GetPreviousHash(), "block %d", number)
		data := sha256.New()
		for _, envelope := range block.GetData().GetData() {
			data.Write(envelope)
		}
		require.Equal(t, data.Sum(nil), block.GetHeader().GetDataHash(), "block %d", number)
		require.Len(t, block.GetMetadata().GetMetadata(), 5)
		filter := block.GetMetadata().GetMetadata()[common.BlockMetadataIndex_TRANSACTIONS_FILTER]
		require.Len(t, filter, len(block.GetData().GetData()))
		if number > 0 {
			commitHash := &common.Metadata{}
			require.NoError(t, proto.Unmarshal(block.GetMetadata().GetMetadata()[common.BlockMetadataIndex_COMMIT_HASH], commitHash))
			require.Len(t, commitHash.GetValue(), 32)
		}
		if previous, err = consortium.HeaderHash(block.GetHeader()); err != nil {
			require.NoError(t, err)
		}
	}
}

// privateWrite looks for a private write from block 0 on and returns its value.
func privateWrite(t *testing.T, m *member, collection, key string) string {
	t.Helper()
	height := chainInfo(t, m).GetHeight()
	events, err := m.network.BlockAndPrivateDataEvents(deadline(t), client.WithStartBlock(0))
	require.NoError(t, err)
	for event := range events {
		for _, transaction := range event.GetPrivateDataMap() {
			if value, ok := findWrite(t, transaction, collection, key); ok {
				return value
			}
		}
		if event.GetBlock().GetHeader().GetNumber()+1 >= height {
			break
		}
	}
	return ""
}

func findWrite(t *testing.T, transaction *rwset.TxPvtReadWriteSet, collection, key string) (string, bool) {
	t.Helper()
	for _, namespace := range transaction.GetNsPvtRwset() {
		for _, set := range namespace.GetCollectionPvtRwset() {
			writes := &kvrwset.KVRWSet{}
			require.NoError(t, proto.Unmarshal(set.GetRwset(), writes))
			for _, write := range writes.GetWrites() {
				if set.GetCollectionName() == collection && write.GetKey() == key && !write.GetIsDelete() {
					return string(write.GetValue()), true
				}
			}
		}
	}
	return "", false
}
