package browser

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// drawn runs a demonstration draw to its result and returns its transcript.
func drawn(t *testing.T) (id string, assigned map[string][]string) {
	t.Helper()
	if site.skip != "" {
		t.Skip(site.skip)
	}
	out := filepath.Join(t.TempDir(), "transcript.json")
	run := exec.CommandContext(t.Context(), site.program, "draw", "run", "--sites", "60", "--server", site.url,
		"--token-file", filepath.Join(site.data, "tokens.json"), "--out", out)
	said, err := run.CombinedOutput()
	require.NoError(t, err, string(said))
	raw, err := os.ReadFile(out)
	require.NoError(t, err)
	var transcript struct {
		Draw   string `json:"draw"`
		Result struct {
			Assignments map[string][]string `json:"assignments"`
		} `json:"result"`
	}
	require.NoError(t, json.Unmarshal(raw, &transcript))
	return transcript.Draw, transcript.Result.Assignments
}

// A visitor finds a draw, asks for a place, and recomputes the result.
func TestDraw(t *testing.T) {
	id, assigned := drawn(t)
	v := visit(t, "en", phoneWidth, phoneHeight)
	v.open("/draws")
	require.Contains(t, v.text("main"), "demonstration")
	v.open("/draws/" + id)
	require.Contains(t, v.text("main"), "It proves nothing about secrecy, bias or time")
	require.Empty(t, measure[[]string](v, faults))
	v.do(chromedp.Click("#recompute"))
	ask(v, chromedp.Poll[bool](`!document.querySelector('#recompute').disabled`))
	require.Equal(t, "The recomputed result is the one on the ledger.", v.text("#recompute-said"))
	v.picture("draw")

	for place := range assigned {
		v.do(chromedp.SendKeys("#site", place), chromedp.Click("form[action^='/draws/'] button"), chromedp.WaitVisible(".verdict"))
		require.Contains(t, v.text(".verdict"), "drawn")
		require.Contains(t, v.text(".verdict"), "says nothing about a place")
		require.Empty(t, measure[[]string](v, faults))
		v.picture("draw-ticket")
		break
	}
	v.open("/draws/" + id + "?site=S-ELSEWHERE")
	require.Contains(t, v.text(".verdict"), "not in the directory")
	v.onlyOurs()
	v.nothingSent()
}
