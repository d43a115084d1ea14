package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/enroll/identity"
)

// repository is the root of the main module: its programs are run, none of its
// packages is linked.
const repository = "../.."

var programs = struct {
	sync.Mutex
	dir string
}{}

// TestMain removes what the tests built.
func TestMain(m *testing.M) {
	code := m.Run()
	if programs.dir != "" {
		_ = os.RemoveAll(programs.dir)
	}
	os.Exit(code)
}

// program builds a program of the main module, once.
func program(t *testing.T, name string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if programs.dir == "" {
		dir, err := os.MkdirTemp("", "steelyard-enroll-")
		require.NoError(t, err)
		programs.dir = dir
	}
	path := filepath.Join(programs.dir, filepath.Base(name))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	out, err := exec.Command("go", "build", "-C", repository, "-o", path, "./"+name).CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// gateway is a running gateway.
type gateway struct {
	t      *testing.T
	url    string
	tokens map[string]string
	stop   func()
}

// address is how the banner tells where the gateway listens.
var address = regexp.MustCompile(`http://localhost:\d+`)

// startGateway waits until the gateway is ready. It may be stopped early.
func startGateway(t *testing.T, tokens string, arguments ...string) *gateway {
	t.Helper()
	command := exec.Command(program(t, "gateway"), append([]string{"serve", "--listen", "127.0.0.1:0", "--tokens", tokens}, arguments...)...)
	var log bytes.Buffer
	command.Stderr = &log
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	g := &gateway{t: t}
	var once sync.Once
	g.stop = func() {
		once.Do(func() {
			_ = command.Process.Signal(os.Interrupt)
			_ = command.Wait()
		})
	}
	t.Cleanup(func() {
		g.stop()
		if t.Failed() {
			t.Log(string(log.Bytes()[max(0, log.Len()-4000):]))
		}
	})
	found := make(chan string, 1)
	go func() {
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			if url := address.FindString(scanner.Text()); url != "" {
				found <- url
			}
		}
		close(found)
	}()
	select {
	case g.url = <-found:
	case <-time.After(2 * time.Minute):
	}
	require.NotEmpty(t, g.url, "the gateway does not start")
	content, err := os.ReadFile(tokens)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &g.tokens))
	return g
}

// answer is what a request got.
type answer struct {
	status int
	body   string
}

func (g *gateway) post(label, path, body string) answer {
	g.t.Helper()
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.url+path, strings.NewReader(body))
	require.NoError(g.t, err)
	request.Header.Set("Authorization", "Bearer "+g.tokens[label])
	request.Header.Set("Content-Type", "application/json")
	return g.do(request)
}

func (g *gateway) get(path string) answer {
	g.t.Helper()
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.url+path, nil)
	require.NoError(g.t, err)
	return g.do(request)
}

func (g *gateway) do(request *http.Request) answer {
	g.t.Helper()
	response, err := http.DefaultClient.Do(request)
	require.NoError(g.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(g.t, err)
	return answer{response.StatusCode, string(body)}
}

// until repeats as long as the answer is the old one, for some time.
func (g *gateway) until(old int, ask func() answer) answer {
	g.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if a := ask(); a.status != old || time.Now().After(deadline) {
			return a
		}
	}
}

// register has the merchant register itself.
func (g *gateway) register(label, id string) answer {
	g.t.Helper()
	return g.post(label, "/v1/merchants", fmt.Sprintf(
		`{"id":%q,"kind":"stall","sector":"market","region":"310115","profile":{"name":"Stall %s"}}`, id, id))
}

// pledge has the merchant sign a pledge.
func (g *gateway) pledge(label, merchant, id string) answer {
	g.t.Helper()
	today := time.Now().In(time.FixedZone("CST", 8*3600)).Format(time.DateOnly)
	text := sha256.Sum256([]byte("the text that was signed"))
	return g.post(label, "/v1/merchants/"+merchant+"/pledges", fmt.Sprintf(`{"id":%q,"programme":"integrity-metrology","from":%q,"months":12,
		"template":"integrity-pledge","templateVersion":"2026.1","textDigest":%q,
		"commitments":[{"code":"law-abidance"},{"code":"verified-instruments"},{"code":"show-quantity"},{"code":"compensate-shortage","value":3}],
		"signature":{"manner":"click","role":"legal-representative","signed":%q},"rule":{"id":"pledge-programmes","version":1}}`,
		id, today, hex.EncodeToString(text[:]), today))
}

// requireRefused checks the problem that a revoked identity meets.
func requireRefused(t *testing.T, a answer) {
	t.Helper()
	require.Equal(t, http.StatusForbidden, a.status, a.body)
	require.Contains(t, a.body, `"code":"FORBIDDEN"`)
	require.Contains(t, a.body, "the network does not accept this identity")
}

// TestEmbedded: from the CA to a pledge on the embedded network, and out again
// by revocation, while the network runs.
func TestEmbedded(t *testing.T) {
	ca := startCA(t)
	d := newDesk(t, ca)
	d.registrar(ca, "admin")
	data := d.path()
	d.member("merchant", "stall")
	d.member("merchant", "neighbour")
	msp := filepath.Join(data, "network", "msp", "AssociationMSP")
	arguments := []string{"--data", data, "--peer-listen", "127.0.0.1:0"}
	tokens := d.path("tokens.json")

	hasty := startCAIn(t, t.TempDir(), "-1m") // what it certifies has ended
	late := newDesk(t, hasty)
	late.run(hasty.secret, "enroll", "--name", "holder", "--label", "late", "--secret-file", "-")
	ended, err := identity.Read(late.path("wallet"), "late")
	require.NoError(t, err)
	require.NoError(t, identity.Create(d.path("wallet"), "late", ended))
	late.run("", "cacert", "--msp", late.path("msp"))
	require.NoError(t, os.MkdirAll(filepath.Join(msp, "cacerts"), 0o700))
	require.NoError(t, os.Rename(late.path("msp", "cacerts", "ca-association.pem"), filepath.Join(msp, "cacerts", "hasty.pem")))

	g := startGateway(t, tokens, arguments...)
	requireRefused(t, g.register("late", "M-LATE"))
	requireRefused(t, g.register("stall", "M-ENROLLED")) // the network does not know the CA yet
	d.run("", "cacert", "--msp", msp)
	a := g.until(http.StatusForbidden, func() answer { return g.register("stall", "M-ENROLLED") })
	require.Equal(t, http.StatusCreated, a.status, a.body)
	a = g.pledge("stall", "M-ENROLLED", "P-ENROLLED")
	require.Equal(t, http.StatusCreated, a.status, a.body)
	require.Equal(t, http.StatusCreated, g.register("neighbour", "M-NEIGHBOUR").status)
	require.Equal(t, http.StatusForbidden, g.pledge("neighbour", "M-ENROLLED", "P-OTHER").status, "the ledger knows whose subject it is")

	d.run("", "reenroll", "--label", "stall") // while the gateway runs
	a = g.post("stall", "/v1/pledges/P-ENROLLED/withdrawal", `{"reason":"own-wish"}`)
	require.Equal(t, http.StatusCreated, a.status, a.body)

	d.run("", "revoke", "--label", "stall", "--reason", "keycompromise")
	require.Equal(t, http.StatusCreated, g.pledge("stall", "M-ENROLLED", "P-LATE").status, "the network has no list yet")
	d.run("", "crl", "--msp", msp)
	requireRefused(t, g.until(http.StatusCreated, func() answer { return g.register("stall", "M-"+rand.Text()) }))
	requireRefused(t, g.pledge("stall", "M-ENROLLED", "P-NEVER"))
	a = g.pledge("neighbour", "M-NEIGHBOUR", "P-NEIGHBOUR")
	require.Equal(t, http.StatusCreated, a.status, a.body)
	require.Equal(t, http.StatusOK, g.get("/v1/merchants/M-ENROLLED/pledges").status, "what stood stands")

	g.stop()
	requireRefused(t, startGateway(t, tokens, arguments...).pledge("stall", "M-ENROLLED", "P-NEVER"))
}

// TestReal: the same on Hyperledger Fabric itself, where the CA and its list
// reach the channel by configuration updates of the organisation.
func TestReal(t *testing.T) {
	for _, needed := range []string{"peer", "orderer", "configtxgen", "configtxlator"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip("real Fabric not tested:", err)
		}
	}
	ca := startCA(t)
	d := newDesk(t, ca)
	d.configure(ca.url, ca.tlsRoots, "wallet: fabric/wallet")
	admin := func(arguments ...string) {
		t.Helper()
		command := exec.Command(program(t, "network/admin"), append(arguments, "--dir", d.path("fabric"))...)
		command.Dir = repository
		out, err := command.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	t.Cleanup(func() { admin("down") })
	admin("up", "--port", strconv.Itoa(freePorts(t)))
	admin("deploy")
	d.registrar(ca, "admin")
	d.member("merchant", "stall")
	msp := d.path("fabric", "organizations", "association", "msp")
	d.run("", "cacert", "--msp", msp)
	admin("msp", "association")

	g := startGateway(t, d.path("tokens.json"), "--config", d.path("fabric", "gateway.yaml"), "--data", d.path("gateway"), "--demo")
	a := g.register("stall", "M-ENROLLED")
	require.Equal(t, http.StatusCreated, a.status, a.body)
	a = g.pledge("stall", "M-ENROLLED", "P-ENROLLED")
	require.Equal(t, http.StatusCreated, a.status, a.body)

	d.run("", "revoke", "--label", "stall", "--reason", "keycompromise")
	d.run("", "crl", "--msp", msp)
	admin("msp", "association")
	requireRefused(t, g.pledge("stall", "M-ENROLLED", "P-NEVER"))
	require.Equal(t, http.StatusCreated, g.register("merchant", "M-OTHER").status, "the organisation's others go on")
	require.Equal(t, http.StatusOK, g.get("/v1/merchants/M-ENROLLED/pledges").status, "what stood stands")
}

// freePorts returns the first of the 80 ports that a network takes.
func freePorts(t *testing.T) int {
	t.Helper()
	for i := range 100 {
		if first := 20000 + (os.Getpid()+i)%100*100; free(first, 80) {
			return first
		}
	}
	require.FailNow(t, "no 80 free ports")
	return 0
}

func free(first, count int) bool {
	for port := first; port < first+count; port++ {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return false
		}
		_ = listener.Close() // it held nothing
	}
	return true
}
