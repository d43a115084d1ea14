package browser

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// On a bad connection, 400 kbit/s and 400 ms, the first view paints within 2 s.
func TestFirstViewOnABadConnection(t *testing.T) {
	v := visit(t, "zh-CN", phoneWidth, phoneHeight)
	const rate = 400_000 / 8 // bytes a second
	command(v, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: 400, DownloadThroughput: rate, UploadThroughput: rate}},
	})
	v.open("/")
	painted := ask(v, chromedp.Poll[float64](`performance.getEntriesByName('first-contentful-paint')[0]?.startTime`))
	t.Logf("first contentful paint after %.0f ms", painted)
	require.Less(t, painted, 2000.0)
	require.Greater(t, painted, 400.0, "the connection was slow")
}
