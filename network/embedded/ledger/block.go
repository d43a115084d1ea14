package ledger

import (
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
)

// HeaderBytes is the ASN.1 form of a block header, which is what is hashed and signed.
func HeaderBytes(header *cb.BlockHeader) ([]byte, error) {
	out, err := asn1.Marshal(struct {
		Number       *big.Int
		PreviousHash []byte
		DataHash     []byte
	}{new(big.Int).SetUint64(header.GetNumber()), header.GetPreviousHash(), header.GetDataHash()})
	if err != nil {
		return nil, fmt.Errorf("encode block header: %w", err)
	}
	return out, nil
}

// HeaderHash is the SHA-256 of the header: the next block's previous hash.
func HeaderHash(header *cb.BlockHeader) ([]byte, error) {
	encoded, err := HeaderBytes(header)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(encoded)
	return sum[:], nil
}

// DataHash is the SHA-256 of the concatenated envelopes.
func DataHash(data *cb.BlockData) []byte {
	hash := sha256.New()
	for _, envelope := range data.GetData() {
		hash.Write(envelope)
	}
	return hash.Sum(nil)
}

// NewBlock makes a block of serialized envelopes with empty metadata.
func NewBlock(number uint64, previous []byte, envelopes [][]byte) *cb.Block {
	data := &cb.BlockData{Data: envelopes}
	metadata := make([][]byte, len(cb.BlockMetadataIndex_name))
	for i := range metadata {
		metadata[i] = []byte{}
	}
	return &cb.Block{
		Header:   &cb.BlockHeader{Number: number, PreviousHash: previous, DataHash: DataHash(data)},
		Data:     data,
		Metadata: &cb.BlockMetadata{Metadata: metadata},
	}
}

// NotFoundError says which block or transaction is not in the ledger.
type NotFoundError struct{ what string }

func (e *NotFoundError) Error() string { return e.what }
