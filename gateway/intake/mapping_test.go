package intake

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

func TestShipped(t *testing.T) {
	require.ElementsMatch(t, Kinds, ShippedNames())
	for _, name := range ShippedNames() {
		m, err := Shipped(name)
		require.NoError(t, err)
		require.Equal(t, name, m.Kind)
	}
	for _, name := range []string{"", "../secret", "nothing"} {
		_, err := Shipped(name)
		requireRule(t, err, "mapping", "mapping")
	}
}

func TestParseMapping_Refuses(t *testing.T) {
	const good = "version: 1\nkind: certificates\ncolumns: [{header: [n], member: number}]\n"
	_, err := ParseMapping([]byte(good))
	require.NoError(t, err)
	for name, c := range map[string]struct{ yaml, part string }{
		"ErrVersion":         {strings.Replace(good, "1", "2", 1), "version 2"},
		"ErrKind":            {strings.Replace(good, "certificates", "draws", 1), `kind "draws"`},
		"ErrUnknownKey":      {good + "colour: red\n", "colour"},
		"ErrNoColumns":       {"version: 1\nkind: sites\n", "no columns"},
		"ErrNoHeader":        {strings.Replace(good, "[n]", "[]", 1), "no header"},
		"ErrHeaderTwice":     {strings.Replace(good, "[n]", "[n, Ｎ]", 1), "stands twice"},
		"ErrPath":            {strings.Replace(good, "number", "a..b", 1), "member's path"},
		"ErrEndsInList":      {strings.Replace(good, "number", "'digests[]'", 1), "ends in a list"},
		"ErrFarElement":      {strings.Replace(good, "number", "'a[99].b'", 1), "cannot be addressed"},
		"ErrAs":              {strings.Replace(good, "number", "number, as: float", 1), `as: "float"`},
		"ErrReference":       {strings.Replace(good, "number", "number, as: reference", 1), "needs to"},
		"ErrToWithoutRef":    {strings.Replace(good, "number", "number, to: sites", 1), "as: reference"},
		"ErrWithWithoutList": {strings.Replace(good, "number", "number, with: {a: b}", 1), "digests[].value"},
		"ErrFixedPath":       {good + "fixed: {'a b': c}\n", "fixed"},
		"ErrCopyPath":        {good + "copy: {'a.b': c}\n", "copy"},
		"ErrTooLarge":        {good + strings.Repeat("#", maxMapping), "more than"},
		"ErrNotYAML":         {"\t", "mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseMapping([]byte(c.yaml))
			require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))
			require.ErrorContains(t, err, c.part)
		})
	}
}

func FuzzParseMapping(f *testing.F) {
	f.Add([]byte("version: 1\nkind: sites\ncolumns: [{header: [n], member: 'a[0].b', as: date}]\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if m, err := ParseMapping(content); err == nil {
			table := Table{Format: CSV, Rows: []Row{{Line: 1, Cells: []string{"n"}}, {Line: 2, Cells: []string{"x"}}}}
			_, _, _ = m.Apply(table, func(kind, source string) string { return kind + source })
		}
	})
}

// apply reads a CSV text by a shipped mapping.
func apply(t *testing.T, mapping, content string) (records []Record, unused []string, err error) {
	t.Helper()
	m, err := Shipped(mapping)
	require.NoError(t, err)
	table, err := read(t, content, CSV)
	require.NoError(t, err)
	return m.Apply(table, func(kind, source string) string { return kind + ":" + source })
}

func TestApply_Certificates(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	records, unused, err := apply(t, "certificates", "某市计量检定所日报,,,,,,,,,\n"+
		"证书编号*,出厂编号,类别代码,检定规程, 检定日期 ,有效期至,检定结论,文件ＳＨＡ256,SM3,送检单位\n"+
		"JD-1, 000123 ,fuel-dispenser,JJG 443-2023,2026年1月2日,2026-07-01,合格,"+strings.ToUpper(digest)+","+digest+",某公司\n")
	require.NoError(t, err)
	require.Equal(t, []string{"送检单位"}, unused)
	require.Len(t, records, 1)
	require.Nil(t, records[0].Fault)
	require.Equal(t, 3, records[0].Line)
	require.JSONEq(t, `{"number":"JD-1","kind":"verification-certificate","regulation":"JJG 443-2023",
		"performed":"2026-01-02","issued":"2026-01-02","validUntil":"2026-07-01",
		"instruments":[{"serial":"000123","category":"fuel-dispenser","conclusion":"pass"}],
		"digests":[{"algorithm":"sha256","value":"`+digest+`"},{"algorithm":"sm3","value":"`+digest+`"}]}`, string(records[0].Members))
	for field, header := range map[string]string{
		"number": "证书编号*", "instruments[0].serial": "出厂编号", "digests[1].value": "SM3", "digests[1].algorithm": "",
		"issued": "检定日期", "instruments[0].class": "", "nothing": "",
	} {
		require.Equal(t, header, records[0].Column(field), field)
	}
}

func TestApply_Faults(t *testing.T) {
	const head = "证书编号,出厂编号,检定日期,结论\n"
	for _, c := range []struct{ name, row, column, field, reason string }{
		{"ErrRequired", ",1,2026-01-02,合格", "证书编号", "number", "is required"},
		{"ErrDate", "n,1,昨天,合格", "检定日期", "performed", `"昨天" is not a date`},
		{"ErrValue", "n,1,2026-01-02,凑合", "结论", "instruments[0].conclusion", "not a value that the mapping knows"},
		{"ErrTooManyCells", "n,1,2026-01-02,合格,more", "", "", "more columns than the header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			records, _, err := apply(t, "certificates", head+"a,1,2026-01-02,合格\n"+c.row+"\nb,1,2026-01-02,合格\n")
			require.NoError(t, err)
			require.Len(t, records, 3, "good rows stand")
			require.Nil(t, records[0].Fault)
			require.Nil(t, records[2].Fault)
			fault := records[1].Fault
			require.NotNil(t, fault)
			require.Equal(t, Fault{Column: c.column, Field: c.field, Rule: metrology.CodeInvalid, Reason: fault.Reason}, *fault)
			require.Contains(t, fault.Reason, c.reason)
			require.Equal(t, 3, records[1].Line)
		})
	}
}

func TestApply_Headers(t *testing.T) {
	t.Run("ErrMissing", func(t *testing.T) {
		_, _, err := apply(t, "certificates", "证书编号,结论\nn,合格\n")
		requireRule(t, err, "file", "检定日期")
	})
	t.Run("ErrTwice", func(t *testing.T) {
		_, _, err := apply(t, "certificates", "证书编号,检定日期,证书编号\nn,2026-01-02,m\n")
		requireRule(t, err, "file", "stands twice")
	})
	t.Run("ErrNoRowsBelow", func(t *testing.T) {
		_, _, err := apply(t, "certificates", "证书编号,检定日期\n")
		requireRule(t, err, "file", "below the header")
	})
	t.Run("of two that mean the same the first named is read", func(t *testing.T) {
		records, unused, err := apply(t, "certificates", "证书编号,检定日期,有效期,有效期至\nn,2026-01-02,一年,2027-01-01\n")
		require.NoError(t, err)
		require.Nil(t, records[0].Fault)
		require.Equal(t, []string{"有效期"}, unused)
		require.Contains(t, string(records[0].Members), `"validUntil":"2027-01-01"`)
	})
}

func TestApply_ReferencesAndSources(t *testing.T) {
	records, _, err := apply(t, "sites", "场所编号,类型,行政区划代码,所属市场,商户编号,入驻日期,名称\n"+
		"T1,摊位,310115,MK,A2,2026-01-02,一号摊\n,摊位,310115,,,,无号\n")
	require.NoError(t, err)
	require.Equal(t, "T1", records[0].Source)
	require.JSONEq(t, `{"kind":"stall","region":"310115","parent":"sites:MK","occupant":"merchants:A2","from":"2026-01-02","profile":{"name":"一号摊"}}`, string(records[0].Members))
	require.Equal(t, "场所编号", records[1].Fault.Column)
}

func TestApply_RoundedNumbersAreRefused(t *testing.T) {
	m, err := Shipped("certificates")
	require.NoError(t, err)
	table, err := read(t, workbook(t, map[string][][]any{"a": {{"证书编号", "检定日期"}, {20260102000000123e3, 46024}, {"20260102000000123000", 46024}}}), XLSX)
	require.NoError(t, err)
	records, _, err := m.Apply(table, nil)
	require.NoError(t, err)
	require.Contains(t, records[0].Fault.Reason, "format the column as text")
	require.Nil(t, records[1].Fault)
	require.Contains(t, string(records[1].Members), `"number":"20260102000000123000","performed":"2026-01-02"`)
}

func TestApply_NDJSON(t *testing.T) {
	m, err := Shipped("certificates")
	require.NoError(t, err)
	table, err := read(t, `{"证书编号":"n","检定日期":"2026-01-02","出厂编号":null,"台数":1}`+"\n"+`{"证书编号":["n"]}`+"\n"+`{"结论":"合格","检定结论 ":"合格"," 结论":"合格"}`+"\n", NDJSON)
	require.NoError(t, err)
	records, unused, err := m.Apply(table, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"台数"}, unused)
	require.Nil(t, records[0].Fault)
	require.Equal(t, "is not a plain value", records[1].Fault.Reason)
	require.Contains(t, records[2].Fault.Reason, "means the same as")
}

func TestObjects(t *testing.T) {
	table, err := read(t, `{"source":"a","kind":"shop"}`+"\n"+`{"kind":"shop"}`+"\n"+`{"source":1}`+"\n", NDJSON)
	require.NoError(t, err)
	records, err := Objects(table, "source")
	require.NoError(t, err)
	require.Equal(t, "a", records[0].Source)
	require.JSONEq(t, `{"kind":"shop"}`, string(records[0].Members))
	require.Equal(t, "source", records[1].Fault.Field)
	require.Equal(t, "source", records[2].Fault.Field)

	_, err = Objects(Table{Format: CSV}, "")
	requireRule(t, err, "mapping", "needs a mapping")
}
