package intake

import (
	"archive/zip"
	"bytes"
	"context"
	"regexp"

	"github.com/xuri/excelize/v2"
)

// readXLSX reads one sheet of an Office Open XML workbook. Cells are read raw:
// dates as serial numbers, numbers as stored, formulas as last computed.
func readXLSX(ctx context.Context, content []byte, sheet string, limits Limits) (Table, error) {
	if err := checkContainer(content, limits); err != nil {
		return Table{}, err
	}
	book, err := excelize.OpenReader(bytes.NewReader(content), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: limits.Unzipped, UnzipXMLSizeLimit: limits.Unzipped,
	})
	if err != nil {
		return Table{}, fileError("is not a readable XLSX workbook: %v", err)
	}
	defer book.Close()
	table := Table{Format: XLSX}
	properties, err := book.GetWorkbookProps()
	if err != nil {
		return Table{}, fileError("is not a readable XLSX workbook: %v", err)
	}
	table.Date1904 = properties.Date1904 != nil && *properties.Date1904
	if sheet, err = chooseSheet(book, sheet); err != nil {
		return Table{}, err
	}
	table.Rows, err = sheetRows(ctx, book, sheet, limits)
	return table, err
}

// checkContainer refuses a zip bomb before anything is unpacked. archive/zip
// stops at the sizes that the directory declares, so they can be relied on.
func checkContainer(content []byte, limits Limits) error {
	container, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return fileError("is not a zip container, as XLSX is: %v", err)
	}
	if len(container.File) > limits.Entries {
		return fileError("the container holds %d files, more than %d", len(container.File), limits.Entries)
	}
	var unpacked uint64
	for _, entry := range container.File {
		unpacked += entry.UncompressedSize64
		if entry.UncompressedSize64 > uint64(limits.Unzipped) || unpacked > uint64(limits.Unzipped) {
			return fileError("unpacks to more than %d bytes", limits.Unzipped)
		}
	}
	if unpacked > uint64(limits.Ratio)*uint64(len(content)) {
		return fileError("unpacks to more than %d times its size", limits.Ratio)
	}
	return nil
}

// chooseSheet returns the sheet named, or else the only one with content.
func chooseSheet(book *excelize.File, name string) (string, error) {
	sheets := book.GetSheetList()
	if name != "" {
		for _, sheet := range sheets {
			if sheet == name {
				return sheet, nil
			}
		}
		return "", fileError("has no sheet %q", name)
	}
	chosen := ""
	for _, sheet := range sheets {
		filled, err := hasContent(book, sheet)
		if err != nil {
			return "", err
		}
		if !filled {
			continue
		}
		if chosen != "" {
			return "", fileError("the sheets %q and %q both have content; name one", chosen, sheet)
		}
		chosen = sheet
	}
	if chosen == "" {
		return "", fileError("the file holds no rows")
	}
	return chosen, nil
}

func hasContent(book *excelize.File, sheet string) (bool, error) {
	rows, err := book.Rows(sheet)
	if err != nil {
		return false, fileError("sheet %q cannot be read: %v", sheet, err)
	}
	defer rows.Close()
	for rows.Next() {
		cells, err := rows.Columns()
		if err != nil {
			return false, fileError("sheet %q cannot be read: %v", sheet, err)
		}
		if !blank(cells) {
			return true, nil
		}
	}
	return false, nil
}

func sheetRows(ctx context.Context, book *excelize.File, sheet string, limits Limits) ([]Row, error) {
	rows, err := book.Rows(sheet)
	if err != nil {
		return nil, fileError("sheet %q cannot be read: %v", sheet, err)
	}
	defer rows.Close()
	var read []Row
	for line := 1; rows.Next(); line++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		cells, err := rows.Columns()
		if err != nil {
			return nil, fileError("row %d of sheet %q cannot be read: %v", line, sheet, err)
		}
		if blank(cells) {
			continue
		}
		if len(read) == limits.Rows {
			return nil, tooManyRows(limits)
		}
		read = append(read, Row{Line: line, Cells: cells, Err: checkCells(cells, limits)})
	}
	if err := rows.Error(); err != nil {
		return nil, fileError("sheet %q cannot be read: %v", sheet, err)
	}
	return read, markRounded(book, sheet, read)
}

// longNumber is what may have been rounded: a spreadsheet keeps 15 digits of a
// number and stores larger ones with an exponent.
var longNumber = regexp.MustCompile(`^-?([0-9]{16,}|[0-9](\.[0-9]+)?[eE]\+?[0-9]+)$`)

// markRounded finds long numbers that are numbers to the spreadsheet; as text
// they are as they were typed.
func markRounded(book *excelize.File, sheet string, rows []Row) error {
	for i, row := range rows {
		for k, text := range row.Cells {
			if !longNumber.MatchString(text) {
				continue
			}
			name, err := excelize.CoordinatesToCellName(k+1, row.Line)
			if err != nil {
				return fileError("row %d of sheet %q cannot be read: %v", row.Line, sheet, err)
			}
			kind, err := book.GetCellType(sheet, name)
			if err != nil {
				return fileError("row %d of sheet %q cannot be read: %v", row.Line, sheet, err)
			}
			if kind != excelize.CellTypeSharedString && kind != excelize.CellTypeInlineString && kind != excelize.CellTypeFormula {
				if rows[i].Rounded == nil {
					rows[i].Rounded = make(map[int]bool)
				}
				rows[i].Rounded[k] = true
			}
		}
	}
	return nil
}
