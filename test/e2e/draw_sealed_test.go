package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// recomputeScript recomputes a transcript's draw in JavaScript and tells
// whether the result is the one it carries.
const recomputeScript = `const {inputOf, same} = require('../../gateway/web/assets/recompute.js'), draw = require('../../gateway/web/assets/draw.js');
const transcript = JSON.parse(require('fs').readFileSync(0));
process.stdout.write(String(same(draw.compute(inputOf(transcript)), transcript.result)));`

// inJavaScript checks a transcript with the second implementation.
func inJavaScript(t *testing.T, transcript string) {
	t.Helper()
	node, err := exec.LookPath("node")
	require.NoError(t, err, "the second implementation needs node on PATH")
	file, err := os.Open(transcript)
	require.NoError(t, err)
	defer file.Close()
	command := exec.CommandContext(t.Context(), node, "-e", recomputeScript)
	command.Stdin = file
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "true", string(out))
}

// A register of 5,000 synthetic sites and 60 inspectors, open and sealed: one
// command each from plan to published result, in the demonstration's seconds;
// the transcripts verify with the network stopped, in Go and in JavaScript.
func TestDrawOfRegister(t *testing.T) {
	g := embedded.start(t, t.TempDir())
	register := []string{"--sites", "5000", "--inspectors", "60", "--margin", "2"}
	open := runDraw(t, g, append(register, "--authority", "440300")...)
	sealed := runDraw(t, g, append(register, "--authority", "440500", "--sealed", "--open-within", "3")...)
	g.stop()
	for _, transcript := range []string{open, sealed} {
		offline(t, transcript, filepath.Join(g.data, "trust.json"))
		inJavaScript(t, transcript)
	}
	raw, err := os.ReadFile(sealed)
	require.NoError(t, err)
	for _, change := range []struct{ member, step string }{{"sealedSecret", "seed"}, {"root", "sealed leaves"}} {
		var document map[string]any
		require.NoError(t, json.Unmarshal(raw, &document))
		if change.member == "root" {
			document["leaves"].([]any)[0].(map[string]any)["root"] = strings.Repeat("0", 64)
		} else {
			document[change.member] = strings.Repeat("0", 64)
		}
		changed, err := json.Marshal(document)
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "changed.json")
		require.NoError(t, os.WriteFile(file, changed, 0o600))
		out, err := exec.Command(program, "draw", "verify", file).CombinedOutput()
		require.Error(t, err, change.step)
		require.Regexp(t, `FAIL +`+change.step, string(out))
	}
}

// While a draw is sealed no route and no page tells of its outcome, and every
// place has the same answer; then it is opened at its time.
func TestSealedDraw(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, n *network) {
		g := n.start(t, t.TempDir())
		const id = "440600-000001"
		transcript := filepath.Join(t.TempDir(), "draw.json")
		arguments := append([]string{"draw", "run", "--server", g.url, "--token-file", filepath.Join(g.data, "tokens.json"), "--out", transcript,
			"--sealed", "--open-within", "12", "--authority", "440600"}, n.drawFlags()...)
		run := exec.CommandContext(t.Context(), program, arguments...)
		var said strings.Builder
		run.Stdout, run.Stderr = &said, &said
		require.NoError(t, run.Start())
		defer func() {
			if t.Failed() {
				_ = run.Process.Kill()
				_ = run.Wait()
				t.Logf("the command said:\n%s", &said)
			}
		}()
		var record struct {
			Phase  string
			Leaves []struct {
				Root   draw.Digest
				Leaves uint64
			}
			History []struct{ TransactionID string }
		}
		require.Eventually(t, func() bool {
			a := g.request("", http.MethodGet, "/v1/draws/"+id, "")
			return a.status == http.StatusOK && json.Unmarshal(a.body, &record) == nil && len(record.Leaves) == 2
		}, startTimeout, 50*time.Millisecond)
		paths := []string{"/v1/draws/" + id, "/v1/draws?phase=sealed", "/draws", "/draws/" + id, "/draws/" + id + "?site=ELSEWHERE"}
		for _, entry := range record.History {
			paths = append(paths, "/v1/transactions/"+entry.TransactionID)
		}
		told := map[string]string{}
		for _, path := range paths {
			a := g.request("", http.MethodGet, path, "")
			require.Equal(t, http.StatusOK, a.status, path)
			told[path] = string(a.body)
		}
		told["/transcript"] = withoutDirectories(t, g.request("", http.MethodGet, "/v1/draws/"+id+"/transcript", "").body)
		sameAnswers(t, g, id)
		require.Equal(t, "sealed", g.phaseOf(id), "all was asked while the draw was sealed")
		require.Equal(t, "STATE", g.request("notary", http.MethodPost, "/v1/draws/"+id+"/result", "").problem(t).Code)
		leavesForHolders(t, g, id, record.Leaves[0].Root, record.Leaves[0].Leaves)
		for path, body := range told {
			require.NotContains(t, body, "DEMO-S", path)
			require.NotContains(t, body, "DEMO-I", path)
		}
		require.NoError(t, run.Wait(), "%s\n%s", &said, g.logged())
		require.Contains(t, said.String(), "PASS       sealed leaves")
		require.Equal(t, "drawn", g.phaseOf(id))
		require.NotContains(t, string(g.request("", http.MethodGet, "/v1/draws/"+id+"/tickets/DEMO-S00001", "").body), `"sealed"`)
		inJavaScript(t, transcript)
	})
}

// leavesForHolders: an officer of the regulator has the leaf of each drawn site,
// under the root on the ledger; nobody else has any.
func leavesForHolders(t *testing.T, g *gateway, id string, root draw.Digest, leaves uint64) {
	t.Helper()
	drawn := uint64(0)
	for i := range 60 {
		a := g.request("regulator", http.MethodGet, fmt.Sprintf("/v1/draws/%s/leaves/DEMO-S%05d", id, i+1), "")
		if a.status == http.StatusNotFound {
			continue
		}
		require.Equal(t, http.StatusOK, a.status, "%s", a.body)
		var shown draw.SealedLeafProof
		require.NoError(t, json.Unmarshal(a.body, &shown))
		require.NoError(t, shown.Verify(root, leaves))
		drawn++
	}
	require.Equal(t, leaves, drawn)
	for _, as := range []string{"inspector", "institute", "merchant"} {
		require.Equal(t, "FORBIDDEN", g.request(as, http.MethodGet, "/v1/draws/"+id+"/leaves/DEMO-S00001", "").problem(t).Code)
	}
	require.Equal(t, http.StatusUnauthorized, g.request("", http.MethodGet, "/v1/draws/"+id+"/leaves/DEMO-S00001", "").status)
}

func (g *gateway) phaseOf(id string) string {
	var state struct{ Phase string }
	g.read("/v1/draws/"+id, &state)
	return state.Phase
}

// withoutDirectories is a transcript but for the lists, which are public from
// the filing on.
func withoutDirectories(t *testing.T, transcript []byte) string {
	t.Helper()
	var document map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(transcript, &document))
	require.NotContains(t, document, "result")
	require.NotContains(t, document, "sealedSecret")
	delete(document, "directories")
	rest, err := json.Marshal(document)
	require.NoError(t, err)
	return string(rest)
}

// sameAnswers asks for the ticket of every place, of one that was excluded and
// of one that is none.
func sameAnswers(t *testing.T, g *gateway, id string) {
	t.Helper()
	want := ""
	for i := range 62 {
		site := fmt.Sprintf("DEMO-S%05d", i+1)
		if i == 61 {
			site = "ELSEWHERE"
		}
		answer := strings.ReplaceAll(string(g.request("", http.MethodGet, "/v1/draws/"+id+"/tickets/"+site, "").body), site, "SITE")
		if want == "" {
			want = answer
			require.JSONEq(t, `{"draw":"`+id+`","site":"SITE","phase":"sealed","answer":"sealed"}`, answer)
		}
		require.Equal(t, want, answer, site)
	}
}

// A joint draw has one draw of objects and, at each of them, two inspectors of
// each department's own.
func TestJointDraw(t *testing.T) {
	onEachNetwork(t, testJointDraw)
}

func testJointDraw(t *testing.T, n *network) {
	g := n.start(t, t.TempDir())
	transcript := runDraw(t, g, append(n.drawFlags(), "--inspectors", "12", "--departments", "3", "--authority", "440700")...)
	var shown struct {
		Departments []struct{ Code string }
		Assignments []struct {
			Object string
			Slots  []struct{ Department, Inspector string }
		}
	}
	seen := map[string]string{} // inspector → department
	for _, department := range []string{"dept-market", "dept-fire", "dept-energy"} {
		g.read("/v1/draws/440700-000001/assignments?department="+department, &shown)
		require.Len(t, shown.Departments, 3)
		require.Len(t, shown.Assignments, 4)
		for _, a := range shown.Assignments {
			require.Len(t, a.Slots, 2, a.Object)
			for _, slot := range a.Slots {
				require.Equal(t, department, slot.Department)
				require.Contains(t, []string{"", department}, seen[slot.Inspector], "nobody acts for two departments")
				seen[slot.Inspector] = department
			}
		}
	}
	refused := g.request("", http.MethodGet, "/v1/draws/440700-000001/assignments?department=none", "").problem(t)
	require.Equal(t, "INVALID", refused.Code)
	g.stop()
	inJavaScript(t, transcript)
}
