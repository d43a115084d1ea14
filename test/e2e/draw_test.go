package e2e

import (
	"encoding/base64"
	"encoding/json"
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

// runDraw runs `draw run` against a gateway and returns the transcript's file.
func runDraw(t *testing.T, g *gateway, arguments ...string) (transcript string) {
	t.Helper()
	transcript = filepath.Join(t.TempDir(), "draw.json")
	arguments = append([]string{"draw", "run", "--server", g.url, "--token-file", filepath.Join(g.data, "tokens.json"), "--out", transcript}, arguments...)
	out, err := exec.Command(program, arguments...).CombinedOutput()
	require.NoError(t, err, "%s\n%s", out, g.logged())
	require.Contains(t, string(out), "PASS       assignment")
	require.NotContains(t, string(out), "FAIL")
	return transcript
}

// A draw runs from plan to result with one command; its transcript verifies
// with the network stopped, and not when it is changed; a second gateway
// answers alike.
func TestDraw(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, n *network) {
		g := n.start(t, t.TempDir())
		const id = "440300-000001"
		transcript := runDraw(t, g, append(n.drawFlags(), "--authority", "440300")...)
		second := n.startWith(t, t.TempDir(), "--config", g.configuration())
		second.caughtUp(g)
		answersAlike(t, g, second, id)
		tickets(t, g, id, transcript)
		settled(t, g, id)
		substitute(t, g, id, transcript)
		second.stop()
		g.stop()
		offline(t, transcript, filepath.Join(g.data, "trust.json"))
	})
}

// drawFlags ask for a small draw in as little time as the network needs.
func (n *network) drawFlags() []string {
	margin := "2"
	if n.real != nil {
		margin = "8" // some fifteen transactions one after the other, each a block
	}
	return []string{"--sites", "60", "--inspectors", "10", "--margin", margin}
}

// answersAlike: a second gateway shows the same draw.
func answersAlike(t *testing.T, g, second *gateway, id string) {
	t.Helper()
	for _, path := range drawPaths(id) {
		want := g.request("", http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, want.status, "%s: %s", path, want.body)
		require.Equal(t, string(want.body), string(second.request("", http.MethodGet, path, "").body), path)
	}
}

// settled: a draw that has its result takes no further step.
func settled(t *testing.T, g *gateway, id string) {
	t.Helper()
	for _, refused := range []struct{ as, path, body string }{
		{"regulator", "/cancellation", `{"reason":"force-majeure"}`}, {"notary", "/result", ""}, {"notary", "/voiding", ""},
		{"regulator", "/opening", ""}, {"institute", "/close", ""},
	} {
		a := g.request(refused.as, http.MethodPost, "/v1/draws/"+id+refused.path, refused.body)
		require.Equal(t, "STATE", a.problem(t).Code, refused.path)
	}
	require.Equal(t, http.StatusNotFound, g.request("", http.MethodGet, "/v1/draws/440300-000002", "").status)
}

func drawPaths(id string) []string {
	one := "/v1/draws/" + id
	return []string{
		"/v1/draws?authority=440300", "/v1/draws?phase=drawn", one, one + "/transcript", one + "/directories/objects", one + "/directories/inspectors",
		one + "/tickets/DEMO-S00001", one + "/tickets/DEMO-S00061", one + "/tickets/ELSEWHERE",
	}
}

// tickets asks for every site: those answered as selected are those of the
// result, in its order, and absences are proved.
func tickets(t *testing.T, g *gateway, id, transcript string) {
	t.Helper()
	raw, err := os.ReadFile(transcript)
	require.NoError(t, err)
	var shown struct {
		Directories struct{ Objects []draw.Object }
		Freeze      struct {
			ObjectsRoot draw.Digest
			Objects     uint64
		}
		Result struct {
			Strata map[string]struct {
				Selected []struct {
					ID     string
					Ticket string
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(raw, &shown))
	type ticket struct {
		Answer, Ticket, Exclusion string
		Rank                      int
		Proof                     draw.ObjectProof
		Absence                   draw.Absence
	}
	selected := 0
	for _, object := range shown.Directories.Objects {
		var answered ticket
		g.read("/v1/draws/"+id+"/tickets/"+object.ID, &answered)
		require.NoError(t, answered.Proof.Verify(shown.Freeze.ObjectsRoot, shown.Freeze.Objects))
		if answered.Answer == "selected" {
			selected++
			line := shown.Result.Strata[object.Stratum].Selected[answered.Rank-1]
			require.Equal(t, object.ID, line.ID)
			require.Equal(t, line.Ticket, answered.Ticket)
		}
	}
	require.Equal(t, 4, selected, "a twentieth of four strata of fifteen, rounded up")
	for _, site := range []string{"ELSEWHERE", "DEMO-S00061"} {
		var absent ticket
		g.read("/v1/draws/"+id+"/tickets/"+site, &absent)
		require.NoError(t, absent.Absence.Verify(shown.Freeze.ObjectsRoot, shown.Freeze.Objects))
		require.Equal(t, site == "DEMO-S00061", absent.Exclusion == "visit-cap")
	}
	require.Equal(t, "INVALID", g.request("", http.MethodGet, "/v1/draws/"+id+"/tickets/lower", "").problem(t).Code)
}

// substitute replaces an object that was drawn, recuses an inspector there, and
// writes the transcript anew.
func substitute(t *testing.T, g *gateway, id, transcript string) {
	t.Helper()
	one := "/v1/draws/" + id
	var record struct {
		Result struct {
			Result struct{ Order []string }
		}
		Changes []struct {
			By         string
			Inspectors []string
		}
	}
	g.read(one, &record)
	object := record.Result.Result.Order[0]
	g.must("regulator", http.MethodPost, one+"/substitutions", `{"object":"`+object+`","reason":"not-found"}`)
	g.must("association", http.MethodPost, one+"/changes/1/approval", "")
	g.read(one, &record)
	by, inspector := record.Changes[0].By, record.Changes[0].Inspectors[1]
	g.must("regulator", http.MethodPost, one+"/recusals", `{"object":"`+by+`","inspector":"`+inspector+`"}`)
	g.must("institute", http.MethodPost, one+"/changes/2/approval", "")
	var ticket struct {
		Answer     string
		Inspectors []string
	}
	g.read(one+"/tickets/"+object, &ticket)
	require.Equal(t, "replaced", ticket.Answer)
	g.read(one+"/tickets/"+by, &ticket)
	require.Equal(t, "substitute", ticket.Answer)
	require.NotContains(t, ticket.Inspectors, inspector)
	after := g.request("", http.MethodGet, one+"/transcript", "")
	require.NoError(t, os.WriteFile(transcript, after.body, 0o600))
	out, err := exec.Command(program, "draw", "verify", transcript).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "PASS       substitutions")
}

// offline verifies a transcript without any network, whole and changed.
func offline(t *testing.T, transcript, trust string) {
	t.Helper()
	out, err := exec.Command(program, "draw", "verify", "--trust", trust, transcript).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `PASS +ledger +\d+ transactions in blocks \d+ to \d+`, string(out))
	require.NotContains(t, strings.ReplaceAll(string(out), "NOT SHOWN  substitutions     none are carried", ""), "NOT SHOWN")
	raw, err := os.ReadFile(transcript)
	require.NoError(t, err)
	otherwise(t, raw, trust)
	for _, change := range []struct{ from, to, step string }{
		{`"id":"DEMO-S00007"`, `"id":"DEMO-S00907"`, "directories"}, {`"observations":2`, `"observations":3`, "plan"}, {`"round":`, `"round":1`, "beacon"},
	} {
		changed := filepath.Join(t.TempDir(), "changed.json")
		require.NoError(t, os.WriteFile(changed, []byte(strings.Replace(string(raw), change.from, change.to, 1)), 0o600))
		out, err := exec.Command(program, "draw", "verify", changed).CombinedOutput()
		require.Error(t, err, change.step)
		require.Regexp(t, `FAIL +`+change.step, string(out))
	}
}

// otherwise checks that blocks which say anything else fail the line ledger.
func otherwise(t *testing.T, transcript []byte, trust string) {
	t.Helper()
	for name, change := range map[string]func(blocks []any){
		"an envelope":        func(blocks []any) { flip(blocks[len(blocks)/2].(map[string]any)["envelopes"].([]any)) },
		"a block left out":   func(blocks []any) { blocks[1] = blocks[0] },
		"another order":      func(blocks []any) { blocks[1], blocks[2] = blocks[2], blocks[1] },
		"another place":      func(blocks []any) { blocks[1].(map[string]any)["transactions"] = []any{7} },
		"another block hash": func(blocks []any) { blocks[3].(map[string]any)["previousHash"] = strings.Repeat("A", 43) + "=" },
	} {
		var document map[string]any
		require.NoError(t, json.Unmarshal(transcript, &document))
		change(document["ledger"].(map[string]any)["evidence"].(map[string]any)["blocks"].([]any))
		changed := filepath.Join(t.TempDir(), "changed.json")
		raw, err := json.Marshal(document)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(changed, raw, 0o600))
		out, err := exec.Command(program, "draw", "verify", "--trust", trust, changed).CombinedOutput()
		require.Error(t, err, name)
		require.Regexp(t, `FAIL +ledger`, string(out), name)
	}
}

// flip changes one bit of the first of some base64 strings.
func flip(encoded []any) {
	raw, _ := base64.StdEncoding.DecodeString(encoded[0].(string))
	raw[len(raw)/2] ^= 1
	encoded[0] = base64.StdEncoding.EncodeToString(raw)
}

// A gateway that is killed between commitments and result goes on with the
// same secrets, and the draw has its result.
func TestDrawSurvivesKill(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, n *network) {
		g := n.start(t, t.TempDir())
		var state struct {
			Phase       string
			Commitments []struct{ Org, Commitment string }
			Close       struct{ Withheld []string }
		}
		const one = "/v1/draws/440500-000001"
		arguments := append([]string{"draw", "run", "--server", g.url, "--token-file", filepath.Join(g.data, "tokens.json"),
			"--out", filepath.Join(t.TempDir(), "x.json"), "--authority", "440500"}, n.drawFlags()...)
		run := exec.Command(program, append(arguments, "--margin", "8")...)
		require.NoError(t, run.Start())
		require.Eventually(t, func() bool {
			a := g.request("", http.MethodGet, one, "")
			return a.status == http.StatusOK && json.Unmarshal(a.body, &state) == nil && len(state.Commitments) > 0
		}, startTimeout, 10*time.Millisecond)
		g.kill()
		require.Error(t, run.Wait(), "the command loses its server")
		g = n.start(t, g.data)
		require.Eventually(t, func() bool {
			g.read(one, &state)
			return state.Phase == "drawn"
		}, startTimeout, 200*time.Millisecond)
		require.Len(t, state.Commitments, 4)
		require.Empty(t, state.Close.Withheld)
	})
}

// A draw whose objects stand in a file: a posted list with one name swapped is
// refuted by the observers, the right one stands and verifies offline, and a
// second gateway fetches the file by its root and answers alike.
func TestDrawByFile(t *testing.T) {
	onEachNetwork(t, testDrawByFile)
}

func testDrawByFile(t *testing.T, n *network) {
	g := n.start(t, t.TempDir())
	const id, one = "440800-000001", "/v1/draws/440800-000001"
	transcript := runDraw(t, g, append(n.drawFlags(), "--authority", "440800", "--sites", "600", "--by-file", "--mistaken")...)
	var record struct {
		Phase  string
		Voided []struct {
			PostedBy string
			Refuted  struct{ Kind, Object, By string }
		}
		Frozen struct{ ObjectsRoot string }
		Result struct{ PostedBy string }
	}
	g.read(one, &record)
	require.Equal(t, "drawn", record.Phase)
	require.Len(t, record.Voided, 1)
	require.Equal(t, "RegulatorMSP", record.Voided[0].PostedBy)
	require.Equal(t, "listed", record.Voided[0].Refuted.Kind)

	out, err := exec.Command(program, "draw", "challenge", id, "--server", g.url, "--dry-run").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "nothing to challenge")
	for _, site := range []string{record.Voided[0].Refuted.Object, "NOBODY"} {
		answer := filepath.Join(t.TempDir(), "ticket.json")
		require.NoError(t, os.WriteFile(answer, g.request("", http.MethodGet, one+"/tickets/"+site, "").body, 0o600))
		out, err := exec.Command(program, "draw", "verify", "--ticket", answer).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	refusedFiles(t, g, one)
	answersAlikeByFile(t, g, n, one, record.Frozen.ObjectsRoot)
	g.stop()
	offlineByFile(t, transcript, record.Frozen.ObjectsRoot)
}

// refusedFiles: the directory is the regulator's to put and, once frozen, the
// frozen one; lists are those posted.
func refusedFiles(t *testing.T, g *gateway, one string) {
	t.Helper()
	const other = "id,stratum,weight\nDEMO-S1,K1,1\n"
	require.Equal(t, "FORBIDDEN", g.request("notary", http.MethodPut, one+"/directories/objects", other).problem(t).Code)
	require.Equal(t, "INVALID", g.request("regulator", http.MethodPut, one+"/directories/objects", other).problem(t).Code)
	require.Equal(t, "INVALID", g.request("notary", http.MethodPut, one+"/posting/lists", "id,stratum,weight,list,inspectors\n").problem(t).Code)
	require.Equal(t, "STATE", g.request("notary", http.MethodPost, one+"/result", "").problem(t).Code)
	require.Equal(t, http.StatusNotFound, g.request("", http.MethodGet, "/v1/draw-files/"+strings.Repeat("0", 64), "").status)
}

// answersAlikeByFile starts a second gateway that fetches files from the first.
func answersAlikeByFile(t *testing.T, g *gateway, n *network, one, root string) {
	t.Helper()
	base, err := os.ReadFile(g.configuration())
	require.NoError(t, err)
	configuration := filepath.Join(filepath.Dir(g.configuration()), "second.yaml") // its paths are relative
	require.NoError(t, os.WriteFile(configuration, append(base, "\ngateways: ["+g.url+"]\n"...), 0o600))
	second := n.startWith(t, t.TempDir(), "--config", configuration)
	second.caughtUp(g)
	require.Eventually(t, func() bool {
		return second.request("", http.MethodGet, "/v1/draw-files/"+root, "").status == http.StatusOK
	}, 2*time.Minute, 200*time.Millisecond, "fetched from the first gateway")
	paths := []string{one, one + "/transcript", one + "/directories/objects", one + "/tickets/DEMO-S00001", one + "/tickets/ELSEWHERE", "/v1/draw-files/" + root}
	for _, path := range paths {
		want := g.request("", http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, want.status, "%s: %s", path, want.body)
		require.Equal(t, string(want.body), string(second.request("", http.MethodGet, path, "").body), path)
	}
	second.stop()
}

// offlineByFile verifies the transcript with the file beside it, whole and with
// a row changed.
func offlineByFile(t *testing.T, transcript, root string) {
	t.Helper()
	out, err := exec.Command(program, "draw", "verify", transcript).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "as posted by roots")
	file := filepath.Join(filepath.Dir(transcript), root+".csv")
	rows, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(rows), "DEMO-S00007,K3,1", "DEMO-S00007,K3,2", 1)), 0o600))
	out, err = exec.Command(program, "draw", "verify", transcript).CombinedOutput()
	require.Error(t, err)
	require.Regexp(t, `FAIL +directories`, string(out))
}
