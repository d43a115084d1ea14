package readmodel

import (
	"context"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// waiting is how a pledge's awaiting publication is stored.
func waiting(p metrology.Pledge) int {
	if p.AwaitsPublication() {
		return 1
	}
	return 0
}

// WaitingPledges lists the pledges whose latest term awaits publication, by id.
func (s *Store) WaitingPledges(ctx context.Context, request public.PageRequest, today metrology.Date) (public.Page[public.Pledge], error) {
	var w where
	w.add(`p.waiting = 1`)
	return list(ctx, s, "waiting pledges", pledgeColumns, "p.id", w, request, "", func(p public.Pledge) string { return p.ID }, scanPledge(today))
}
