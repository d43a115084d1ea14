package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// tableColumns head the table of published inspections. One row is one
// measurement of the revision that counts, or the visit where none was made.
var tableColumns = []string{
	"inspection", "state", "visited", "site", "merchant", "basis", "outcome", "matter", "results",
	"instrument", "part", "indication", "reference", "error", "unit", "percent", "lower", "upper", "limit", "verdict", "rule", "block",
}

// resultsTable answers GET /results.csv: published inspections as RFC 4180 with
// codes instead of words, in UTF-8 with a byte order mark for spreadsheets. A
// last row says so when there are more than it holds.
func (s *Server) resultsTable(c echo.Context) error {
	r := s.request(c)
	inspections, all, err := s.gather(c.Request().Context(), r.today)
	if err != nil {
		return s.fail(r, err)
	}
	var out bytes.Buffer
	out.WriteString("\ufeff")
	table := csv.NewWriter(&out)
	table.UseCRLF = true
	rows := [][]string{tableColumns}
	for _, inspection := range inspections {
		rows = append(rows, tableRows(inspection)...)
	}
	if !all {
		more := make([]string, len(tableColumns))
		more[0] = "more inspections than this table holds; see /v1/inspections"
		rows = append(rows, more)
	}
	for _, row := range rows {
		for i := range row {
			row[i] = plainCell(row[i])
		}
	}
	if err := table.WriteAll(rows); err != nil {
		return s.fail(r, fmt.Errorf("write table: %w", err))
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="results.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8", out.Bytes())
}

// plainCell keeps spreadsheets from taking a text for a formula. A number keeps
// its sign.
func plainCell(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) || strings.Trim(cell, "-0123456789.") == "" {
		return cell
	}
	return "'" + cell
}

func tableRows(inspection public.Inspection) [][]string {
	view := viewInspection(inspection)
	head := []string{view.ID, string(view.State), string(view.Visited), view.Site, view.Merchant, string(view.Basis.Kind)}
	block := fmt.Sprint(view.AsOf.Block)
	if view.Latest == nil || view.Latest.Body == nil {
		return [][]string{row(head, make([]string, 15), block)}
	}
	outcome := string(view.Latest.Body.Outcome)
	if len(view.Latest.Items) == 0 {
		return [][]string{row(head, append([]string{outcome}, make([]string, 14)...), block)}
	}
	var rows [][]string
	for _, item := range view.Latest.Items {
		results := make([]string, len(item.Results))
		for i, code := range item.Results {
			results[i] = string(code)
		}
		about := []string{outcome, string(item.Matter), strings.Join(results, " ")}
		if len(item.Measurements) == 0 {
			rows = append(rows, row(head, append(about, make([]string, 12)...), block))
		}
		for _, m := range item.Measurements {
			rule := ""
			if m.Rule.ID != "" {
				rule = fmt.Sprintf("%s/%d", m.Rule.ID, m.Rule.Version)
			}
			rows = append(rows, row(head, append(about[:3:3],
				m.Instrument, m.Part, m.Indication.String(), m.Reference.String(), m.Error.String(), m.Unit, m.Percent.String(),
				m.Lower.String(), m.Upper.String(), string(m.Limit), string(m.Verdict), rule), block))
		}
	}
	return rows
}

func row(head, middle []string, block string) []string {
	return append(append(append([]string(nil), head...), middle...), block)
}
