package browser

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const (
	goldenPages = "../../gateway/web/testdata"
	pageAssets  = "../../gateway/web/assets"
)

// canned serves the golden files of all views with the style and scripts they
// name, so that a browser meets every state of a page that the demonstration
// does not have: each phase of a draw, long and hostile texts, errors.
func canned(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		file := filepath.Join(goldenPages, name)
		if strings.HasPrefix(r.URL.Path, "/assets/") {
			file = filepath.Join(pageAssets, name)
		}
		http.ServeFile(w, r, file)
	}))
	t.Cleanup(server.Close)
	return server
}

// cannedPages are the golden files of pages in a language: of the desks, or of
// the public pages.
func cannedPages(t *testing.T, language string, desks bool) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goldenPages, "*."+strings.Split(language, "-")[0]+".html"))
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(content), `class="desk-bar"`) == desks {
			names = append(names, filepath.Base(file))
		}
	}
	require.Greater(t, len(names), 50)
	return names
}

// Every view in every state is usable and the accessibility checker finds
// nothing: light and dark, phone and desktop, both languages.
func TestEveryStateOfEveryView(t *testing.T) {
	for name, round := range map[string]struct {
		language, scheme string
		width, height    int64
		desks            bool
	}{
		"phone, Chinese, light": {"zh-CN", "light", phoneWidth, phoneHeight, false}, "desktop, Chinese, dark": {"zh-CN", "dark", desktopWidth, desktopHeight, false},
		"phone, English, dark": {"en", "dark", phoneWidth, phoneHeight, false}, "desktop, English, light": {"en", "light", desktopWidth, desktopHeight, false},
		"desks, phone, Chinese": {"zh-CN", "dark", phoneWidth, phoneHeight, true}, "desks, phone, English": {"en", "light", phoneWidth, phoneHeight, true},
	} {
		t.Run(name, func(t *testing.T) {
			v := visit(t, round.language, round.width, round.height)
			command(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: round.scheme}},
			})
			server := canned(t)
			found := map[string][]string{}
			for _, file := range cannedPages(t, round.language, round.desks) {
				v.do(chromedp.Navigate(server.URL+"/"+file), chromedp.WaitReady("#main"))
				if wrong := append(measure[[]string](v, faults), v.violations()...); len(wrong) > 0 {
					found[file] = wrong
				}
				v.picture("canned-" + strings.TrimSuffix(file, ".html") + "-" + round.scheme)
			}
			require.Empty(t, found)
		})
	}
}
