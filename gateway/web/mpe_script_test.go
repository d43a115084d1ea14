package web

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology/rules"
)

// typedMeasurement is what the script is given: texts as they are typed.
type typedMeasurement struct {
	Category   string `json:"category"`
	Class      string `json:"class"`
	Occasion   string `json:"occasion"`
	Unit       string `json:"unit"`
	Interval   string `json:"interval"`
	Indication string `json:"indication"`
	Reference  string `json:"reference"`
	Rule       string `json:"rule"`
	Version    string `json:"version"`
}

const evaluateAll = `const {evaluate} = require(process.argv[1]);
const {tables, cases} = JSON.parse(require('fs').readFileSync(0));
process.stdout.write(JSON.stringify(cases.map((c) => evaluate(c, tables))));`

// The script's errors, limits and verdicts are those of the contract, over all
// shipped tables, at and around their limits.
func TestMPEScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on PATH")
	}
	tables := visitTables{Units: metrology.UnitScales()}
	documents, err := rules.All()
	require.NoError(t, err)
	for _, d := range documents {
		if d.Body.MPE != nil {
			d.EffectiveFrom, d.EffectiveTo, d.Region = "2020-01-01", "", metrology.RegionNational
			tables.Rules = append(tables.Rules, d)
		}
	}
	require.NotEmpty(t, tables.Rules)
	var cases []typedMeasurement
	var want []metrology.MeasurementResult
	add := func(c typedMeasurement, m metrology.Measurement, rule *metrology.Ruleset) {
		cases, want = append(cases, c), append(want, m.Evaluate(rule, "2026-01-01", "310115"))
	}
	draw := rapid.Custom(func(t *rapid.T) int {
		d := tables.Rules[rapid.IntRange(0, len(tables.Rules)-1).Draw(t, "rule")]
		row := d.Body.MPE.Rows[rapid.IntRange(0, len(d.Body.MPE.Rows)-1).Draw(t, "row")]
		unit := row.Unit
		if unit == "e" {
			unit = "g"
		}
		number := rapid.StringMatching(`(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?`)
		c := typedMeasurement{Category: row.Category, Class: row.Class, Occasion: rapid.SampledFrom([]string{"initial", "in-service"}).Draw(t, "occasion"),
			Unit: rapid.SampledFrom([]string{unit, "kg", "g", "L"}).Draw(t, "unit"), Interval: rapid.SampledFrom([]string{"", "1", "5", "0.2"}).Draw(t, "interval"),
			Reference: number.Draw(t, "reference"), Rule: d.ID, Version: jsonNumber(d.Version)}
		reference := metrology.MustDecimal(c.Reference)
		step := metrology.MustDecimal(rapid.SampledFrom([]string{"0", "0.001", "-0.001", "0.06", "-0.06", "0.061", "1", "-1", "5", "-10", "100"}).Draw(t, "step"))
		c.Indication = reference.Sub(step).String()
		m := metrology.Measurement{Category: c.Category, Class: c.Class, Occasion: metrology.Occasion(c.Occasion), Unit: c.Unit, Indication: metrology.MustDecimal(c.Indication),
			Reference: reference, Rule: metrology.RuleReference{ID: d.ID, Version: d.Version}}
		if c.Interval != "" {
			m.Interval = metrology.MustDecimal(c.Interval)
		}
		add(c, m, &metrology.Ruleset{RuleDocument: d, State: metrology.RulesetInForce})
		return 0
	})
	for seed := range 1500 {
		draw.Example(seed)
	}
	input, err := json.Marshal(map[string]any{"tables": tables, "cases": cases})
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), node, "-e", evaluateAll, "./assets/mpe.js")
	command.Stdin = strings.NewReader(string(input))
	out, err := command.Output()
	require.NoError(t, err)
	var got []struct{ Error, Lower, Upper, Limit, Verdict, Reason string }
	require.NoError(t, json.Unmarshal(out, &got))
	seen := map[string]int{}
	for i, w := range want {
		require.Equal(t, string(w.Verdict), got[i].Verdict, "%+v", cases[i])
		require.Equal(t, string(w.Reason), got[i].Reason, "%+v", cases[i])
		require.Zero(t, metrology.MustDecimal(got[i].Error).Compare(w.Error), "%+v", cases[i])
		if w.Verdict != metrology.VerdictNone {
			require.Equal(t, w.Lower.String()+" "+w.Upper.String()+" "+string(w.Limit), got[i].Lower+" "+got[i].Upper+" "+got[i].Limit, "%+v", cases[i])
		}
		seen[string(w.Verdict)]++
	}
	require.Len(t, seen, 3, "all verdicts came up: %v", seen)
}

func jsonNumber(n int) string { raw, _ := json.Marshal(n); return string(raw) }
