package differential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// verdict is what either program says to a transcript: a status per step, or why
// it is not read at all.
type verdict struct {
	Unreadable string `json:"unreadable"`
	Steps      []struct {
		Name   string `json:"name"`
		Status string `json:"status"`
		Detail string `json:"detail"`
	} `json:"steps"`
}

// change is one alteration of a transcript and the document it gives.
type change struct {
	name string
	text string
}

// TestTranscripts alters every value of three transcripts, one at a time, and
// gives them to both programs: each step must have the same status in both.
func TestTranscripts(t *testing.T) {
	node := nodePath(t)
	for _, kind := range []string{"open", "sealed", "shut"} {
		t.Run(kind, func(t *testing.T) {
			whole := sampleTranscript(t, kind)
			changes := append([]change{{"nothing", write(t, whole)}}, changesOf(t, whole)...)
			verdicts := verifyInJavaScript(t, node, changes)
			var differences []string
			failed := map[string]int{}
			for i, c := range changes {
				want := verifyInGo(c.text)
				for _, s := range want.Steps {
					if s.Status == string(draw.Fail) {
						failed[s.Name]++
					}
				}
				if found := differ(want, verdicts[i]); found != "" {
					differences = append(differences, c.name+": "+found)
				}
			}
			require.Empty(t, differences, "%d differences in %d changes:\n%s", len(differences), len(changes), strings.Join(differences, "\n"))
			t.Logf("%d changes of the %s transcript without a difference; steps failed: %v", len(changes), kind, failed)
			requireWhole(t, kind, verdicts[0])
			requireAllFailed(t, kind, failed)
		})
	}
}

// requireWhole checks that the unchanged transcript has no fault, and shows
// everything but the blocks and what a shut draw keeps.
func requireWhole(t *testing.T, kind string, v verdict) {
	t.Helper()
	require.Empty(t, v.Unreadable)
	kept := []string{"ledger"}
	if kind == "shut" {
		kept = append(kept, "seed", "selection", "assignment", "sealed leaves", "substitutions")
	}
	for _, s := range v.Steps {
		want := draw.Pass
		if slices.Contains(kept, s.Name) {
			want = draw.NotShown
		}
		require.Equal(t, string(want), s.Status, "%s: %s", s.Name, s.Detail)
	}
}

// requireAllFailed checks that the changes made every step fail that can.
func requireAllFailed(t *testing.T, kind string, failed map[string]int) {
	t.Helper()
	steps := []string{
		"plan", "plan approval", "directories", "freeze", "freeze approval", "commitments", "reveals", "close",
		"observations", "beacon",
	}
	if kind != "shut" {
		steps = append(steps, "seed", "selection", "assignment", "substitutions")
	}
	if kind == "sealed" {
		steps = append(steps, "sealed leaves")
	}
	for _, name := range steps {
		require.NotZero(t, failed[name], "no change made the step %s fail", name)
	}
}

// differ names the steps on which the two programs disagree. They read the same
// documents, name the same steps and find a fault in the same ones of them, but for
// what TRANSCRIPT.md leaves open: where a step that another rests on is missing or
// fails, the other may read NOT SHOWN instead.
func differ(golang, javascript verdict) string {
	if golang.Unreadable != "" || javascript.Unreadable != "" {
		if (golang.Unreadable == "") != (javascript.Unreadable == "") {
			return fmt.Sprintf("unreadable in Go: %q, in JavaScript: %q", golang.Unreadable, javascript.Unreadable)
		}
		return ""
	}
	if len(golang.Steps) != len(javascript.Steps) {
		return fmt.Sprintf("%d steps in Go, %d in JavaScript", len(golang.Steps), len(javascript.Steps))
	}
	if g, j := firstFailure(golang), firstFailure(javascript); g != j {
		return fmt.Sprintf("the first step to fail is %q in Go, %q in JavaScript", g, j)
	}
	var found []string
	for i, g := range golang.Steps {
		j := javascript.Steps[i]
		open := (g.Status == string(draw.NotShown)) != (j.Status == string(draw.NotShown))
		if g.Name != j.Name || g.Status != j.Status && !open {
			found = append(found, fmt.Sprintf("%s is %s in Go (%s), %s is %s in JavaScript (%s)", g.Name, g.Status, g.Detail, j.Name, j.Status, j.Detail))
		}
	}
	return strings.Join(found, "; ")
}

// firstFailure names the first step that fails, "" if none does.
func firstFailure(v verdict) string {
	for _, s := range v.Steps {
		if s.Status == string(draw.Fail) {
			return s.Name
		}
	}
	return ""
}

// verifyInGo checks by package draw.
func verifyInGo(text string) verdict {
	transcript, err := draw.ParseTranscript([]byte(text))
	if err != nil {
		return verdict{Unreadable: err.Error()}
	}
	var v verdict
	for _, s := range (draw.Verifier{}).Verify(transcript) {
		v.Steps = append(v.Steps, struct {
			Name   string `json:"name"`
			Status string `json:"status"`
			Detail string `json:"detail"`
		}{s.Name, string(s.Status), s.Detail})
	}
	return v
}

// verifyInJavaScript checks by transcript.js, in one process.
func verifyInJavaScript(t *testing.T, node string, changes []change) []verdict {
	t.Helper()
	var in, stderr bytes.Buffer
	for _, c := range changes {
		in.WriteString(c.text + "\x00")
	}
	command := exec.CommandContext(t.Context(), node, "transcripts.mjs")
	command.Stdin, command.Stderr = &in, &stderr
	out, err := command.Output()
	require.NoError(t, err, stderr.String())
	verdicts := make([]verdict, len(changes))
	answers := json.NewDecoder(bytes.NewReader(out))
	for i := range verdicts {
		require.NoError(t, answers.Decode(&verdicts[i]), "answer %d is missing", i)
	}
	return verdicts
}
