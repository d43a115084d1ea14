package intake

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

func read(t *testing.T, content string, format Format) (Table, error) {
	t.Helper()
	return Read(context.Background(), strings.NewReader(content), format, "", DefaultLimits())
}

// requireRule requires a broken rule of one field whose text holds a part.
func requireRule(t *testing.T, err error, field, part string) {
	t.Helper()
	var rule *metrology.Error
	require.ErrorAs(t, err, &rule)
	require.Equal(t, metrology.CodeInvalid, rule.Code)
	require.Equal(t, field, rule.Field)
	require.Contains(t, rule.Message, part)
}

func gb18030(t *testing.T, text string) string {
	t.Helper()
	encoded, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	require.NoError(t, err)
	return encoded
}

func TestReadCSV_Encodings(t *testing.T) {
	const text = "证书编号,结论\r\nJD-1,合格\r\n"
	for name, content := range map[string]string{
		"UTF-8": text, "UTF-8 with BOM": "\xef\xbb\xbf" + text, "GB18030": gb18030(t, text),
		"tabs": strings.ReplaceAll(text, ",", "\t"), "semicolons": strings.ReplaceAll(text, ",", ";"),
	} {
		t.Run(name, func(t *testing.T) {
			table, err := read(t, content, CSV)
			require.NoError(t, err)
			require.Equal(t, []Row{{Line: 1, Cells: []string{"证书编号", "结论"}}, {Line: 2, Cells: []string{"JD-1", "合格"}}}, table.Rows)
		})
	}
	t.Run("a title without separators above the header", func(t *testing.T) {
		table, err := read(t, "日报\na;b\n1;2\n", CSV)
		require.NoError(t, err)
		require.Equal(t, []string{"1", "2"}, table.Rows[2].Cells)
	})
	t.Run("GB18030 four bytes", func(t *testing.T) {
		table, err := read(t, gb18030(t, "a\n㐀𠀀\n"), CSV)
		require.NoError(t, err)
		require.Equal(t, "㐀𠀀", table.Rows[1].Cells[0])
	})
}

func TestReadCSV_Refuses(t *testing.T) {
	for _, c := range []struct{ name, content, part string }{
		{"ErrUTF16", "\xff\xfea\x00", "is UTF-16"},
		{"ErrNeitherEncoding", "a,b\nc,\xff\xff\n", "line 2"},
		{"ErrEmpty", "", "holds no rows"},
		{"ErrBlankLinesOnly", "\n , \n\n", "holds no rows"},
		{"ErrTooManyRows", strings.Repeat("a\n", DefaultLimits().Rows+1), "more than 20000 rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(t, c.content, CSV)
			requireRule(t, err, "file", c.part)
		})
	}
}

func TestReadCSV_BadRowsStayInTheirPlace(t *testing.T) {
	table, err := read(t, "n,s\n1,a\n2,\"b\"x\n\n3,\"c\nd\"\n4,"+strings.Repeat("e", 5000)+"\n5,f\n", CSV)
	require.NoError(t, err)
	var lines []int
	var bad []int
	for _, row := range table.Rows {
		lines = append(lines, row.Line)
		if row.Err != nil {
			bad = append(bad, row.Line)
		}
	}
	require.Equal(t, []int{1, 2, 3, 5, 7, 8}, lines)
	require.Equal(t, []int{3, 7}, bad)
	require.Equal(t, "c\nd", table.Rows[3].Cells[1])

	t.Run("an open quote says what it hides", func(t *testing.T) {
		table, err := read(t, "n\n1\n\"2\n3\n4\n", CSV)
		require.NoError(t, err)
		last := table.Rows[len(table.Rows)-1]
		require.Equal(t, 3, last.Line)
		requireRule(t, last.Err, "", "lines 3 to")
	})
}

func TestReadNDJSON(t *testing.T) {
	table, err := read(t, "\xef\xbb\xbf{\"a\":1}\r\n\n[1]\n{\"a\":1,\"a\":2}\n{\"a\":\"\xff\"}\n{\"a\":\""+strings.Repeat("x", 70_000)+"\"}\n{\"b\":2}", NDJSON)
	require.NoError(t, err)
	require.Len(t, table.Rows, 6)
	require.Equal(t, `{"a":1}`, string(table.Rows[0].Object))
	for i, part := range map[int]string{1: "one JSON object", 2: "distinct members", 3: "not UTF-8", 4: "more than 65536"} {
		requireRule(t, table.Rows[i].Err, "", part)
	}
	require.Equal(t, []int{1, 3, 4, 5, 6, 7}, linesOf(table.Rows))
}

func linesOf(rows []Row) (lines []int) {
	for _, row := range rows {
		lines = append(lines, row.Line)
	}
	return lines
}

// workbook makes an XLSX file of sheets of rows.
func workbook(t testing.TB, sheets map[string][][]any) string {
	t.Helper()
	book := excelize.NewFile()
	defer book.Close()
	for name, rows := range sheets {
		_, err := book.NewSheet(name)
		require.NoError(t, err)
		for i, row := range rows {
			cell, err := excelize.CoordinatesToCellName(1, i+1)
			require.NoError(t, err)
			require.NoError(t, book.SetSheetRow(name, cell, &row))
		}
	}
	var out bytes.Buffer
	require.NoError(t, book.Write(&out))
	return out.String()
}

func TestReadXLSX(t *testing.T) {
	file := workbook(t, map[string][][]any{"日报": {{"证书编号"}, nil, {"JD-1", 45658}}})
	table, err := read(t, file, XLSX)
	require.NoError(t, err)
	require.Equal(t, []Row{{Line: 1, Cells: []string{"证书编号"}}, {Line: 3, Cells: []string{"JD-1", "45658"}}}, table.Rows)
	require.Equal(t, XLSX, Detect([]byte(file)))

	two := workbook(t, map[string][][]any{"a": {{"x"}}, "b": {{"y"}}})
	t.Run("a sheet can be named", func(t *testing.T) {
		table, err := Read(context.Background(), strings.NewReader(two), XLSX, "b", DefaultLimits())
		require.NoError(t, err)
		require.Equal(t, "y", table.Rows[0].Cells[0])
	})
	tight := func(change func(*Limits)) Limits {
		limits := DefaultLimits()
		change(&limits)
		return limits
	}
	for _, c := range []struct {
		name, file, sheet, part string
		limits                  Limits
	}{
		{"ErrTwoSheets", two, "", "both have content", DefaultLimits()},
		{"ErrNoSuchSheet", two, "c", `no sheet "c"`, DefaultLimits()},
		{"ErrNotZip", "PK\x03\x04 no", "", "not a zip container", DefaultLimits()},
		{"ErrNoContent", workbook(t, nil), "", "holds no rows", DefaultLimits()},
		{"ErrRatio", workbook(t, map[string][][]any{"a": {{strings.Repeat("x", 30_000)}}}), "", "times its size", tight(func(l *Limits) { l.Ratio = 2 })},
		{"ErrUnzipped", file, "", "unpacks to more than 100 bytes", tight(func(l *Limits) { l.Unzipped = 100 })},
		{"ErrEntries", file, "", "files, more than 2", tight(func(l *Limits) { l.Entries = 2 })},
		{"ErrRows", file, "", "more than 1 rows", tight(func(l *Limits) { l.Rows = 1 })},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(context.Background(), strings.NewReader(c.file), XLSX, c.sheet, c.limits)
			requireRule(t, err, "file", c.part)
		})
	}
}

func TestDetect(t *testing.T) {
	for content, format := range map[string]Format{
		"PK\x03\x04...": XLSX, " \n{\"a\":1}": NDJSON, "\xef\xbb\xbf{}": NDJSON, "a,b": CSV, "": CSV,
	} {
		require.Equal(t, format, Detect([]byte(content)), "%q", content)
	}
}

func TestParseDate(t *testing.T) {
	for _, c := range []struct {
		text   string
		format Format
		want   metrology.Date
	}{
		{"2026-01-02", CSV, "2026-01-02"}, {"2026/1/2", CSV, "2026-01-02"}, {"2026.1.2", CSV, "2026-01-02"},
		{"2026年1月2日", CSV, "2026-01-02"}, {"2026年01月02日", CSV, "2026-01-02"}, {"20260102", CSV, "2026-01-02"},
		{"2026-01-02 23:59:59", CSV, "2026-01-02"}, {"2024年2月29日", CSV, "2024-02-29"},
		{"46024", XLSX, "2026-01-02"}, {"46024.75", XLSX, "2026-01-02"}, {"61", XLSX, "1900-03-01"},
		{"46024", CSV, ""}, {"60", XLSX, ""}, {"NaN", XLSX, ""}, {"1e9", XLSX, ""}, {"-5", XLSX, ""},
		{"2026年2月30日", CSV, ""}, {"1/2/2026", CSV, ""}, {"26-01-02", CSV, ""}, {"长期", CSV, ""},
	} {
		got, ok := parseDate(c.text, defaultDates, Table{Format: c.format})
		require.Equal(t, c.want, got, "%s in %s", c.text, c.format)
		require.Equal(t, c.want != "", ok)
	}
	got, ok := parseDate("44562", defaultDates, Table{Format: XLSX, Date1904: true})
	require.True(t, ok)
	require.Equal(t, metrology.Date("2026-01-02"), got)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("证书编号,结论\nJD-1,\"合格\"\n"))
	f.Add([]byte("{\"a\":1}\n{\"a\":[]}\n"))
	f.Add([]byte("\xd6\xa4\xca\xe9,x\n"))
	f.Add([]byte(workbook(f, map[string][][]any{"a": {{"证书编号"}, {"JD-1"}}})))
	limits := DefaultLimits()
	limits.Rows, limits.Unzipped = 100, 1<<20
	mapping, err := Shipped("certificates")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, format := range []Format{NDJSON, CSV, XLSX} {
			table, err := Read(context.Background(), bytes.NewReader(content), format, "", limits)
			if err != nil {
				continue
			}
			require.LessOrEqual(t, len(table.Rows), limits.Rows)
			records, _, err := mapping.Apply(table, nil)
			if err != nil {
				continue
			}
			before := 0
			for _, record := range records {
				require.Greater(t, record.Line, before, "rows keep their order")
				before = record.Line
				require.True(t, record.Fault != nil || record.Members.IsValid())
			}
		}
	})
}
