package conformance

import (
	"strconv"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

const shortWait = 500 * time.Millisecond

func statusCode(err error) codes.Code { return status.Code(err) }

// signature2 signs a digest that the client library has already made.
func (m *member) signature2(t *testing.T, digest []byte) []byte {
	t.Helper()
	signature, err := m.sign(digest)
	require.NoError(t, err)
	return signature
}

func (m *member) system(t *testing.T, name string, target proto.Message, args ...string) error {
	t.Helper()
	result, err := m.network.GetContract("qscc").EvaluateWithContext(deadline(t), name,
		client.WithArguments(append([]string{consortium.Channel}, args...)...))
	if err != nil {
		return err
	}
	return proto.Unmarshal(result, target)
}

func chainInfo(t *testing.T, m *member) *common.BlockchainInfo {
	t.Helper()
	info := &common.BlockchainInfo{}
	require.NoError(t, m.system(t, "GetChainInfo", info))
	return info
}

func testSystemContracts(t *testing.T, n *testnet) {
	m := n.connect(t, "RegulatorMSP")
	transaction := m.endorse(t, "put", newKey(), "x")
	committed := m.commit(t, transaction)
	number := strconv.FormatUint(committed.BlockNumber, 10)
	block := &common.Block{}
	require.NoError(t, m.system(t, "GetBlockByNumber", block, number))

	t.Run("GetChainInfo", func(t *testing.T) {
		info := chainInfo(t, m)
		require.Greater(t, info.GetHeight(), committed.BlockNumber)
		require.Len(t, info.GetCurrentBlockHash(), 32)
		require.Len(t, info.GetPreviousBlockHash(), 32)
	})
	t.Run("GetBlockByNumber", func(t *testing.T) {
		require.Equal(t, committed.BlockNumber, block.GetHeader().GetNumber())
	})
	t.Run("GetBlockByHash", func(t *testing.T) {
		hash, err := consortium.HeaderHash(block.GetHeader())
		require.NoError(t, err)
		found := &common.Block{}
		require.NoError(t, m.system(t, "GetBlockByHash", found, string(hash)))
		require.True(t, proto.Equal(block, found))
	})
	t.Run("GetBlockByTxID", func(t *testing.T) {
		found := &common.Block{}
		require.NoError(t, m.system(t, "GetBlockByTxID", found, transaction.TransactionID()))
		require.True(t, proto.Equal(block, found))
	})
	t.Run("GetTransactionByID", func(t *testing.T) {
		found := &peer.ProcessedTransaction{}
		require.NoError(t, m.system(t, "GetTransactionByID", found, transaction.TransactionID()))
		require.Equal(t, int32(peer.TxValidationCode_VALID), found.GetValidationCode())
		require.Contains(t, block.GetData().GetData(), marshal(t, found.GetTransactionEnvelope()))
	})
	failures := []struct {
		name, function, arg, message string
	}{
		{"UnknownTransaction", "GetTransactionByID", "00", "Failed to get transaction with id 00, error no such transaction ID [00] in index"},
		{"BlockThatIsNotThere", "GetBlockByNumber", "999999999", "Failed to get block number 999999999"},
		{"NotANumber", "GetBlockByNumber", "x", "Failed to parse block number with error"},
	}
	for _, c := range failures {
		t.Run(c.name, func(t *testing.T) {
			err := m.system(t, c.function, &common.Block{}, c.arg)
			n.requireFailure(t, failure{
				code: codes.Unknown, message: "chaincode response 500, " + c.message,
				details: []detail{{"RegulatorMSP", "chaincode response 500, " + c.message}},
			}, err)
		})
	}
	t.Run("ContractMayNotCallIt", func(t *testing.T) {
		_, err := m.contract.EvaluateWithContext(deadline(t), "invoke", client.WithArguments("qscc", "GetChainInfo", consortium.Channel))
		refusal := "Rejecting invoke of QSCC from another chaincode because of potential for deadlocks, original invocation for 'conformance'"
		n.requireFailure(t, failure{code: codes.Unknown, message: refusal, details: []detail{{"RegulatorMSP", refusal}}}, err)
	})
}
