package dayfile

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
)

// Every format carries the same certificates, and exactly the bad rows are bad.
func TestRows_AllFormatsReadAlike(t *testing.T) {
	o := Options{Rows: 2000, Bad: 21, Day: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Prefix: "JD-", Seed: 7}
	rows, bad := Rows(o)
	require.Len(t, rows, 2000)
	require.Len(t, bad, 21)
	mapping, err := intake.Shipped("certificates")
	require.NoError(t, err)
	var want []string
	for _, format := range []string{"csv", "csv-bom", "gb18030", "xlsx", "ndjson"} {
		t.Run(format, func(t *testing.T) {
			file, err := Encode(format, rows)
			require.NoError(t, err)
			table, err := intake.Read(context.Background(), bytes.NewReader(file), intake.Detect(file), "", intake.DefaultLimits())
			require.NoError(t, err)
			records, unused, err := mapping.Apply(table, nil)
			require.NoError(t, err)
			require.ElementsMatch(t, []string{"器具名称", "型号规格", "检定地点"}, unused)
			got := judge(t, records, bad)
			if want == nil {
				want = got
			}
			require.Equal(t, want, got)
		})
	}
}

// judge reads the records as leaves of one issuer and requires that those that
// break a rule of form are the bad ones. It returns the members of the others.
func judge(t *testing.T, records []intake.Record, bad []BadRow) (good []string) {
	t.Helper()
	expected := map[int]BadRow{}
	for _, b := range bad {
		expected[b.Row] = b
	}
	for i, record := range records {
		field := ""
		if record.Fault != nil {
			field = record.Fault.Field
		} else {
			var leaf metrology.Leaf
			require.NoError(t, json.Unmarshal(record.Members, &leaf))
			leaf.Issuer = "N-1"
			if rule := (*metrology.Error)(nil); leaf.Validate() != nil {
				require.ErrorAs(t, leaf.Validate(), &rule)
				field = rule.Field
			}
		}
		b, isBad := expected[i]
		if isBad && b.Code == string(metrology.CodeInvalid) {
			require.Equal(t, b.Field, field, "row %d", i)
			continue
		}
		require.Empty(t, field, "row %d", i)
		good = append(good, string(record.Members))
	}
	return good
}

func TestEncode_RefusesUnknownFormats(t *testing.T) {
	_, err := Encode("pdf", nil)
	require.ErrorContains(t, err, `format "pdf"`)
}
