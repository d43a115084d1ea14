package draw

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// postedTranscript is the transcript of a draw whose objects stand in a file
// and whose result was posted by roots.
func postedTranscript(t *testing.T) (document map[string]any, file []byte) {
	t.Helper()
	document = sampleTranscript(t, false)
	in := sampleInput(t)
	raw, err := json.Marshal(document["plan"])
	require.NoError(t, err)
	in.Plan = raw
	objects, err := NewObjects(in.Objects)
	require.NoError(t, err)
	own, err := Post(in, serial{objects})
	require.NoError(t, err)
	file = []byte(CSVHeader)
	for _, o := range objects {
		file = AppendRow(file, o)
	}
	lists := document["directories"].(map[string]any)
	delete(lists, "objects")
	delete(document, "result")
	delete(document, "substitutions")
	lists["files"] = []any{"objects.csv"}
	document["posting"] = asTree(t, own.Posting)
	return document, file
}

func verifyPosted(t *testing.T, document map[string]any, file []byte) map[string]Status {
	t.Helper()
	encoded, err := json.Marshal(document)
	require.NoError(t, err)
	transcript, err := ParseTranscript(encoded)
	require.NoError(t, err)
	out := make(map[string]Status)
	opened := func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }
	for _, s := range (Verifier{Open: opened}).Verify(transcript) {
		out[s.Name] = s.Status
	}
	return out
}

func TestVerifyPosting(t *testing.T) {
	document, file := postedTranscript(t)
	steps := verifyPosted(t, document, file)
	for _, step := range []string{"directories", "seed", "selection", "assignment"} {
		require.Equal(t, Pass, steps[step], step)
	}
	stratum := func(d map[string]any) map[string]any {
		return d["posting"].(map[string]any)["strata"].([]any)[0].(map[string]any)
	}
	for name, c := range map[string]struct {
		change func(map[string]any)
		step   string
	}{
		"Threshold": {func(d map[string]any) {
			key := stratum(d)["threshold"].(map[string]any)
			key["ticket"] = strings.Repeat("0", 64)
		}, "selection"},
		"NoThreshold":     {func(d map[string]any) { stratum(d)["threshold"] = nil }, "selection"},
		"SelectedRoot":    {func(d map[string]any) { stratum(d)["selectedRoot"] = strings.Repeat("1", 64) }, "selection"},
		"OutrightRoot":    {func(d map[string]any) { stratum(d)["outrightRoot"] = strings.Repeat("1", 64) }, "selection"},
		"Count":           {func(d map[string]any) { stratum(d)["selected"] = 2 }, "selection"},
		"Objects":         {func(d map[string]any) { stratum(d)["objects"] = 2 }, "selection"},
		"Standby":         {func(d map[string]any) { stratum(d)["standby"] = []any{} }, "selection"},
		"StratumMissing":  {func(d map[string]any) { p := d["posting"].(map[string]any); p["strata"] = p["strata"].([]any)[1:] }, "selection"},
		"AssignmentsRoot": {func(d map[string]any) { d["posting"].(map[string]any)["assignmentsRoot"] = strings.Repeat("1", 64) }, "assignment"},
		"Loads":           {func(d map[string]any) { d["posting"].(map[string]any)["loads"] = map[string]any{"I-1": 1} }, "assignment"},
		"CapPlus":         {func(d map[string]any) { d["posting"].(map[string]any)["capPlus"] = 1 }, "assignment"},
		"ResultAsWell":    {func(d map[string]any) { d["result"] = map[string]any{} }, "seed"},
		"NoPosting":       {func(d map[string]any) { d["posting"] = map[string]any{} }, "seed"},
	} {
		t.Run(name, func(t *testing.T) {
			document, file := postedTranscript(t)
			c.change(document)
			require.Equal(t, Fail, verifyPosted(t, document, file)[c.step])
		})
	}
	t.Run("FileChanged", func(t *testing.T) {
		changed := bytes.Replace(file, []byte("A-01"), []byte("A-0X"), 1)
		require.Equal(t, Fail, verifyPosted(t, document, changed)["directories"])
	})
}
