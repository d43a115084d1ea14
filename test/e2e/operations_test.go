package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// TestOperations runs, on a real network of its own, the very commands that
// network/README.md gives for a further organisation, for new certificates and
// for a backup, and looks after each whether the ledger goes on as before.
func TestOperations(t *testing.T) {
	n := ownNetwork(t)
	data := t.TempDir()
	g := n.startWith(t, data, "--demo")
	busy(g)
	t.Run("FurtherOrganization", func(t *testing.T) { n.testFurtherOrganization(t, g) })
	t.Run("PeerCertificate", func(t *testing.T) { n.testPeerCertificate(t, g) })
	if n.real.Plan.Orderer == consortium.BFT {
		t.Run("OrdererCertificate", func(t *testing.T) { n.testOrdererCertificate(t, g) })
	}
	t.Run("PeerBackup", func(t *testing.T) { n.testPeerBackup(t, g) })
	t.Run("ReadModelBackup", func(t *testing.T) { n.testReadModelBackup(t, g, data) })
}

// ownNetwork brings up a real network for one test, which may change it.
func ownNetwork(t *testing.T) *network {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), realStart)
	defer cancel()
	host, err := onehost.Up(ctx, t.TempDir(), consortium.Plan{Port: onehost.FreePort(), Orderer: os.Getenv("STEELYARD_ORDERER")})
	if errors.Is(err, onehost.ErrToolMissing) {
		t.Skip("real Fabric not tested:", err)
	}
	require.NoError(t, err)
	dir := host.Plan.Path()
	t.Cleanup(func() {
		again, err := onehost.Open(dir) // organisations may have joined meanwhile
		require.NoError(t, err)
		require.NoError(t, again.Down(context.Background()))
	})
	contract := onehost.Contract{Name: consortium.Chaincode, Source: "../../chaincode", Policy: host.Plan.Majority()}
	contract.Collections, err = host.Plan.Collections()
	require.NoError(t, err)
	_, err = host.Deploy(ctx, contract)
	require.NoError(t, err)
	return &network{real: host}
}

// follow runs the commands that the page gives under a heading, in the root of
// the repository, on this network.
func (n *network) follow(t *testing.T, heading string) {
	t.Helper()
	for i, script := range n.pageBlocks(t, heading) {
		n.shell(t, script, heading, i)
	}
}

func (n *network) shell(t *testing.T, script, heading string, i int) {
	t.Helper()
	command := exec.CommandContext(bounded(t), "bash", "-eu", "-c", script)
	command.Dir = "../.."
	command.Env = append(os.Environ(), "STEELYARD_FABRIC="+n.real.Plan.Path(), "DIR="+n.real.Plan.Path())
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s, block %d:\n%s\n%s", heading, i, script, out)
	reopened, err := onehost.Open(n.real.Plan.Path())
	require.NoError(t, err)
	n.real = reopened
}

// bounded gives a step of operation some time.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	t.Cleanup(cancel)
	return ctx
}

// pageBlocks are the blocks marked sh under a heading of the page.
func (n *network) pageBlocks(t *testing.T, heading string) []string {
	t.Helper()
	page, err := os.ReadFile("../../network/README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "\n### "+heading+"\n")
	require.True(t, found, "the page has no heading %q", heading)
	section, _, _ = strings.Cut(section, "\n## ")
	section, _, _ = strings.Cut(section, "\n### ")
	var blocks []string
	for _, part := range strings.Split(section, "```sh\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	require.NotEmpty(t, blocks)
	return blocks
}

// write registers a merchant, which needs a majority of organisations and puts
// a profile into the collection of all.
func (g *gateway) write() (merchant string) {
	g.t.Helper()
	return g.must("merchant", "POST", "/v1/merchants", `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`)
}

// writeAgain writes as a client does who is told to try again: for a while
// after a peer has gone, others still count on it.
func (g *gateway) writeAgain() (merchant string) {
	g.t.Helper()
	for range 5 {
		a := g.request("merchant", "POST", "/v1/merchants", `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`, "Idempotency-Key", "again-once-only")
		if a.status != http.StatusServiceUnavailable {
			require.Equal(g.t, http.StatusCreated, a.status, "%s", a.body)
			var written struct{ ID string }
			a.decode(g.t, &written)
			return written.ID
		}
		time.Sleep(2 * time.Second)
	}
	require.Fail(g.t, "every try was answered 503")
	return ""
}

// agree waits until every peer is as high as the highest.
func (n *network) agree(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		heights := map[uint64]bool{}
		for _, peer := range n.real.Plan.Peers() {
			heights[n.height(t, peer)] = true
		}
		return len(heights) == 1 && !heights[0]
	}, startTimeout, 200*time.Millisecond)
}

func (n *network) height(t *testing.T, peer consortium.Node) uint64 {
	t.Helper()
	admin, err := lifecycle.Connect(n.real.Plan, peer)
	require.NoError(t, err)
	defer admin.Connection.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	height, err := admin.Height(ctx, n.real.Plan.Channel)
	if err != nil {
		return 0
	}
	return height
}

// sameAnswers starts a gateway with an empty database and compares all that
// the two show.
func (n *network) sameAnswers(t *testing.T, g *gateway, configuration string) {
	t.Helper()
	second := n.startWith(t, t.TempDir(), "--config", configuration)
	second.caughtUp(g)
	want, got := g.walk(), second.walk()
	require.Greater(t, len(want), 60, "the walk must have found something to compare")
	// Private data come after their blocks, from whichever peer has them.
	for end := time.Now().Add(startTimeout); !maps.Equal(want, got) && time.Now().Before(end); got = second.walk() {
		time.Sleep(500 * time.Millisecond)
	}
	require.Equal(t, paths(want), paths(got))
	for _, path := range paths(want) {
		require.Equal(t, want[path], got[path], path)
	}
	second.stop()
}

func (n *network) testFurtherOrganization(t *testing.T, g *gateway) {
	n.follow(t, "A fifth organisation")
	require.Len(t, n.real.Plan.Members(), 5)
	n.agree(t)
	t.Run("ItsGatewayAnswersTheSame", func(t *testing.T) {
		n.sameAnswers(t, g, n.real.Plan.Path("gateway-consumers.yaml"))
	})
	t.Run("ThreeOfFiveEndorse", func(t *testing.T) {
		for _, name := range []string{"peer0.institute.steelyard", "peer0.notary.steelyard"} {
			require.NoError(t, n.real.StopNode(bounded(t), name))
		}
		merchant := g.writeAgain() // by regulator, association and the new organisation: nobody else is there
		for _, name := range []string{"peer0.institute.steelyard", "peer0.notary.steelyard"} {
			require.NoError(t, n.real.StartNode(bounded(t), name))
		}
		n.agree(t)
		g.contains("/v1/merchants/"+merchant, merchant)
	})
}

// shown is the certificate that a server shows.
func shown(t *testing.T, endpoint string) *x509.Certificate {
	t.Helper()
	connection, err := tls.Dial("tcp", endpoint, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}) // it is the certificate that is looked at
	require.NoError(t, err)
	defer connection.Close()
	return connection.ConnectionState().PeerCertificates[0]
}

func (n *network) testPeerCertificate(t *testing.T, g *gateway) {
	peer := n.real.Plan.Peers()[3]
	before := shown(t, peer.Endpoint)
	n.follow(t, "New certificates for a peer")
	after := shown(t, peer.Endpoint)
	require.NotEqual(t, before.SerialNumber, after.SerialNumber)
	// Its contract service must know it by the new certificate: of four
	// founders' peers one is stopped, so that this one has to endorse.
	require.NoError(t, n.real.StopNode(bounded(t), "peer0.institute.steelyard"))
	require.NoError(t, n.real.StopNode(bounded(t), "peer0.consumers.steelyard"))
	g.write()
	require.NoError(t, n.real.StartNode(bounded(t), "peer0.consumers.steelyard"))
	require.NoError(t, n.real.StartNode(bounded(t), "peer0.institute.steelyard"))
	n.agree(t)
}

func (n *network) testOrdererCertificate(t *testing.T, g *gateway) {
	node := n.real.Plan.Orderers()[3]
	n.follow(t, "New certificates for an ordering node")
	data, err := os.ReadFile(filepath.Join(node.Dir, "tls", "server.crt"))
	require.NoError(t, err)
	block, _ := pem.Decode(data)
	require.Equal(t, block.Bytes, shown(t, node.Cluster).Raw)
	// A block counts with the signatures of three of four: without another
	// node the one with the new identity has to sign.
	// The others connect to it at growing intervals, up to half a minute.
	require.NoError(t, n.real.StopNode(bounded(t), "orderer0.association.steelyard"))
	start := time.Now()
	require.Eventually(t, func() bool {
		a := g.request("merchant", "POST", "/v1/merchants", `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`, "Idempotency-Key", "new-orderer")
		return a.status == http.StatusCreated
	}, startTimeout, 100*time.Millisecond)
	t.Logf("a block with its signature after %s", time.Since(start).Round(time.Second))
	require.NoError(t, n.real.StartNode(bounded(t), "orderer0.association.steelyard"))
	g.write()
	n.agree(t)
}

func (n *network) testPeerBackup(t *testing.T, g *gateway) {
	blocks := n.pageBlocks(t, "Back up and restore a peer")
	require.Len(t, blocks, 2, "one block backs up, one restores")
	n.shell(t, blocks[0], "back up", 0)
	busy(g) // what the backup lacks: also a profile that is purged
	n.shell(t, blocks[1], "restore", 1)
	n.agree(t)
	c := filepath.Join(t.TempDir(), "gateway.yaml")
	own, err := os.ReadFile(n.real.Plan.Path("gateway.yaml"))
	require.NoError(t, err)
	// A gateway that has this peer alone shows what the peer holds.
	head, peers, found := strings.Cut(string(own), "  peers:\n")
	require.True(t, found)
	for _, peer := range strings.SplitAfter(peers, "-ca.pem\n") {
		if strings.Contains(peer, "NotaryMSP") {
			head += "  peers:\n" + peer
		}
	}
	require.NoError(t, os.WriteFile(c, []byte(strings.ReplaceAll(head, "./", n.real.Plan.Path()+"/")), 0o600))
	n.sameAnswers(t, g, c)
}

// testReadModelBackup copies the read model of a stopped gateway, lets the
// ledger go on, puts the copy back, and compares with what was shown before.
func (n *network) testReadModelBackup(t *testing.T, g *gateway, data string) {
	g.stop()
	copyOf := func(from, to string) {
		content, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, content, 0o600))
	}
	model, backup := filepath.Join(data, "readmodel.db"), filepath.Join(t.TempDir(), "readmodel.db")
	copyOf(model, backup)
	g = n.startWith(t, data)
	busy(g)
	want := g.walk()
	g.stop()
	for _, suffix := range []string{"-wal", "-shm"} {
		require.NoFileExists(t, model+suffix, "a stopped gateway leaves one file")
	}
	copyOf(backup, model)
	g = n.startWith(t, data)
	require.Eventually(t, func() bool {
		var status struct{ Height uint64 }
		g.read("/v1/status", &status)
		return status.Height >= n.height(t, n.real.Plan.Peers()[0])
	}, startTimeout, 100*time.Millisecond)
	require.Equal(t, want, g.walk())
}
