package conformance

import (
	"strings"
	"testing"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// testValidation endorses first and commits later, so that the ledger has
// moved on in between.
func testValidation(t *testing.T, n *testnet) {
	m := n.connect(t, "RegulatorMSP")
	t.Run("ValueReadHasChanged/MVCC_READ_CONFLICT", func(t *testing.T) {
		key := newKey()
		m.submit(t, "put", key, "a")
		late := m.endorse(t, "exchange", key, "b")
		m.submit(t, "put", key, "c")
		require.Equal(t, peer.TxValidationCode_MVCC_READ_CONFLICT, m.commit(t, late).Code)
		require.Equal(t, "c", m.evaluate(t, "get", key))
	})
	t.Run("AbsentKeyReadHasAppeared/MVCC_READ_CONFLICT", func(t *testing.T) {
		key := newKey()
		late := m.endorse(t, "exchange", key, "b")
		m.submit(t, "put", key, "c")
		require.Equal(t, peer.TxValidationCode_MVCC_READ_CONFLICT, m.commit(t, late).Code)
	})
	t.Run("BlindWritesDoNotConflict", func(t *testing.T) {
		key := newKey()
		late := m.endorse(t, "put", key, "late")
		m.submit(t, "put", key, "early")
		require.True(t, m.commit(t, late).Successful)
		require.Equal(t, "late", m.evaluate(t, "get", key))
	})
	t.Run("SameValueWrittenAgainIsANewVersion", func(t *testing.T) {
		key := newKey()
		m.submit(t, "put", key, "same")
		late := m.endorse(t, "exchange", key, "b")
		m.submit(t, "put", key, "same")
		require.Equal(t, peer.TxValidationCode_MVCC_READ_CONFLICT, m.commit(t, late).Code)
	})
	t.Run("KeyAppearsInRangeRead/PHANTOM_READ_CONFLICT", func(t *testing.T) {
		prefix := newKey()
		m.submit(t, "put", prefix+"1", "x")
		late := m.endorse(t, "rangeThenPut", prefix, prefix+"~", newKey())
		m.submit(t, "put", prefix+"2", "x")
		require.Equal(t, peer.TxValidationCode_PHANTOM_READ_CONFLICT, m.commit(t, late).Code)
	})
	t.Run("KeyVanishesFromRangeRead/PHANTOM_READ_CONFLICT", func(t *testing.T) {
		prefix := newKey()
		m.submit(t, "put", prefix+"1", "x")
		late := m.endorse(t, "rangeThenPut", prefix, prefix+"~", newKey())
		m.submit(t, "delete", prefix+"1")
		require.Equal(t, peer.TxValidationCode_PHANTOM_READ_CONFLICT, m.commit(t, late).Code)
	})
	t.Run("KeyOutsideRangeReadDoesNotMatter", func(t *testing.T) {
		prefix := newKey()
		late := m.endorse(t, "rangeThenPut", prefix, prefix+"~", newKey())
		m.submit(t, "put", prefix+"~2", "x")
		require.True(t, m.commit(t, late).Successful)
	})
	t.Run("TooFewOrganizations/ENDORSEMENT_POLICY_FAILURE", func(t *testing.T) {
		code, err := m.trySubmit(t, "put", client.WithArguments(newKey(), "x"),
			client.WithEndorsingOrganizations("RegulatorMSP", "NotaryMSP"))
		requireCode(t, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, code, err)
	})
	t.Run("ResultAlteredAfterEndorsement/ENDORSEMENT_POLICY_FAILURE", func(t *testing.T) {
		key := newKey()
		transaction := m.endorse(t, "putUpper", key, "aaaaaaaa")
		require.Equal(t, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE.String(), sendAltered(t, m, transaction, "AAAAAAAA", "BBBBBBBB"))
		require.Empty(t, m.evaluate(t, "get", key))
	})
	t.Run("ArgumentAlteredAfterEndorsement/INVALID_ENDORSER_TRANSACTION", func(t *testing.T) {
		key := newKey()
		transaction := m.endorse(t, "putUpper", key, "aaaaaaaa")
		require.Equal(t, peer.TxValidationCode_INVALID_ENDORSER_TRANSACTION.String(), sendAltered(t, m, transaction, "aaaaaaaa", "bbbbbbbb"))
		require.Empty(t, m.evaluate(t, "get", key))
	})
	t.Run("SameEnvelopeTwiceIsCommittedOnce", func(t *testing.T) { testTwice(t, m) })
}

func requireCode(t *testing.T, want, got peer.TxValidationCode, err error) {
	t.Helper()
	require.NoError(t, describe(err))
	require.Equal(t, want.String(), got.String())
}

// sendAltered replaces text in an endorsed envelope, signs it anew and returns
// how it was validated.
func sendAltered(t *testing.T, m *member, transaction *client.Transaction, old, new string) string {
	t.Helper()
	encoded, err := transaction.Bytes()
	require.NoError(t, err)
	prepared := &gateway.PreparedTransaction{}
	require.NoError(t, proto.Unmarshal(encoded, prepared))
	require.Contains(t, string(prepared.GetEnvelope().GetPayload()), old)
	payload := []byte(strings.ReplaceAll(string(prepared.GetEnvelope().GetPayload()), old, new))
	_, err = m.gatewayClient().Submit(deadline(t), &gateway.SubmitRequest{
		TransactionId: transaction.TransactionID(), ChannelId: m.network.Name(),
		PreparedTransaction: &common.Envelope{Payload: payload, Signature: m.signature(t, payload)},
	})
	if !alreadyProcessed(err) {
		require.NoError(t, describe(err))
	}
	return m.status(t, transaction.TransactionID()).Code.String()
}

// testTwice sends one envelope, waits for its commit and sends it again: the
// second one stands in a later block as DUPLICATE_TXID and changes nothing.
func testTwice(t *testing.T, m *member) {
	key := newKey()
	transaction := m.endorse(t, "put", key, "x")
	first := m.commit(t, transaction)
	require.True(t, first.Successful)
	m.submit(t, "put", key, "y")
	_, err := transaction.SubmitWithContext(deadline(t))
	t.Log("the second submission:", describe(err)) // ordering services differ here
	m.submit(t, "put", newKey(), "a later block")
	require.Equal(t, first, m.status(t, transaction.TransactionID()))
	require.Equal(t, "y", m.evaluate(t, "get", key))
	codes := validationCodes(t, m, transaction.TransactionID(), first.BlockNumber)
	t.Log(codes)
	require.Equal(t, peer.TxValidationCode_VALID, codes[0])
	for _, code := range codes[1:] {
		require.Equal(t, peer.TxValidationCode_DUPLICATE_TXID, code)
	}
}

// validationCodes lists how every occurrence of the transaction in blocks
// from the first on was validated.
func validationCodes(t *testing.T, m *member, txID string, first uint64) []peer.TxValidationCode {
	t.Helper()
	height := chainInfo(t, m).GetHeight()
	events, err := m.network.FilteredBlockEvents(deadline(t), client.WithStartBlock(first))
	require.NoError(t, err)
	var codes []peer.TxValidationCode
	for block := range events {
		for _, transaction := range block.GetFilteredTransactions() {
			if transaction.GetTxid() == txID {
				codes = append(codes, transaction.GetTxValidationCode())
			}
		}
		if block.GetNumber()+1 >= height {
			break
		}
	}
	return codes
}
