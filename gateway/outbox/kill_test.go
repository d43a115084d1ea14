package outbox_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/outbox"
)

// victimFile tells the test binary to be the process that gets killed.
const victimFile = "STEELYARD_OUTBOX_VICTIM"

func TestMain(m *testing.M) {
	if path := os.Getenv(victimFile); path != "" {
		if err := victim(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// victim keeps one envelope after the other, settles every other one, and
// prints each id once its change has returned.
func victim(path string) error {
	store, err := outbox.Open(context.Background(), path)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("%d-%d", os.Getpid(), i)
		e := outbox.Entry{Caller: "c", Key: id, Operation: id, TransactionID: id, Envelope: []byte("envelope of " + id)}
		if err := store.Keep(context.Background(), e, ""); err != nil {
			return err
		}
		fmt.Println("pending", id)
		if i%2 == 0 {
			if err := store.Settle(context.Background(), id, outbox.Committed, outbox.Outcome{BlockNumber: 1}); err != nil {
				return err
			}
			fmt.Println("committed", id)
		}
	}
}

// TestKill: what a method has returned for is there after kill -9.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	told := map[string]string{}
	for round := range 5 {
		command := exec.CommandContext(t.Context(), os.Args[0])
		command.Env = append(os.Environ(), victimFile+"="+path)
		output, err := command.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		lines := bufio.NewScanner(output)
		time.AfterFunc(time.Duration(300+70*round)*time.Millisecond, func() { _ = command.Process.Kill() })
		for lines.Scan() {
			state, id, ok := strings.Cut(lines.Text(), " ")
			require.True(t, ok)
			told[id] = state
		}
		require.Error(t, command.Wait(), "killed")

		store, err := outbox.Open(t.Context(), path)
		require.NoError(t, err)
		for id, state := range told {
			e, found, err := store.FindTransaction(t.Context(), id)
			require.NoError(t, err)
			require.True(t, found, id)
			if state == "committed" {
				require.Equal(t, outbox.Committed, e.State)
			} else if e.State.Open() {
				require.Equal(t, "envelope of "+id, string(e.Envelope))
			}
		}
		require.NoError(t, store.Close())
	}
	require.NotEmpty(t, told)
}
