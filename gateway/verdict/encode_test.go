package verdict

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// A report is encoded as encoding/json does it, whatever it holds.
func TestAppendReport(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "LAB-1", `"\`, "<b>&", "\x00\x1f\x7f", "\u2028 公平秤", "\xff"}))
	var outcomes []Answer
	for _, answer := range answers {
		outcomes = append(outcomes, answer)
	}
	var statements []Statement
	for code := range statementTexts {
		statements = append(statements, statement(code))
	}
	unknown := rapid.Custom(func(t *rapid.T) Text { return Text{ZH: text.Draw(t, "zh"), EN: text.Draw(t, "en")} })
	answered := rapid.OneOf(rapid.SampledFrom(outcomes), rapid.Custom(func(t *rapid.T) Answer {
		return Answer{Outcome: Outcome(text.Draw(t, "outcome")), Tone: Tone(text.Draw(t, "tone")), Text: unknown.Draw(t, "text")}
	}))
	stated := rapid.OneOf(rapid.SampledFrom(statements), rapid.Custom(func(t *rapid.T) Statement {
		return Statement{Code: text.Draw(t, "code"), Text: unknown.Draw(t, "text")}
	}))
	finding := rapid.Custom(func(t *rapid.T) Finding {
		f := Finding{Verdict: Verdict{
			Integrity: answered.Draw(t, "integrity"), Status: answered.Draw(t, "status"), Issuer: answered.Draw(t, "issuer"), Match: answered.Draw(t, "match"),
			NotProven: perhaps(t, rapid.SliceOfN(stated, 0, 3)),
		}}
		if rapid.Bool().Draw(t, "certificate") {
			f.Certificate = &Reference{
				ID: text.Draw(t, "id"), Issuer: text.Draw(t, "issuer"), Number: text.Draw(t, "number"), Kind: metrology.CertificateKind(text.Draw(t, "kind")),
				Block: rapid.Uint64().Draw(t, "block"), TransactionID: text.Draw(t, "transaction"), Time: text.Draw(t, "time"),
			}
		}
		return f
	})
	digests := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) metrology.Digest {
		return metrology.Digest{Algorithm: text.Draw(t, "algorithm"), Value: text.Draw(t, "value")}
	}), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		report := Report{
			Day: metrology.Date(text.Draw(t, "day")), Digests: perhaps(t, digests), Findings: perhaps(t, rapid.SliceOfN(finding, 0, 3)),
			Ledger: Ledger{Height: rapid.Uint64().Draw(t, "height"), LastTime: text.Draw(t, "last"), Notice: text.Draw(t, "notice")},
		}
		require.Equal(t, string(encode(report)), string(AppendReport(nil, report)))
	})
}

// perhaps draws a list, or none at all.
func perhaps[T any](t *rapid.T, lists *rapid.Generator[[]T]) []T {
	if rapid.Bool().Draw(t, "none") {
		return nil
	}
	return lists.Draw(t, "list")
}

// A report that the service gives is encoded without reflection.
func TestAppendReportAllocatesNothing(t *testing.T) {
	report := Report{Day: "2026-08-31", Digests: []metrology.Digest{digest}, Findings: []Finding{{Verdict: Judge(good())}}}
	b := AppendReport(nil, report)
	require.Zero(t, testing.AllocsPerRun(100, func() { b = AppendReport(b[:0], report) }))
}
