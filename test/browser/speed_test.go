package browser

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// firstViews are the pages that somebody on a bad connection comes to first: by
// a code, a link or the box.
var firstViews = []string{
	"/", "/check?q=DEMO-2026-0001", "/m/M-STATION", "/i/I-SCALE", "/s/S-STATION", "/n/N-INSTITUTE", "/v/V-STATION-1", "/results", "/statistics", "/draws", "/status", "/offline", "/m/M-STATION/sheet", "/differs",
}

// On a bad connection, 400 kbit/s and 400 ms, the first view paints within 2 s,
// of every page that people come to first. Each page is asked for with an empty
// cache, a page of which nothing is kept.
func TestFirstViewOnABadConnection(t *testing.T) {
	v := visit(t, "zh-CN", phoneWidth, phoneHeight)
	id, _ := drawn(t)
	const rate = 400_000 / 8 // bytes a second
	command(v, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	command(v, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: 400, DownloadThroughput: rate, UploadThroughput: rate}},
	})
	for _, path := range append(firstViews, "/draws/"+id) {
		v.open(path)
		painted := ask(v, chromedp.Poll[float64](`performance.getEntriesByName('first-contentful-paint')[0]?.startTime`))
		t.Logf("%-24s first contentful paint after %.0f ms", path, painted)
		require.Less(t, painted, 2000.0, path)
		require.Greater(t, painted, 400.0, "the connection was slow")
	}
}

// The first view of every such page, with all that it loads by itself, takes at
// most 30 kB compressed.
func TestFirstViewIsSmall(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	id, _ := drawn(t)
	command(v, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	for _, path := range append(firstViews, "/docs", "/draws/"+id) {
		v.mu.Lock()
		from := len(v.requests)
		v.mu.Unlock()
		v.open(path)
		v.until(`document.readyState === 'complete'`)
		v.mu.Lock()
		var asked []string
		for _, r := range v.requests[from:] {
			if !strings.HasPrefix(r.URL, "data:") { // the browser's own
				asked = append(asked, r.URL)
			}
		}
		v.mu.Unlock()
		total, plain := 0, 0
		for _, address := range asked {
			a, b := compressed(t, address)
			total, plain = total+a, plain+b
		}
		t.Logf("%-24s %d requests, %d bytes compressed of %d", path, len(asked), total, plain)
		require.Less(t, total, 30_000, path)
	}
}

// compressed is how many bytes an address answers with, compressed and not.
func compressed(t *testing.T, address string) (small, plain int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	answer, err := http.DefaultTransport.RoundTrip(request) // redirects are requests of their own
	require.NoError(t, err)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var counted counter
	writer := gzip.NewWriter(&counted)
	_, err = writer.Write(content)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	return int(counted), len(content)
}

// counter counts what is written to it.
type counter int

// Write counts.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
