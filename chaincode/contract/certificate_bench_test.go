package contract

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

// BenchmarkAnchorBatch is one full batch in the contract alone, without a
// peer: decoding, rules, tree and signature.
func BenchmarkAnchorBatch(b *testing.B) {
	l := newLedger(&testing.T{})
	at := l.addIssuer("inst-1", signature.GenerateP256)
	leaves := make([]json.RawMessage, metrology.MaxBatchLeaves)
	for i := range leaves {
		leaves[i] = at.leaf(b, fmt.Sprintf("2026-%04d", i), nil)
	}
	request := text(&testing.T{}, at.batch(b, leaves...))
	b.SetBytes(int64(len(request)))
	for b.Loop() {
		_, err := l.fork(&testing.T{}).invoke(at.officer, nil, "certificate:AnchorBatch", request, "op")
		require.NoError(b, err)
	}
}
