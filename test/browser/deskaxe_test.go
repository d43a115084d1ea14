package browser

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// deskLinks are the pages of a desk that a page leads to, downloads apart.
func (v *visitor) deskLinks() []string {
	v.t.Helper()
	return measure[[]string](v, `[...new Set([...document.querySelectorAll('a[href^="/desk"]:not([download]):not(.switch)')].map((a) => a.getAttribute('href')).filter((href) => !/\.(csv|zip)$|[?&]lang=/.test(href)))]`)
}

// kindOf is what a page is one of: its form, or its address without names.
func kindOf(path string) string {
	kind, _, _ := strings.Cut(path, "?")
	parts := strings.Split(kind, "/")
	if len(parts) > 3 && parts[2] != "do" && parts[2] != "file" {
		parts[3] = "*"
	}
	return strings.Join(parts, "/")
}

// crawl goes to one page of each kind that a post can reach by links from its
// desk.
func (v *visitor) crawl(at func(path string), more ...string) {
	v.t.Helper()
	known := map[string]bool{}
	next := append([]string{"/desk"}, more...)
	for len(next) > 0 {
		path := next[0]
		next = next[1:]
		if known[path] || known[kindOf(path)] && !slices.Contains(more, path) {
			continue
		}
		known[path], known[kindOf(path)] = true, true
		v.open(path)
		if !strings.HasPrefix(path, "/desk/do/") {
			next = append(next, v.deskLinks()...)
		}
		at(path)
	}
}

// The accessibility checker finds nothing on any page of any desk, light and
// dark, phone and desktop, in both languages. Forms made from the interface's
// description, which share one template, are looked at on a dark phone and a
// light desktop.
func TestAccessibilityOfEveryDesk(t *testing.T) {
	for post, more := range map[string][]string{
		"regulator": {"/desk/cases", "/desk/overdue"}, "association": {"/desk/mine?merchant=M-MARKET", "/desk/stickers?site=S-MARKET", "/desk/file/importRows-instruments"}, "notary": {"/desk/windows"},
		"institute": nil, "inspector": {"/desk/round?as=I-1", do("enterInspection") + "?site=S-STATION"},
		"merchant": {"/desk/drawn?site=S-STATION", do("signPledge") + "?id=M-STATION&chosen=on&programme=integrity-metrology&signature.role=operator"},
	} {
		for _, language := range []string{"zh-CN", "en"} {
			t.Run(post+"/"+language, func(t *testing.T) {
				t.Parallel()
				v := visit(t, language, phoneWidth, phoneHeight)
				v.open("/desk")
				require.Empty(t, v.examine("sign-in", everyLook...), "signing in")
				v.signIn(post)
				found := map[string][]string{}
				v.crawl(func(path string) {
					looks := everyLook
					if strings.HasPrefix(path, "/desk/do/") {
						looks = everyLook[1:3]
					}
					if wrong := v.examine("desk-"+post+"-"+kindOf(path), looks...); len(wrong) > 0 {
						found[path] = wrong
					}
				}, more...)
				require.Empty(t, found)
				v.onlyOurs()
			})
		}
	}
}
