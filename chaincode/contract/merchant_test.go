package contract

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// profile is a well-formed profile as a transient document.
func profile(name string) transient {
	return transient{"profile": metrology.Profile{Salt: salt(name), Name: name}}
}

// addMerchant registers a stall holder and appoints "<id>-agent" for it.
func (l *ledger) addMerchant(id string) actor {
	l.t.Helper()
	agent := l.as(metrology.RoleMerchant, id+"-agent")
	l.must(agent, "merchant:Register", metrology.RegisterMerchant{
		ID: id, Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "440305",
	}, profile(id))
	return agent
}

func TestRegisterMerchant(t *testing.T) {
	l := newLedger(t)
	l.addMerchant("m-1")
	require.Equal(t, metrology.MerchantActive, load[metrology.Merchant](l, "merchant/m-1").State)
	require.Contains(t, l.private, "disclosed/profile/merchant/m-1")

	t.Run("ErrAlreadyTaken", func(t *testing.T) {
		_, err := l.fork(t).submit(l.as(metrology.RoleAssociation, "assoc"), "merchant:Register", metrology.RegisterMerchant{
			ID: "m-1", Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "440305",
		}, profile("again"))
		require.Equal(t, metrology.CodeConflict, metrology.ErrorCode(err))
	})
	t.Run("ErrNoProfile", func(t *testing.T) {
		_, err := l.fork(t).submit(l.as(metrology.RoleAssociation, "assoc"), "merchant:Register", metrology.RegisterMerchant{
			ID: "m-2", Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "440305",
		}, nil)
		require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))
	})
}

func TestPurgeMerchantProfile(t *testing.T) {
	l := newLedger(t)
	l.addMerchant("m-1")
	l.must(l.as(metrology.RoleRegulator, "reg"), "merchant:PurgeProfile", metrology.MerchantAction{ID: "m-1"}, nil)
	require.NotContains(t, l.private, "disclosed/profile/merchant/m-1")
	require.False(t, load[metrology.Merchant](l, "merchant/m-1").Profile)
}
