package ledger_test

import (
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/ledger/ledgertest"
)

func TestContested(t *testing.T) {
	chain := ledgertest.New(t, "BFT", 1)
	raw := chain.Transaction("tx1", &rwset.NsReadWriteSet{Namespace: "metrology", Rwset: ledgertest.Marshal(t, &kvrwset.KVRWSet{
		Reads:  []*kvrwset.KVRead{{Key: "both"}, {Key: "only read"}},
		Writes: []*kvrwset.KVWrite{{Key: "gate/InstituteMSP"}, {Key: "both"}},
	})})
	var envelope common.Envelope
	require.NoError(t, proto.Unmarshal(raw, &envelope))
	names, err := ledger.Contested(&envelope)
	require.NoError(t, err)
	require.Equal(t, []string{"metrology/both"}, names)

	_, err = ledger.Contested(&common.Envelope{})
	require.ErrorContains(t, err, "0 actions")
}
