// Package onehost runs the whole consortium on one machine from Fabric's own
// release binaries: for trying, testing and measuring the real thing. Each
// organisation still has keys, settings, a peer, an ordering node and a
// contract service of its own, so that moving one elsewhere is moving files.
package onehost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// BuilderVariable names the environment variable that tells where Fabric's
// chaincode-as-a-service builder is, if it is not beside the binaries.
const BuilderVariable = "STEELYARD_CCAAS_BUILDER"

const whereToGet = "Fabric's install script brings it: https://hyperledger-fabric.readthedocs.io/en/latest/install.html" +
	" (./install-fabric.sh --fabric-version 3.1.5 binary samples), then put fabric-samples/bin on PATH"

// ErrToolMissing marks errors about programs that are not installed or too old.
var ErrToolMissing = errors.New("a Fabric program is missing")

// Tools are the programs of Fabric that we run.
type Tools struct {
	Peer, Orderer, Configtxgen, Configtxlator string
	Builder                                   string // directory with bin/{detect,build,release}
}

// FindTools looks for Fabric's programs on PATH and checks their versions.
func FindTools(ctx context.Context) (Tools, error) {
	var tools Tools
	for _, tool := range []struct {
		name string
		path *string
	}{
		{"peer", &tools.Peer},
		{"orderer", &tools.Orderer},
		{"configtxgen", &tools.Configtxgen},
		{"configtxlator", &tools.Configtxlator},
	} {
		if err := locate(tool.name, tool.path); err != nil {
			return Tools{}, err
		}
	}
	for _, program := range []string{tools.Peer, tools.Orderer} {
		if err := checkVersion(ctx, program); err != nil {
			return Tools{}, err
		}
	}
	builder, err := findBuilder(filepath.Dir(tools.Peer))
	tools.Builder = builder
	return tools, err
}

func locate(name string, path *string) error {
	found, err := exec.LookPath(name)
	if err != nil {
		return fmt.Errorf("%w: no %q on PATH; %s", ErrToolMissing, name, whereToGet)
	}
	if *path, err = filepath.Abs(found); err != nil {
		return fmt.Errorf("resolve path of %s: %w", name, err)
	}
	return nil
}

func checkVersion(ctx context.Context, program string) error {
	output, err := exec.CommandContext(ctx, program, "version").Output()
	if err != nil {
		return fmt.Errorf("%w: %s version: %w; %s", ErrToolMissing, program, err, whereToGet)
	}
	version := regexp.MustCompile(`Version: v?(\d+)\.(\d+)\.\d+`).FindSubmatch(output)
	if version == nil {
		return fmt.Errorf("%w: %s does not tell its version, want 3.1 or later; %s", ErrToolMissing, program, whereToGet)
	}
	major, _ := strconv.Atoi(string(version[1]))
	minor, _ := strconv.Atoi(string(version[2]))
	if major < 3 || major == 3 && minor < 1 {
		return fmt.Errorf("%w: %s is version %d.%d, want 3.1 or later; %s", ErrToolMissing, program, major, minor, whereToGet)
	}
	return nil
}

// findBuilder follows the layouts of Fabric's install script and of a bare
// directory of binaries.
func findBuilder(binaries string) (string, error) {
	candidates := []string{filepath.Join(binaries, "..", "builders", "ccaas"), filepath.Join(binaries, "ccaas")}
	if named := os.Getenv(BuilderVariable); named != "" {
		candidates = []string{named}
	}
	for _, candidate := range candidates {
		complete := true
		for _, name := range []string{"detect", "build", "release"} {
			if _, err := os.Stat(filepath.Join(candidate, "bin", name)); err != nil {
				complete = false
			}
		}
		if complete {
			return filepath.Abs(candidate)
		}
	}
	return "", fmt.Errorf("%w: no chaincode-as-a-service builder in %q (set %s to its directory); %s",
		ErrToolMissing, candidates, BuilderVariable, whereToGet)
}

// Where FreePort looks: 120 networks of 100 ports, below the ports
// that systems give to outgoing connections.
const (
	firstFreePort = 20000
	freeSlots     = 120
)

// FreePort finds a first port for a network of its own, for tests that run
// beside others. It begins elsewhere in each process, so that two that look at
// the same time hardly choose the same; 0 if nothing is free.
func FreePort() int {
	for i := range freeSlots {
		port := firstFreePort + (os.Getpid()+i)%freeSlots*100
		plan, err := consortium.New("", consortium.Plan{Port: port})
		if err == nil && portsFree(plan) == nil {
			return port
		}
	}
	return 0
}
