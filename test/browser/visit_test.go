package browser

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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
	require.NoError(v.t, chromedp.Do(v.ctx, steps...))
}

// ask runs an action that answers.
func ask[T any](v *visitor, action chromedp.Action[T]) T {
	v.t.Helper()
	result, err := chromedp.Run(v.ctx, action)
	require.NoError(v.t, err)
	return result
}

func (v *visitor) open(path string) {
	v.t.Helper()
	v.do(chromedp.Navigate(v.at.url+path), chromedp.WaitReady("#main"))
}

// text is what a visitor reads within the elements of a selector.
func (v *visitor) text(selector string) string {
	v.t.Helper()
	return ask(v, chromedp.Text(selector))
}

func (v *visitor) address() *url.URL {
	v.t.Helper()
	parsed, err := url.Parse(ask(v, chromedp.Location()))
	require.NoError(v.t, err)
	return parsed
}

// measure runs a script in the page.
func measure[T any](v *visitor, script string) T {
	v.t.Helper()
	return ask(v, chromedp.Evaluate[T](script))
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
