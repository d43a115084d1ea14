package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/xuri/excelize/v2"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// exportTable makes the rows of an export, its head first.
type exportTable func(s *Server, ctx context.Context, record public.DrawRecord) ([][]string, error)

// exports are the tables of a draw for other platforms, by the name of their
// route.
var exports = map[string]exportTable{"assignments": (*Server).assignmentRows, "results": (*Server).resultRows}

// exportForms write a table.
var exportForms = map[string]struct {
	media string
	write func(rows [][]string) ([]byte, error)
}{
	"csv": {"text/csv; charset=utf-8", writeCSV}, "xlsx": {mediaXLSX, writeXLSX},
}

func (s *Server) mountExports(e *echo.Echo) {
	for name, table := range exports {
		for form, writer := range exportForms {
			file := name + "." + form
			e.GET("/v1/draws/:id/"+file, func(c echo.Context) error {
				ctx := c.Request().Context()
				record, err := s.register.Draw(ctx, pathParameter(c)("id"))
				if err != nil {
					return err
				}
				rows, err := table(s, ctx, record)
				if err != nil {
					return err
				}
				content, err := writer.write(rows)
				if err != nil {
					return fmt.Errorf("write %s: %w", file, err)
				}
				c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+record.ID+"-"+file+`"`)
				return c.Blob(http.StatusOK, writer.media, content)
			})
		}
	}
}

// drawnPlace is a place that was drawn, as it stands after the changes in force.
type drawnPlace struct {
	id, stratum string
	rank        int    // from 1; 0: taken outright, or a standby
	replacedBy  string // no longer visited
	inspectors  []string
}

// drawnPlaces reads the result as `draw compute` gives it. A draw that shows
// none, such as a sealed one, has nothing to export.
func drawnPlaces(record public.DrawRecord) ([]drawnPlace, error) {
	if record.Result == nil || record.Result.Result == nil {
		return nil, metrology.Errorf(metrology.CodeState, "draw %s shows no result to export", record.ID)
	}
	var result struct {
		Strata map[string]struct {
			Outright []string `json:"outright"`
			Selected []struct {
				ID string `json:"id"`
			} `json:"selected"`
		} `json:"strata"`
		Assignments map[string][]string `json:"assignments"`
	}
	if err := json.Unmarshal(record.Result.Result, &result); err != nil {
		return nil, fmt.Errorf("read result of draw %s: %w", record.ID, err)
	}
	var places []drawnPlace
	for _, stratum := range slices.Sorted(maps.Keys(result.Strata)) {
		for _, id := range result.Strata[stratum].Outright {
			places = append(places, drawnPlace{id: id, stratum: stratum, inspectors: result.Assignments[id]})
		}
		for i, selected := range result.Strata[stratum].Selected {
			places = append(places, drawnPlace{id: selected.ID, stratum: stratum, rank: i + 1, inspectors: result.Assignments[selected.ID]})
		}
	}
	for _, change := range record.Changes {
		if change.State == metrology.DrawChangeApproved {
			places = applyChange(places, change)
		}
	}
	return places, nil
}

func applyChange(places []drawnPlace, change metrology.DrawChange) []drawnPlace {
	at := slices.IndexFunc(places, func(p drawnPlace) bool { return p.id == change.Object })
	if at < 0 {
		return places
	}
	if change.Kind == metrology.DrawRecusal {
		places[at].inspectors = change.Inspectors
		return places
	}
	places[at].replacedBy = change.By
	return append(places, drawnPlace{id: change.By, stratum: places[at].stratum, inspectors: change.Inspectors})
}

// Columns that every export begins with.
var placeColumns = []string{"抽查编号", "分层", "名次", "场所登记编号", "场所名称"}

func (s *Server) placeCells(ctx context.Context, record public.DrawRecord, p drawnPlace) ([]string, error) {
	name := ""
	site, err := s.register.Site(ctx, p.id)
	if err != nil && metrology.ErrorCode(err) != metrology.CodeNotFound { // an object need not be a site
		return nil, err
	}
	if err == nil && site.Details != nil {
		name = site.Details.Name
	}
	rank := ""
	if p.rank > 0 {
		rank = strconv.Itoa(p.rank)
	}
	return []string{record.ID, p.stratum, rank, p.id, name}, nil
}

// assignmentRows lists who visits what. A place that was replaced stays in the
// list and says by which.
func (s *Server) assignmentRows(ctx context.Context, record public.DrawRecord) ([][]string, error) {
	places, err := drawnPlaces(record)
	if err != nil {
		return nil, err
	}
	slots := 0
	for _, p := range places {
		slots = max(slots, len(p.inspectors))
	}
	head := append(slices.Clone(placeColumns), "替换为")
	for i := range slots {
		head = append(head, fmt.Sprintf("检查人员%d", i+1))
	}
	rows := [][]string{head}
	for _, p := range places {
		cells, err := s.placeCells(ctx, record, p)
		if err != nil {
			return nil, err
		}
		cells = append(cells, p.replacedBy)
		for i := range slots {
			inspector := ""
			if p.replacedBy == "" && i < len(p.inspectors) {
				inspector = p.inspectors[i]
			}
			cells = append(cells, inspector)
		}
		rows = append(rows, cells)
	}
	return rows, nil
}

// resultRows lists what was found and published at each place, one row for each
// matter, with the codes and words of the platforms. A place without a public
// inspection has one row that says nothing.
func (s *Server) resultRows(ctx context.Context, record public.DrawRecord) ([][]string, error) {
	places, err := drawnPlaces(record)
	if err != nil {
		return nil, err
	}
	rows := [][]string{append(slices.Clone(placeColumns),
		"检查记录编号", "检查日期", "公示时间", "主体登记编号", "统一社会信用代码", "抽查事项", "检查结果代码", "检查结果")}
	for _, p := range places {
		if p.replacedBy != "" {
			continue
		}
		cells, err := s.placeCells(ctx, record, p)
		if err != nil {
			return nil, err
		}
		found, err := s.findingCells(ctx, record.ID, p.id)
		if err != nil {
			return nil, err
		}
		for _, finding := range found {
			rows = append(rows, append(slices.Clone(cells), finding...))
		}
	}
	return rows, nil
}

// findingCells are the published findings of a draw at a place.
func (s *Server) findingCells(ctx context.Context, draw, site string) ([][]string, error) {
	var rows [][]string
	filter := public.InspectionFilter{Site: site, PageRequest: public.PageRequest{Limit: public.MaxLimit}}
	for {
		page, err := s.register.Inspections(ctx, filter, s.today())
		if err != nil {
			return nil, err
		}
		for _, inspection := range page.Items {
			if inspection.Basis.Draw != draw {
				continue
			}
			more, err := s.inspectionCells(ctx, inspection)
			if err != nil {
				return nil, err
			}
			rows = append(rows, more...)
		}
		if filter.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	if len(rows) == 0 {
		rows = [][]string{make([]string, 8)}
	}
	return rows, nil
}

func (s *Server) inspectionCells(ctx context.Context, inspection public.Inspection) ([][]string, error) {
	var body *public.InspectionBody
	for _, revision := range inspection.Revisions { // the last one that is here counts
		if revision.Body != nil {
			body = revision.Body
		}
	}
	head := []string{inspection.ID, string(inspection.Visited), inspection.Published, inspection.Merchant, ""}
	if inspection.Merchant != "" {
		merchant, err := s.register.Merchant(ctx, inspection.Merchant, s.today())
		if err != nil && metrology.ErrorCode(err) != metrology.CodeNotFound {
			return nil, err
		}
		head[4] = merchant.CreditCode
	}
	if body == nil || len(body.Items) == 0 {
		return [][]string{append(head, "", "", "")}, nil
	}
	var rows [][]string
	for _, item := range body.Items {
		var codes, words []string
		for _, result := range item.Results {
			meaning, known := result.Meaning()
			if !known {
				return nil, fmt.Errorf("inspection %s: result %q has no meaning", inspection.ID, result)
			}
			codes, words = append(codes, meaning.Platform), append(words, meaning.Text)
		}
		rows = append(rows, append(slices.Clone(head), string(item.Matter), strings.Join(codes, ","), strings.Join(words, "；")))
	}
	return rows, nil
}

// writeCSV writes RFC 4180 in UTF-8 with the byte order mark that spreadsheets
// look for.
func writeCSV(rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("\ufeff")
	table := csv.NewWriter(&out)
	table.UseCRLF = true
	for _, row := range rows {
		cells := slices.Clone(row)
		for i, cell := range cells {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) { // a spreadsheet would take it for a formula
				cells[i] = "'" + cell
			}
		}
		if err := table.Write(cells); err != nil {
			return nil, err
		}
	}
	table.Flush()
	return out.Bytes(), table.Error()
}

// writeXLSX writes every cell as text, so that no code loses its zeros and
// nothing is a formula.
func writeXLSX(rows [][]string) ([]byte, error) {
	book := excelize.NewFile()
	defer book.Close()
	sheet := book.GetSheetName(0)
	for i, row := range rows {
		corner, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return nil, err
		}
		if err := book.SetSheetRow(sheet, corner, &row); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	err := book.Write(&out)
	return out.Bytes(), err
}
