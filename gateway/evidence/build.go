package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// The functions that anchor and that read a certificate's record, as
// contract-api names them.
const (
	functionBatch   = "certificate:AnchorBatch"
	functionSingle  = "certificate:Anchor"
	functionReading = "certificate:CheckBatch"
)

// Anchoring is what a bundle is made of: a parsed block, the place of the
// anchoring transaction in it, and what the ledger holds besides.
type Anchoring struct {
	Block          ledger.Block
	Transaction    int
	Configurations []ledger.Block // from block 0 to the one in force at Block, in order
	IssuerKey      []byte         // SubjectPublicKeyInfo, from the issuer's record
	Reading        *Reading       // optional
}

// Build makes the evidence for the certificate of the given number. It is
// verified before it is handed out, so a bundle that comes back holds.
func Build(trust ledger.Trust, from Anchoring, number string) (Bundle, error) {
	bundle, err := build(trust, from, number)
	if err != nil {
		return Bundle{}, fmt.Errorf("build evidence: %w", err)
	}
	if _, err := Verify(bundle, trust, nil); err != nil {
		return Bundle{}, fmt.Errorf("build evidence: %w", err)
	}
	return bundle, nil
}

func build(trust ledger.Trust, from Anchoring, number string) (Bundle, error) {
	if from.Transaction < 0 || from.Transaction >= len(from.Block.Transactions) {
		return Bundle{}, fmt.Errorf("block %d has no transaction %d", from.Block.Number, from.Transaction)
	}
	transaction := from.Block.Transactions[from.Transaction]
	if !transaction.Valid() {
		return Bundle{}, fmt.Errorf("transaction %s is %s", transaction.ID, transaction.Code)
	}
	leaves, err := Leaves(transaction)
	if err != nil {
		return Bundle{}, err
	}
	bundle := Bundle{Format: Format, IssuerKey: from.IssuerKey, Transaction: from.Transaction, Reading: from.Reading}
	if err := bundle.setLeaf(leaves, number); err != nil {
		return Bundle{}, err
	}
	verifier := ledger.NewVerifier(trust)
	var ordering *ledger.Ordering
	for _, configuration := range from.Configurations {
		carried, err := trim(verifier, configuration, ordering)
		if err != nil {
			return Bundle{}, err
		}
		bundle.Configurations = append(bundle.Configurations, carried)
		if ordering, err = ledger.ParseOrdering(configuration); err != nil {
			return Bundle{}, err
		}
	}
	bundle.Block, err = trim(verifier, from.Block, ordering)
	return bundle, err
}

// Leaves returns the leaves that an anchoring transaction carries, in their
// order, as the bytes that are hashed.
func Leaves(transaction ledger.Transaction) ([][]byte, error) {
	if len(transaction.Args) == 0 {
		return nil, fmt.Errorf("read leaves of transaction %s: no request", transaction.ID)
	}
	request := transaction.Args[0]
	switch transaction.Function {
	case functionBatch:
		var batch metrology.AnchorBatch
		if err := json.Unmarshal(request, &batch); err != nil {
			return nil, fmt.Errorf("read leaves of transaction %s: %w", transaction.ID, err)
		}
		leaves := make([][]byte, len(batch.Leaves))
		for i, leaf := range batch.Leaves {
			leaves[i] = leaf
		}
		return leaves, nil
	case functionSingle:
		var single metrology.AnchorCertificate
		if err := json.Unmarshal(request, &single); err != nil {
			return nil, fmt.Errorf("read leaf of transaction %s: %w", transaction.ID, err)
		}
		return [][]byte{single.Leaf}, nil
	}
	return nil, fmt.Errorf("read leaves of transaction %s: %q anchors nothing", transaction.ID, transaction.Function)
}

func (b *Bundle) setLeaf(leaves [][]byte, number string) error {
	for i, encoded := range leaves {
		leaf, err := metrology.ParseLeaf(encoded)
		if err != nil {
			return fmt.Errorf("read leaf %d: %w", i, err)
		}
		if leaf.Number != number {
			continue
		}
		_, inclusion, err := Tree(leaves)
		if err != nil {
			return err
		}
		b.Leaf, b.Index = encoded, uint64(i)
		b.Hashes, err = inclusion(i)
		return err
	}
	return fmt.Errorf("the transaction does not anchor certificate %q", number)
}

// trim keeps of a block's signatures exactly as many as the quorum, all good.
func trim(verifier *ledger.Verifier, block ledger.Block, ordering *ledger.Ordering) (Block, error) {
	if block.Number == 0 {
		return toBlock(block, nil)
	}
	if ordering == nil {
		return Block{}, errors.New("the configuration blocks must begin with block 0")
	}
	signatures, err := signaturesOf(block)
	if err != nil {
		return Block{}, err
	}
	for i := len(signatures.Signatures) - 1; i >= 0; i-- {
		fewer := &common.Metadata{Value: signatures.Value, Signatures: slices.Delete(slices.Clone(signatures.Signatures), i, i+1)}
		if holds(verifier, block, ordering, fewer) {
			signatures = fewer // it did not hold, or was one too many
		}
	}
	return toBlock(block, signatures)
}

// holds reports whether the block is signed well enough by these alone.
func holds(verifier *ledger.Verifier, block ledger.Block, ordering *ledger.Ordering, signatures *common.Metadata) bool {
	encoded, err := proto.Marshal(signatures)
	if err != nil {
		return false
	}
	metadata := slices.Clone(block.Raw.GetMetadata().GetMetadata())
	metadata[common.BlockMetadataIndex_SIGNATURES] = encoded
	block.Raw = &common.Block{Header: block.Raw.GetHeader(), Data: block.Raw.GetData(), Metadata: &common.BlockMetadata{Metadata: metadata}}
	_, err = verifier.VerifyAlone(block, ordering)
	return err == nil
}

// signaturesOf decodes the orderers' signatures of a block and refuses what a
// second encoding would lose.
func signaturesOf(block ledger.Block) (*common.Metadata, error) {
	metadata := block.Raw.GetMetadata().GetMetadata()
	if len(metadata) == 0 {
		return nil, fmt.Errorf("block %d has no metadata", block.Number)
	}
	encoded := metadata[common.BlockMetadataIndex_SIGNATURES]
	var signatures common.Metadata
	if err := proto.Unmarshal(encoded, &signatures); err != nil {
		return nil, fmt.Errorf("decode signatures of block %d: %w", block.Number, err)
	}
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(&signatures)
	if err != nil || !bytes.Equal(again, encoded) {
		return nil, fmt.Errorf("decode signatures of block %d: not in canonical form", block.Number)
	}
	return &signatures, nil
}

// ReadingCall is the transaction whose endorsement gives a reading for a leaf:
// asked whether the leaf could be anchored again, peers read its certificate's
// record. It must not be submitted. A certificate that was revoked, superseded
// or given a rendition since cannot be read so any more.
func ReadingCall(leaf []byte) (function string, request []byte, err error) {
	decoded, err := metrology.ParseLeaf(leaf)
	if err != nil {
		return "", nil, fmt.Errorf("ask for a reading: %w", err)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // or the leaf's bytes would change
	if err := encoder.Encode(metrology.CheckBatch{Issuer: decoded.Issuer, Leaves: []json.RawMessage{leaf}}); err != nil {
		return "", nil, fmt.Errorf("ask for a reading: %w", err)
	}
	return functionReading, bytes.TrimSpace(out.Bytes()), nil
}

// ReadingOf takes a reading out of an endorsed transaction that was never
// submitted, as the Fabric Gateway's Endorse returns it for a query.
func ReadingOf(prepared []byte) (*Reading, error) {
	var envelope common.Envelope
	var payload common.Payload
	var transaction peer.Transaction
	if err := errors.Join(proto.Unmarshal(prepared, &envelope), proto.Unmarshal(envelope.GetPayload(), &payload),
		proto.Unmarshal(payload.GetData(), &transaction)); err != nil {
		return nil, fmt.Errorf("take reading: %w", err)
	}
	if len(transaction.GetActions()) != 1 {
		return nil, fmt.Errorf("take reading: %d actions, want 1", len(transaction.GetActions()))
	}
	var action peer.ChaincodeActionPayload
	if err := proto.Unmarshal(transaction.GetActions()[0].GetPayload(), &action); err != nil {
		return nil, fmt.Errorf("take reading: %w", err)
	}
	reading := &Reading{Response: action.GetAction().GetProposalResponsePayload()}
	for _, endorsement := range action.GetAction().GetEndorsements() {
		reading.Endorsements = append(reading.Endorsements, Endorsement{endorsement.GetEndorser(), endorsement.GetSignature()})
	}
	return reading, nil
}
