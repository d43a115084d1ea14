package embedded_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

func unmarshal[M proto.Message](t testing.TB, serialized []byte, message M) M {
	t.Helper()
	require.NoError(t, proto.Unmarshal(serialized, message))
	return message
}

// endorsersOf lists whose endorsements a transaction carries.
func endorsersOf(t testing.TB, transaction *client.Transaction) []string {
	t.Helper()
	serialized, err := transaction.Bytes()
	require.NoError(t, err)
	prepared := unmarshal(t, serialized, &gp.PreparedTransaction{})
	payload := unmarshal(t, prepared.GetEnvelope().GetPayload(), &cb.Payload{})
	tx := unmarshal(t, payload.GetData(), &pb.Transaction{})
	action := unmarshal(t, tx.GetActions()[0].GetPayload(), &pb.ChaincodeActionPayload{})
	var organizations []string
	for _, endorsement := range action.GetAction().GetEndorsements() {
		organizations = append(organizations, unmarshal(t, endorsement.GetEndorser(), &mb.SerializedIdentity{}).GetMspid())
	}
	return organizations
}

// TestChainVerifiesFromTheTrustFile checks every block as a stranger would who
// has the trust file only: the genesis hash, the chain of hashes, and the
// signatures of a quorum of the consenters named in block 0.
func TestChainVerifiesFromTheTrustFile(t *testing.T) {
	network := start(t, config(t, t.TempDir()))
	gateway := connect(t, network, "RegulatorMSP")
	c := contract(gateway)
	for range 5 {
		_, err := c.SubmitTransaction("put", "k", "v")
		require.NoError(t, err)
	}
	blocks, err := gateway.GetNetwork("steelyard").BlockEvents(t.Context(), client.WithStartBlock(0))
	require.NoError(t, err)
	var trust struct {
		GenesisHash          string
		OrdererOrganizations map[string]struct{ Roots []string }
	}
	require.NoError(t, json.Unmarshal(network.Trust(), &trust))

	genesis := <-blocks
	hash, err := ledger.HeaderHash(genesis.GetHeader())
	require.NoError(t, err)
	require.Equal(t, trust.GenesisHash, hex.EncodeToString(hash))
	var organizations []msp.Organization
	for mspID, roots := range trust.OrdererOrganizations {
		organization := msp.Organization{MSPID: mspID}
		for _, root := range roots.Roots {
			organization.Roots = append(organization.Roots, []byte(root))
		}
		organizations = append(organizations, organization)
	}
	manager, err := msp.NewManager(organizations)
	require.NoError(t, err)
	consenters := consentersOf(t, genesis)
	require.Len(t, consenters, 4)
	for range 5 {
		block := <-blocks
		require.Equal(t, hash, block.GetHeader().GetPreviousHash())
		data := sha256.Sum256(bytes.Join(block.GetData().GetData(), nil))
		require.Equal(t, data[:], block.GetHeader().GetDataHash())
		require.GreaterOrEqual(t, signatures(t, manager, consenters, block), 3)
		hash, err = ledger.HeaderHash(block.GetHeader())
		require.NoError(t, err)
	}
}

func consentersOf(t *testing.T, genesis *cb.Block) map[uint32]*cb.Consenter {
	t.Helper()
	envelope := unmarshal(t, genesis.GetData().GetData()[0], &cb.Envelope{})
	payload := unmarshal(t, envelope.GetPayload(), &cb.Payload{})
	config := unmarshal(t, payload.GetData(), &cb.ConfigEnvelope{}).GetConfig()
	ordering := config.GetChannelGroup().GetGroups()["Orderer"]
	consenters := map[uint32]*cb.Consenter{}
	for _, consenter := range unmarshal(t, ordering.GetValues()["Orderers"].GetValue(), &cb.Orderers{}).GetConsenterMapping() {
		consenters[consenter.GetId()] = consenter
	}
	return consenters
}

// signatures counts the consenters whose signature on the block is good.
func signatures(t *testing.T, manager *msp.Manager, consenters map[uint32]*cb.Consenter, block *cb.Block) int {
	t.Helper()
	metadata := unmarshal(t, block.GetMetadata().GetMetadata()[cb.BlockMetadataIndex_SIGNATURES], &cb.Metadata{})
	header, err := ledger.HeaderBytes(block.GetHeader())
	require.NoError(t, err)
	good := map[uint32]bool{}
	for _, signature := range metadata.GetSignatures() {
		id := unmarshal(t, signature.GetIdentifierHeader(), &cb.IdentifierHeader{}).GetIdentifier()
		serialized, err := proto.Marshal(&mb.SerializedIdentity{Mspid: consenters[id].GetMspId(), IdBytes: consenters[id].GetIdentity()})
		require.NoError(t, err)
		identity, err := manager.Deserialize(serialized)
		require.NoError(t, err)
		signed := bytes.Join([][]byte{metadata.GetValue(), signature.GetIdentifierHeader(), header}, nil)
		require.NoError(t, identity.Verify(signed, signature.GetSignature()))
		good[id] = true
	}
	return len(good)
}
