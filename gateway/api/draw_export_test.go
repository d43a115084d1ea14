package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

func (l *drawLedger) Merchant(_ context.Context, id string, _ metrology.Date) (public.Merchant, error) {
	return public.Merchant{Merchant: metrology.Merchant{ID: id, CreditCode: "91310115MA00000022"}}, nil
}

// Inspections has one of this draw at S-1 and one of another there.
func (l *drawLedger) Inspections(_ context.Context, f public.InspectionFilter, _ metrology.Date) (public.Page[public.Inspection], error) {
	page := public.Page[public.Inspection]{}
	if f.Site != "S-1" {
		return page, nil
	}
	body := &public.InspectionBody{Merchant: "M-1", Items: []metrology.BodyItem{
		{Matter: metrology.MatterInstruments, Results: []metrology.ResultCode{metrology.ResultCorrected, metrology.ResultQualityBreach}},
		{Matter: metrology.MatterUnits, Results: []metrology.ResultCode{metrology.ResultNoneFound}},
	}}
	for _, draw := range []string{"other", draftDraw} {
		page.Items = append(page.Items, public.Inspection{
			ID: "V-" + draw, Site: "S-1", Merchant: "M-1", Basis: metrology.Basis{Kind: metrology.BasisDraw, Draw: draw, Rank: 1}, Visited: "2026-11-01",
			Published: "2026-11-03T01:00:00Z", Revisions: []public.Revision{{Body: &public.InspectionBody{}}, {Body: body}},
		})
	}
	return page, nil
}

// TestExports: assignments and published results, after the changes in force,
// with the codes of the platforms, as CSV and as XLSX alike.
func TestExports(t *testing.T) {
	b, l := newDrawBench(t)
	get := func(file string) *bytes.Buffer {
		answer := b.ask(http.MethodGet, "/v1/draws/"+draftDraw+"/"+file, "", "")
		require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
		require.Contains(t, answer.Header().Get("Content-Disposition"), draftDraw+"-"+file)
		return answer.Body
	}
	requireProblem(t, b.ask(http.MethodGet, "/v1/draws/"+draftDraw+"/results.csv", "", ""), "state", "")
	l.sites[0].Details = &public.Profile{Name: "=示例加油站"}
	l.record.Result = &metrology.DrawResult{Result: []byte(`{"strata":{"K1":{"outright":["S-2"],"selected":[{"id":"S-1"},{"id":"S-4"}]}},
		"assignments":{"S-1":["I-1","I-2"],"S-2":["I-3","I-1"],"S-4":["I-2","I-3"]}}`)}
	l.record.Changes = []metrology.DrawChange{
		{Kind: metrology.DrawSubstitution, State: metrology.DrawChangeApproved, Object: "S-4", By: "S-5", Inspectors: []string{"I-2", "I-3"}},
		{Kind: metrology.DrawSubstitution, State: metrology.DrawChangeRejected, Object: "S-2", By: "S-3"},
		{Kind: metrology.DrawRecusal, State: metrology.DrawChangeApproved, Object: "S-1", Inspectors: []string{"I-1", "I-4"}},
	}
	wants := map[string][][]string{
		"assignments": {
			{"抽查编号", "分层", "名次", "场所登记编号", "场所名称", "替换为", "检查人员1", "检查人员2"},
			{draftDraw, "K1", "", "S-2", "", "", "I-3", "I-1"},
			{draftDraw, "K1", "1", "S-1", "=示例加油站", "", "I-1", "I-4"},
			{draftDraw, "K1", "2", "S-4", "", "S-5", "", ""},
			{draftDraw, "K1", "", "S-5", "", "", "I-2", "I-3"},
		},
		"results": {
			{"抽查编号", "分层", "名次", "场所登记编号", "场所名称", "检查记录编号", "检查日期", "公示时间", "主体登记编号", "统一社会信用代码", "抽查事项", "检查结果代码", "检查结果"},
			{draftDraw, "K1", "", "S-2", "", "", "", "", "", "", "", "", ""},
			{draftDraw, "K1", "1", "S-1", "=示例加油站", "V-" + draftDraw, "2026-11-01", "2026-11-03T01:00:00Z", "M-1", "91310115MA00000022", "instruments-in-use", "E,4", "发现问题已责令改正；违反质量技术监督相关规定"},
			{draftDraw, "K1", "1", "S-1", "=示例加油站", "V-" + draftDraw, "2026-11-01", "2026-11-03T01:00:00Z", "M-1", "91310115MA00000022", "units", "1", "未发现问题"},
			{draftDraw, "K1", "", "S-5", "", "", "", "", "", "", "", "", ""},
		},
	}
	for name, want := range wants {
		text, marked := strings.CutPrefix(get(name+".csv").String(), "\ufeff")
		require.True(t, marked)
		require.NotContains(t, text, ",=", "no cell is a formula")
		rows, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(text, "'=", "="))).ReadAll()
		require.NoError(t, err)
		require.Equal(t, want, rows)

		book, err := excelize.OpenReader(get(name + ".xlsx"))
		require.NoError(t, err)
		cells, err := book.GetRows(book.GetSheetName(0))
		require.NoError(t, err)
		for i, row := range cells {
			require.Equal(t, strings.TrimRight(strings.Join(want[i], "|"), "|"), strings.TrimRight(strings.Join(row, "|"), "|"))
		}
		require.Len(t, cells, len(want))
		formula, err := book.GetCellFormula(book.GetSheetName(0), "E3")
		require.NoError(t, err)
		require.Empty(t, formula)
	}
}
