package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// axeSource installs the accessibility checker once and gives its script; why
// says why there is none.
var axeSource = sync.OnceValues(func() (script, why string) {
	if _, err := exec.LookPath("npm"); err != nil {
		return "", "npm is not on PATH: the accessibility checker is not run"
	}
	directory, err := os.MkdirTemp("", "steelyard-axe-")
	if err != nil {
		return "", err.Error()
	}
	defer os.RemoveAll(directory)
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := os.ReadFile(filepath.Join("axe", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(directory, name), content, 0o600)
		}
		if err != nil {
			return "", err.Error()
		}
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = directory
	if out, err := install.CombinedOutput(); err != nil {
		return "", "npm could not install the accessibility checker: " + string(out)
	}
	content, err := os.ReadFile(filepath.Join(directory, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return "", err.Error()
	}
	return string(content), ""
})

// runAxe runs rules and keeps what was found in one line each.
const runAxe = `axe.run(document, { runOnly: [%s] }).then((result) => {
  window.axeFound = result.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target.join(' ') + ' ' + (n.failureSummary || '').replace(/\s+/g, ' ')));
}), true`

const (
	// everyRule is each of WCAG 2.2 A and AA and the best practices.
	everyRule = `'wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'`
	// lookRules are those that colours and the size of the window can change.
	lookRules = `'color-contrast', 'target-size', 'link-in-text-block', 'scrollable-region-focusable'`
)

// violations are what the checker finds on the page as it stands.
func (v *visitor) violations() []string {
	v.t.Helper()
	return v.violationsOf(everyRule)
}

// violationsOf are what the checker finds by some rules. A document that it met
// before has it still.
func (v *visitor) violationsOf(rules string) []string {
	v.t.Helper()
	script, why := axeSource()
	if why != "" {
		v.t.Skip(why)
	}
	if !measure[bool](v, `window.axeFound = undefined, 'axe' in window`) {
		measure[any](v, script+";true")
	}
	measure[bool](v, fmt.Sprintf(runAxe, rules))
	ask(v, chromedp.Poll[bool](`window.axeFound !== undefined`))
	return measure[[]string](v, `window.axeFound`)
}

// look is how a page is shown.
type look struct {
	width, height int64
	scheme        string
}

var everyLook = []look{
	{phoneWidth, phoneHeight, "light"}, {phoneWidth, phoneHeight, "dark"}, {desktopWidth, desktopHeight, "light"}, {desktopWidth, desktopHeight, "dark"},
}

// show sets the size of the window and the scheme of colours.
func (v *visitor) show(l look) {
	v.t.Helper()
	command(v, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 500})
	command(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}})
}

// examine says what is wrong with a page: by every rule in the first look, by
// those that a look can change in the others.
func (v *visitor) examine(name string, looks ...look) []string {
	v.t.Helper()
	var wrong []string
	rules := everyRule
	for _, l := range looks {
		v.show(l)
		wrong = append(append(wrong, measure[[]string](v, faults)...), v.violationsOf(rules)...)
		rules = lookRules
		v.picture(fmt.Sprintf("%s-%s-%d-%s", strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-").Replace(name), "-"), v.language, l.width, l.scheme))
	}
	return wrong
}

// The accessibility checker, and what it does not look for, find nothing on any
// page, light and dark, phone and desktop, in both languages.
func TestAccessibilityChecker(t *testing.T) {
	for _, language := range []string{"zh-CN", "en"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			v := visit(t, language, phoneWidth, phoneHeight)
			found := map[string][]string{}
			for _, path := range allPages(t) {
				v.open(path)
				require.True(t, strings.HasPrefix(language, measure[string](v, `document.documentElement.lang.slice(0, 2)`)), path)
				if wrong := v.examine("page-"+path, everyLook...); len(wrong) > 0 {
					found[path] = wrong
				}
			}
			require.Empty(t, found)
			v.onlyOurs()
			checker := "file://" + fetch(t, "/offline/checker.html", language, "checker.html")
			v.do(chromedp.Navigate(checker), chromedp.WaitReady("#pinned dd"),
				chromedp.SetUploadFiles("#bundle", []string{evidenceOf(t, "DEMO-2026-0001")}), chromedp.Click("#ask button"), chromedp.WaitVisible("#answer .verdict"))
			require.Empty(t, v.examine("checker", everyLook...), "the offline checker with an answer")
		})
	}
}

// The checker finds what is wrong, or its silence would say nothing.
func TestAccessibilityCheckerFinds(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	v.open("/status")
	measure[bool](v, `document.querySelector('main').insertAdjacentHTML('beforeend', '<input type="text"><img src="/favicon.ico">'), true`)
	require.Contains(t, strings.Join(v.violations(), "\n"), "label")
}
