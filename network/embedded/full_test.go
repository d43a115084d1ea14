//go:build unix

package embedded_test

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/embedded"
)

// TestDiskFull lets the ledger file grow no further: the network must stop and
// say so, nothing may be acknowledged that is not there afterwards, and with
// room again it must go on.
func TestDiskFull(t *testing.T) {
	cfg := config(t, t.TempDir())
	network, err := embedded.Start(t.Context(), cfg) // not start: its Close will fail
	require.NoError(t, err)
	c := contract(connect(t, network, "RegulatorMSP"))
	info, err := os.Stat(filepath.Join(cfg.Dir, "ledger.db"))
	require.NoError(t, err)

	signal.Ignore(syscall.SIGXFSZ) // the write then fails with EFBIG
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	lifted := func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)) }
	defer lifted()
	limit := before
	limit.Cur = uint64(info.Size()) + 256<<10
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))

	value := string(make([]byte, 64<<10))
	var acknowledged []string
	for i := range 1000 {
		key := fmt.Sprint("k", i)
		if _, err := c.SubmitTransaction("put", key, value); err != nil {
			break
		}
		acknowledged = append(acknowledged, key)
	}
	select {
	case <-network.Done():
	case <-time.After(10 * time.Second):
		require.FailNow(t, "the network goes on")
	}
	require.ErrorContains(t, network.Err(), "the ledger failed, the network stops")
	require.NotEmpty(t, acknowledged)
	require.Error(t, network.Close(), "Close repeats the failure")
	lifted()

	again := start(t, cfg)
	c = contract(connect(t, again, "RegulatorMSP"))
	for _, key := range acknowledged {
		found, err := c.EvaluateTransaction("get", key)
		require.NoError(t, err)
		require.Len(t, found, len(value), key)
	}
	_, err = c.SubmitTransaction("put", "after", "1")
	require.NoError(t, err)
}
