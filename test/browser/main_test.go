// Package browser goes through the pages as visitors do, in Debian's Chromium,
// against a gateway with its demonstration content. Without Chromium on PATH
// every test is skipped.
package browser

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// site is the gateway all tests visit.
var site struct {
	url     string // such as http://127.0.0.1:40001
	program string // the gateway's
	data    string // its data directory
	skip    string // why there is none
	images  string // where screenshots go; empty: none are taken

	drawn, filed func() finished // a draw, and one whose objects stand in a file
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if _, err := exec.LookPath("chromium"); err != nil {
		site.skip = "chromium is not on PATH; apt-get install chromium fonts-noto-cjk"
		return m.Run()
	}
	directory, err := os.MkdirTemp("", "steelyard-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(directory)
	stop, err := startGateway(directory)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start gateway:", err)
		return 1
	}
	defer stop()
	site.images = os.Getenv("SCREENSHOTS")
	site.drawn = sync.OnceValue(func() finished { return runDraw() })
	site.filed = sync.OnceValue(func() finished { return runDraw("--by-file") })
	return m.Run()
}

var banner = regexp.MustCompile(`^Steelyard \S+  http://localhost:(\d+)$`)

// startGateway builds and starts the program and waits for its banner, which it
// prints once the demonstration content is on the ledger.
func startGateway(directory string) (stop func(), err error) {
	program := filepath.Join(directory, "steelyard")
	site.program, site.data = program, filepath.Join(directory, "data")
	build := exec.Command("go", "build", "-o", program, "../../gateway")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	gateway := exec.Command(program, "--data", site.data, "--listen", "127.0.0.1:0", "--peer-listen", "127.0.0.1:0")
	gateway.Stderr = os.Stderr
	out, err := gateway.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := gateway.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = gateway.Process.Signal(syscall.SIGTERM)
		_ = gateway.Wait()
	}
	ports := make(chan string, 1)
	go func() {
		defer close(ports)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if match := banner.FindStringSubmatch(lines.Text()); match != nil {
				ports <- match[1]
				_, _ = io.Copy(io.Discard, out)
				return
			}
		}
	}()
	select {
	case port, printed := <-ports:
		if !printed {
			return nil, errors.New("the gateway ended before its banner")
		}
		site.url = "http://127.0.0.1:" + port
		return stop, nil
	case <-ctx.Done():
		stop()
		return nil, errors.New("the gateway printed no banner in time")
	}
}
