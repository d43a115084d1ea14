package web

import (
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
// codes instead of words, in UTF-8 with a byte order mark for spreadsheets. It
// takes the filters of the page and is sent as it is read. Where it breaks off,
// the connection does too, so that nobody takes a part for the whole.
func (s *Server) resultsTable(c echo.Context) error {
	r := s.request(c)
	ctx := c.Request().Context()
	filter, err := resultsFilter(r)
	if err == nil { // refuse a bad filter while a page can still say so
		probe := filter
		probe.Limit = 1
		_, err = s.register.Inspections(ctx, probe, r.today)
	}
	if err != nil {
		return s.fail(r, err)
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentDisposition, `attachment; filename="results.csv"`)
	header.Set(echo.HeaderContentType, "text/csv; charset=utf-8")
	out := c.Response()
	if _, err := out.Write([]byte("\ufeff")); err != nil {
		return nil //nolint:nilerr // the visitor went away
	}
	table := csv.NewWriter(out)
	table.UseCRLF = true
	err = table.Write(tableColumns)
	if err == nil {
		err = s.eachInspection(ctx, filter, r.today, func(inspection public.Inspection) error { return writeRows(table, tableRows(inspection)) })
	}
	if err != nil {
		s.log.ErrorContext(ctx, "send table", "request", requestID(r), "error", err)
		panic(http.ErrAbortHandler)
	}
	table.Flush()
	return nil
}

func writeRows(table *csv.Writer, rows [][]string) error {
	for _, row := range rows {
		for i := range row {
			row[i] = plainCell(row[i])
		}
		if err := table.Write(row); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
	}
	return nil
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
