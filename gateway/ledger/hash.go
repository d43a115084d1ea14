package ledger

import (
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
)

// header is what Fabric hashes and its orderers sign: a DER sequence.
type header struct {
	Number       *big.Int
	PreviousHash []byte
	DataHash     []byte
}

// HeaderBytes is the DER form of a block header.
func HeaderBytes(h *common.BlockHeader) ([]byte, error) {
	der, err := asn1.Marshal(header{
		Number:       new(big.Int).SetUint64(h.GetNumber()),
		PreviousHash: h.GetPreviousHash(),
		DataHash:     h.GetDataHash(),
	})
	if err != nil {
		return nil, fmt.Errorf("encode header of block %d: %w", h.GetNumber(), err)
	}
	return der, nil
}

// HeaderHash is the hash of a block: what the next block names as its
// predecessor.
func HeaderHash(h *common.BlockHeader) (Hash, error) {
	der, err := HeaderBytes(h)
	if err != nil {
		return Hash{}, err
	}
	return sha256.Sum256(der), nil
}

// DataHash is the digest over the envelopes of a block, end to end.
func DataHash(data *common.BlockData) Hash {
	digest := sha256.New()
	for _, envelope := range data.GetData() {
		digest.Write(envelope)
	}
	return Hash(digest.Sum(nil))
}

// toHash reads a digest out of a header. Empty stays zero.
func toHash(name string, raw []byte) (Hash, error) {
	if len(raw) == 0 {
		return Hash{}, nil
	}
	if len(raw) != sha256.Size {
		return Hash{}, fmt.Errorf("read %s: %d bytes, want %d", name, len(raw), sha256.Size)
	}
	return Hash(raw), nil
}
