package browser

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// The connection drops, the page is loaded anew, and the browser goes elsewhere:
// what the inspector entered is kept on the device and recorded once.
func TestInspectorReloadsWithoutAConnection(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		before := v.openVisits()
		v.enterVisit("sent after a reload")
		address := v.address().RequestURI()
		v.offline(true)
		v.tabTo("#visit > button[type=submit]:not(.quiet)")
		v.do(chromedp.KeyEvent(kb.Enter))
		require.Eventually(t, func() bool { return v.kept() == 1 }, 5*time.Second, 50*time.Millisecond)
		v.offline(false)
		v.open(address) // before it went out by itself: the form is empty again, and the entry is not
		require.Eventually(t, func() bool {
			kept, err := chromedp.Run(v.ctx, chromedp.Evaluate[int](`Object.keys(localStorage).filter((k) => k.startsWith('steelyard.waiting.')).length`))
			return err == nil && kept == 0
		}, 40*time.Second, 200*time.Millisecond)
		v.open("/desk/round")
		v.open("/desk/round")
		require.Equal(t, before+1, v.openVisits(), "once")
	})
}
