package browser

import (
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

// runAxe runs every rule of WCAG 2.2 A and AA and the best practices, and keeps
// what was found in one line each.
const runAxe = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((result) => {
  window.axeFound = result.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target.join(' ') + ' ' + (n.failureSummary || '').replace(/\s+/g, ' ')));
}), true`

// violations are what the checker finds on the page as it stands.
func (v *visitor) violations() []string {
	v.t.Helper()
	script, why := axeSource()
	if why != "" {
		v.t.Skip(why)
	}
	measure[any](v, script+";window.axeFound=undefined;true")
	measure[bool](v, runAxe)
	ask(v, chromedp.Poll[bool](`window.axeFound !== undefined`))
	return measure[[]string](v, `window.axeFound`)
}

// The accessibility checker finds nothing on any page, light and dark, phone
// and desktop.
func TestAccessibilityChecker(t *testing.T) {
	for _, language := range []string{"zh-CN", "en"} {
		for _, scheme := range []string{"light", "dark"} {
			width, height := int64(phoneWidth), int64(phoneHeight)
			if (language == "en") == (scheme == "light") {
				width, height = desktopWidth, desktopHeight
			}
			t.Run(language+"/"+scheme, func(t *testing.T) {
				v := visit(t, language, width, height)
				command(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
				})
				found := map[string][]string{}
				for _, path := range allPages(t) {
					v.open(path)
					if violations := v.violations(); len(violations) > 0 {
						found[path] = violations
					}
				}
				require.Empty(t, found)
				checker := "file://" + fetch(t, "/offline/checker.html", language, "checker.html")
				v.do(chromedp.Navigate(checker), chromedp.WaitReady("#pinned dd"),
					chromedp.SetUploadFiles("#bundle", []string{evidenceOf(t, "DEMO-2026-0001")}), chromedp.Click("#ask button"), chromedp.WaitVisible("#answer .verdict"))
				require.Empty(t, v.violations(), "the offline checker with an answer")
			})
		}
	}
}

// The checker finds what is wrong, or its silence would say nothing.
func TestAccessibilityCheckerFinds(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	v.open("/status")
	measure[bool](v, `document.querySelector('main').insertAdjacentHTML('beforeend', '<input type="text"><img src="/favicon.ico">'), true`)
	require.Contains(t, strings.Join(v.violations(), "\n"), "label")
}
