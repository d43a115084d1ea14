package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/readmodel/postgrestest"
)

// program is the gateway, built once for all tests.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	directory, err := os.MkdirTemp("", "steelyard-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(directory)
	program = filepath.Join(directory, "steelyard")
	build := exec.Command("go", "build", "-o", program, "../../gateway")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build gateway:", err)
		return 1
	}
	code := m.Run()
	postgres.Stop()
	if err := stopReal(); err != nil {
		fmt.Fprintln(os.Stderr, "stop real network:", err)
		return 1
	}
	return code
}

// postgres is the database of gateways that share one.
var postgres postgrestest.Server

// gateway is a running gateway process.
type gateway struct {
	t       *testing.T
	network *network
	url     string
	data    string
	tokens  map[string]string
	cmd     *exec.Cmd
	exited  chan error
	log     *os.File
}

// banner is the line that says where the gateway serves.
var banner = regexp.MustCompile(`^Steelyard \S+  (http://localhost:\d+)$`)

// startTimeout is how long a gateway may take to be ready. The checks here are
// about what works, not about speed.
const startTimeout = 2 * time.Minute

// launch runs a gateway; later arguments win over the network's.
func (n *network) launch(t *testing.T, data string, further ...string) (*gateway, error) {
	t.Helper()
	if n.real == nil && onlyReal() {
		t.Skip("plays on the embedded network")
	}
	log, err := os.CreateTemp(t.TempDir(), "gateway-*.log")
	require.NoError(t, err)
	g := &gateway{t: t, network: n, data: data, exited: make(chan error, 1), log: log}
	g.cmd = exec.Command(program, append(n.args(data), further...)...)
	g.cmd.Env = append(os.Environ(), n.environment...)
	g.cmd.Stderr = log
	out, err := g.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, g.cmd.Start())
	t.Cleanup(func() {
		g.stop()
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", g.logged())
		}
	})
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if match := banner.FindStringSubmatch(lines.Text()); match != nil {
				found <- match[1]
			}
		}
		g.exited <- g.cmd.Wait()
	}()
	select {
	case g.url = <-found:
	case err := <-g.exited:
		g.exited <- err
		return g, fmt.Errorf("gateway ended: %w\n%s", errors.Join(err), g.logged())
	case <-time.After(startTimeout):
		return g, fmt.Errorf("gateway is not ready after %s\n%s", startTimeout, g.logged())
	}
	raw, err := os.ReadFile(filepath.Join(data, "tokens.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &g.tokens))
	return g, nil
}

func (g *gateway) logged() string {
	raw, _ := os.ReadFile(g.log.Name())
	return string(raw)
}

// stop ends the process in good order, once.
func (g *gateway) stop() { g.end(syscall.SIGTERM) }

// kill ends it as a power cut would.
func (g *gateway) kill() { g.end(syscall.SIGKILL) }

func (g *gateway) end(signal syscall.Signal) {
	if g.cmd.ProcessState != nil {
		return
	}
	_ = g.cmd.Process.Signal(signal) // it may have ended by itself
	select {
	case err := <-g.exited:
		g.exited <- err
	case <-time.After(startTimeout):
		_ = g.cmd.Process.Kill()
		g.t.Errorf("gateway did not end on %s\n%s", signal, g.logged())
	}
}

// answer is an HTTP answer read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem is what tests look at in a problem document.
type problem struct {
	Type, Code, Field, Detail string
	Errors                    json.RawMessage
}

func (a answer) problem(t *testing.T) problem {
	t.Helper()
	var p problem
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), "%s", a.body)
	require.NoError(t, json.Unmarshal(a.body, &p), "%s", a.body)
	return p
}

func (a answer) decode(t *testing.T, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, into), "%s", a.body)
}

// request sends one request as a post ("" for the public).
func (g *gateway) request(as, method, path, body string, headers ...string) answer {
	g.t.Helper()
	a, err := g.try(context.Background(), as, method, path, body, headers...)
	require.NoError(g.t, err)
	return a
}

func (g *gateway) try(ctx context.Context, as, method, path, body string, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, g.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+g.tokens[as])
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	var buffer bytes.Buffer
	if _, err := io.Copy(&buffer, response.Body); err != nil {
		return answer{}, err
	}
	a := answer{response.StatusCode, response.Header, buffer.Bytes()}
	return a, documented(r, body, a)
}

// must sends a write that must be committed and returns the id of what it made.
func (g *gateway) must(as, method, path, body string, headers ...string) string {
	g.t.Helper()
	a := g.request(as, method, path, body, headers...)
	require.Equal(g.t, http.StatusCreated, a.status, "%s %s: %s", method, path, a.body)
	var written struct{ ID, Status string }
	a.decode(g.t, &written)
	require.Equal(g.t, "committed", written.Status)
	return written.ID
}

// read sends a public read that must succeed.
func (g *gateway) read(path string, into any) {
	g.t.Helper()
	a := g.request("", http.MethodGet, path, "")
	require.Equal(g.t, http.StatusOK, a.status, "%s: %s", path, a.body)
	a.decode(g.t, into)
}

// refused runs the program with arguments that it must refuse, and returns
// what it says.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	return string(out)
}

// batchLine is the answer to one line of a file.
type batchLine struct {
	Line                    int
	Outcome, Field, Message string
}

func batchLines(t *testing.T, body []byte) []batchLine {
	t.Helper()
	var answer struct{ Lines []batchLine }
	require.NoError(t, json.Unmarshal(body, &answer), "%s", body)
	return answer.Lines
}

func outcomes(lines []batchLine) []string {
	all := make([]string, len(lines))
	for i, line := range lines {
		all[i] = line.Outcome
	}
	return all
}
