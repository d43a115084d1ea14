package readmodel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// A pledge awaits publication while its latest term does, the first as well as
// a renewed one, and not once it is withdrawn.
func TestWaitingPledges(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		r.apply(act(metrology.EventMerchantRegistered, "m1", put("merchant/m1", metrology.Merchant{ID: "m1", State: metrology.MerchantActive})))
		save := func(id string, state metrology.PledgeState, published ...string) {
			p := pledge(id, "m1", state)
			term := p.Terms[0]
			p.Terms = nil
			for _, stamp := range published {
				term.Published = stamp
				p.Terms = append(p.Terms, term)
			}
			r.apply(act(metrology.EventPledgeSigned, id, put("pledge/"+id, p)))
		}
		const stamp = "2026-01-01T00:00:00Z"
		save("signed", metrology.PledgeSigned, "")
		save("published", metrology.PledgePublished, stamp)
		save("renewed", metrology.PledgePublished, stamp, "")
		save("suspended", metrology.PledgeSuspended, stamp, "")
		save("withdrawn", metrology.PledgeWithdrawn, "")
		save("later", metrology.PledgeSigned, "")
		waiting := func(limit int) (ids []string) {
			t.Helper()
			request := public.PageRequest{Limit: limit}
			for {
				page, err := r.WaitingPledges(t.Context(), request, today)
				require.NoError(t, err)
				for _, p := range page.Items {
					ids = append(ids, p.ID)
				}
				if request.Cursor = page.Next; page.Next == "" {
					return ids
				}
			}
		}
		require.Equal(t, []string{"later", "renewed", "signed"}, waiting(2))
		save("later", metrology.PledgePublished, stamp)
		require.Equal(t, []string{"renewed", "signed"}, waiting(10))
		require.NoError(t, r.Drop(t.Context()))
		for _, block := range r.blocks {
			require.NoError(t, r.Apply(t.Context(), block))
		}
		require.Equal(t, []string{"renewed", "signed"}, waiting(10))
	})
}
