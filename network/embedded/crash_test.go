package embedded_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/stretchr/testify/require"
)

// crashDir tells this test binary to be the process that gets killed.
const crashDir = "STEELYARD_CRASH_DIR"

// TestKill kills a network under writes, again and again on the same data, and
// looks afterwards for every write whose commit was acknowledged.
func TestKill(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range rounds {
		for _, key := range killAfter(t, dir, 20+rand.IntN(250)) {
			require.False(t, acknowledged[key], "round %d wrote %s again", round, key)
			acknowledged[key] = true
		}
	}
	require.NotEmpty(t, acknowledged)
	checkAcknowledged(t, dir, acknowledged)
	t.Logf("%d rounds, %d acknowledged writes, none lost", rounds, len(acknowledged))
}

// killAfter runs the writer until it has acknowledged so many writes, kills it
// at once and returns what it acknowledged.
func killAfter(t *testing.T, dir string, writes int) []string {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run=^TestKill$", "-test.count=1")
	command.Env = append(os.Environ(), crashDir+"="+dir)
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	// A writer that hangs must not hang the test.
	watchdog := time.AfterFunc(30*time.Second, func() { _ = command.Process.Kill() })
	defer watchdog.Stop()
	var keys []string
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if key, found := strings.CutPrefix(lines.Text(), "ack "); found {
			keys = append(keys, key)
		}
		if len(keys) == writes {
			require.NoError(t, command.Process.Kill())
		}
	}
	require.Error(t, command.Wait(), "the writer must die, not end")
	require.GreaterOrEqual(t, len(keys), writes, "the writer failed before it was killed")
	return keys
}

// writeUntilKilled writes public and private keys of its own and prints each
// once its commit is acknowledged.
func writeUntilKilled(t *testing.T, dir string) {
	network := start(t, config(t, dir))
	gateway := connect(t, network, "RegulatorMSP")
	var next atomic.Int64
	var printing sync.Mutex
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			c := contract(gateway)
			for {
				key := fmt.Sprintf("%d-%d", os.Getpid(), next.Add(1))
				if _, err := c.SubmitTransaction("put", key, "value of "+key); err != nil {
					return
				}
				_, err := c.Submit("putPrivate", client.WithArguments("disclosed", key),
					client.WithTransient(map[string][]byte{"value": []byte("secret of " + key)}))
				if err != nil {
					return
				}
				printing.Lock()
				fmt.Println("ack", key)
				printing.Unlock()
			}
		})
	}
	group.Wait()
}

func checkAcknowledged(t *testing.T, dir string, acknowledged map[string]bool) {
	t.Helper()
	network := start(t, config(t, dir))
	c := contract(connect(t, network, "RegulatorMSP"))
	for key := range acknowledged {
		value, err := c.EvaluateTransaction("get", key)
		require.NoError(t, err)
		require.Equal(t, "value of "+key, string(value))
		secret, err := c.EvaluateTransaction("getPrivate", "disclosed", key)
		require.NoError(t, err)
		require.Equal(t, "secret of "+key, string(secret))
		history, err := c.EvaluateTransaction("history", key)
		require.NoError(t, err)
		require.Equal(t, "value of "+key+"/false", string(history), "written once")
	}
}
