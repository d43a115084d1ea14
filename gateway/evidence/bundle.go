// Package evidence makes and checks offline evidence: one file that proves,
// with nothing but a pinned trust file obtained elsewhere, that an issuer's
// statement was anchored in a block of the pinned ledger. It proves that for
// the block and says nothing of today: a certificate may have been revoked or
// superseded since. FORMAT.md describes the file.
package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// Format names the one version of the file there is.
const Format = "steelyard-evidence/1"

// MaxBundleBytes bounds the file. A block's data hash runs over all of its
// transactions, so the whole block travels with one leaf.
const MaxBundleBytes = 64 << 20

// maxConfigurations bounds the configuration blocks of one bundle.
const maxConfigurations = 256

// Bundle is the file. Byte strings are base64 in JSON. It carries no byte that
// Verify does not check: a changed bit anywhere must not go unseen.
type Bundle struct {
	Format         string   `json:"format"`
	Leaf           []byte   `json:"leaf"`           // as metrology.Leaf.Bytes gives it
	Index          uint64   `json:"index"`          // of the leaf in its batch
	Hashes         [][]byte `json:"hashes"`         // RFC 6962 inclusion proof, from the leaf up
	IssuerKey      []byte   `json:"issuerKey"`      // SubjectPublicKeyInfo that signed the batch
	Block          Block    `json:"block"`          // that holds the transaction
	Transaction    int      `json:"transaction"`    // its place in the block
	Configurations []Block  `json:"configurations"` // from block 0 to the one in force at Block
	Reading        *Reading `json:"reading,omitempty"`
}

// Block is a Fabric block without what no orderer signed. The data hash is
// computed from the envelopes.
type Block struct {
	Number       uint64   `json:"number"`
	PreviousHash []byte   `json:"previousHash,omitempty"`
	Envelopes    [][]byte `json:"envelopes"`
	Signatures   []byte   `json:"signatures,omitempty"` // common.Metadata; exactly as many as the quorum; none in block 0
}

// Reading is a later read of the batch's or the certificate's key, endorsed by
// peers. Orderers put invalid transactions into blocks too; that the key holds
// a version of just this block and transaction shows that this one was valid.
// If it is the certificate's key, the certificate also stood unchanged then.
type Reading struct {
	Response     []byte        `json:"response"` // peer.ProposalResponsePayload
	Endorsements []Endorsement `json:"endorsements"`
}

// Endorsement is a peer's signature over Response and its own identity.
type Endorsement struct {
	Endorser  []byte `json:"endorser"` // msp.SerializedIdentity
	Signature []byte `json:"signature"`
}

// Encode writes the file.
func (b Bundle) Encode() ([]byte, error) {
	encoded, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("encode evidence: %w", err)
	}
	if len(encoded) > MaxBundleBytes {
		return nil, fmt.Errorf("encode evidence: the block is too large: %d bytes, at most %d", len(encoded), MaxBundleBytes)
	}
	return append(encoded, '\n'), nil
}

// Parse reads what Encode wrote and nothing else: a file in which a member is
// unknown, repeated or written otherwise is refused.
func Parse(encoded []byte) (Bundle, error) {
	var bundle Bundle
	if len(encoded) > MaxBundleBytes+1 {
		return bundle, fmt.Errorf("parse evidence: %d bytes, at most %d", len(encoded), MaxBundleBytes)
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&bundle); err != nil {
		return Bundle{}, fmt.Errorf("parse evidence: %w", err)
	}
	if bundle.Format != Format {
		return Bundle{}, fmt.Errorf("parse evidence: format %q, want %q", bundle.Format, Format)
	}
	again, err := bundle.Encode()
	if err != nil || !bytes.Equal(again, encoded) {
		return Bundle{}, errors.New("parse evidence: not in the one form it is written in")
	}
	return bundle, nil
}

// toBlock keeps of a ledger block what the bundle carries.
func toBlock(block ledger.Block, signatures *common.Metadata) (Block, error) {
	kept := Block{
		Number:       block.Number,
		PreviousHash: block.Raw.GetHeader().GetPreviousHash(),
		Envelopes:    block.Raw.GetData().GetData(),
	}
	if block.Number == 0 {
		return kept, nil
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(signatures)
	if err != nil {
		return Block{}, fmt.Errorf("encode signatures of block %d: %w", block.Number, err)
	}
	kept.Signatures = encoded
	return kept, nil
}

// notValidated is peer.TxValidationCode_NOT_VALIDATED. The bundle carries no
// validation codes, since nobody signs them; ledger.Parse then reads the other
// transactions as far as they can be read and no further.
const notValidated = 254

// ledgerBlock makes a block for package ledger, in which only the transactions
// at the given places are taken for valid.
func (b Block) ledgerBlock(places []int) (ledger.Block, error) {
	data := &common.BlockData{Data: b.Envelopes}
	hash := ledger.DataHash(data)
	codes := bytes.Repeat([]byte{notValidated}, len(b.Envelopes))
	for _, index := range places {
		if index < 0 || index >= len(codes) {
			return ledger.Block{}, fmt.Errorf("read block %d: it has no transaction %d", b.Number, index)
		}
		codes[index] = 0
	}
	metadata := make([][]byte, common.BlockMetadataIndex_TRANSACTIONS_FILTER+1)
	metadata[common.BlockMetadataIndex_SIGNATURES] = b.Signatures
	metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = codes
	return ledger.Parse(&common.Block{
		Header:   &common.BlockHeader{Number: b.Number, PreviousHash: b.PreviousHash, DataHash: hash[:]},
		Data:     data,
		Metadata: &common.BlockMetadata{Metadata: metadata},
	}, nil)
}
