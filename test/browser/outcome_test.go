package browser

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// road is the way from a gateway to a peer. What the peer says arrives late, or
// not at all while the road is held up; what the gateway says passes at once.
type road struct {
	listener net.Listener
	to       string
	late     time.Duration

	mutex  sync.Mutex
	passes sync.Cond
	held   bool
}

func newRoad(t *testing.T, to string) *road {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &road{listener: listener, to: to}
	r.passes.L = &r.mutex
	t.Cleanup(func() {
		r.hold(false)
		_ = listener.Close()
	})
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go r.carry(c)
		}
	}()
	return r
}

// hold holds up what the peer says, or lets it pass.
func (r *road) hold(up bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.held = up
	r.passes.Broadcast()
}

func (r *road) carry(gateway net.Conn) {
	peer, err := net.Dial("tcp", r.to)
	if err != nil {
		_ = gateway.Close()
		return
	}
	go func() {
		_, _ = io.Copy(peer, gateway)
		_ = peer.Close()
	}()
	type said struct {
		bytes []byte
		due   time.Time
	}
	under := make(chan said, 1<<10) // on its way
	go func() {
		defer close(under)
		for {
			part := make([]byte, 32<<10)
			n, err := peer.Read(part)
			r.mutex.Lock()
			due := time.Now().Add(r.late)
			r.mutex.Unlock()
			under <- said{part[:n], due}
			if err != nil {
				return
			}
		}
	}()
	for s := range under {
		time.Sleep(time.Until(s.due))
		r.mutex.Lock()
		for r.held {
			r.passes.Wait()
		}
		r.mutex.Unlock()
		_, _ = gateway.Write(s.bytes)
	}
	_ = gateway.Close()
}

// A write whose answer does not come is shown as pending, then as unknown, while
// the ledger has it already; never as done. When the road is open again the same
// page says that it is done, with block and transaction, and sending the form
// again does not record it twice.
func TestOutcomeThatIsNotKnown(t *testing.T) {
	t.Parallel()
	v := visit(t, "en", phoneWidth, phoneHeight)
	const late = 1500 * time.Millisecond
	road, g := farGateway(t, late)
	other := visit(t, "zh-CN", desktopWidth, desktopHeight)
	v.at, other.at = g, g
	other.signIn("merchant")
	v.signIn("merchant")
	name := unique("远方的摊")
	v.fill(do("registerMerchant"), entry{"kind", "stall"}, entry{"profile.name", name}, entry{"region", "310115"}, entry{"sector", "shop"})
	v.leaving()
	v.press(send)

	// It is in the list as soon as its transaction is sent.
	require.Eventually(t, func() bool {
		other.open("/desk/sent")
		return measure[bool](other, `!!document.querySelector('.rows a[href^="/desk/sent/desk-"]')`)
	}, 20*time.Second, 50*time.Millisecond)
	road.hold(true)
	other.follow(`.rows a[href^="/desk/sent/desk-"]`)
	require.Contains(t, other.text(".verdict h2"), "等待中")
	require.Contains(t, other.text(".verdict"), "既不能说成功")
	id := other.text(".facts .code")
	require.NotContains(t, other.text(".facts"), "区块", "which nobody knows yet")
	require.Eventually(t, func() bool { return status(t, site.url+"/v1/transactions/"+id) == http.StatusOK }, 10*time.Second, 50*time.Millisecond, "the ledger has it")
	require.Equal(t, http.StatusNotFound, status(t, g.url+"/v1/transactions/"+id), "but this gateway cannot know")

	v.arrived()
	require.Contains(t, v.text(".verdict h2"), "Unknown")
	require.Contains(t, v.text(".verdict"), "It may have happened or not")
	v.sound()
	sent := v.address().RequestURI()
	road.hold(false)
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && !strings.Contains(v.text(".verdict h2"), "Done"); time.Sleep(200 * time.Millisecond) {
		v.follow(`main a[href="` + sent + `"]`)
	}
	require.Contains(t, v.text(".verdict h2"), "Done")
	require.Contains(t, v.text(".facts"), id)
	require.Contains(t, v.text(".facts"), "Block")
	found := site.rest(t, "merchant", http.MethodGet, "/v1/merchants?limit=100&q="+url.QueryEscape(name), "")
	require.Len(t, found["items"], 1)
}

// farGateway starts a gateway whose only peer is behind a road.
func farGateway(t *testing.T, late time.Duration) (*road, *gateway) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(site.data, "gateway.yaml"))
	require.NoError(t, err)
	var settings map[string]any
	require.NoError(t, yaml.Unmarshal(raw, &settings))
	network := settings["network"].(map[string]any)
	peer := network["peers"].([]any)[0].(map[string]any)
	r := newRoad(t, peer["endpoint"].(string))
	peer["endpoint"] = r.listener.Addr().String()
	network["peers"] = []any{peer}
	raw, err = yaml.Marshal(settings)
	require.NoError(t, err)
	path := filepath.Join(site.data, "far.yaml") // beside the files that it names
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	data, err := os.MkdirTemp(site.scratch, "far-")
	require.NoError(t, err)
	g, err := startGateway(data, "--config", path)
	require.NoError(t, err)
	r.mutex.Lock()
	r.late = late
	r.mutex.Unlock()
	return r, &g
}

// status asks without signing in.
func status(t *testing.T, address string) int {
	t.Helper()
	answer, err := http.Get(address) //nolint:noctx // of this test's own gateway
	require.NoError(t, err)
	_ = answer.Body.Close()
	return answer.StatusCode
}
