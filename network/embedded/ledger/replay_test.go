package ledger

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

// TestReplayOfARealChain validates the blocks of a real Fabric v3.1.5 network
// (BFT, four organisations) once more. testdata/real-chain.gz holds what its
// peer delivered after the conformance tests: each block with its length
// before it, 4 bytes, big-endian. Every validation code and every commit hash
// must come out as the peer wrote it.
func TestReplayOfARealChain(t *testing.T) {
	blocks := readChain(t, "testdata/real-chain.gz")
	manager := managerOf(t, blocks[0])
	majority, err := manager.Reference(msp.Endorsement)
	require.NoError(t, err)
	definitions := map[string]*Definition{
		"_lifecycle":  {Name: "_lifecycle", Policy: majority, Collections: implicitCollections(t, manager)},
		"conformance": {Name: "conformance", Policy: majority},
	}
	l, err := Open(Config{Dir: t.TempDir(), Channel: "steelyard", MSP: manager, Definitions: definitions})
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	seen := map[string]int{}
	for _, original := range blocks {
		number := original.GetHeader().GetNumber()
		slots := original.GetMetadata().GetMetadata()
		again := proto.CloneOf(original)
		again.Metadata.Metadata[cb.BlockMetadataIndex_TRANSACTIONS_FILTER] = nil
		again.Metadata.Metadata[cb.BlockMetadataIndex_COMMIT_HASH] = nil
		require.NoError(t, l.Commit(again))
		require.Equal(t, codes(slots[cb.BlockMetadataIndex_TRANSACTIONS_FILTER]),
			codes(again.GetMetadata().GetMetadata()[cb.BlockMetadataIndex_TRANSACTIONS_FILTER]), "block %d", number)
		require.Equal(t, commitHashOf(original), commitHashOf(again), "block %d", number)
		_, hash := l.Tip()
		if number+1 < uint64(len(blocks)) {
			require.Equal(t, blocks[number+1].GetHeader().GetPreviousHash(), hash)
		}
		for _, code := range codes(slots[cb.BlockMetadataIndex_TRANSACTIONS_FILTER]) {
			seen[code]++
		}
	}
	t.Log(len(blocks), "blocks", seen)
	for _, code := range []string{"VALID", "MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT", "ENDORSEMENT_POLICY_FAILURE"} {
		require.NotZero(t, seen[code], code)
	}
}

// implicitCollections are those in which an organisation alone records what it
// approves.
func implicitCollections(t *testing.T, manager *msp.Manager) map[string]*Collection {
	t.Helper()
	collections := map[string]*Collection{}
	for _, mspID := range manager.Organizations() {
		own, err := msp.AnyRole(mspID, []mb.MSPRole_MSPRoleType{mb.MSPRole_PEER})
		require.NoError(t, err)
		policy, err := msp.NewSignaturePolicy(own)
		require.NoError(t, err)
		collections["_implicit_org_"+mspID] = &Collection{Endorsement: policy}
	}
	return collections
}

func codes(flags []byte) []string {
	var names []string
	for _, flag := range flags {
		names = append(names, pb.TxValidationCode(flag).String())
	}
	return names
}

func readChain(t *testing.T, path string) []*cb.Block {
	t.Helper()
	compressed, err := os.ReadFile(path)
	require.NoError(t, err)
	content, err := gzip.NewReader(bytes.NewReader(compressed))
	require.NoError(t, err)
	var blocks []*cb.Block
	for {
		var length uint32
		if err := binary.Read(content, binary.BigEndian, &length); errors.Is(err, io.EOF) {
			return blocks
		}
		serialized := make([]byte, length)
		_, err := io.ReadFull(content, serialized)
		require.NoError(t, err)
		block := &cb.Block{}
		require.NoError(t, proto.Unmarshal(serialized, block))
		blocks = append(blocks, block)
	}
}

// managerOf reads the members of the channel from its configuration block.
func managerOf(t *testing.T, genesis *cb.Block) *msp.Manager {
	t.Helper()
	var envelope cb.Envelope
	require.NoError(t, proto.Unmarshal(genesis.GetData().GetData()[0], &envelope))
	var payload cb.Payload
	require.NoError(t, proto.Unmarshal(envelope.GetPayload(), &payload))
	var config cb.ConfigEnvelope
	require.NoError(t, proto.Unmarshal(payload.GetData(), &config))
	var organizations []msp.Organization
	for _, group := range config.GetConfig().GetChannelGroup().GetGroups()["Application"].GetGroups() {
		var outer mb.MSPConfig
		require.NoError(t, proto.Unmarshal(group.GetValues()["MSP"].GetValue(), &outer))
		var inner mb.FabricMSPConfig
		require.NoError(t, proto.Unmarshal(outer.GetConfig(), &inner))
		organizations = append(organizations, msp.Organization{MSPID: inner.GetName(), Roots: inner.GetRootCerts()})
	}
	manager, err := msp.NewManager(organizations)
	require.NoError(t, err)
	return manager
}
