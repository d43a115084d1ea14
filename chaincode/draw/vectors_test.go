package draw

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

const vectorsFile = "testdata/vectors.json"

// vector is one golden case: an input of draw compute with its output, or the
// kind of its error.
type vector struct {
	Name   string          `json:"name"`
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output,omitempty"`
	Error  Kind            `json:"error,omitempty"`
}

// TestVectors compares golden bytes, on every architecture. With
// STEELYARD_UPDATE set it writes them anew from the inputs in vectorInputs.
func TestVectors(t *testing.T) {
	if os.Getenv("STEELYARD_UPDATE") != "" {
		writeVectors(t)
	}
	data, err := os.ReadFile(vectorsFile)
	require.NoError(t, err)
	var vectors []vector
	require.NoError(t, json.Unmarshal(data, &vectors))
	require.Len(t, vectors, len(vectorInputs(t)))
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			in, err := ParseInput(v.Input)
			require.NoError(t, err)
			r, err := Compute(in)
			if v.Error != "" {
				requireKind(t, err, v.Error, "")
				return
			}
			require.NoError(t, err)
			got, err := r.JSON()
			require.NoError(t, err)
			require.Equal(t, compactJSON(t, v.Output), compactJSON(t, got))
		})
	}
}

func compactJSON(t *testing.T, raw []byte) string {
	var v any
	require.NoError(t, json.Unmarshal(raw, &v))
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func vectorInputs(t *testing.T) map[string]Input {
	edited := func(in Input, change func(*Input)) Input {
		change(&in)
		return in
	}
	return map[string]Input{
		"open":   sampleInput(t),
		"sealed": sealedInput(t),
		"rates": edited(sampleInput(t), func(in *Input) {
			in.Plan = []byte(`{"rates":{"A":[1,10],"B":[1,3],"C":[1,1]},"assign":[[],["fuel"]],"ladder":[3,9]}`)
		}),
		"census of unequal weights": edited(sampleInput(t), func(in *Input) {
			in.Plan = []byte(`{"quota":{"B":12},"assign":[[],[]],"ladder":[9]}`)
		}),
		"no contributions": edited(sampleInput(t), func(in *Input) { in.Contributions = nil }),
		"three slots, tight": edited(sampleInput(t), func(in *Input) {
			in.Plan = []byte(`{"quota":{"A":5},"assign":[["lead"],[],["fuel"]]}`)
		}),
		"infeasible":  edited(sampleInput(t), func(in *Input) { in.Inspectors = in.Inspectors[2:] }),
		"weight 0":    edited(sampleInput(t), func(in *Input) { in.Objects[5].Weight = 0 }),
		"wrong round": edited(sampleInput(t), func(in *Input) { in.Beacon.Round++ }),
	}
}

func writeVectors(t *testing.T) {
	var vectors []vector
	for name, in := range vectorInputs(t) {
		v := vector{Name: name, Input: in.document(t)}
		r, err := Compute(in)
		if err == nil {
			v.Output, err = r.JSON()
			require.NoError(t, err)
		} else {
			v.Error = err.(*Error).Kind
		}
		vectors = append(vectors, v)
	}
	sortBy(vectors, func(v vector) string { return v.Name })
	data, err := json.MarshalIndent(vectors, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(vectorsFile, append(data, '\n'), 0o644))
}
