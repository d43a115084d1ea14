package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// visitor is somebody with an empty profile, and all that the browser asked for.
type visitor struct {
	t        *testing.T
	ctx      context.Context
	mu       sync.Mutex
	manner   manner
	language string
	mishap   string     // befalls the next form; empty: none
	post     string     // that is signed in
	at       *gateway   // that is visited
	choosing chan int64 // file dialogues that were opened, by their control
	requests []*network.Request
}

// browser is the one browser of all tests; each visitor has a context of its
// own in it, with cookies and storage of its own.
var browser = sync.OnceValues(func() (context.Context, error) {
	profile, err := os.MkdirTemp(site.scratch, "profile-")
	if err != nil {
		return nil, err
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath("chromium"), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(profile), chromedp.Flag("lang", "en"), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		// A window behind another is not to be slower.
		chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-backgrounding-occluded-windows", true), chromedp.Flag("disable-renderer-backgrounding", true),
		// The driver loses a page that comes back from the cache; what the browser's own bars are made of is not looked at.
		chromedp.Flag("disable-features", "BackForwardCache,PreloadTopChromeWebUI,InitialWebUI,WebUIReloadButton"),
	)
	ctx, end := chromedp.NewContext(allocator)
	site.closing = append(site.closing, func() { end(); endAllocator() })
	return ctx, chromedp.Do(ctx) // the browser lives as long as the context of its first call
})

// patience bounds what one visitor does.
const patience = 15 * time.Minute

// visit opens a window for a visitor who reads a language, with a viewport in
// CSS pixels.
func visit(t *testing.T, language string, width, height int64) *visitor {
	t.Helper()
	return arrive(t, manner{language: language, width: width, height: height, keys: true})
}

// arrive opens a window for a visitor.
func arrive(t *testing.T, m manner) *visitor {
	t.Helper()
	if site.skip != "" {
		t.Skip(site.skip)
	}
	process, err := browser()
	require.NoError(t, err)
	ctx, end := chromedp.NewContext(process, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	require.NoError(t, chromedp.Do(ctx))
	limited, endTime := context.WithTimeout(ctx, patience)
	t.Cleanup(endTime)
	v := &visitor{t: t, ctx: limited, manner: m, language: m.language, at: &site.gateway, choosing: make(chan int64, 1)}
	require.NoError(t, chromedp.Listen(limited, v.note))
	command(v, network.Enable, network.EnableParams{})
	command(v, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": m.language}})
	command(v, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: m.width, Height: m.height, DeviceScaleFactor: 1, Mobile: m.width < 500,
	})
	command(v, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	command(v, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true})
	if !m.keys {
		command(v, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true})
	}
	return v
}

// note keeps what the browser asks for.
func (v *visitor) note(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		v.mu.Lock()
		defer v.mu.Unlock()
		v.requests = append(v.requests, e.Request)
	case *page.EventFileChooserOpened:
		select {
		case v.choosing <- int64(e.BackendNodeID):
		default:
		}
	}
}

// command sends a command of the DevTools protocol.
func command[P, R any](v *visitor, c cdp.Command[P, R], params P) {
	v.t.Helper()
	_, err := chromedp.Call(v.ctx, c, params)
	require.NoError(v.t, err)
}

func (v *visitor) do(steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	for _, step := range steps {
		ask(v, step)
	}
}

// What the DevTools protocol says of an element, and of a script, whose page
// another one has replaced.
var (
	elementGone = []string{"No node with given id found", "Could not find node with given id"}
	scriptGone  = []string{"Cannot find context with specified id", "Inspected target navigated or closed", "Execution context was destroyed."}
)

// ask runs an action that answers. One that looked for its element on a page
// that was being replaced has done nothing yet, and looks on the new one.
func ask[T any](v *visitor, action chromedp.Action[T]) T {
	v.t.Helper()
	return again(v, action, elementGone)
}

func again[T any](v *visitor, action chromedp.Action[T], where []string) T {
	v.t.Helper()
	result, err := chromedp.Run(v.ctx, action)
	var said *cdproto.Error
	for end := time.Now().Add(10 * time.Second); errors.As(err, &said) && slices.Contains(where, said.Message) && time.Now().Before(end); {
		time.Sleep(15 * time.Millisecond)
		result, err = chromedp.Run(v.ctx, action)
	}
	require.NoError(v.t, err)
	return result
}

// open goes to an address. Where the page that is left was on its way to
// another, that may win, and the address is asked for again.
func (v *visitor) open(path string) {
	v.t.Helper()
	err := chromedp.Do(v.ctx, chromedp.Navigate(v.at.url+path))
	var lost *chromedp.LoadError
	for tries := 1; errors.As(err, &lost) && lost.ErrorText == "net::ERR_ABORTED" && tries < 5; tries++ {
		v.t.Logf("%s: %v, from %s", path, err, v.address())
		time.Sleep(100 * time.Millisecond)
		err = chromedp.Do(v.ctx, chromedp.Navigate(v.at.url+path))
	}
	require.NoError(v.t, err, path)
	v.do(chromedp.WaitReady("#main"))
}

// text is what a visitor reads within the first element of a selector, once
// there is one. It is asked in one go, so that no page comes in between.
func (v *visitor) text(selector string) string {
	v.t.Helper()
	script := fmt.Sprintf(`((e) => e && (e.getClientRects().length ? e.innerText : ''))(document.querySelector(%q))`, selector)
	return *await(v, script, func(text *string) bool { return text != nil })
}

// until waits for what holds in the page, or in one that comes after it.
func (v *visitor) until(expression string) {
	v.t.Helper()
	await(v, expression, func(holds bool) bool { return holds })
}

// await asks a page until the answer is enough. While another one loads,
// nothing can be asked.
func await[T any](v *visitor, expression string, enough func(T) bool) T {
	v.t.Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(15 * time.Millisecond) {
		if answer, err := chromedp.Run(v.ctx, chromedp.Evaluate[T](expression)); err == nil && enough(answer) {
			return answer
		}
	}
	v.t.Fatalf("it does not come to %s on %s", expression, v.address())
	return *new(T)
}

func (v *visitor) address() *url.URL {
	v.t.Helper()
	parsed, err := url.Parse(measure[string](v, `location.href`))
	require.NoError(v.t, err)
	return parsed
}

// back presses the browser's button. It answers before the page is left.
func (v *visitor) back() {
	v.t.Helper()
	measure[bool](v, `setTimeout(() => history.back()), true`)
}

// measure runs a script in the page, which must not leave it: where a page that
// was on its way has come meanwhile, the script is for that one.
func measure[T any](v *visitor, script string) T {
	v.t.Helper()
	return again(v, chromedp.Evaluate[T](script), scriptGone)
}

// onlyOurs checks that no host but ours was asked for anything.
func (v *visitor) onlyOurs() {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	require.NotEmpty(v.t, v.requests)
	for _, r := range v.requests {
		if strings.HasPrefix(r.URL, "data:") {
			continue // the browser's own picture in a control; nobody is asked
		}
		require.True(v.t, strings.HasPrefix(r.URL, v.at.url+"/") || strings.HasPrefix(r.URL, "blob:"+v.at.url), r.URL)
	}
}

// nothingSent checks that no request carried a body.
func (v *visitor) nothingSent() {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range v.requests {
		require.Equal(v.t, "GET", r.Method, r.URL)
		require.False(v.t, r.HasPostData, r.URL)
	}
}

// picture keeps a screenshot of the whole page where SCREENSHOTS says.
func (v *visitor) picture(name string) {
	v.t.Helper()
	if site.images == "" {
		return
	}
	image := ask(v, chromedp.FullScreenshot(100))
	require.NoError(v.t, os.MkdirAll(site.images, 0o755))
	require.NoError(v.t, os.WriteFile(filepath.Join(site.images, name+".png"), image, 0o644))
}

// bodies are what requests carried.
func (v *visitor) bodies() []string {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []string
	for _, r := range v.requests {
		for _, part := range r.PostDataEntries {
			all = append(all, string(part.Bytes))
		}
	}
	return all
}

// sample is the path of a file of the demonstration.
func sample(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../gateway/demo/files", name))
	require.NoError(t, err)
	return path
}
