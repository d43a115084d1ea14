package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// vectorsFile holds the golden draws of package draw.
const vectorsFile = "../../chaincode/draw/testdata/vectors.json"

type drawVector struct {
	Name   string          `json:"name"`
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
	Error  string          `json:"error"`
}

func drawVectors(t *testing.T) map[string]drawVector {
	data, err := os.ReadFile(vectorsFile)
	require.NoError(t, err)
	var list []drawVector
	require.NoError(t, json.Unmarshal(data, &list))
	out := make(map[string]drawVector)
	for _, v := range list {
		out[v.Name] = v
	}
	return out
}

// runDraw runs the command and gives its output and exit code.
func runDraw(t *testing.T, stdin []byte, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	cmd := Draw()
	cmd.SetArgs(args)
	cmd.SetIn(bytes.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	if err := cmd.Execute(); err != nil {
		var exit interface{ ExitCode() int }
		require.True(t, errors.As(err, &exit), "%v", err)
		code = exit.ExitCode()
	}
	return out.String(), errs.String(), code
}

func writeDrawFile(t *testing.T, name string, data []byte) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func TestDrawCompute(t *testing.T) {
	for name, v := range drawVectors(t) {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := runDraw(t, nil, "compute", writeDrawFile(t, "input.json", v.Input))
			if v.Error != "" {
				require.Equal(t, exitRefused, code)
				require.Empty(t, stdout)
				require.Contains(t, stderr, v.Error)
				return
			}
			require.Zero(t, code, stderr)
			require.JSONEq(t, string(v.Output), stdout)
		})
	}
	t.Run("StandardInput", func(t *testing.T) {
		stdout, _, code := runDraw(t, drawVectors(t)["open"].Input, "compute", "-")
		require.Zero(t, code)
		require.JSONEq(t, string(drawVectors(t)["open"].Output), stdout)
	})
	t.Run("ObjectsFromFile", func(t *testing.T) {
		v := drawVectors(t)["open"]
		input, file := splitObjects(t, v.Input)
		stdout, stderr, code := runDraw(t, input, "compute", "-", "--objects", file)
		require.Zero(t, code, stderr)
		require.JSONEq(t, string(v.Output), stdout)
		_, stderr, code = runDraw(t, v.Input, "compute", "-", "--objects", file)
		require.Equal(t, exitRefused, code)
		require.Contains(t, stderr, "both")
		_, stderr, code = runDraw(t, input, "compute", "-")
		require.Equal(t, exitRefused, code)
		require.Contains(t, stderr, "objects")
		_, _, code = runDraw(t, input, "compute", "-", "--objects", file+".none")
		require.Equal(t, exitUnreadable, code)
	})
	t.Run("ErrUsage", func(t *testing.T) {
		for _, args := range [][]string{{"compute"}, {"compute", "a", "b"}, {"compute", "/does/not/exist"}, {"compute", "--none", "x"}} {
			_, _, code := runDraw(t, nil, args...)
			require.Equal(t, exitUnreadable, code, "%v", args)
		}
	})
}

// splitObjects takes the objects out of an input into a sorted CSV file.
func splitObjects(t *testing.T, input []byte) (rest []byte, file string) {
	var doc map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(input, &doc))
	var objects []struct {
		ID, Stratum string
		Weight      int
	}
	require.NoError(t, json.Unmarshal(doc["objects"], &objects))
	delete(doc, "objects")
	rows := make([]string, len(objects))
	for i, o := range objects {
		rows[i] = fmt.Sprintf("%s,%s,%d\n", o.ID, o.Stratum, o.Weight)
	}
	rest, err := json.Marshal(doc)
	require.NoError(t, err)
	return rest, writeDrawFile(t, "objects.csv", []byte("id,stratum,weight\n"+strings.Join(slices.Sorted(slices.Values(rows)), "")))
}

// transcriptOf wraps a golden draw as far as an input goes.
func transcriptOf(t *testing.T, v drawVector, files ...string) map[string]any {
	var in map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(v.Input, &in))
	var commitments, reveals []any
	var shares []map[string]any
	require.NoError(t, json.Unmarshal(in["contributions"], &shares))
	for _, s := range shares {
		commitments = append(commitments, map[string]any{"org": s["org"], "commitment": s["commitment"]})
		if s["secret"] != nil {
			reveals = append(reveals, map[string]any{"org": s["org"], "secret": s["secret"]})
		}
	}
	directories := map[string]any{"inspectors": in["inspectors"], "ineligible": in["ineligible"]}
	if files != nil {
		directories["files"] = files
	} else {
		directories["objects"] = in["objects"]
	}
	return map[string]any{
		"definition": "DR-1", "draw": in["draw"], "plan": in["plan"], "directories": directories,
		"commitments": commitments, "reveals": reveals, "beacon": in["beacon"], "result": v.Output,
		"freeze": freezeOf(t, v, in),
	}
}

func freezeOf(t *testing.T, v drawVector, in map[string]json.RawMessage) map[string]any {
	var out map[string]any
	require.NoError(t, json.Unmarshal(v.Output, &out))
	count := func(name string) int {
		var list []any
		require.NoError(t, json.Unmarshal(in[name], &list))
		return len(list)
	}
	return map[string]any{
		"planHash": out["planHash"], "objectsRoot": out["objectsRoot"], "objects": count("objects"),
		"inspectorsRoot": out["inspectorsRoot"], "inspectors": count("inspectors"),
		"ineligibleRoot": out["ineligibleRoot"], "ineligible": count("ineligible"),
		"freeze": out["freeze"], "round": 1000,
	}
}

func TestDrawVerify(t *testing.T) {
	v := drawVectors(t)["open"]
	write := func(doc any) string {
		data, err := json.Marshal(doc)
		require.NoError(t, err)
		return writeDrawFile(t, "transcript.json", data)
	}
	t.Run("Whole", func(t *testing.T) {
		stdout, stderr, code := runDraw(t, nil, "verify", write(transcriptOf(t, v)))
		require.Zero(t, code, stdout+stderr)
		require.Contains(t, stdout, "PASS       assignment")
		require.Contains(t, stdout, "NOT SHOWN  close")
		require.NotContains(t, stdout, "FAIL")
		require.Equal(t, 15, strings.Count(stdout, "\n"))
	})
	t.Run("DirectoryFile", func(t *testing.T) {
		_, file := splitObjects(t, v.Input)
		rows, err := os.ReadFile(file)
		require.NoError(t, err)
		path := write(transcriptOf(t, v, "objects.csv"))
		require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "objects.csv"), rows, 0o600))
		stdout, _, code := runDraw(t, nil, "verify", path)
		require.Zero(t, code, stdout)
	})
	t.Run("ErrFileOutsideTheFolder", func(t *testing.T) {
		_, file := splitObjects(t, v.Input)
		stdout, _, code := runDraw(t, nil, "verify", write(transcriptOf(t, v, file)))
		require.Equal(t, exitRefused, code)
		require.Contains(t, stdout, "FAIL       directories")
	})
	t.Run("ErrTampered", func(t *testing.T) {
		doc := transcriptOf(t, v)
		doc["result"] = json.RawMessage(strings.Replace(string(v.Output), `"capPlus": 0`, `"capPlus": 1`, 1))
		stdout, _, code := runDraw(t, nil, "verify", write(doc))
		require.Equal(t, exitRefused, code)
		require.Contains(t, stdout, "FAIL       assignment")
	})
	t.Run("ErrNotATranscript", func(t *testing.T) {
		stdout, _, code := runDraw(t, nil, "verify", writeDrawFile(t, "t.json", []byte(`{"draw":1}`)))
		require.Equal(t, exitRefused, code)
		require.Contains(t, stdout, "FAIL       transcript")
		_, _, code = runDraw(t, nil, "verify", "/does/not/exist")
		require.Equal(t, exitUnreadable, code)
	})
}
