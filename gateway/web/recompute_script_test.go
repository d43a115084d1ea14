package web_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// recompute reads {transcript} and prints whether the scripts get its result,
// and whether they would call a changed one the same.
const recompute = `const {inputOf, same} = require('./assets/recompute.js'), draw = require('./assets/draw.js');
const transcript = JSON.parse(require('fs').readFileSync(0)), output = draw.compute(inputOf(transcript));
const changed = structuredClone(transcript.result);
changed.seed = changed.seed.replace(/^./, (c) => c === '0' ? '1' : '0');
process.stdout.write(same(output, transcript.result) + ' ' + same(output, changed));`

// The page's script takes from a transcript what the draw is made of.
func TestRecomputeScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on PATH")
	}
	raw, err := os.ReadFile("../../chaincode/draw/testdata/vectors.json")
	require.NoError(t, err)
	var vectors []struct {
		Name  string                     `json:"name"`
		Input map[string]json.RawMessage `json:"input"`
		Want  json.RawMessage            `json:"output"`
	}
	require.NoError(t, json.Unmarshal(raw, &vectors))
	tried := 0
	for _, v := range vectors {
		if len(v.Want) == 0 || bytes.Contains(v.Want, []byte(`"error"`)) {
			continue
		}
		tried++
		t.Run(v.Name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), node, "-e", recompute)
			command.Stdin = bytes.NewReader(transcriptOf(t, v.Input, v.Want))
			out, err := command.CombinedOutput()
			require.NoError(t, err, string(out))
			require.Equal(t, "true false", string(out))
		})
	}
	require.NotZero(t, tried)
}

// transcriptOf writes a draw's input down as the gateway's transcripts do.
func transcriptOf(t *testing.T, input map[string]json.RawMessage, result json.RawMessage) []byte {
	t.Helper()
	type share struct {
		Org        string  `json:"org"`
		Commitment string  `json:"commitment,omitempty"`
		Secret     *string `json:"secret,omitempty"`
	}
	var shares []share
	require.NoError(t, json.Unmarshal(input["contributions"], &shares))
	var commitments, reveals []share
	for _, s := range shares {
		commitments = append(commitments, share{Org: s.Org, Commitment: s.Commitment})
		if s.Secret != nil {
			reveals = append(reveals, share{Org: s.Org, Secret: s.Secret})
		}
	}
	document := map[string]any{
		"draw": input["draw"], "plan": input["plan"], "commitments": commitments, "reveals": reveals, "beacon": input["beacon"], "result": result,
		"directories": map[string]any{"objects": input["objects"], "inspectors": input["inspectors"], "ineligible": input["ineligible"]},
	}
	if secret, sealed := input["sealedSecret"]; sealed {
		document["sealedSecret"] = secret
	}
	transcript, err := json.Marshal(document)
	require.NoError(t, err)
	return transcript
}
