package web_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// parseLeaves prints for each line, a JSON string, whether the offline
// checker's reader takes it for a leaf.
const parseLeaves = `const { parseLeaf, Refused } = require(process.argv[1]);
for (const line of require('fs').readFileSync(0, 'utf8').trim().split('\n')) {
  let taken = true;
  try { parseLeaf(Buffer.from(JSON.parse(line), 'base64')); } catch (error) { if (!(error instanceof Refused)) throw error; taken = false; }
  console.log(taken);
}`

// The checker's reader of leaves takes the reference vectors and, of texts that
// differ from them by a character, exactly what the contract's reader takes.
func TestLeafScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on PATH")
	}
	raw, err := os.ReadFile("../../test/vectors/leaf.json")
	require.NoError(t, err)
	var vectors struct {
		Leaves []struct {
			Bytes string `json:"bytes"`
		} `json:"leaves"`
	}
	require.NoError(t, json.Unmarshal(raw, &vectors))
	require.NotEmpty(t, vectors.Leaves)
	var texts []string
	for _, vector := range vectors.Leaves {
		texts = append(texts, vector.Bytes)
		if len(vector.Bytes) > 2000 {
			continue // the long ones repeat the short
		}
		for at := range len(vector.Bytes) {
			for _, other := range []string{"", "\"", " ", "é", "0", "\u202e", "\\", "9"} {
				texts = append(texts, vector.Bytes[:at]+other+vector.Bytes[at+1:])
			}
		}
	}
	var in bytes.Buffer
	for _, text := range texts {
		require.NoError(t, json.NewEncoder(&in).Encode([]byte(text)))
	}
	command := exec.CommandContext(t.Context(), node, "-e", parseLeaves, "./assets/evidence.js")
	command.Stdin = &in
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	said := strings.Fields(string(out))
	require.Len(t, said, len(texts))
	taken := 0
	for i, text := range texts {
		_, err := metrology.ParseLeaf([]byte(text))
		require.Equal(t, err == nil, said[i] == "true", "%q: %v", text, err)
		if err == nil {
			taken++
		}
	}
	require.Greater(t, taken, len(vectors.Leaves))
	t.Logf("%d texts, %d of them leaves", len(texts), taken)
}
