package conformance

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/test/conformance/chaincode/contract"
)

func testTransactions(t *testing.T, n *testnet) {
	m := n.connect(t, "RegulatorMSP")
	t.Run("EvaluateReturnsTheResult", func(t *testing.T) {
		require.Equal(t, "conga", m.evaluate(t, "echo", "conga"))
	})
	t.Run("SubmitReturnsTheResult", func(t *testing.T) {
		require.Equal(t, "conga", m.submit(t, "echo", "conga"))
	})
	t.Run("EvaluateWritesNothing", func(t *testing.T) {
		key := newKey()
		m.evaluate(t, "put", key, "value")
		require.Empty(t, m.evaluate(t, "get", key))
	})
	t.Run("SubmitWritesOnEveryPeer", func(t *testing.T) {
		key := newKey()
		m.submit(t, "put", key, "value")
		for mspID := range n.peers {
			other := n.connect(t, mspID)
			require.Eventually(t, func() bool { return other.evaluate(t, "get", key) == "value" },
				5*time.Second, 20*time.Millisecond, mspID)
		}
	})
	t.Run("ArgumentsArriveAsSent", func(t *testing.T) {
		args := []string{"", "two words", "字", "\x00nul", strings.Repeat("x", 1000)}
		var got []string
		require.NoError(t, json.Unmarshal([]byte(m.evaluate(t, "args", args...)), &got))
		require.Equal(t, args, got)
	})
	t.Run("LargeArgumentIsCommitted", func(t *testing.T) {
		key, value := newKey(), strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
		m.submit(t, "put", key, value)
		require.Equal(t, value, m.evaluate(t, "get", key))
	})
	t.Run("TransientDataReachTheContract", func(t *testing.T) {
		result, err := m.contract.EvaluateWithContext(deadline(t), "transient", client.WithArguments("name"),
			client.WithTransient(map[string][]byte{"name": []byte("secret")}))
		require.NoError(t, err)
		require.Equal(t, "secret", string(result))
	})
	t.Run("TransientDataStayOutOfTheEnvelope", func(t *testing.T) {
		proposal, err := m.contract.NewProposal("transient", client.WithArguments("other"),
			client.WithTransient(map[string][]byte{"name": []byte("do not keep this")}))
		require.NoError(t, err)
		transaction, err := proposal.EndorseWithContext(deadline(t))
		require.NoError(t, describe(err))
		encoded, err := transaction.Bytes()
		require.NoError(t, err)
		require.False(t, bytes.Contains(encoded, []byte("do not keep this")))
	})
	t.Run("ContractSeesItsCall", func(t *testing.T) { testContext(t, m) })
	t.Run("CommitStatusNamesTheBlock", func(t *testing.T) {
		result := m.commit(t, m.endorse(t, "put", newKey(), "x"))
		require.True(t, result.Successful)
		require.Equal(t, peer.TxValidationCode_VALID, result.Code)
		require.Positive(t, result.BlockNumber)
	})
	t.Run("CommitStatusOfAnUnknownTransactionWaits", func(t *testing.T) { testUnknownStatus(t, n, m) })
	t.Run("EndorsingOrganizationsAreHonoured", func(t *testing.T) {
		key := newKey()
		code, err := m.trySubmit(t, "put", client.WithArguments(key, "x"),
			client.WithEndorsingOrganizations("InstituteMSP", "AssociationMSP", "NotaryMSP"))
		requireCode(t, peer.TxValidationCode_VALID, code, err)
		require.Equal(t, "x", m.evaluate(t, "get", key))
	})
}

func testContext(t *testing.T, m *member) {
	proposal, err := m.contract.NewProposal("context")
	require.NoError(t, err)
	result, err := proposal.EvaluateWithContext(deadline(t))
	require.NoError(t, describe(err))
	var got contract.Context
	require.NoError(t, json.Unmarshal(result, &got))
	require.Equal(t, consortium.Channel, got.Channel)
	require.Equal(t, proposal.TransactionID(), got.TxID)
	require.InDelta(t, time.Now().Unix(), got.Seconds, 5)
	require.Equal(t, serialized(t, m), got.Creator)
	require.Len(t, got.Binding, 32)
	require.True(t, got.Proposal)
}

func testUnknownStatus(t *testing.T, n *testnet, m *member) {
	transaction := m.endorse(t, "put", newKey(), "x")
	encoded, err := transaction.Bytes()
	require.NoError(t, err)
	signed, err := m.gateway.NewTransaction(encoded)
	require.NoError(t, err)
	request := statusRequest(t, m, signed.TransactionID())
	ctx, cancel := contextWithTimeout(t, time.Second)
	defer cancel()
	_, err = m.gatewayClient().CommitStatus(ctx, request)
	n.requireFailure(t, failure{code: codes.DeadlineExceeded}, err)
}
