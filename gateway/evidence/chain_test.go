package evidence

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
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

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/network/devca"
)

var organizations = []string{"RegulatorMSP", "InstituteMSP", "AssociationMSP", "NotaryMSP"}

// consortium is a network of four organisations made out of protobuf alone:
// each has a CA, a peer and an orderer.
type consortium struct {
	t         testing.TB
	consensus string
	cas       map[string]*devca.CA
	peers     map[string]node
	orderers  []node
	user      node
	genesis   *common.Block
	last      *common.Block
	config    uint64 // block of the configuration in force
}

// node is one signing identity.
type node struct {
	certificate []byte // PEM
	identity    []byte // msp.SerializedIdentity
	mspID       string
	key         *ecdsa.PrivateKey
}

func newConsortium(t testing.TB, consensus string) *consortium {
	c := &consortium{t: t, consensus: consensus, cas: map[string]*devca.CA{}, peers: map[string]node{}}
	for _, mspID := range organizations {
		ca, err := devca.New(mspID, "ca")
		require.NoError(t, err)
		c.cas[mspID] = ca
		c.peers[mspID] = c.node(mspID, "peer0", "peer")
		c.orderers = append(c.orderers, c.node(mspID, "orderer0", "orderer"))
	}
	pair, err := c.cas["InstituteMSP"].User(map[string]string{"role": "institute", "subject": "post-1"})
	require.NoError(t, err)
	c.user = c.toNode("InstituteMSP", pair)
	c.genesis = c.configBlock()
	return c
}

func (c *consortium) node(mspID, name, unit string) node {
	pair, err := c.cas[mspID].Node(name, unit)
	require.NoError(c.t, err)
	return c.toNode(mspID, pair)
}

func (c *consortium) toNode(mspID string, pair devca.Pair) node {
	block, _ := pem.Decode(pair.Key)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(c.t, err)
	identity := marshal(c.t, &msp.SerializedIdentity{Mspid: mspID, IdBytes: pair.Certificate})
	return node{pair.Certificate, identity, mspID, key.(*ecdsa.PrivateKey)}
}

// sign signs as Fabric does, with the lower of the two possible s.
func (n node) sign(t testing.TB, parts ...[]byte) []byte {
	sum := sha256.Sum256(slices.Concat(parts...))
	r, s, err := ecdsa.Sign(rand.Reader, n.key, sum[:])
	require.NoError(t, err)
	if order := n.key.Params().N; s.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.Sub(order, s)
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	require.NoError(t, err)
	return der
}

func (c *consortium) trust() ledger.Trust {
	trust, err := ledger.ParseTrust(c.trustFile())
	require.NoError(c.t, err)
	return trust
}

func (c *consortium) trustFile() []byte {
	hash, err := ledger.HeaderHash(c.genesis.Header)
	require.NoError(c.t, err)
	roots := map[string]any{}
	for mspID, ca := range c.cas {
		roots[mspID] = map[string]any{"roots": []string{string(ca.CertificatePEM())}}
	}
	data, err := json.Marshal(map[string]any{
		"version": 1, "channel": "steelyard", "genesisHash": hash.String(), "organizations": roots, "ordererOrganizations": roots,
	})
	require.NoError(c.t, err)
	return data
}

func (c *consortium) configBlock() *common.Block {
	var mapping common.Orderers
	for i, o := range c.orderers {
		if c.consensus != "BFT" {
			break // others keep them in the consenters' own metadata
		}
		mapping.ConsenterMapping = append(mapping.ConsenterMapping, &common.Consenter{Id: uint32(i + 1), MspId: o.mspID, Identity: o.certificate})
	}
	group := &common.ConfigGroup{Groups: map[string]*common.ConfigGroup{"Orderer": {Values: map[string]*common.ConfigValue{
		"ConsensusType": {Value: marshal(c.t, &orderer.ConsensusType{Type: c.consensus})},
		"Orderers":      {Value: marshal(c.t, &mapping)},
	}}}}
	data := marshal(c.t, &common.ConfigEnvelope{Config: &common.Config{ChannelGroup: group}})
	block := c.block(c.envelope(common.HeaderType_CONFIG, data))
	c.config = block.Header.Number
	return block
}

// block appends a block, signed by every orderer, or by the first under Raft.
func (c *consortium) block(envelopes ...[]byte) *common.Block {
	header := &common.BlockHeader{}
	if c.last != nil {
		previous, err := ledger.HeaderHash(c.last.Header)
		require.NoError(c.t, err)
		header.Number, header.PreviousHash = c.last.Header.Number+1, previous[:]
	}
	data := &common.BlockData{Data: envelopes}
	hash := ledger.DataHash(data)
	header.DataHash = hash[:]
	der, err := ledger.HeaderBytes(header)
	require.NoError(c.t, err)
	signatures := &common.Metadata{Value: marshal(c.t, &common.OrdererBlockMetadata{LastConfig: &common.LastConfig{Index: c.config}})}
	for i, o := range c.orderers {
		if c.consensus == "BFT" {
			claim := marshal(c.t, &common.IdentifierHeader{Identifier: uint32(i + 1)})
			signatures.Signatures = append(signatures.Signatures, &common.MetadataSignature{
				IdentifierHeader: claim, Signature: o.sign(c.t, signatures.Value, claim, der),
			})
		} else if i == 0 {
			claim := marshal(c.t, &common.SignatureHeader{Creator: o.identity, Nonce: []byte("nonce")})
			signatures.Signatures = append(signatures.Signatures, &common.MetadataSignature{
				SignatureHeader: claim, Signature: o.sign(c.t, signatures.Value, claim, der),
			})
		}
	}
	c.last = &common.Block{Header: header, Data: data, Metadata: &common.BlockMetadata{Metadata: [][]byte{
		marshal(c.t, signatures), nil, make([]byte, len(envelopes)), nil, nil,
	}}}
	return c.last
}

func (c *consortium) headers(kind common.HeaderType) *common.Header {
	nonce := make([]byte, 24)
	_, err := rand.Read(nonce)
	require.NoError(c.t, err)
	id := sha256.Sum256(slices.Concat(nonce, c.user.identity))
	return &common.Header{
		ChannelHeader: marshal(c.t, &common.ChannelHeader{
			Type: int32(kind), ChannelId: "steelyard", TxId: hex.EncodeToString(id[:]),
			Timestamp: timestamppb.New(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)),
		}),
		SignatureHeader: marshal(c.t, &common.SignatureHeader{Creator: c.user.identity, Nonce: nonce}),
	}
}

func (c *consortium) envelope(kind common.HeaderType, data []byte) []byte {
	return c.seal(c.headers(kind), data)
}

func (c *consortium) seal(header *common.Header, data []byte) []byte {
	payload := marshal(c.t, &common.Payload{Header: header, Data: data})
	return marshal(c.t, &common.Envelope{Payload: payload, Signature: c.user.sign(c.t, payload)})
}

// call describes an endorsed transaction.
type call struct {
	chaincode string
	function  string
	request   []byte
	set       *kvrwset.KVRWSet
	status    int32
	endorsers []node
	stranger  bool // the endorsed response answers another proposal
}

// transaction makes the envelope of a call.
func (c *consortium) transaction(of call) []byte {
	header := c.headers(common.HeaderType_ENDORSER_TRANSACTION)
	proposal := marshal(c.t, &peer.ChaincodeProposalPayload{Input: marshal(c.t, &peer.ChaincodeInvocationSpec{
		ChaincodeSpec: &peer.ChaincodeSpec{Input: &peer.ChaincodeInput{Args: [][]byte{[]byte(of.function), of.request, []byte("op-1")}}},
	})})
	hash := sha256.Sum256(slices.Concat(header.ChannelHeader, header.SignatureHeader, proposal))
	if of.stranger {
		hash[0]++
	}
	response := marshal(c.t, &peer.ProposalResponsePayload{ProposalHash: hash[:], Extension: marshal(c.t, &peer.ChaincodeAction{
		Results:     marshal(c.t, &rwset.TxReadWriteSet{NsRwset: []*rwset.NsReadWriteSet{{Namespace: of.chaincode, Rwset: marshal(c.t, of.set)}}}),
		Response:    &peer.Response{Status: of.status},
		ChaincodeId: &peer.ChaincodeID{Name: of.chaincode},
	})})
	action := &peer.ChaincodeEndorsedAction{ProposalResponsePayload: response}
	for _, n := range of.endorsers {
		action.Endorsements = append(action.Endorsements, &peer.Endorsement{Endorser: n.identity, Signature: n.sign(c.t, response, n.identity)})
	}
	payload := marshal(c.t, &peer.ChaincodeActionPayload{ChaincodeProposalPayload: proposal, Action: action})
	return c.seal(header, marshal(c.t, &peer.Transaction{Actions: []*peer.TransactionAction{{Payload: payload}}}))
}

// anchoring is a batch of leaves with its issuer's signature.
type anchoring struct {
	call
	leaves []metrology.Leaf
	batch  metrology.Batch
	spki   []byte
}

func (c *consortium) anchoring(leaves ...metrology.Leaf) anchoring {
	signer, err := signature.GenerateP256()
	require.NoError(c.t, err)
	request := metrology.AnchorBatch{Issuer: "INST-001"}
	var encoded [][]byte
	for _, leaf := range leaves {
		bytes, err := leaf.Bytes()
		require.NoError(c.t, err)
		encoded, request.Leaves = append(encoded, bytes), append(request.Leaves, bytes)
	}
	root, _, err := Tree(encoded)
	require.NoError(c.t, err)
	signed, err := signer.Sign(metrology.BatchMessage("INST-001", root, uint64(len(leaves))))
	require.NoError(c.t, err)
	a := anchoring{leaves: leaves, spki: signer.Key().SPKI(), batch: metrology.Batch{
		Issuer: "INST-001", Root: hex.EncodeToString(root[:]), Count: len(leaves), Key: signer.Key().ID(), Signature: signed,
	}}
	request.Root, request.Key, request.Signature = a.batch.Root, a.batch.Key, signed
	a.call = call{
		chaincode: chaincodeName, function: functionBatch, request: encodeJSON(c.t, request), status: 200,
		endorsers: []node{c.peers["RegulatorMSP"], c.peers["InstituteMSP"], c.peers["NotaryMSP"]},
	}
	a.write()
	return a
}

// write renews the write set after a change of the batch record.
func (a *anchoring) write() {
	value, _ := json.Marshal(a.batch)
	a.set = &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{
		{Key: "batch/INST-001/" + a.batch.Root, Value: value},
		{Key: "gate/InstituteMSP", Value: []byte("1")},
	}}
}

// leaf is the n-th of a day's verification certificates.
func leaf(n int) metrology.Leaf {
	return metrology.Leaf{
		Issuer: "INST-001", Number: fmt.Sprintf("JL2026-%04d", n), Kind: metrology.KindVerification, Regulation: "JJG 443-2023",
		Performed: "2026-03-01", Issued: "2026-03-02", ValidUntil: "2026-08-31",
		Instruments: []metrology.LeafInstrument{{Serial: fmt.Sprintf("S-%d", n), Category: "fuel-dispenser", Conclusion: metrology.ConclusionPass}},
		Digests:     []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: strings.Repeat(fmt.Sprintf("%02x", n), 32)}},
	}
}

func marshal(t testing.TB, message proto.Message) []byte {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	require.NoError(t, err)
	return data
}

func encodeJSON(t testing.TB, value any) []byte {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(value))
	return []byte(strings.TrimSpace(out.String()))
}

func parse(t testing.TB, block *common.Block) ledger.Block {
	parsed, err := ledger.Parse(block, nil)
	require.NoError(t, err)
	return parsed
}
