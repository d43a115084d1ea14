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
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// visitor is one browser with an empty profile, and all it asked for.
type visitor struct {
	t        *testing.T
	ctx      context.Context
	mu       sync.Mutex
	language string
	requests []*network.Request
}

// visit starts a browser of a language, with a viewport in CSS pixels.
func visit(t *testing.T, language string, width, height int64) *visitor {
	t.Helper()
	if site.skip != "" {
		t.Skip(site.skip)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("chromium"), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("lang", language), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-features", "BackForwardCache"), // the driver loses a page that comes back from it
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(endAllocator)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	require.NoError(t, chromedp.Do(ctx)) // the browser lives as long as the context of its first call
	limited, endTime := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(endTime)
	v := &visitor{t: t, ctx: limited, language: language}
	require.NoError(t, chromedp.Listen(limited, func(event any) {
		if sent, ok := event.(*network.EventRequestWillBeSent); ok {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.requests = append(v.requests, sent.Request)
		}
	}))
	command(v, network.Enable, network.EnableParams{})
	command(v, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}})
	command(v, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500,
	})
	return v
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
	v.do(chromedp.Navigate(site.url+path), chromedp.WaitReady("#main"))
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
		require.True(v.t, strings.HasPrefix(r.URL, site.url+"/") || strings.HasPrefix(r.URL, "blob:"+site.url), r.URL)
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

// sample is the path of a file of the demonstration.
func sample(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../gateway/demo/files", name))
	require.NoError(t, err)
	return path
}
