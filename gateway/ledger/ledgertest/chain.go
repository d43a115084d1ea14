// Package ledgertest makes blocks as orderers and peers do, out of protobuf
// alone, for tests of what reads them.
package ledgertest

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

// Channel is the channel of every chain.
const Channel = "steelyard"

// Chain is a ledger in the making, of one organisation, RegulatorMSP. Its
// consenters may be exchanged between blocks.
type Chain struct {
	CA         *devca.CA
	Consensus  string // "BFT" or another name
	Consenters []Node
	User       Node // an inspector, who signs every transaction

	t          testing.TB
	last       *common.Block
	lastConfig uint64
}

// Node is one signing identity.
type Node struct {
	serialized []byte
	key        *ecdsa.PrivateKey
}

// New starts a chain without blocks; ConfigBlock makes block 0.
func New(t testing.TB, consensus string, orderers int) *Chain {
	ca, err := devca.New("Regulator", "ca.regulator")
	require.NoError(t, err)
	c := &Chain{t: t, Consensus: consensus, CA: ca}
	for i := range orderers {
		c.Consenters = append(c.Consenters, c.Node("orderer"+strconv.Itoa(i), "orderer"))
	}
	pair, err := ca.User(map[string]string{"role": "inspector", "subject": "post-7"})
	require.NoError(t, err)
	c.User = c.toNode(pair)
	return c
}

// Node makes an identity of the chain's organisation.
func (c *Chain) Node(name, unit string) Node {
	pair, err := c.CA.Node(name, unit)
	require.NoError(c.t, err)
	return c.toNode(pair)
}

func (c *Chain) toNode(pair devca.Pair) Node {
	block, _ := pem.Decode(pair.Key)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(c.t, err)
	return Node{Marshal(c.t, &msp.SerializedIdentity{Mspid: "RegulatorMSP", IdBytes: pair.Certificate}), key.(*ecdsa.PrivateKey)}
}

func (n Node) sign(t testing.TB, parts ...[]byte) []byte {
	digest := sha256.New()
	for _, part := range parts {
		digest.Write(part)
	}
	signature, err := ecdsa.SignASN1(rand.Reader, n.key, digest.Sum(nil))
	require.NoError(t, err)
	return signature
}

// Trust is the pinned file for the chain, once block 0 exists.
func (c *Chain) Trust(genesis *common.Block) ledger.Trust {
	trust, err := ledger.ParseTrust(c.TrustFile(genesis))
	require.NoError(c.t, err)
	return trust
}

// TrustFile is Trust in the form of the file.
func (c *Chain) TrustFile(genesis *common.Block) []byte {
	hash, err := ledger.HeaderHash(genesis.Header)
	require.NoError(c.t, err)
	roots := map[string]any{"RegulatorMSP": map[string]any{"roots": []string{string(c.CA.CertificatePEM())}}}
	data, err := json.Marshal(map[string]any{
		"version": 1, "channel": Channel, "genesisHash": hash.String(),
		"organizations": roots, "ordererOrganizations": roots,
	})
	require.NoError(c.t, err)
	return data
}

// ConfigBlock appends a configuration block that names the chain's consenters.
func (c *Chain) ConfigBlock() *common.Block {
	var mapping common.Orderers
	for i, consenter := range c.Consenters {
		var identity msp.SerializedIdentity
		require.NoError(c.t, proto.Unmarshal(consenter.serialized, &identity))
		mapping.ConsenterMapping = append(mapping.ConsenterMapping, &common.Consenter{
			Id: uint32(i + 1), MspId: identity.Mspid, Identity: identity.IdBytes,
		})
	}
	group := &common.ConfigGroup{Groups: map[string]*common.ConfigGroup{"Orderer": {Values: map[string]*common.ConfigValue{
		"ConsensusType": {Value: Marshal(c.t, &orderer.ConsensusType{Type: c.Consensus})},
		"Orderers":      {Value: Marshal(c.t, &mapping)},
	}}}}
	data := Marshal(c.t, &common.ConfigEnvelope{Config: &common.Config{ChannelGroup: group}})
	c.lastConfig = 0
	if c.last != nil {
		c.lastConfig = c.last.Header.Number + 1
	}
	return c.Block(c.envelope(common.HeaderType_CONFIG, "", data))
}

// Block appends a block with these envelopes, all VALID, signed by all consenters.
func (c *Chain) Block(envelopes ...[]byte) *common.Block {
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
	c.SignBlock(block, len(c.Consenters))
	c.last = block
	return block
}

// SignBlock replaces the signatures by those of the first count consenters; a
// leader under Raft signs alone.
func (c *Chain) SignBlock(block *common.Block, count int) {
	header, err := ledger.HeaderBytes(block.Header)
	require.NoError(c.t, err)
	value := Marshal(c.t, &common.OrdererBlockMetadata{LastConfig: &common.LastConfig{Index: c.lastConfig}})
	signatures := &common.Metadata{Value: value}
	for i, consenter := range c.Consenters[:count] {
		if c.Consensus == "BFT" {
			claim := Marshal(c.t, &common.IdentifierHeader{Identifier: uint32(i + 1)})
			signatures.Signatures = append(signatures.Signatures, &common.MetadataSignature{
				IdentifierHeader: claim, Signature: consenter.sign(c.t, value, claim, header),
			})
			continue
		}
		claim := Marshal(c.t, &common.SignatureHeader{Creator: consenter.serialized, Nonce: []byte("nonce")})
		signatures.Signatures = append(signatures.Signatures, &common.MetadataSignature{
			SignatureHeader: claim, Signature: consenter.sign(c.t, value, claim, header),
		})
		break
	}
	block.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES] = Marshal(c.t, signatures)
}

// envelope signs a payload as the chain's user.
func (c *Chain) envelope(kind common.HeaderType, id string, data []byte) []byte {
	payload := Marshal(c.t, &common.Payload{
		Header: &common.Header{
			ChannelHeader: Marshal(c.t, &common.ChannelHeader{
				Type: int32(kind), ChannelId: Channel, TxId: id,
				Timestamp: timestamppb.New(time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC)),
			}),
			SignatureHeader: Marshal(c.t, &common.SignatureHeader{Creator: c.User.serialized, Nonce: []byte(id)}),
		},
		Data: data,
	})
	return Marshal(c.t, &common.Envelope{Payload: payload, Signature: c.User.sign(c.t, payload)})
}

// Transaction is an endorsed call with the given read/write sets.
func (c *Chain) Transaction(id string, sets ...*rwset.NsReadWriteSet) []byte {
	action := Marshal(c.t, &peer.ChaincodeAction{
		Results:     Marshal(c.t, &rwset.TxReadWriteSet{NsRwset: sets}),
		Events:      Marshal(c.t, &peer.ChaincodeEvent{EventName: "pledge.signed", Payload: []byte(`{"id":"p1"}`)}),
		Response:    &peer.Response{Status: 200, Payload: []byte(`{"ok":true}`)},
		ChaincodeId: &peer.ChaincodeID{Name: "metrology"},
	})
	input := Marshal(c.t, &peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		Input: &peer.ChaincodeInput{Args: [][]byte{[]byte("pledge:Sign"), []byte(`{}`), []byte("op-1")}},
	}})
	payload := Marshal(c.t, &peer.ChaincodeActionPayload{
		ChaincodeProposalPayload: Marshal(c.t, &peer.ChaincodeProposalPayload{Input: input}),
		Action: &peer.ChaincodeEndorsedAction{
			ProposalResponsePayload: Marshal(c.t, &peer.ProposalResponsePayload{Extension: action}),
			Endorsements:            []*peer.Endorsement{{Endorser: c.Consenters[0].serialized, Signature: []byte("peer")}},
		},
	})
	return c.envelope(common.HeaderType_ENDORSER_TRANSACTION, id, Marshal(c.t, &peer.Transaction{
		Actions: []*peer.TransactionAction{{Payload: payload}},
	}))
}

// PublicWrite is a read/write set that writes one key.
func PublicWrite(t testing.TB, key, value string) *rwset.NsReadWriteSet {
	return &rwset.NsReadWriteSet{Namespace: "metrology", Rwset: Marshal(t, &kvrwset.KVRWSet{
		Writes: []*kvrwset.KVWrite{{Key: key, Value: []byte(value)}},
	})}
}

// Marshal encodes a message.
func Marshal(t testing.TB, message proto.Message) []byte {
	data, err := proto.Marshal(message)
	require.NoError(t, err)
	return data
}
