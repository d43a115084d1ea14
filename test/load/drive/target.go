package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	"syscall"
	"time"

	"github.com/steelyard-ledger/steelyard/test/load/wire"
)

// target is a gateway that runs for a measurement.
type target struct {
	directory string
	url       string
	address   string // of url
	profiles  string // where its profiles are to be had
	token     string
	process   *exec.Cmd
	client    *http.Client
}

var served = regexp.MustCompile(`http://localhost:\d+`)

// startTarget builds the gateway and waits until it serves.
func startTarget(ctx context.Context, s settings) (g *target, err error) {
	g = &target{client: &http.Client{Timeout: time.Minute}}
	if g.directory, err = os.MkdirTemp("", "steelyard-drive-"); err != nil {
		return nil, err
	}
	program := s.program
	if program == "" {
		program = filepath.Join(g.directory, "steelyard")
		build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/steelyard-ledger/steelyard/gateway")
		if said, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the gateway: %w: %s", err, said)
		}
	}
	log, err := os.Create(filepath.Join(g.directory, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the process has its own
	if err := g.configure(); err != nil {
		return nil, err
	}
	g.process = exec.Command(program, "serve", "--config", g.configuration())
	g.process.Env = append(os.Environ(), "GOMEMLIMIT="+s.memory)
	g.process.Stderr = log
	out, err := g.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := g.process.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for g.url == "" && lines.Scan() {
		g.url = served.FindString(lines.Text())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if g.url == "" {
		return nil, errors.New("the gateway ended: see " + log.Name())
	}
	var tokens map[string]string
	content, err := os.ReadFile(filepath.Join(g.data(), "tokens.json"))
	if err == nil {
		err = json.Unmarshal(content, &tokens)
	}
	g.token, g.address = tokens["merchant"], strings.TrimPrefix(g.url, "http://")
	return g, err
}

// configure lifts the limits of one client, since all load comes from one.
func (g *target) configure() (err error) {
	if g.profiles, err = freeAddress(); err != nil {
		return err
	}
	if err := os.MkdirAll(g.data(), 0o700); err != nil {
		return err
	}
	return os.WriteFile(g.configuration(), []byte("listen: 127.0.0.1:0\npeerListen: 127.0.0.1:0\ndata: .\n"+
		"limits: {readsPerSecond: 1000000, writesPerSecond: 1000000}\nprofileListen: "+g.profiles+"\n"), 0o600)
}

// freeAddress is one where nobody listens.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func (g *target) configuration() string { return filepath.Join(g.data(), "drive.yaml") }

func (g *target) data() string { return filepath.Join(g.directory, "data") }

// end stops the gateway in good order; what it kept can then be read.
func (g *target) end() error {
	if err := g.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return g.process.Wait()
}

func (g *target) stop() {
	if g.process.ProcessState == nil {
		_ = g.process.Process.Kill()
		_ = g.process.Wait()
	}
	_ = os.RemoveAll(g.directory)
}

func post(path, body, key string) wire.Request {
	return wire.Request{Method: http.MethodPost, Path: path, Body: body, Key: key}
}

// encode makes the bytes of a request; one that writes is the merchant's.
func (g *target) encode(r wire.Request) []byte {
	if r.Body != "" {
		r.Token = g.token
	}
	return r.Encode(g.address)
}

// metrics reads the gateway's counters.
func (g *target) metrics(ctx context.Context) (map[string]float64, error) {
	made, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	got, err := g.client.Do(made)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close() //nolint:errcheck // read to its end
	content, err := io.ReadAll(got.Body)
	values := map[string]float64{}
	for line := range bytes.Lines(content) {
		name, number, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if value, err := strconv.ParseFloat(number, 64); err == nil {
			values[name] = value
		}
	}
	return values, err
}

// processor is the processor time that the gateway has taken so far.
func (g *target) processor() time.Duration {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", g.process.Process.Pid))
	fields := bytes.Fields(content[bytes.LastIndexByte(content, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(string(fields[11]))
	system, _ := strconv.Atoi(string(fields[12]))
	return time.Duration(user+system) * clockTick
}

// clockTick is how long the unit of /proc/PID/stat is.
const clockTick = time.Second / 100

// peak is the most memory that the gateway has held so far, in MiB.
func (g *target) peak() float64 {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.process.Process.Pid))
	for line := range bytes.Lines(content) {
		if kilobytes, found := bytes.CutPrefix(line, []byte("VmHWM:")); found {
			value, _ := strconv.ParseFloat(strings.Fields(string(kilobytes))[0], 64)
			return value / 1024
		}
	}
	return 0
}
