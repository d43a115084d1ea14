// Package intake reads the files that institutes and bureaus export from their
// own systems (NDJSON, CSV in UTF-8 or GB18030, XLSX) and turns their rows into
// JSON objects by a mapping of columns to members. It does no I/O but reading
// what it is given. Rows keep their order and their line numbers; a row that
// cannot be read is reported as such and never left out.
package intake

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Format is the form of a file.
type Format string

// The formats.
const (
	NDJSON Format = "ndjson"
	CSV    Format = "csv"
	XLSX   Format = "xlsx"
)

// Limits bound one file.
type Limits struct {
	Rows     int   // rows with content
	Columns  int   // of one row
	Cell     int   // bytes of one cell
	Line     int   // bytes of one NDJSON line
	Entries  int   // files in the zip container of an XLSX file
	Unzipped int64 // bytes of all of them, unpacked
	Ratio    int64 // unpacked bytes for each packed one
}

// DefaultLimits suit a day's work of a large institute.
func DefaultLimits() Limits {
	return Limits{
		Rows: 20_000, Columns: 200, Cell: 4 << 10, Line: 64 << 10,
		Entries: 256, Unzipped: 128 << 20, Ratio: 200,
	}
}

// Table is a file's rows, before any meaning is given to them.
type Table struct {
	Format   Format
	Rows     []Row
	Date1904 bool // XLSX: days count from 1904-01-01
}

// Row is one row with content.
type Row struct {
	Line    int            // in the file, from 1; for XLSX the row's number
	Cells   []string       // CSV and XLSX
	Rounded map[int]bool   // XLSX: cells with a number of more digits than a spreadsheet keeps
	Object  jsontext.Value // NDJSON: a JSON object
	Err     error          // the row cannot be read; a metrology.Error
}

// Detect tells the format by a file's first bytes.
func Detect(content []byte) Format {
	if bytes.HasPrefix(content, []byte("PK\x03\x04")) {
		return XLSX
	}
	if bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(content, bom), " \t\r\n"), []byte("{")) {
		return NDJSON
	}
	return CSV
}

// bom is the byte order mark that some programs write before UTF-8.
var bom = []byte("\xef\xbb\xbf")

// Read reads a file to its end. sheet names the sheet of an XLSX file; empty
// means the first. An error means that no row can be trusted: it is a
// metrology.Error for what is wrong with the file, or that of the reader.
func Read(ctx context.Context, file io.Reader, format Format, sheet string, limits Limits) (Table, error) {
	content, err := io.ReadAll(file)
	if err != nil {
		return Table{}, fmt.Errorf("read file: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return Table{}, err
	}
	table := Table{Format: format}
	switch format {
	case NDJSON:
		table.Rows, err = readNDJSON(content, limits)
	case CSV:
		table.Rows, err = readCSV(content, limits)
	case XLSX:
		table, err = readXLSX(ctx, content, sheet, limits)
	default:
		err = fileError("%q is not a format", format)
	}
	if err != nil {
		return Table{}, err
	}
	if len(table.Rows) == 0 {
		return Table{}, fileError("the file holds no rows")
	}
	return table, nil
}

// fileError is a rule that the file as a whole breaks.
func fileError(format string, args ...any) error {
	return metrology.FieldErrorf(metrology.CodeInvalid, "file", format, args...)
}

func tooManyRows(limits Limits) error { return fileError("more than %d rows", limits.Rows) }

// checkCells refuses a row that is too wide or has a cell that is too long.
func checkCells(cells []string, limits Limits) error {
	if len(cells) > limits.Columns {
		return metrology.Errorf(metrology.CodeInvalid, "the row has %d columns, more than %d", len(cells), limits.Columns)
	}
	for i, cell := range cells {
		if len(cell) > limits.Cell {
			return metrology.Errorf(metrology.CodeInvalid, "column %d has %d bytes, more than %d", i+1, len(cell), limits.Cell)
		}
	}
	return nil
}

func blank(cells []string) bool {
	for _, cell := range cells {
		if trim(cell) != "" {
			return false
		}
	}
	return true
}
