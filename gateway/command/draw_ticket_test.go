package command

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// ticketOf is a right answer for a place of a weighted stratum, in or not in
// the directory.
func ticketOf(t *testing.T, site string) map[string]any {
	t.Helper()
	var list draw.Objects
	for i := range 20 {
		list = append(list, draw.Object{ID: fmt.Sprintf("S-%02d", i), Stratum: "A", Weight: uint32(1 + i%3)})
	}
	survey := draw.NewSurvey()
	require.NoError(t, survey.AddAll(list))
	dirs := draw.Directories{ObjectsRoot: survey.Root(), Objects: survey.Count()}
	plan, seed := draw.Digest{1}, draw.Digest{2}
	strata, err := draw.Select(seed, list, []draw.Quota{{Stratum: "A", Count: 5}}, 0)
	require.NoError(t, err)
	proof, absence, err := draw.Prove(list, site)
	require.NoError(t, err)
	answer := map[string]any{
		"draw": "D", "site": site, "seed": seed, "ticket": draw.Ticket(seed, site),
		"threshold": strata[0].Threshold.Ticket, "thresholdWeight": strata[0].Threshold.Weight,
		"frozen": map[string]any{
			"planHash": plan, "objectsRoot": dirs.ObjectsRoot, "objects": dirs.Objects, "inspectorsRoot": dirs.InspectorsRoot,
			"ineligibleRoot": dirs.IneligibleRoot, "freeze": draw.Freeze("D", plan, dirs),
		},
	}
	if absence != nil {
		answer["answer"], answer["absence"] = "not-in-directory", absence
		return answer
	}
	answer["answer"], answer["proof"] = "not-selected", proof
	for _, id := range strata[0].IDs() {
		if id == site {
			answer["answer"] = "selected"
		}
	}
	return answer
}

func verifyTicket(t *testing.T, answer map[string]any) (string, int) {
	t.Helper()
	encoded, err := json.Marshal(answer)
	require.NoError(t, err)
	out, _, code := runDraw(t, encoded, "verify", "--ticket", "-")
	return out, code
}

func TestVerifyTicket(t *testing.T) {
	for i := range 20 {
		out, code := verifyTicket(t, ticketOf(t, fmt.Sprintf("S-%02d", i)))
		require.Zero(t, code, out)
		require.Contains(t, out, "PASS       answer")
	}
	for site, says := range map[string]string{"A": "S-00 is the first", "S-07A": "S-07 and S-08 are neighbours", "Z": "S-19 is the last"} {
		out, code := verifyTicket(t, ticketOf(t, site))
		require.Zero(t, code, out)
		require.Contains(t, out, says)
	}
}

// TestVerifyTicketFails: each change fails the step that owns it.
func TestVerifyTicketFails(t *testing.T) {
	for _, c := range []struct {
		name, site, step string
		change           func(map[string]any)
	}{
		{"OtherDraw", "S-03", "freeze", func(a map[string]any) { a["draw"] = "E" }},
		{"OtherPlace", "S-03", "directory", func(a map[string]any) { a["site"] = "S-04" }},
		{"OtherRoot", "S-03", "directory", func(a map[string]any) { a["frozen"].(map[string]any)["objectsRoot"] = draw.Digest{9} }},
		{"OtherWeight", "S-03", "directory", func(a map[string]any) { a["proof"].(*draw.ObjectProof).Object.Weight = 90 }},
		{"NotAbsent", "S-07A", "directory", func(a map[string]any) { a["site"], a["absence"].(*draw.Absence).ID = "S-08", "S-08" }},
		{"AbsenceOfAnother", "S-07A", "directory", func(a map[string]any) { a["site"] = "S-07B" }},
		{"OtherSeed", "S-03", "ticket", func(a map[string]any) { a["seed"] = draw.Digest{3} }},
		{"OtherTicket", "S-03", "ticket", func(a map[string]any) { a["ticket"] = draw.Digest{3} }},
		{"OtherAnswer", "S-03", "answer", func(a map[string]any) {
			a["answer"] = map[any]string{"selected": "not-selected", "not-selected": "selected"}[a["answer"]]
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := ticketOf(t, c.site)
			c.change(answer)
			out, code := verifyTicket(t, answer)
			require.Equal(t, exitRefused, code, out)
			require.Regexp(t, `FAIL +`+c.step, out)
		})
	}
}
