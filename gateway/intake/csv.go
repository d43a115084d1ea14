package intake

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// readCSV reads RFC 4180 text in UTF-8 or GB18030, separated by commas, tabs or
// semicolons.
func readCSV(content []byte, limits Limits) ([]Row, error) {
	text, err := decodeText(content)
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(bytes.NewReader(text))
	reader.Comma = separator(text)
	reader.FieldsPerRecord = -1 // rows are checked one by one against the header
	var rows []Row
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		row := Row{Cells: cells}
		var syntax *csv.ParseError
		switch {
		case errors.As(err, &syntax):
			row.Line = syntax.StartLine
			row.Cells, row.Err = nil, syntaxError(syntax)
		case err != nil:
			return nil, fileError("cannot be read as CSV: %v", err)
		case blank(cells):
			continue
		default:
			row.Line, _ = reader.FieldPos(0)
			row.Err = checkCells(cells, limits)
		}
		if len(rows) == limits.Rows {
			return nil, tooManyRows(limits)
		}
		rows = append(rows, row)
	}
}

// syntaxError tells a quoting mistake. One that hides the lines after it says so.
func syntaxError(e *csv.ParseError) error {
	if e.Line > e.StartLine {
		return metrology.Errorf(metrology.CodeInvalid, "a quote opens in this line; lines %d to %d cannot be read: %v", e.StartLine, e.Line, e.Err)
	}
	return metrology.Errorf(metrology.CodeInvalid, "the line is not CSV: %v", e.Err)
}

// decodeText returns UTF-8. What is valid UTF-8 is taken for it; everything
// else must be GB18030 (GBK and GB 2312 are parts of it), the default of
// spreadsheets on Chinese Windows.
func decodeText(content []byte) ([]byte, error) {
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return nil, fileError("is UTF-16; save it as UTF-8 or GB18030")
	}
	content = bytes.TrimPrefix(content, bom)
	if utf8.Valid(content) {
		return content, nil
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(content)
	if err != nil {
		return nil, fileError("is neither UTF-8 nor GB18030: %v", err)
	}
	if i := bytes.Index(text, []byte("\ufffd")); i >= 0 {
		return nil, fileError("is neither UTF-8 nor GB18030: line %d", 1+bytes.Count(text[:i], []byte("\n")))
	}
	return text, nil
}

// separator is the one of the three that the first lines hold most of; a comma
// when they hold none. A title may stand above the header.
func separator(text []byte) rune {
	end := 0
	for range maxTitleRows + 1 {
		next := bytes.IndexByte(text[end:], '\n')
		if next < 0 {
			end = len(text)
			break
		}
		end += next + 1
	}
	best, most := ',', bytes.Count(text[:end], []byte(","))
	for _, candidate := range []rune{'\t', ';'} {
		if count := bytes.Count(text[:end], []byte(string(candidate))); count > most {
			best, most = candidate, count
		}
	}
	return best
}
