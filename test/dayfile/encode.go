package dayfile

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Encode writes rows in a format: csv, csv-bom, gb18030, xlsx or ndjson.
func Encode(format string, rows [][]string) ([]byte, error) {
	switch format {
	case "csv":
		return encodeCSV(rows)
	case "csv-bom":
		encoded, err := encodeCSV(rows)
		return append([]byte("\xef\xbb\xbf"), encoded...), err
	case "gb18030":
		encoded, err := encodeCSV(rows)
		if err != nil {
			return nil, err
		}
		return simplifiedchinese.GB18030.NewEncoder().Bytes(encoded)
	case "xlsx":
		return encodeXLSX(rows)
	case "ndjson":
		return encodeNDJSON(rows)
	}
	return nil, fmt.Errorf("format %q is none of csv, csv-bom, gb18030, xlsx, ndjson", format)
}

func encodeCSV(rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	writer := csv.NewWriter(&out)
	writer.UseCRLF = true
	if err := writer.Write(headers); err != nil {
		return nil, err
	}
	if err := writer.WriteAll(rows); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// encodeNDJSON writes the columns as members of flat objects, to be read by
// the mapping certificates.
func encodeNDJSON(rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for _, row := range rows {
		object := make(map[string]string, len(row))
		for i, text := range row {
			object[headers[i]] = text
		}
		if err := encoder.Encode(object); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// encodeXLSX writes a title above the header and real dates, as workbooks have.
func encodeXLSX(rows [][]string) ([]byte, error) {
	book := excelize.NewFile()
	defer book.Close()
	date, err := book.NewStyle(&excelize.Style{NumFmt: 14})
	if err != nil {
		return nil, err
	}
	sheet, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		return nil, err
	}
	if err := sheet.SetRow("A1", []any{"检定证书登记表"}); err != nil {
		return nil, err
	}
	if err := sheet.SetRow("A2", cells(headers, date)); err != nil {
		return nil, err
	}
	for i, row := range rows {
		if err := sheet.SetRow(fmt.Sprintf("A%d", i+3), cells(row, date)); err != nil {
			return nil, err
		}
	}
	if err := sheet.Flush(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := book.Write(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func cells(row []string, date int) []any {
	values := make([]any, len(row))
	for i, text := range row {
		values[i] = text
		if day, err := time.Parse("2006/1/2", text); err == nil && i == columnValidUntil {
			values[i] = excelize.Cell{StyleID: date, Value: day}
		}
	}
	return values
}
