package draw

import (
	"bytes"
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
	rows := newRowReader(in, 3)
	header, err := rows.next()
	if err == nil && string(bytes.Join(header, []byte{','})) != csvHeader {
		err = refuse(KindSyntax, "", "the first row is not %s", csvHeader)
	}
	if err != nil {
		return inEntry(notEnd(err), "objects file")
	}
	return readRows(rows, visit)
}

// ReadObjects visits the objects of rows without a header.
func ReadObjects(in io.Reader, visit func(Object) error) error {
	return readRows(newRowReader(in, 3), visit)
}

func readRows(rows *rowReader, visit func(Object) error) error {
	reader := objectReader{strata: make(map[string]string)}
	for line := 1; ; line++ {
		row, err := rows.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return inEntry(err, "objects file")
		}
		o, err := reader.object(row)
		if err != nil {
			return inEntry(err, fmt.Sprintf("objects file row %d %q", line, row[0]))
		}
		if err := visit(o); err != nil {
			return err
		}
	}
}

// objectReader makes objects of rows. Ids share slabs, since a string for each
// of ten million costs more than reading them; strata are few.
type objectReader struct {
	slab    strings.Builder
	strata  map[string]string
	stratum string // of the row before
}

// slabSize holds some five thousand ids.
const slabSize = 64 << 10

func (r *objectReader) object(row [][]byte) (Object, error) {
	weight, err := parseWeightBytes(row[2])
	if err != nil {
		return Object{}, err
	}
	if r.stratum != string(row[1]) {
		known, found := r.strata[string(row[1])]
		if !found {
			known = string(row[1])
			r.strata[known] = known
		}
		r.stratum = known
	}
	return Object{ID: r.id(row[0]), Stratum: r.stratum, Weight: weight}, nil
}

func (r *objectReader) id(text []byte) string {
	if len(text) > r.slab.Cap()-r.slab.Len() {
		r.slab = strings.Builder{}
		r.slab.Grow(max(slabSize, len(text)))
	}
	start := r.slab.Len()
	r.slab.Write(text)
	return r.slab.String()[start:]
}

// parseWeightBytes reads plain digits without sign or leading zero.
func parseWeightBytes(text []byte) (uint32, error) {
	if len(text) == 1 && text[0] >= '0' && text[0] <= '9' {
		return uint32(text[0] - '0'), nil
	}
	return parseWeight(string(text))
}

// parseWeight reads plain digits without sign or leading zero.
func parseWeight(text string) (uint32, error) {
	w, err := strconv.ParseUint(text, 10, 32)
	if err != nil || strconv.FormatUint(w, 10) != text {
		return 0, refuse(KindSyntax, "", "weight %q is not a whole number below 2^32", text)
	}
	return uint32(w), nil
}

// CSVHeader is the first line of a directory file.
const CSVHeader = csvHeader + "\n"

// AppendRow appends an object's row as a directory file has it.
func AppendRow(out []byte, o Object) []byte {
	out = append(append(out, o.ID...), ',')
	if strings.ContainsAny(o.Stratum, "\",\r\n") {
		out = append(out, '"')
		out = append(out, strings.ReplaceAll(o.Stratum, `"`, `""`)...)
		out = append(out, '"')
	} else {
		out = append(out, o.Stratum...)
	}
	return append(strconv.AppendUint(append(out, ','), uint64(o.Weight), 10), '\n')
}
