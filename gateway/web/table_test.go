package web_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

func TestTable(t *testing.T) {
	r := full()
	bare := public.Inspection{ID: "V-2", Site: "=cmd()", State: metrology.InspectionPublished, AsOf: asOf,
		Revisions: []public.Revision{{Body: &public.InspectionBody{Outcome: metrology.VisitClosed}}}}
	r.inspections = append(r.inspections, bare, public.Inspection{ID: "V-3", AsOf: asOf})
	w := get(serve(t, r), "/results.csv", "zh")
	require.Equal(t, "text/csv; charset=utf-8", w.Header().Get("Content-Type"))
	text, marked := strings.CutPrefix(w.Body.String(), "\ufeff")
	require.True(t, marked)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll() // refuses rows of unequal length
	require.NoError(t, err)
	require.Len(t, rows, 4)
	cell := func(line int, column string) string {
		for i, name := range rows[0] {
			if name == column {
				return rows[line][i]
			}
		}
		return "no such column"
	}
	require.Equal(t, "0.020", cell(1, "error"))
	require.Equal(t, "-0.30", cell(1, "lower"), "a number keeps its sign")
	require.Equal(t, "fuel-dispenser/1", cell(1, "rule"))
	require.Equal(t, "none-found", cell(1, "results"), "the revision that counts")
	require.Equal(t, "closed", cell(2, "outcome"))
	require.Equal(t, "'=cmd()", cell(2, "site"), "no formula")
	require.Equal(t, "7", cell(3, "block"))
}
