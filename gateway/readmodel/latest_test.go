package readmodel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// Newest first, page by page, nothing twice and nothing left out.
func TestLatestInspections(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		r.apply(act(metrology.EventSiteRegistered, "s1", put("site/s1", site("s1"))))
		for _, id := range []string{"x3", "x1", "x2"} {
			r.apply(enters(inspection(id, metrology.InspectionPublished), "a"))
		}
		r.apply(enters(inspection("x4", metrology.InspectionPublished), "a"), enters(inspection("x5", metrology.InspectionEntered), "hidden"),
			enters(inspection("x6", metrology.InspectionPublished), "a"))
		r.apply(enters(inspection("x3", metrology.InspectionCorrected), "b"))
		var met []string
		request := public.PageRequest{Limit: 2}
		for {
			page, err := r.LatestInspections(t.Context(), request, today)
			require.NoError(t, err)
			for _, i := range page.Items {
				met = append(met, i.ID)
			}
			if page.Next == "" {
				break
			}
			request.Cursor = page.Next
		}
		require.Equal(t, []string{"x3", "x6", "x4", "x2", "x1"}, met)
		_, err := r.LatestDraws(t.Context(), public.PageRequest{Cursor: request.Cursor})
		require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "the cursor is of another list")

		for filter, want := range map[public.InspectionFilter]int{
			{From: "2026-01-01", To: "2026-12-31"}: 5, {From: "2027-01-01"}: 0, {To: "2020-01-01"}: 0,
		} {
			page, err := r.Inspections(t.Context(), filter, today)
			require.NoError(t, err)
			require.Len(t, page.Items, want)
		}
		_, err = r.Inspections(t.Context(), public.InspectionFilter{From: "yesterday"}, today)
		require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))
	})
}

// Instruments in use are counted by the month in which their verification ends.
func TestVerificationLoad(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		for id, change := range map[string]func(*metrology.Instrument){
			"i1": func(*metrology.Instrument) {}, "i2": func(*metrology.Instrument) {}, "i3": func(*metrology.Instrument) {},
			"sealed": func(i *metrology.Instrument) { i.State = metrology.InstrumentSealed },
			"hobby":  func(i *metrology.Instrument) { i.Use = metrology.UseOther },
		} {
			i := instrument(id)
			change(&i)
			r.apply(act(metrology.EventInstrumentRegistered, id, put("instrument/"+id, i)))
		}
		old := leaf("N-2", "i2", func(l *metrology.Leaf) {
			l.Performed, l.Issued, l.ValidUntil = "2025-01-10", "2025-01-11", "2025-07-09"
		})
		r.apply(anchors("r1", leaf("N-1", "i1"), old))
		load, err := r.VerificationLoad(t.Context(), today)
		require.NoError(t, err)
		require.Equal(t, []public.DueCount{{Region: "310115", Due: "2026-07", Instruments: 1}, {Region: "310115", Due: "none", Instruments: 1},
			{Region: "310115", Due: "over", Instruments: 1}}, load)
	})
}
