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

// finished is a draw with its result.
type finished struct {
	id       string
	assigned map[string][]string // inspectors by place
	why      string              // there is none; empty: there is
}

// drawn runs a demonstration draw to its result, once for all tests.
func drawn(t *testing.T) (id string, assigned map[string][]string) {
	t.Helper()
	if site.skip != "" {
		t.Skip(site.skip)
	}
	d := site.drawn()
	require.Empty(t, d.why)
	return d.id, d.assigned
}

// drawnByFile is a draw whose objects stand in a file.
func drawnByFile(t *testing.T) string {
	t.Helper()
	d := site.filed()
	require.Empty(t, d.why)
	return d.id
}

// runDraw runs a demonstration draw and reads its transcript.
func runDraw(arguments ...string) finished {
	directory, err := os.MkdirTemp("", "steelyard-draw-")
	if err != nil {
		return finished{why: err.Error()}
	}
	defer os.RemoveAll(directory)
	out := filepath.Join(directory, "transcript.json")
	arguments = append([]string{"draw", "run", "--sites", "60", "--server", site.url, "--token-file", filepath.Join(site.data, "tokens.json"), "--out", out}, arguments...)
	if said, err := exec.CommandContext(site.running, site.program, arguments...).CombinedOutput(); err != nil {
		return finished{why: err.Error() + ": " + string(said)}
	}
	raw, err := os.ReadFile(out)
	var transcript struct {
		Draw   string `json:"draw"`
		Result struct {
			Assignments map[string][]string `json:"assignments"`
		} `json:"result"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &transcript)
	}
	if err != nil {
		return finished{why: err.Error()}
	}
	return finished{id: transcript.Draw, assigned: transcript.Result.Assignments}
}

// The page of a draw whose objects stand in a file names the places that were
// drawn, and leads to the whole list.
func TestDrawByFileNamesPlaces(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	v.open("/draws/" + drawnByFile(t))
	places := measure[[]string](v, `[...document.querySelectorAll('main ol.drawn a[href^="/s/"]')].map((a) => a.textContent)`)
	require.NotEmpty(t, places)
	_, list := v.download(`main a[href^="/v1/draw-files/"]`)
	for _, place := range places {
		require.Contains(t, string(list), place)
	}
	v.onlyOurs()
}

// The browser checks the transcript step by step, and names the step that was
// tampered with on its way.
func TestStepsInTheBrowser(t *testing.T) {
	id, _ := drawn(t)
	for name, test := range map[string]struct{ language, tamper, step string }{
		"as it is":                {"en", ``, ""},
		"as it is, in Chinese":    {"zh-CN", ``, ""},
		"a secret exchanged":      {"en", `const s = t.reveals[0].secret; t.reveals[0].secret = (s[0] === '0' ? '1' : '0') + s.slice(1)`, "reveals"},
		"a place left out":        {"zh-CN", `t.directories.objects.shift()`, "directories"},
		"another round's beacon":  {"en", `const s = t.beacon.signature; t.beacon.signature = s.slice(0, -1) + (s.endsWith('0') ? '1' : '0')`, "beacon"},
		"another place as drawn":  {"en", `const s = Object.values(t.result.strata).find((v) => v.selected.length).selected[0]; s.id = t.directories.objects.find((o) => o.id !== s.id).id`, "selection"},
		"another inspector there": {"en", `const a = t.result.assignments, k = Object.keys(a)[0]; a[k] = [...a[k]].reverse()`, "assignment"},
	} {
		t.Run(name, func(t *testing.T) {
			v := visit(t, test.language, phoneWidth, phoneHeight)
			v.open("/draws/" + id)
			if test.tamper != "" {
				measure[bool](v, `(() => {
					const sent = window.fetch.bind(window);
					window.fetch = async (...asked) => {
						const t = await (await sent(...asked)).json();
						`+test.tamper+`;
						return new Response(JSON.stringify(t));
					};
					return true;
				})()`)
			}
			v.tabTo("#steps")
			v.do(chromedp.KeyEvent(" "))
			v.until(`!document.querySelector('#steps').disabled && !document.querySelector('#steps-list').hidden`)
			wrong := measure[[]string](v, `[...document.querySelectorAll('#steps-list li:has(.tone-bad)')].map((e) => e.dataset.step)`)
			passed := measure[int](v, `document.querySelectorAll('#steps-list li:has(.tone-good)').length`)
			if test.step == "" {
				require.Empty(t, wrong)
				require.Greater(t, passed, 10)
			} else {
				require.NotEmpty(t, wrong)
				require.Equal(t, test.step, wrong[0])
				require.Contains(t, v.text("#steps-said"), map[string]string{"en": "A step is wrong", "zh-CN": "有步骤不符"}[test.language])
			}
			require.Empty(t, measure[[]string](v, faults))
			require.Empty(t, v.violations())
			v.onlyOurs()
			v.nothingSent()
		})
	}
}
