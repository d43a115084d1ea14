package ledger_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strconv"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/network/devca"
)

const channelName = "steelyard"

// chain makes blocks as orderers and peers do, out of protobuf alone.
type chain struct {
	t          testing.TB
	consensus  string
	ca         *devca.CA
	consenters []node
	user       node
	last       *common.Block
	lastConfig uint64
}

// node is one signing identity.
type node struct {
	serialized []byte
	key        *ecdsa.PrivateKey
}

func newChain(t testing.TB, consensus string, orderers int) *chain {
	ca, err := devca.New("Regulator", "ca.regulator")
	require.NoError(t, err)
	c := &chain{t: t, consensus: consensus, ca: ca}
	for i := range orderers {
		c.consenters = append(c.consenters, c.node("orderer"+strconv.Itoa(i), "orderer"))
	}
	pair, err := ca.User(map[string]string{"role": "inspector", "subject": "post-7"})
	require.NoError(t, err)
	c.user = c.toNode(pair)
	return c
}

func (c *chain) node(name, unit string) node {
	pair, err := c.ca.Node(name, unit)
	require.NoError(c.t, err)
	return c.toNode(pair)
}

func (c *chain) toNode(pair devca.Pair) node {
	block, _ := pem.Decode(pair.Key)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(c.t, err)
	return node{marshal(c.t, &msp.SerializedIdentity{Mspid: "RegulatorMSP", IdBytes: pair.Certificate}), key.(*ecdsa.PrivateKey)}
}

func (n node) sign(t testing.TB, parts ...[]byte) []byte {
	digest := sha256.New()
	for _, part := range parts {
		digest.Write(part)
	}
	signature, err := ecdsa.SignASN1(rand.Reader, n.key, digest.Sum(nil))
	require.NoError(t, err)
	return signature
}

// trust is the pinned file for the chain, once block 0 exists.
func (c *chain) trust(genesis *common.Block) ledger.Trust {
	trust, err := ledger.ParseTrust(c.trustFile(genesis))
	require.NoError(c.t, err)
	return trust
}

func (c *chain) trustFile(genesis *common.Block) []byte {
	hash, err := ledger.HeaderHash(genesis.Header)
	require.NoError(c.t, err)
	roots := map[string]any{"RegulatorMSP": map[string]any{"roots": []string{string(c.ca.CertificatePEM())}}}
	data, err := json.Marshal(map[string]any{
		"version": 1, "channel": channelName, "genesisHash": hash.String(),
		"organizations": roots, "ordererOrganizations": roots,
	})
	require.NoError(c.t, err)
	return data
}

// configBlock appends a configuration block that names the chain's consenters.
func (c *chain) configBlock() *common.Block {
	var mapping common.Orderers
	for i, consenter := range c.consenters {
		var identity msp.SerializedIdentity
		require.NoError(c.t, proto.Unmarshal(consenter.serialized, &identity))
		mapping.ConsenterMapping = append(mapping.ConsenterMapping, &common.Consenter{
			Id: uint32(i + 1), MspId: identity.Mspid, Identity: identity.IdBytes,
		})
	}
	group := &common.ConfigGroup{Groups: map[string]*common.ConfigGroup{"Orderer": {Values: map[string]*common.ConfigValue{
		"ConsensusType": {Value: marshal(c.t, &orderer.ConsensusType{Type: c.consensus})},
		"Orderers":      {Value: marshal(c.t, &mapping)},
	}}}}
	data := marshal(c.t, &common.ConfigEnvelope{Config: &common.Config{ChannelGroup: group}})
	c.lastConfig = 0
	if c.last != nil {
		c.lastConfig = c.last.Header.Number + 1
	}
	return c.block(c.envelope(common.HeaderType_CONFIG, "", data))
}

// block appends a block with these envelopes, all VALID, signed by all consenters.
func (c *chain) block(envelopes ...[]byte) *common.Block {
	header := &common.BlockHeader{}
	if c.last != nil {
		previous, err := ledger.HeaderHash(c.last.Header)
		require.NoError(c.t, err)
		header.Number, header.PreviousHash = c.last.Header.Number+1, previous[:]
	}
	data := &common.BlockData{Data: envelopes}
	hash := ledger.DataHash(data)
	header.DataHash = hash[:]
	block := &common.Block{Header: header, Data: data, Metadata: &common.BlockMetadata{Metadata: make([][]byte, 5)}}
	block.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = make([]byte, len(envelopes))
	c.signBlock(block, len(c.consenters))
	c.last = block
	return block
}

// signBlock replaces the signatures by those of the first count consenters; a
// leader under Raft signs alone.
func (c *chain) signBlock(block *common.Block, count int) {
	header, err := ledger.HeaderBytes(block.Header)
	require.NoError(c.t, err)
	value := marshal(c.t, &common.OrdererBlockMetadata{LastConfig: &common.LastConfig{Index: c.lastConfig}})
	signatures := &common.Metadata{Value: value}
	for i, consenter := range c.consenters[:count] {
		if c.consensus == "BFT" {
			claim := marshal(c.t, &common.IdentifierHeader{Identifier: uint32(i + 1)})
			signatures.Signatures = append(signatures.Signatures, &common.MetadataSignature{
				IdentifierHeader: claim, Signature: consenter.sign(c.t, value, claim, header),
			})
			continue
		}
		claim := marshal(c.t, &common.SignatureHeader{Creator: consenter.serialized, Nonce: []byte("nonce")})
		signatures.Signatures = append(signatures.Signatures, &common.MetadataSignature{
			SignatureHeader: claim, Signature: consenter.sign(c.t, value, claim, header),
		})
		break
	}
	block.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES] = marshal(c.t, signatures)
}

// envelope signs a payload as the chain's user.
func (c *chain) envelope(kind common.HeaderType, id string, data []byte) []byte {
	payload := marshal(c.t, &common.Payload{
		Header: &common.Header{
			ChannelHeader: marshal(c.t, &common.ChannelHeader{
				Type: int32(kind), ChannelId: channelName, TxId: id,
				Timestamp: timestamppb.New(time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC)),
			}),
			SignatureHeader: marshal(c.t, &common.SignatureHeader{Creator: c.user.serialized, Nonce: []byte(id)}),
		},
		Data: data,
	})
	return marshal(c.t, &common.Envelope{Payload: payload, Signature: c.user.sign(c.t, payload)})
}

// transaction is an endorsed call with the given read/write sets.
func (c *chain) transaction(id string, sets ...*rwset.NsReadWriteSet) []byte {
	action := marshal(c.t, &peer.ChaincodeAction{
		Results:     marshal(c.t, &rwset.TxReadWriteSet{NsRwset: sets}),
		Events:      marshal(c.t, &peer.ChaincodeEvent{EventName: "pledge.signed", Payload: []byte(`{"id":"p1"}`)}),
		Response:    &peer.Response{Status: 200, Payload: []byte(`{"ok":true}`)},
		ChaincodeId: &peer.ChaincodeID{Name: "metrology"},
	})
	input := marshal(c.t, &peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		Input: &peer.ChaincodeInput{Args: [][]byte{[]byte("pledge:Sign"), []byte(`{}`), []byte("op-1")}},
	}})
	payload := marshal(c.t, &peer.ChaincodeActionPayload{
		ChaincodeProposalPayload: marshal(c.t, &peer.ChaincodeProposalPayload{Input: input}),
		Action: &peer.ChaincodeEndorsedAction{
			ProposalResponsePayload: marshal(c.t, &peer.ProposalResponsePayload{Extension: action}),
			Endorsements:            []*peer.Endorsement{{Endorser: c.consenters[0].serialized, Signature: []byte("peer")}},
		},
	})
	return c.envelope(common.HeaderType_ENDORSER_TRANSACTION, id, marshal(c.t, &peer.Transaction{
		Actions: []*peer.TransactionAction{{Payload: payload}},
	}))
}

// publicWrite is a read/write set that writes one key.
func publicWrite(t testing.TB, key, value string) *rwset.NsReadWriteSet {
	return &rwset.NsReadWriteSet{Namespace: "metrology", Rwset: marshal(t, &kvrwset.KVRWSet{
		Writes: []*kvrwset.KVWrite{{Key: key, Value: []byte(value)}},
	})}
}

func marshal(t testing.TB, message proto.Message) []byte {
	data, err := proto.Marshal(message)
	require.NoError(t, err)
	return data
}
