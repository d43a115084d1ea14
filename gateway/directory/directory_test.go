package directory

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
)

// records reads a file as the gateway does.
func records(t require.TestingT, kind string, content []byte) []intake.Record {
	table, err := intake.Read(context.Background(), bytes.NewReader(content), intake.Detect(content), "", intake.DefaultLimits())
	require.NoError(t, err)
	mapping, err := intake.Shipped(kind)
	require.NoError(t, err)
	rows, _, err := mapping.Apply(table, func(_, source string) string { return "S-" + source })
	require.NoError(t, err)
	return rows
}

func sources(t require.TestingT, files map[string]string) Sources {
	read := Sources{}
	for kind, content := range files {
		read[kind] = records(t, kind, []byte(content))
	}
	return read
}

var files = map[string]string{
	intake.DrawObjects: "场所编号,分层,权重,计划检查日期,排除原因\n" +
		"1,一,1,2026-12-01,\n2,一,3,,\n3,二,,2026-12-05,\n4,,,,停业\n5,二,,,\n",
	intake.DrawExclusions: "场所编号,原因\n5,已达检查频次上限\n9,歇业\n",
	intake.DrawInspectors: "工号,任务上限,技能\n007,4,组长；加油机\n008,4,\n009,2,衡器、组长\n010,3,\n",
	intake.DrawIneligible: "工号,场所编号,回避理由\n008,2,亲属\n",
	intake.DrawLeave:      "工号,开始日期,结束日期\n009,2026-11-20,2026-12-03\n009,2026-12-04,2026-12-31\n007,2026-12-01,2026-12-02\n",
}

func testRules() Rules {
	return Rules{
		InspectorID: func(staff string) string { return "I-" + staff },
		Strata:      map[string]string{"一": "K1", "二": "K2"},
		Visits:      &Visits{From: "2026-12-01", To: "2026-12-20"},
	}
}

func TestCompile(t *testing.T) {
	made := Compile(sources(t, files), testRules())
	require.Zero(t, made.Rejected())
	require.Equal(t, []metrology.DrawObject{{ID: "S-1", Stratum: "K1", Weight: 1}, {ID: "S-2", Stratum: "K1", Weight: 3}, {ID: "S-3", Stratum: "K2", Weight: 1}}, made.Objects)
	require.Equal(t, []metrology.DrawExclusion{{ID: "S-4", Reason: "closed"}, {ID: "S-5", Reason: "visit-cap"}, {ID: "S-9", Reason: "suspended"}}, made.Exclusions)
	require.Equal(t, []metrology.DrawInspector{
		{ID: "I-007", Cap: 4, Skills: []string{"加油机", "组长"}}, {ID: "I-008", Cap: 4, Skills: []string{}}, {ID: "I-010", Cap: 3, Skills: []string{}},
	}, made.Inspectors, "009 is away on every day")
	require.Equal(t, [][]string{{"I-008", "S-2"}, {"I-007", "S-1"}}, made.Ineligible, "007 is away on the day of S-1 alone")
	require.Equal(t, []Staff{{Staff: "007", ID: "I-007"}, {Staff: "008", ID: "I-008"}, {Staff: "010", ID: "I-010"}}, made.Staff)

	objects := made.Accounts[0]
	require.Equal(t, Reconciliation{
		Source: intake.DrawObjects, Read: 5, Taken: 3, Excluded: map[string]int{"closed": 1, "visit-cap": 1},
		Rows: []Row{{Line: 5, Outcome: Excluded, ID: "S-4", Reason: "closed"}, {Line: 6, Outcome: Excluded, ID: "S-5", Reason: "visit-cap"}},
	}, objects)
	require.Equal(t, map[string]int{ExcludedOnLeave: 1}, made.Accounts[2].Excluded)
	for _, row := range made.Accounts[2].Rows {
		require.Empty(t, row.Reason)
	}
}

// TestFormats: the same rows in UTF-8, GB18030, NDJSON and XLSX make the same.
func TestFormats(t *testing.T) {
	want := Compile(sources(t, files), testRules())
	objects := files[intake.DrawObjects]
	encoded, err := simplifiedchinese.GB18030.NewEncoder().String(objects)
	require.NoError(t, err)
	book := excelize.NewFile()
	var lines strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(objects), "\n") {
		cells := strings.Split(line, ",")
		require.NoError(t, book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells))
		if i > 0 {
			fmt.Fprintf(&lines, "{\"source id\":%q,\"stratum\":%q,\"weight\":%q,\"visit\":%q,\"exclusion\":%q}\n", cells[0], cells[1], cells[2], cells[3], cells[4])
		}
	}
	var workbook bytes.Buffer
	require.NoError(t, book.Write(&workbook))
	for name, content := range map[string][]byte{"GB18030": []byte(encoded), "XLSX": workbook.Bytes(), "NDJSON": []byte(lines.String())} {
		t.Run(name, func(t *testing.T) {
			read := sources(t, files)
			read[intake.DrawObjects] = records(t, intake.DrawObjects, content)
			made := Compile(read, testRules())
			require.Equal(t, want.DrawChunk, made.DrawChunk)
			require.Equal(t, want.Accounts[0].Excluded, made.Accounts[0].Excluded)
		})
	}
}

// TestRejected: what is wrong is told by line, column and rule, and counted.
func TestRejected(t *testing.T) {
	const objects, inspectors, pairs, leave = "登记编号,分层,权重,计划检查日期,排除原因\nS-1,一,1,,\n", "工号,任务上限\n007,4\n", "工号,登记编号\n007,S-1\n", "工号,开始日期,结束日期\n"
	for _, c := range []struct {
		name, kind, row string
		change          func(*Rules)
		column, field   string
		code            metrology.Code
		says            string
	}{
		{"Twice", intake.DrawObjects, "S-1,一,1,,", nil, "登记编号", "id", metrology.CodeConflict, `"S-1" stands in line 2 too`},
		{"NoID", intake.DrawObjects, ",一,1,,", nil, "登记编号", "id", metrology.CodeInvalid, ""},
		{"LowerCase", intake.DrawObjects, "s-2,一,1,,", nil, "登记编号", "id", metrology.CodeInvalid, ""},
		{"TooLong", intake.DrawObjects, strings.Repeat("S", 65) + ",一,1,,", nil, "登记编号", "id", metrology.CodeInvalid, ""},
		{"NoStratum", intake.DrawObjects, "S-2,,1,,", nil, "分层", "stratum", metrology.CodeInvalid, "is required"},
		{"UnknownStratum", intake.DrawObjects, "S-2,三,1,,", nil, "分层", "stratum", metrology.CodeInvalid, "has no label"},
		{"ClassAsLabel", intake.DrawObjects, "S-2,D,1,,", func(r *Rules) { r.Strata = nil }, "分层", "stratum", metrology.CodeInvalid, "credit-risk class"},
		{"WeightZero", intake.DrawObjects, "S-2,一,0,,", nil, "权重", "weight", metrology.CodeInvalid, "0 is not 1 to"},
		{"WeightText", intake.DrawObjects, "S-2,一,much,,", nil, "权重", "weight", metrology.CodeInvalid, "not a whole number"},
		{"OtherDay", intake.DrawObjects, "S-2,一,1,2027-01-01,", nil, "计划检查日期", "visit", metrology.CodeInvalid, "not one of the days"},
		{"UnknownReason", intake.DrawObjects, "S-2,一,1,,懒", nil, "排除原因", "exclusion", metrology.CodeInvalid, "not a value"},
		{"Ghost", intake.DrawObjects, "S-2,一,1,,", func(r *Rules) {
			r.Place = func(id string) error {
				return metrology.FieldErrorf(metrology.CodeNotFound, "id", "there is no site %q", id)
			}
		}, "登记编号", "id", metrology.CodeNotFound, "no site"},
		{"InspectorTwice", intake.DrawInspectors, "007,4", nil, "工号", "source", metrology.CodeConflict, "twice"},
		{"NoCap", intake.DrawInspectors, "008,", nil, "任务上限", "cap", metrology.CodeInvalid, "required"},
		{"NegativeCap", intake.DrawInspectors, "008,-1", nil, "任务上限", "cap", metrology.CodeInvalid, "out of range"},
		{"PairTwice", intake.DrawIneligible, "007,S-1", nil, "登记编号", "object", metrology.CodeConflict, "twice"},
		{"PairOfNobody", intake.DrawIneligible, "099,S-1", nil, "工号", "source", metrology.CodeNotFound, "list of inspectors"},
		{"PairNowhere", intake.DrawIneligible, "007,S-9", nil, "登记编号", "object", metrology.CodeNotFound, "directory"},
		{"LeaveOfNobody", intake.DrawLeave, "099,2026-12-01,2026-12-02", nil, "工号", "source", metrology.CodeNotFound, "list of inspectors"},
		{"LeaveBackwards", intake.DrawLeave, "007,2026-12-02,2026-12-01", nil, "结束日期", "to", metrology.CodeInvalid, "before"},
		{"LeaveWithoutDays", intake.DrawLeave, "007,2026-12-01,2026-12-01", func(r *Rules) { r.Visits = nil }, "开始日期", "from", metrology.CodeInvalid, "no days"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := map[string]string{intake.DrawObjects: objects, intake.DrawInspectors: inspectors, intake.DrawIneligible: pairs}
			if c.kind == intake.DrawLeave {
				all[c.kind] = leave
			}
			all[c.kind] += c.row + "\n"
			rules := testRules()
			read := sources(t, all)
			if c.change != nil {
				rules.Strata = map[string]string{"一": "K1", "D": "D"}
				c.change(&rules)
			}
			made := Compile(read, rules)
			for _, account := range made.Accounts {
				if account.Source != c.kind {
					continue
				}
				require.NotZero(t, account.Rejected)
				last := account.Rows[len(account.Rows)-1]
				require.Equal(t, strings.Count(all[c.kind], "\n"), last.Line)
				require.Equal(t, []any{Rejected, c.column, c.field, c.code}, []any{last.Outcome, last.Column, last.Field, last.Code}, last.Message)
				require.Contains(t, last.Message, c.says)
			}
		})
	}
}

func TestRegister(t *testing.T) {
	rules := testRules()
	rules.Register = []Place{{ID: "S-1", Stratum: "K1"}, {ID: "S-2", Stratum: "K1", Exclusion: metrology.ExcludedClosed}, {ID: "S-3", Stratum: "K2"}}
	made := Compile(sources(t, map[string]string{intake.DrawExclusions: "登记编号,原因\nS-3,立案调查中\n"}), rules)
	require.Equal(t, []metrology.DrawObject{{ID: "S-1", Stratum: "K1", Weight: 1}}, made.Objects)
	require.Equal(t, map[string]int{"closed": 1, "open-case": 1}, made.Accounts[0].Excluded)
	require.Equal(t, []int{3, 1, 0}, []int{made.Accounts[0].Read, made.Accounts[0].Taken, made.Accounts[0].Rejected})
}

// TestEveryRowIsAccountedFor: whatever the rows, each is taken, excluded or
// rejected, and the lists hold what was taken.
func TestEveryRowIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
		objects, exclusions := "登记编号,分层,排除原因\n", "登记编号,原因\n"
		inspectors, leave := "工号,任务上限\n", "工号,开始日期,结束日期\n"
		ids := []string{"S-1", "S-2", "S-3", "S-4", "s", ""}
		for range rapid.IntRange(1, 8).Draw(t, "objects") {
			objects += cell("id", ids...) + "," + cell("stratum", "一", "二", "三") + "," + cell("reason", "", "", "停业") + "\n"
		}
		for range rapid.IntRange(1, 4).Draw(t, "exclusions") {
			exclusions += cell("id", ids...) + "," + cell("reason", "停业", "歇业", "懒") + "\n"
		}
		for range rapid.IntRange(1, 5).Draw(t, "inspectors") {
			inspectors += cell("staff", "1", "2", "3", "4") + "," + cell("cap", "1", "x") + "\n"
		}
		for range rapid.IntRange(1, 4).Draw(t, "leave") {
			leave += cell("staff", "1", "2", "3", "4") + "," + cell("from", "2026-11-01", "2026-12-10") + "," + cell("to", "2026-12-09", "2026-12-31") + "\n"
		}
		made := Compile(sources(t, map[string]string{
			intake.DrawObjects: objects, intake.DrawExclusions: exclusions, intake.DrawInspectors: inspectors, intake.DrawLeave: leave,
		}), testRules())
		lists := map[string]int{intake.DrawObjects: len(made.Objects), intake.DrawInspectors: len(made.Inspectors)}
		for _, account := range made.Accounts {
			excluded := 0
			for _, count := range account.Excluded {
				excluded += count
			}
			require.Equal(t, account.Read, account.Taken+excluded+account.Rejected, account.Source)
			require.Len(t, account.Rows, excluded+account.Rejected, account.Source)
			if size, listed := lists[account.Source]; listed {
				require.Equal(t, size, account.Taken, account.Source)
			}
		}
		for _, e := range made.Exclusions {
			require.False(t, strings.Contains(fmt.Sprint(made.Objects), e.ID+" "), "excluded and listed")
		}
	})
}

// The list commits to the posts of those inspectors for whom the file names one.
func TestCommitToPosts(t *testing.T) {
	rules := testRules()
	rules.Holder = func(id, post string) string { return "of " + id + " and " + post }
	made := Compile(sources(t, map[string]string{intake.DrawInspectors: "工号,任务上限,岗位\n007,4,p-7\n008,4,\n009,4,p-7\n010,4,a b\n"}), rules)
	require.Equal(t, "of I-007 and p-7", made.Inspectors[0].Holder)
	require.Empty(t, made.Inspectors[1].Holder)
	require.Equal(t, []Staff{{"007", "I-007", "p-7"}, {"008", "I-008", ""}}, made.Staff)
	require.Equal(t, 2, made.Rejected(), "a post that stands twice, and one that is none")
	for i, code := range []metrology.Code{metrology.CodeConflict, metrology.CodeInvalid} {
		require.Equal(t, []any{code, "post", "岗位"}, []any{made.Accounts[0].Rows[i].Code, made.Accounts[0].Rows[i].Field, made.Accounts[0].Rows[i].Column})
	}
	rules.Holder = nil
	require.Empty(t, Compile(sources(t, map[string]string{intake.DrawInspectors: "工号,任务上限,岗位\n007,4,p-7\n"}), rules).Inspectors[0].Holder)
}
