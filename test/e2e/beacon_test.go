package e2e

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
)

// consortiumBeacon is a drand network of the consortium's own, played by one
// key, with two relays: the first lies, the second tells the truth while open.
type consortiumBeacon struct {
	*devbeacon.Beacon
	liar, honest string
	open         atomic.Bool
}

func newConsortiumBeacon(t *testing.T) *consortiumBeacon {
	t.Helper()
	b, err := devbeacon.New(bytes.Repeat([]byte{7}, devbeacon.SeedSize), 1, time.Now().Unix()-1000)
	require.NoError(t, err)
	c := &consortiumBeacon{Beacon: b}
	c.liar = c.relay(t, func(w http.ResponseWriter, round uint64) {
		fmt.Fprintf(w, `{"round":%d,"signature":"%x"}`, round, c.Sign(round+1))
	})
	c.honest = c.relay(t, func(w http.ResponseWriter, round uint64) {
		if !c.open.Load() || time.Now().Unix() < c.Chain().Time(round) {
			w.WriteHeader(http.StatusTooEarly)
			return
		}
		fmt.Fprintf(w, `{"round":%d,"signature":"%x"}`, round, c.Sign(round))
	})
	return c
}

func (c *consortiumBeacon) relay(t *testing.T, answer func(http.ResponseWriter, uint64)) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		round, err := strconv.ParseUint(path.Base(r.URL.Path), 10, 64)
		if err != nil || path.Dir(r.URL.Path) != fmt.Sprintf("/v2/chains/%s/rounds", c.Chain().Hash()) {
			http.NotFound(w, r)
			return
		}
		answer(w, round)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// configuration makes a gateway's file that names the network and its relays.
func (c *consortiumBeacon) configuration(t *testing.T) string {
	chain, directory := c.Chain(), t.TempDir()
	info, err := json.Marshal(map[string]any{
		"public_key": hex.EncodeToString(chain.PublicKey), "period": chain.Period, "genesis_time": chain.GenesisTime,
		"groupHash": hex.EncodeToString(chain.GenesisSeed), "hash": chain.Hash().String(), "schemeID": chain.Scheme,
		"metadata": map[string]string{"beaconID": chain.BeaconID},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(directory, "drand.json"), info, 0o600))
	file := filepath.Join(directory, "gateway.yaml")
	content := fmt.Sprintf("beacon: {relays: [%q, %q], chains: [drand.json]}\n", c.liar, c.honest)
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

// TestConsortiumBeacon: a draw on the consortium's own beacon has its round
// from the one relay that does not lie; where none has it, from anybody by
// hand, who cannot bring anything else.
func TestConsortiumBeacon(t *testing.T) {
	beacon := newConsortiumBeacon(t)
	hash := beacon.Chain().Hash().String()
	g := embedded.startWith(t, t.TempDir(), "--config", beacon.configuration(t))
	flags := append(embedded.drawFlags(), "--beacon", hash)

	beacon.open.Store(true)
	runDraw(t, g, append(flags, "--authority", "440300")...)

	beacon.open.Store(false)
	run := exec.Command(program, append([]string{"draw", "run", "--server", g.url, "--token-file", filepath.Join(g.data, "tokens.json"),
		"--out", filepath.Join(t.TempDir(), "x.json"), "--authority", "440400"}, flags...)...)
	require.NoError(t, run.Start())
	const id = "440400-000001"
	var state struct {
		Phase            string
		Round, RoundTime int64
		Observations     []struct{ Time int64 }
	}
	require.Eventually(t, func() bool {
		a := g.request("", http.MethodGet, "/v1/draws/"+id, "")
		return a.status == http.StatusOK && json.Unmarshal(a.body, &state) == nil && state.Phase == "closed" && time.Now().Unix() > state.RoundTime
	}, startTimeout, 50*time.Millisecond)
	page := g.request("", http.MethodGet, "/draws/"+id, "", "Accept", "text/html")
	require.Contains(t, string(page.body), fmt.Sprintf("/v2/chains/%s/rounds/%d", hash, state.Round))

	truth, next := hex.EncodeToString(beacon.Sign(uint64(state.Round))), hex.EncodeToString(beacon.Sign(uint64(state.Round+1)))
	wrong := g.request("", http.MethodPost, "/v1/draws/"+id+"/beacon", `{"signature":"`+next+`"}`)
	require.Equal(t, "SIGNATURE", wrong.problem(t).Code)
	form := func(signature string) int {
		response, err := http.DefaultClient.PostForm(g.url+"/draws/"+id+"/beacon", url.Values{"signature": {signature}})
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	require.Equal(t, http.StatusBadRequest, form(next))
	bring := []string{"draw", "beacon", "--server", g.url, "--relay", beacon.liar, id}
	require.Contains(t, refused(t, bring...), "not that of round")
	require.Contains(t, refused(t, append(bring, next)...), "not that of round")
	g.read("/v1/draws/"+id, &state)
	require.Equal(t, "closed", state.Phase, "nothing but the true signature counts")

	require.Equal(t, http.StatusOK, form(truth), "the form leads back to the draw")
	require.NoError(t, run.Wait(), "the draw goes on to its result")
	require.Equal(t, "STATE", g.request("", http.MethodPost, "/v1/draws/"+id+"/beacon", `{"signature":"`+truth+`"}`).problem(t).Code)
}
