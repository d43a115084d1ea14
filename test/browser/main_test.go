// Package browser goes through the pages as visitors do, in Debian's Chromium,
// against a gateway with its demonstration content. Without Chromium on PATH
// every test is skipped.
//
// What people do stands in a table (jobs_test.go), and is done on a phone by
// touch and on a desktop by keyboard alone, in Chinese and in English: the same
// steps by another hand (hand_test.go). All visitors share one browser, each
// with a profile of its own, and one gateway; a second gateway takes no part in
// draws, so that its organisations act at their desks.
package browser

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// gateway is one that runs.
type gateway struct {
	url  string // such as http://127.0.0.1:40001
	data string // its data directory
}

// site is what all tests share.
var site struct {
	gateway
	program string          // the gateway's
	skip    string          // why there is none
	images  string          // where screenshots go; empty: none are taken
	scratch string          // directory for what lasts as long as the tests
	running context.Context // ends with the tests
	closing []func()        // what is to be done then, in reverse

	drawn, filed func() finished // a draw, and one whose objects stand in a file
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// together is how many tests run at a time: most of them wait for the ledger or
// for the clock of a draw.
const together = 4

func run(m *testing.M) int {
	flag.Parse()
	if !slices.ContainsFunc(os.Args, func(a string) bool { return strings.HasPrefix(a, "-test.parallel") }) {
		_ = flag.Set("test.parallel", fmt.Sprint(together)) // a known flag and a number
	}
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
	running, end := context.WithCancel(context.Background())
	site.scratch, site.running = directory, running
	defer func() {
		end()
		for _, close := range slices.Backward(site.closing) {
			close()
		}
	}()
	if err := open(directory); err != nil {
		fmt.Fprintln(os.Stderr, "start gateway:", err)
		return 1
	}
	return m.Run()
}

// open starts the gateway, and what takes its time beside the first tests.
func open(directory string) error {
	site.program = filepath.Join(directory, "steelyard")
	build := exec.Command("go", "build", "-o", site.program, "../../gateway")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	var err error
	if site.gateway, err = startGateway(filepath.Join(directory, "data")); err != nil {
		return err
	}
	site.images = os.Getenv("SCREENSHOTS")
	site.drawn = sync.OnceValue(func() finished { return runDraw() })
	site.filed = sync.OnceValue(func() finished { return runDraw("--by-file", "--authority", "440301") })
	var early sync.WaitGroup
	early.Go(func() { site.drawn() })
	early.Go(func() { site.filed() })
	early.Go(func() { axeSource() })
	site.closing = append(site.closing, early.Wait)
	return nil
}

var banner = regexp.MustCompile(`^Steelyard \S+  http://localhost:(\d+)$`)

// startGateway starts the program and waits for its banner, which it prints
// once the demonstration content is on the ledger. It runs until the tests end.
func startGateway(data string, arguments ...string) (gateway, error) {
	ctx, cancel := context.WithTimeout(site.running, 2*time.Minute)
	defer cancel()
	program := exec.Command(site.program, append([]string{"--data", data, "--listen", "127.0.0.1:0", "--peer-listen", "127.0.0.1:0"}, arguments...)...)
	program.Stderr = os.Stderr
	out, err := program.StdoutPipe()
	if err != nil {
		return gateway{}, err
	}
	if err := program.Start(); err != nil {
		return gateway{}, err
	}
	site.closing = append(site.closing, func() {
		_ = program.Process.Signal(syscall.SIGTERM)
		_ = program.Wait()
	})
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
			return gateway{}, errors.New("the gateway ended before its banner")
		}
		return gateway{url: "http://127.0.0.1:" + port, data: data}, nil
	case <-ctx.Done():
		return gateway{}, errors.New("the gateway printed no banner in time")
	}
}
