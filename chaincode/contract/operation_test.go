package contract

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// A value of the collection disclosed is read back byte for byte, as its hash
// on the ledger needs, by an identity without any role: the peer decides who is
// a member.
func TestDisclosed(t *testing.T) {
	l := newLedger(t)
	l.must(l.as(metrology.RoleMerchant, "agent"), "merchant:Register", metrology.RegisterMerchant{
		ID: "m1", Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "440305"}, profile("m1"))
	key := metrology.Key(metrology.KindProfile, string(metrology.KindMerchant), "m1")
	newcomer := l.from("ConsumersMSP", "reader", "x")
	answer, err := l.invoke(newcomer, nil, "operation:Disclosed", text(t, metrology.ReadDisclosed{Key: key}))
	require.NoError(t, err)
	var got metrology.Disclosed
	require.NoError(t, json.Unmarshal([]byte(answer), &got))
	require.Equal(t, l.private[metrology.CollectionDisclosed+"/"+key], got.Value)

	for name, c := range map[string]struct {
		key  string
		code metrology.Code
	}{
		"Absent":    {metrology.Key(metrology.KindProfile, string(metrology.KindMerchant), "m2"), metrology.CodeNotFound},
		"OtherKind": {metrology.Key(metrology.KindMerchant, "m1"), metrology.CodeInvalid},
		"Empty":     {"", metrology.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := l.invoke(newcomer, nil, "operation:Disclosed", text(t, metrology.ReadDisclosed{Key: c.key}))
			require.Equal(t, c.code, metrology.ErrorCode(err))
		})
	}
}
