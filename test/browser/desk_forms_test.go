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
	"github.com/stretchr/testify/require"
)

// token is the bearer token of a post of a gateway.
func (g *gateway) token(t *testing.T, post string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(g.data, "tokens.json"))
	require.NoError(t, err)
	var tokens map[string]string
	require.NoError(t, json.Unmarshal(raw, &tokens))
	require.NotEmpty(t, tokens[post])
	return tokens[post]
}

// entry is what is entered into one control.
type entry struct{ path, value string }

// field is the selector of a form's control.
func field(path string) string { return fmt.Sprintf(`[id="%s"]`, path) }

// do is the form of an operation.
func do(operation string) string { return "/desk/do/" + operation }

// send is the button of a form.
const send = "main form.card > button[type=submit]"

// signIn signs in as a post.
func (v *visitor) signIn(post string) {
	v.t.Helper()
	v.leave()
	v.open("/desk?lang=" + strings.Split(v.language, "-")[0])
	v.identify(post)
}

// leave ends a session elsewhere: the browser no longer has it.
func (v *visitor) leave() {
	v.t.Helper()
	command(v, network.ClearBrowserCookies, cdp.Empty{})
}

// identify answers the page that asks to sign in.
func (v *visitor) identify(post string) {
	v.t.Helper()
	v.post = post
	v.write("#secret", v.at.token(v.t, post))
	v.follow(send)
	require.Equal(v.t, 1, measure[int](v, `document.querySelectorAll('.desk-bar').length`), "signed in as %s", post)
}

// fill opens a form and fills it in. A form without a query is come to from the
// desk's first page.
func (v *visitor) fill(address string, entries ...entry) {
	v.t.Helper()
	if strings.Contains(address, "?") {
		v.open(address)
	} else {
		v.begin(address)
	}
	v.sound(address)
	for _, e := range entries {
		v.enter(e.path, e.value)
	}
}

// submit fills a form in and sends it.
func (v *visitor) submit(address string, entries ...entry) {
	v.t.Helper()
	v.fill(address, entries...)
	v.sendForm(func() {
		for _, e := range entries {
			if e.path == "_sure" { // what cannot be undone is confirmed anew
				v.enter(e.path, e.value)
			}
		}
	})
}

// done sends a form and waits until it is told as done.
func (v *visitor) done(address string, entries ...entry) {
	v.t.Helper()
	v.submit(address, entries...)
	v.told()
}

// told waits until what was sent is told as done.
func (v *visitor) told() {
	v.t.Helper()
	require.Regexp(v.t, "Done|已完成", v.sent())
}

// sent waits for the page that tells what became of a form.
func (v *visitor) sent() string {
	v.t.Helper()
	// A form that was refused shows a verdict too, and stays until the next page
	// comes; while it comes the browser has no address to tell.
	for range 400 {
		if at, err := chromedp.Run(v.ctx, chromedp.Location()); err == nil && strings.Contains(at, "/desk/sent/") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	v.until(`!!document.querySelector('.verdict')`)
	require.Contains(v.t, v.address().Path, "/desk/sent/", v.text("main"))
	return v.text(".verdict h2")
}

// The mishaps, of which one befalls the first form that a job sends.
const (
	mishapTwice      = "sent twice"
	mishapBack       = "the way back"
	mishapSession    = "the session ends"
	mishapConnection = "the connection breaks"
)

var mishaps = []string{mishapTwice, mishapBack, mishapSession, mishapConnection}

// typedValues are what a form shows, without what has to be confirmed anew.
const typedValues = `Object.fromEntries([...document.querySelectorAll('main form.card :is(input:not([type=hidden], [type=file]), select, textarea)')]
	.filter((e) => e.id !== '_sure' && e.id !== 'agree').map((e) => [e.id, e.type === 'checkbox' ? String(e.checked) : e.value]))`

// sendForm sends the form of a desk and waits for the page after it. A mishap
// that befalls it ends well: what was typed is still there, and it is sent
// once. again does anew what a form cannot keep.
func (v *visitor) sendForm(again func()) {
	v.t.Helper()
	mishap := v.mishap
	v.mishap = ""
	switch mishap {
	case mishapTwice:
		v.leaving()
		v.twice(send)
		v.arrived()
	case mishapBack:
		v.follow(send)
		v.backAndAgain()
	case mishapSession:
		typed := measure[map[string]string](v, typedValues)
		v.leave()
		v.follow(send)
		require.NotEmpty(v.t, measure[string](v, `document.querySelector('.notice[role=status]')?.textContent ?? ''`), "it is said")
		v.identify(v.post)
		if strings.HasPrefix(v.address().Path, "/desk/do/") {
			require.Equal(v.t, typed, measure[map[string]string](v, typedValues), "what was typed is kept")
		}
		again()
		v.follow(send)
	case mishapConnection:
		v.offline(true)
		v.press(send)
		v.until(`[...document.querySelectorAll('.progress')].some((e) => /nothing was sent|尚未发送/.test(e.textContent))`)
		v.offline(false)
		v.follow(send)
	default:
		v.follow(send)
	}
}

// backAndAgain goes back to a form that was sent and sends it again, which
// leads to what became of it, or is told to have been sent; then goes on.
func (v *visitor) backAndAgain() {
	v.t.Helper()
	reached := v.address().RequestURI()
	v.leaving()
	v.back()
	v.arrived()
	v.press(send)
	v.until(fmt.Sprintf(`location.pathname === %q || !!document.querySelector('main a[href^="/desk/sent/desk-"]') || !!document.querySelector('main form :invalid') || !!document.querySelector('main .fault')`, reached))
	v.open(reached)
}

// offline cuts the connection, or mends it.
func (v *visitor) offline(is bool) {
	v.t.Helper()
	command(v, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: is, DownloadThroughput: -1, UploadThroughput: -1})
}
