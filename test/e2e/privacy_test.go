package e2e

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/config"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
	"github.com/steelyard-ledger/steelyard/gateway/wallet"
)

// What must not be found on the ledger, and nowhere once it was deleted.
const (
	secretName    = "张三面馆秘密"
	secretPhone   = "13900001234567"
	secretCode    = "92310115MA1SECRET0"
	secretAddress = "秘密路七十七号"
	secretRemark  = "本次检查的秘密备注"
)

var secrets = []string{secretName, secretPhone, secretCode, secretAddress, secretRemark}

// No name, telephone number or sole trader's code is in any block, and what
// was withdrawn or purged is in no answer.
func TestPersonalDataStaysOffTheLedger(t *testing.T) {
	onEachNetwork(t, testPersonalData)
}

func testPersonalData(t *testing.T, n *network) {
	g := n.start(t, t.TempDir())
	merchant, inspection := busy(g)

	t.Run("Blocks", func(t *testing.T) {
		blocks := g.blocks()
		require.Greater(t, len(blocks), 60)
		shown := append([]string{"示例东门加油站", "示例市示例区", "000-0000-0002", "示例区计量检定所"}, secrets...)
		for number, raw := range blocks {
			for _, text := range shown {
				for _, form := range forms(text) {
					require.False(t, bytes.Contains(raw, []byte(form)), "block %d holds %q", number, form)
				}
			}
		}
	})
	t.Run("Routes", func(t *testing.T) {
		for path, body := range g.walk() {
			for _, text := range secrets {
				require.NotContains(t, body, text, path)
			}
		}
		require.Equal(t, http.StatusNotFound, g.request("", "GET", "/v1/inspections/"+inspection, "").status)
		var found struct{ Items []any }
		g.read("/v1/merchants?q="+url.QueryEscape(secretName), &found)
		require.Empty(t, found.Items)
		var m struct {
			Details *struct{}
			Profile bool
		}
		g.read("/v1/merchants/"+merchant, &m)
		require.Nil(t, m.Details)
		require.False(t, m.Profile)
	})
	t.Run("ReadModel", func(t *testing.T) {
		g.stop()
		for _, name := range []string{"readmodel.db", "readmodel.db-wal"} {
			raw, err := os.ReadFile(filepath.Join(g.data, name))
			if os.IsNotExist(err) {
				continue
			}
			require.NoError(t, err)
			for _, text := range secrets {
				require.False(t, bytes.Contains(raw, []byte(text)), "%s still holds %q", name, text)
			}
		}
	})
}

// forms are the ways in which a text may stand in JSON.
func forms(text string) []string {
	escaped := strings.Trim(strconv.QuoteToASCII(text), `"`)
	return []string{text, escaped, strings.ToUpper(escaped)}
}

// blocks reads every block of g's ledger as a peer gives it.
func (g *gateway) blocks() [][]byte {
	g.t.Helper()
	client := g.connect()
	var status struct{ Height uint64 }
	g.read("/v1/status", &status)
	blocks := make([][]byte, status.Height)
	for n := range blocks {
		block, err := client.Block(g.t.Context(), uint64(n))
		require.NoError(g.t, err)
		blocks[n], err = proto.Marshal(block.Raw)
		require.NoError(g.t, err)
	}
	return blocks
}

// connect joins g's network as a Fabric client of its own.
func (g *gateway) connect() *fabric.Client {
	return g.connectWith(g.t, func(string) {})
}

// connectWith does so with a copy of the wallet that extend adds to. The
// client follows no blocks: what it submits must be refused or stays unknown.
func (g *gateway) connectWith(t *testing.T, extend func(wallet string)) *fabric.Client {
	g.t.Helper()
	c := config.Default()
	require.NoError(g.t, c.Load(g.configuration()))
	copied := t.TempDir()
	require.NoError(t, os.CopyFS(copied, os.DirFS(c.Network.Wallet)))
	c.Network.Wallet = copied
	extend(copied)
	raw, err := os.ReadFile(c.Network.Trust)
	require.NoError(g.t, err)
	trust, err := ledger.ParseTrust(raw)
	require.NoError(g.t, err)
	store, err := outbox.Open(g.t.Context(), filepath.Join(g.t.TempDir(), "outbox.db"))
	require.NoError(g.t, err)
	g.t.Cleanup(func() { _ = store.Close() })
	var peers []fabric.Peer
	for _, p := range c.Network.Peers {
		roots, err := os.ReadFile(p.TLSRoots)
		require.NoError(g.t, err)
		peers = append(peers, fabric.Peer{MSPID: p.MSPID, Endpoint: p.Endpoint, ServerName: p.ServerName, TLSRoots: roots})
	}
	client, err := fabric.Connect(g.t.Context(), fabric.Config{
		Channel: c.Network.Channel, Chaincode: c.Network.Chaincode, Peers: peers, Wallet: c.Network.Wallet, Trust: trust, Outbox: store,
	})
	require.NoError(g.t, err)
	g.t.Cleanup(func() { _ = client.Close() })
	return client
}

// subjects are the subjects of the posts of g's wallet, by label.
func (g *gateway) subjects() map[string]string {
	g.t.Helper()
	c := config.Default()
	require.NoError(g.t, c.Load(g.configuration()))
	identities, err := wallet.List(c.Network.Wallet)
	require.NoError(g.t, err)
	subjects := map[string]string{}
	for _, identity := range identities {
		subjects[identity.Label] = identity.Subject
	}
	return subjects
}

func (g *gateway) today() string {
	g.t.Helper()
	var status struct{ Today string }
	g.read("/v1/status", &status)
	return status.Today
}

func (g *gateway) contains(path, text string) {
	g.t.Helper()
	a := g.request("", http.MethodGet, path, "")
	require.Equal(g.t, http.StatusOK, a.status, "%s: %s", path, a.body)
	require.Contains(g.t, string(a.body), text)
}
