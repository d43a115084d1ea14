package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// token is the bearer token of a post of the demonstration.
func token(t *testing.T, post string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(site.data, "tokens.json"))
	require.NoError(t, err)
	var tokens map[string]string
	require.NoError(t, json.Unmarshal(raw, &tokens))
	require.NotEmpty(t, tokens[post])
	return tokens[post]
}

// tabTo presses Tab until an element has the focus.
func (v *visitor) tabTo(selector string) {
	v.t.Helper()
	for range 150 {
		v.do(chromedp.KeyEvent(kb.Tab))
		if measure[bool](v, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
	}
	v.t.Fatalf("Tab does not lead to %s", selector)
}

// field is the selector of a form's control.
func field(path string) string { return fmt.Sprintf(`[id="%s"]`, path) }

// enter fills a control in with the keyboard alone.
func (v *visitor) enter(path, value string) {
	v.t.Helper()
	closed := fmt.Sprintf(`details:not([open]):has(%s)`, field(path))
	for measure[bool](v, fmt.Sprintf(`!!document.querySelector(%q)`, closed)) {
		v.tabTo(closed + " > summary")
		v.do(chromedp.KeyEvent(kb.Enter))
	}
	v.tabTo(field(path))
	switch kind := measure[string](v, `document.activeElement.type`); kind {
	case "select-one":
		v.choose(value)
	case "checkbox":
		v.do(chromedp.KeyEvent(" "))
		require.True(v.t, measure[bool](v, `document.activeElement.checked`))
	case "date":
		v.date(value)
	default:
		v.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
		v.do(chromedp.KeyEvent(value))
		require.Equal(v.t, value, measure[string](v, `document.activeElement.value`), path)
	}
}

// choose picks an option of the list that has the focus.
func (v *visitor) choose(value string) {
	v.t.Helper()
	at := measure[int](v, fmt.Sprintf(`[...document.activeElement.options].findIndex((o) => o.value === %q) - document.activeElement.selectedIndex`, value))
	key := kb.ArrowDown
	if at < 0 {
		at, key = -at, kb.ArrowUp
	}
	for range at {
		v.do(chromedp.KeyEvent(key))
	}
	require.Equal(v.t, value, measure[string](v, `document.activeElement.value`))
}

// date types a day into the parts of a date control; a browser without a
// locale of its machine wants month, day, year.
func (v *visitor) date(value string) {
	v.t.Helper()
	parts := strings.Split(value, "-")
	v.do(chromedp.KeyEvent(parts[1] + parts[2] + parts[0]))
	require.Equal(v.t, value, measure[string](v, `document.activeElement.value`))
}

// entry is what is entered into one control.
type entry struct{ path, value string }

// submit fills a form in and sends it, with the keyboard alone.
func (v *visitor) submit(address string, entries ...entry) {
	v.t.Helper()
	v.open(address)
	require.Empty(v.t, measure[[]string](v, faults), address)
	for _, e := range entries {
		v.enter(e.path, e.value)
	}
	v.tabTo(send)
	v.do(chromedp.KeyEvent(kb.Enter))
}

// signIn signs in with the keyboard alone.
func (v *visitor) signIn(post string) {
	v.t.Helper()
	command(v, network.ClearBrowserCookies, cdp.Empty{})
	v.open("/desk?lang=" + strings.Split(v.language, "-")[0])
	v.tabTo("#secret")
	v.do(chromedp.KeyEvent(token(v.t, post)), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(".desk-bar"))
}

// sent waits for the page that tells what became of a form.
func (v *visitor) sent() string {
	v.t.Helper()
	// A form that was refused shows a verdict too, and stays until the next page
	// comes; while it comes the browser has no address to tell.
	for range 200 {
		if at, err := chromedp.Run(v.ctx, chromedp.Location()); err == nil && strings.Contains(at, "/desk/sent/") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	v.do(chromedp.WaitVisible(".verdict"))
	require.Contains(v.t, v.address().Path, "/desk/sent/")
	return v.text(".verdict h2")
}

// do is the form of an operation.
func do(operation string) string { return "/desk/do/" + operation }

// Each desk job is done end to end by keyboard alone: a card is shown and
// taken back.
func TestSuspendAndRestoreByKeyboard(t *testing.T) {
	for name, test := range map[string]struct {
		language      string
		width, height int64
		done          string
	}{
		"phone, Chinese":   {"zh-CN", phoneWidth, phoneHeight, "已完成"},
		"desktop, English": {"en", desktopWidth, desktopHeight, "Done"},
	} {
		t.Run(name, func(t *testing.T) {
			v := visit(t, test.language, test.width, test.height)
			v.signIn("regulator")
			v.picture("desk-regulator-" + test.language)
			for _, step := range []struct {
				operation string
				choices   []entry
			}{
				{"suspendPledge", []entry{{"card", "yellow"}, {"reason", "failed-spot-check"}}},
				{"restorePledge", []entry{{"reason", "remedied"}}},
			} {
				v.submit(do(step.operation), append([]entry{{"{id}", "P-MARKET"}}, step.choices...)...)
				require.Contains(t, v.sent(), test.done)
				require.Empty(t, measure[[]string](v, faults), step.operation)
				v.picture("desk-sent-" + step.operation + "-" + test.language)
			}
			v.onlyOurs()
		})
	}
}

// count is how many writes the list of a desk shows.
func (v *visitor) count() int {
	v.t.Helper()
	v.open("/desk/sent")
	return measure[int](v, `document.querySelectorAll('.rows li').length`)
}

// suspension fills the form that shows a yellow card.
func (v *visitor) suspension(pledge string) {
	v.t.Helper()
	v.open(do("suspendPledge"))
	v.do(
		chromedp.SendKeys(field("{id}"), pledge),
		chromedp.SetValue(field("card"), "yellow"),
		chromedp.SetValue(field("reason"), "penalty"),
	)
}

func (v *visitor) restore(pledge string) {
	v.t.Helper()
	v.open(do("restorePledge"))
	v.do(chromedp.SendKeys(field("{id}"), pledge), chromedp.SetValue(field("reason"), "mistake"), chromedp.Click("main form.card > button[type=submit]"))
	require.Contains(v.t, v.sent(), "Done")
}

const send = "main form.card > button[type=submit]"

// A double click is one write, and so is sending again after going back.
func TestDeskTwice(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	v.signIn("regulator")
	before := v.count()
	v.suspension("P-MARKET")
	v.do(chromedp.DoubleClick(send))
	require.Contains(t, v.sent(), "Done")
	measure[bool](v, `history.back(), true`)
	v.do(chromedp.WaitVisible(field("card")))
	v.do(
		chromedp.SetValue(field("{id}"), "P-MARKET"), chromedp.SetValue(field("card"), "yellow"),
		chromedp.SetValue(field("reason"), "penalty"), chromedp.Click(send),
	)
	require.Contains(t, v.sent(), "Done")
	require.Equal(t, before+1, v.count())
	v.restore("P-MARKET")
}

// The session ends while a form is filled in: what was typed is still there
// after signing in again.
func TestDeskSessionEnds(t *testing.T) {
	v := visit(t, "en", desktopWidth, desktopHeight)
	v.signIn("regulator")
	before := v.count()
	v.suspension("P-MARKET")
	command(v, network.ClearBrowserCookies, cdp.Empty{})
	v.do(chromedp.Click(send), chromedp.WaitVisible("#secret"))
	require.Contains(t, v.text("main"), "What you typed is kept")
	v.do(chromedp.SendKeys("#secret", token(t, "regulator")+kb.Enter), chromedp.WaitVisible(field("card")))
	require.Equal(t, "P-MARKET", measure[string](v, `document.getElementById('{id}').value`))
	require.Equal(t, "penalty", measure[string](v, `document.getElementById('reason').value`))
	v.do(chromedp.Click(send))
	require.Contains(t, v.sent(), "Done")
	require.Equal(t, before+1, v.count())
	v.restore("P-MARKET")
}

// offline cuts the connection, or mends it.
func (v *visitor) offline(is bool) {
	v.t.Helper()
	command(v, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: is, DownloadThroughput: -1, UploadThroughput: -1})
}

// Without a connection nothing is sent, it is said, and nothing is lost.
func TestDeskOffline(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	v.signIn("regulator")
	before := v.count()
	v.suspension("P-MARKET")
	v.offline(true)
	v.do(chromedp.Click(send))
	require.Contains(t, v.text(".progress"), "nothing was sent, and what you typed is still here")
	v.offline(false)
	v.do(chromedp.Click(send))
	require.Contains(t, v.sent(), "Done")
	require.Equal(t, before+1, v.count())
	v.restore("P-MARKET")
}

// A wrong entry is told beside its field, and mended there.
func TestDeskWrongEntry(t *testing.T) {
	v := visit(t, "zh-CN", phoneWidth, phoneHeight)
	v.signIn("regulator")
	v.suspension("P-NONE")
	v.do(chromedp.Click(send), chromedp.WaitVisible(".verdict"))
	require.Contains(t, v.text(".verdict"), "没有此项")
	require.Equal(t, "penalty", measure[string](v, `document.getElementById('reason').value`))
	require.Empty(t, measure[[]string](v, faults))
}
