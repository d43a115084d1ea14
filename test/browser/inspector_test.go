package browser

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// enterVisit fills in a visit at the station by keyboard: one nozzle within its
// tolerance.
func (v *visitor) enterVisit(remark string) {
	v.t.Helper()
	subject := func(post string) string { return rest(v.t, post, "GET", "/v1/identity", "")["subject"].(string) }
	v.open(do("enterInspection") + "?site=S-STATION")
	require.Empty(v.t, measure[[]string](v, faults))
	v.enter("basis.kind", "complaint")
	v.do(chromedp.SetValue(field("inspectors"), subject("inspector")+"\n"+subject("inspector2")))
	v.enter("post", subject("regulator"))
	v.enter("inspection.remark", remark)
	v.do(chromedp.Click(field("inspection.items[0].results=none-found")))
	v.enter("inspection.items[0].measurements[0].indication", "20.020")
	require.NotEmpty(v.t, v.text(".measured .said"), "the tolerance stands there before the reference does")
	v.enter("inspection.items[0].measurements[0].reference", "20.200")
	require.Equal(v.t, "fail", measure[string](v, `document.querySelector('.measured .said .tag').dataset.verdict`))
	v.enter("inspection.items[0].measurements[0].reference", "20.000")
	require.Equal(v.t, "pass", measure[string](v, `document.querySelector('.measured .said .tag').dataset.verdict`))
}

// kept is how many entries wait on this device.
func (v *visitor) kept() int {
	v.t.Helper()
	return measure[int](v, `Object.keys(localStorage).filter((k) => k.startsWith('steelyard.waiting.')).length`)
}

// openVisits counts the inspections that can still be revised.
func (v *visitor) openVisits() int {
	v.t.Helper()
	v.signIn("inspector")
	v.open("/desk/round")
	return measure[int](v, `[...document.querySelectorAll('a[href^="/desk/do/reviseInspection"]')].length`)
}

// An inspector sees tolerance and verdict while typing, attaches evidence by
// its digest, and sends the visit; the file stays on the phone.
func TestInspectorEntersAVisit(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		v.signIn("inspector")
		v.open("/desk/round")
		require.Empty(t, measure[[]string](v, faults))
		v.enterVisit("entered at the station")
		path := filepath.Join(t.TempDir(), "scene.jpg")
		require.NoError(t, os.WriteFile(path, []byte("a photograph of the scene"), 0o600))
		v.do(chromedp.SetUploadFiles("#files", []string{path}))
		require.Eventually(t, func() bool {
			return len(measure[string](v, `document.getElementById('inspection.items[0].evidence[0].digest').value`)) == 64
		}, 10*time.Second, 50*time.Millisecond)
		v.picture("desk-visit-" + v.language)
		v.tabTo("#visit > button[type=submit]:not(.quiet)")
		v.do(chromedp.KeyEvent(kb.Enter))
		v.do(chromedp.WaitVisible(".verdict"))
		require.Contains(t, v.address().Path, "/desk/sent/", v.text(".verdict"))
		require.Regexp(t, "Done|已完成", v.sent())
		require.Zero(t, v.kept())
	})
}

// The connection drops while a visit is sent, and the form is sent again and
// again: it stays on the phone, goes out once there is a connection, and is
// recorded once. A session that ended meanwhile loses nothing.
func TestInspectorLosesTheConnection(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	before := v.openVisits()
	v.enterVisit("sent without a connection")
	measure[bool](v, `window.connected = window.fetch, window.fetch = () => Promise.reject(new TypeError('no connection')), true`)
	v.tabTo("#visit > button[type=submit]:not(.quiet)")
	v.do(chromedp.KeyEvent(kb.Enter))
	require.Eventually(t, func() bool { return v.kept() == 1 }, 5*time.Second, 50*time.Millisecond)
	v.do(chromedp.KeyEvent(kb.Enter))
	require.Eventually(t, func() bool {
		return measure[bool](v, `document.getElementById('visit').textContent.includes('No connection')`)
	}, 10*time.Second, 100*time.Millisecond)
	command(v, network.ClearBrowserCookies, cdp.Empty{})
	measure[bool](v, `window.fetch = window.connected, window.dispatchEvent(new Event('online'))`)
	require.Eventually(t, func() bool {
		return measure[bool](v, `document.getElementById('visit').textContent.includes('session is over')`)
	}, 20*time.Second, 100*time.Millisecond)
	require.Equal(t, 1, v.kept(), "it is still here")
	v.signIn("inspector")
	v.open("/desk/round")
	require.Eventually(t, func() bool { return v.kept() == 0 }, 10*time.Second, 100*time.Millisecond)
	require.Equal(t, before+1, v.openVisits())
	v.onlyOurs()
}
