package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scratch is the directory of what is built; empty: nothing was.
var scratch string

func TestMain(m *testing.M) {
	code := m.Run()
	if scratch != "" {
		_ = os.RemoveAll(scratch)
	}
	os.Exit(code)
}

// program builds the gateway, once.
var program = sync.OnceValues(func() (path string, err error) {
	if scratch, err = os.MkdirTemp("", "steelyard-load-"); err != nil {
		return "", err
	}
	path = filepath.Join(scratch, "steelyard")
	out, err := exec.Command("go", "build", "-o", path, "../../gateway").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build gateway: %w\n%s", err, out)
	}
	return path, nil
})

// served is a gateway with its embedded network, a process of its own that
// keeps its usual guarantees, fsync included; only the limits of one client
// are off, since all load comes from one.
type served struct {
	url    string
	tokens map[string]string
	ready  time.Duration // from the start of the process
	client *http.Client
	pid    int
	stop   func()
}

// clockTick is how long the unit of /proc/PID/stat is.
const clockTick = time.Second / 100

// processor is the processor time that the gateway has taken so far; zero
// where there is no /proc.
func (s *served) processor(b testing.TB) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	require.NoError(b, err)
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] { // of user and of system code
		n, err := strconv.ParseInt(field, 10, 64)
		require.NoError(b, err)
		ticks += n
	}
	return time.Duration(ticks) * clockTick
}

var banner = regexp.MustCompile(`^Steelyard \S+  (http://localhost:\d+)$`)

// serve starts a gateway on data, which keeps what an earlier one left.
func serve(b testing.TB, data string) *served {
	b.Helper()
	path, err := program()
	require.NoError(b, err)
	config := filepath.Join(data, "load.yaml")
	require.NoError(b, os.MkdirAll(data, 0o700))
	require.NoError(b, os.WriteFile(config, []byte("listen: 127.0.0.1:0\npeerListen: 127.0.0.1:0\ndata: .\nlimits: {readsPerSecond: 1000000, writesPerSecond: 1000000}\n"), 0o600))
	cmd := exec.Command(path, "serve", "--config", config)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	began := time.Now()
	require.NoError(b, cmd.Start())
	s := &served{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}, Timeout: time.Minute}}
	s.pid = cmd.Process.Pid
	s.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	b.Cleanup(s.stop)
	lines := bufio.NewScanner(out)
	for s.url == "" && lines.Scan() {
		if match := banner.FindStringSubmatch(lines.Text()); match != nil {
			s.url = match[1]
		}
	}
	require.NotEmpty(b, s.url, log.String())
	go func() { _, _ = io.Copy(io.Discard, out) }()
	require.Eventually(b, func() bool {
		status, _, err := s.ask(b.Context(), http.MethodGet, "/readyz", "", "", nil)
		return err == nil && status == http.StatusOK
	}, 2*time.Minute, 2*time.Millisecond)
	s.ready = time.Since(began)
	raw, err := os.ReadFile(filepath.Join(data, "tokens.json"))
	require.NoError(b, err)
	require.NoError(b, json.Unmarshal(raw, &s.tokens))
	return s
}

func (s *served) ask(ctx context.Context, method, path, role, media string, body []byte) (int, []byte, error) {
	request, err := s.request(ctx, method, path, role, media, body)
	if err != nil {
		return 0, nil, err
	}
	answer, content, err := s.do(request)
	if err != nil {
		return 0, nil, err
	}
	return answer.StatusCode, content, nil
}

func (s *served) request(ctx context.Context, method, path, role, media string, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if role != "" {
		request.Header.Set("Authorization", "Bearer "+s.tokens[role])
	}
	if media != "" {
		request.Header.Set("Content-Type", media)
	}
	return request, nil
}

func (s *served) do(request *http.Request) (*http.Response, []byte, error) {
	answer, err := s.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	return answer, content, err
}

// post writes, and must be told that the commit is certain.
func (s *served) post(b testing.TB, role, path, body string) {
	b.Helper()
	status, content, err := s.ask(b.Context(), http.MethodPost, path, role, "application/json", []byte(body))
	require.NoError(b, err)
	require.Equal(b, http.StatusCreated, status, "%s", content)
}

// merchant registers a merchant with a site, whose instruments the writes are.
func (s *served) merchant(b testing.TB) {
	b.Helper()
	status, _, err := s.ask(b.Context(), http.MethodGet, "/v1/merchants/M-LOAD", "", "", nil)
	require.NoError(b, err)
	if status == http.StatusOK {
		return
	}
	s.post(b, "merchant", "/v1/merchants", `{"id":"M-LOAD","kind":"enterprise","sector":"catering","region":"310115","creditCode":"91310115MA00000022","profile":{"name":"Load"}}`)
	s.post(b, "merchant", "/v1/sites", `{"id":"S-LOAD","kind":"restaurant","region":"310115","owner":"M-LOAD","occupant":"M-LOAD","from":"2026-01-01","profile":{"name":"Load"}}`)
}

// write registers one instrument and waits for its commit. A refusal for
// overload says how long to wait.
func (s *served) write(ctx context.Context, id string) (failure string, wait time.Duration) {
	body := fmt.Sprintf(`{"id":%q,"name":"scale","category":"non-automatic-scale","model":"SY-6","maker":"maker","serial":%q,"use":"trade-settlement",
		"mode":"periodic","delivery":"sent","region":"310115","site":"S-LOAD","owner":"M-LOAD","user":"M-LOAD"}`, id, id)
	request, err := s.request(ctx, http.MethodPost, "/v1/instruments", "merchant", "application/json", []byte(body))
	if err != nil {
		return "no request", 0
	}
	answer, _, err := s.do(request)
	switch {
	case err != nil:
		return "no answer", 0
	case answer.StatusCode != http.StatusCreated:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return fmt.Sprint(answer.StatusCode), time.Duration(seconds) * time.Second
	}
	return "", 0
}
