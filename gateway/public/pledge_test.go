package public

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

func TestPledgeStandingOn(t *testing.T) {
	term := metrology.PledgeTerm{From: "2026-01-01", Until: "2026-12-31", Published: "2026-01-01T00:00:00Z"}
	published := metrology.Pledge{State: metrology.PledgePublished, Terms: []metrology.PledgeTerm{term}}
	revoked := published
	revoked.State = metrology.PledgeRevoked
	for name, test := range map[string]struct {
		pledge   metrology.Pledge
		merchant metrology.MerchantState
		day      metrology.Date
		want     metrology.PledgeStanding
	}{
		"Active":           {published, metrology.MerchantActive, "2026-06-01", metrology.StandingActive},
		"ClosedMerchant":   {published, metrology.MerchantClosed, "2026-06-01", metrology.StandingClosed},
		"UpcomingOfClosed": {published, metrology.MerchantClosed, "2025-06-01", metrology.StandingClosed},
		"ExpiredOfClosed":  {published, metrology.MerchantClosed, "2027-06-01", metrology.StandingExpired},
		"RevokedOfClosed":  {revoked, metrology.MerchantClosed, "2026-06-01", metrology.StandingRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, PledgeStandingOn(test.pledge, test.merchant, test.day))
		})
	}
}
