package browser

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

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
	phone, desktop := everyLook[:2], everyLook[2:]
	for name, round := range map[string]struct {
		language string
		desks    bool
		looks    []look
	}{
		"Chinese": {"zh-CN", false, []look{phone[0], desktop[1]}}, "English": {"en", false, []look{phone[1], desktop[0]}},
		"desks, Chinese": {"zh-CN", true, []look{phone[1], desktop[0]}}, "desks, English": {"en", true, []look{phone[0], desktop[1]}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := visit(t, round.language, phoneWidth, phoneHeight)
			server := canned(t)
			found := map[string][]string{}
			for _, file := range cannedPages(t, round.language, round.desks) {
				v.do(chromedp.Navigate(server.URL+"/"+file), chromedp.WaitReady("#main"))
				if wrong := v.examine("canned-"+strings.TrimSuffix(file, ".html"), round.looks...); len(wrong) > 0 {
					found[file] = wrong
				}
			}
			require.Empty(t, found)
		})
	}
}
