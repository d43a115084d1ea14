package browser

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// subjectOf is the subject of a post.
func subjectOf(t *testing.T, post string) string {
	t.Helper()
	return rest(t, post, "GET", "/v1/identity", "")["subject"].(string)
}

// sealedDraw takes a draw of two of three places for two inspectors from its
// plan to its sealed outcome, each organisation at its own desk.
func sealedDraw(t *testing.T, v *visitor) (id string) {
	t.Helper()
	v.signIn("regulator")
	v.submit(do("planDraw"),
		entry{"authority", "310198"}, entry{"title", "Sealed at the desks"}, entry{"scope", "three places"},
		entry{"strata[0].stratum", "K1"}, entry{"strata[0].quota", "2"}, entry{"margin", "4"}, entry{"beacon", "development"},
		entry{"sealed", "on"}, entry{"openWithin", "3600"})
	require.Regexp(t, "Done|已完成", v.sent())
	id = measure[string](v, `document.querySelector('.facts a').textContent`)
	v.signIn("notary")
	v.done(do("approveDraw") + "?id=" + id)

	v.signIn("regulator")
	files := t.TempDir()
	for name, content := range map[string]string{
		"objects":    "id,stratum,weight\nS-STATION,K1,1\nS-MARKET,K1,1\nS-STALL-12,K1,1\n",
		"inspectors": "staff,post,cap,skills\nA," + subjectOf(t, "inspector") + ",4,\nB," + subjectOf(t, "inspector2") + ",4,\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(files, name+".csv"), []byte(content), 0o600))
	}
	v.open("/desk/file/importDrawDirectories?id=" + id)
	v.do(chromedp.SetUploadFiles("#objects", []string{filepath.Join(files, "objects.csv")}), chromedp.SetUploadFiles("#inspectors", []string{filepath.Join(files, "inspectors.csv")}))
	v.tabTo(send)
	v.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#work .card"))
	v.done(measure[string](v, `document.querySelector('a[href^="/desk/do/freezeDraw"]').getAttribute('href')`))
	for _, post := range []string{"institute", "association"} {
		v.signIn(post)
		v.done(do("approveDrawFreeze") + "?id=" + id)
	}
	v.signIn("notary")
	v.open("/desk/draws/" + id)
	require.Empty(t, measure[[]string](v, faults))
	require.Regexp(t, "by .+, in |前|之前|剩", v.text(".verdict"), "the notary is told by when")
	require.Eventually(t, func() bool {
		return rest(t, "notary", "GET", "/v1/draws/"+id, "")["phase"] == "sealed"
	}, 90*time.Second, 500*time.Millisecond)
	return id
}

// toVisit are the links of the places that a draw gave to the inspector and that
// it has not visited.
func (v *visitor) toVisit(id string) []string {
	v.t.Helper()
	v.open("/desk/round")
	require.Empty(v.t, measure[[]string](v, faults))
	return measure[[]string](v, `[...document.querySelectorAll('.visits a.go[href*="`+id+`"]')].map((a) => a.getAttribute('href'))`)
}

// enterDrawn opens a visit from the list by keyboard and sends it. Nothing of
// the draw is typed.
func (v *visitor) enterDrawn(link string) {
	v.t.Helper()
	v.tabTo(`a[href="` + link + `"]`)
	v.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#visit"))
	v.sendDrawn()
}

func (v *visitor) sendDrawn() {
	v.t.Helper()
	require.Empty(v.t, measure[[]string](v, faults))
	require.Empty(v.t, measure[[]string](v, `[...document.querySelectorAll('#visit input:not([type=hidden]), #visit textarea, #visit select')].map((e) => e.name).filter((name) => /basis|assigned|leaf|salt|inspectors/.test(name))`), "nobody types what the draw says")
	v.enter("inspection.items[0].results=none-found", "on")
	v.tabTo("#visit > button[type=submit]:not(.quiet)")
	v.do(chromedp.KeyEvent(kb.Enter))
	require.Regexp(v.t, "Done|已完成", v.sent())
}

// A sealed draw is planned, frozen, closed and opened at the desks. While it is
// sealed its inspector has the leaf of each visit from the gateway, or from the
// file that the authority hands out; once it is open, the rank.
func TestSealedDrawAndItsVisits(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		id := sealedDraw(t, v)
		v.signIn("inspector2")
		links := v.toVisit(id)
		require.Len(t, links, 2)
		v.picture("desk-round-sealed-" + v.language)
		v.do(chromedp.Navigate(site.url+links[0]), chromedp.WaitVisible("#visit"))
		v.picture("desk-visit-sealed-" + v.language)
		v.open("/desk/round")
		v.enterDrawn(links[0])
		require.Equal(t, links[1:], v.toVisit(id), "one is left")

		v.signIn("regulator")
		v.open("/desk/draws/" + id)
		require.Empty(t, measure[[]string](v, faults))
		v.picture("desk-draw-sealed-" + v.language)
		left, err := url.Parse(links[1])
		require.NoError(t, err)
		ticket := filepath.Join(t.TempDir(), "visit.json")
		content := measure[string](v, `(() => {
			const request = new XMLHttpRequest();
			request.open('GET', document.querySelector('a[download][href$="`+left.Query().Get("site")+`"]').href, false);
			request.send();
			return request.responseText;
		})()`)
		require.Contains(t, content, `"leaf"`)
		require.NoError(t, os.WriteFile(ticket, []byte(content), 0o600))

		v.signIn("inspector")
		require.Equal(t, links[1:], v.toVisit(id), "what the colleague entered is not to be entered again")
		v.do(chromedp.SetUploadFiles("#ticket", []string{ticket}))
		v.tabTo(`form[action="/desk/round"] button[type=submit]`)
		v.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#visit"))
		require.NotEmpty(t, measure[string](v, `document.querySelector('#visit input[name="leaf"]').value`))
		require.Equal(t, left.Query().Get("site"), measure[string](v, `document.querySelector('#visit input[name="site"]').value`))

		v.signIn("regulator")
		v.done(do("unsealDraw")+"?id="+id, entry{"_sure", "on"})
		require.Equal(t, "drawn", rest(t, "notary", "GET", "/v1/draws/"+id, "")["phase"])
		v.signIn("inspector")
		links = v.toVisit(id)
		require.Len(t, links, 1)
		require.Regexp(t, "rank [12]|第[12]位", v.text(".visits"))
		v.enterDrawn(links[0])
		require.Empty(t, v.toVisit(id))
	})
}
