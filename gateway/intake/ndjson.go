package intake

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// readNDJSON reads one JSON object for each line. Empty lines are allowed.
func readNDJSON(content []byte, limits Limits) ([]Row, error) {
	var rows []Row
	line := 0
	for text := range bytes.Lines(bytes.TrimPrefix(content, bom)) {
		line++
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		if len(rows) == limits.Rows {
			return nil, tooManyRows(limits)
		}
		row := Row{Line: line}
		if row.Err = checkLine(text, limits); row.Err == nil {
			row.Object = jsontext.Value(text)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func checkLine(text []byte, limits Limits) error {
	value := jsontext.Value(text)
	switch {
	case len(text) > limits.Line:
		return metrology.Errorf(metrology.CodeInvalid, "the line has %d bytes, more than %d", len(text), limits.Line)
	case !utf8.Valid(text):
		return metrology.Errorf(metrology.CodeInvalid, "the line is not UTF-8")
	case value.Kind() != '{' || !value.IsValid():
		return metrology.Errorf(metrology.CodeInvalid, "the line is not one JSON object with distinct members")
	}
	return nil
}
