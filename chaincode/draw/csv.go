package draw

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// csvHeader is the first row of a directory file.
const csvHeader = "id,stratum,weight"

// CSV is a directory in a file: UTF-8, RFC 4180, the header id,stratum,weight,
// rows in id order. Open starts at the beginning each time it is called.
type CSV struct {
	Open func() (io.ReadCloser, error)
}

// Each visits the objects in the order of the file.
func (c CSV) Each(visit func(Object) error) error {
	in, err := c.Open()
	if err != nil {
		return fmt.Errorf("open directory file: %w", err)
	}
	return errors.Join(readCSV(in, visit), in.Close())
}

func readCSV(in io.Reader, visit func(Object) error) error {
	rows := csv.NewReader(in)
	rows.ReuseRecord, rows.FieldsPerRecord = true, 3
	for line := 0; ; line++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) && line > 0 {
			return nil
		}
		if err != nil {
			return refuse(KindSyntax, "objects file", "%v", err)
		}
		if line == 0 {
			if strings.Join(row, ",") != csvHeader {
				return refuse(KindSyntax, "objects file", "the first row is not %s", csvHeader)
			}
			continue
		}
		weight, err := parseWeight(row[2])
		if err != nil {
			return inEntry(err, fmt.Sprintf("objects file row %d %q", line, row[0]))
		}
		// The reader reuses its row; one string per row lets the rest go.
		if err := visit(Object{ID: strings.Clone(row[0]), Stratum: row[1], Weight: weight}); err != nil {
			return err
		}
	}
}

// parseWeight reads plain digits without sign or leading zero.
func parseWeight(text string) (uint32, error) {
	w, err := strconv.ParseUint(text, 10, 32)
	if err != nil || strconv.FormatUint(w, 10) != text {
		return 0, refuse(KindSyntax, "", "weight %q is not a whole number below 2^32", text)
	}
	return uint32(w), nil
}
