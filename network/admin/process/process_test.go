package process

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func sleeper(t *testing.T, dir, script string) Program {
	t.Helper()
	shell, err := exec.LookPath("sh")
	require.NoError(t, err)
	p := Program{Name: "sleeper", Dir: dir, Path: shell, Args: []string{"-c", script}}
	t.Cleanup(func() { _ = p.Kill(context.Background()) })
	return p
}

func TestProgram(t *testing.T) {
	t.Run("StartedIsFoundAndStopped", func(t *testing.T) {
		p := sleeper(t, t.TempDir(), "exec sleep 60")
		require.NoError(t, p.Start())
		pid, err := p.PID()
		require.NoError(t, err)
		require.Positive(t, pid)
		found, err := Find(p.Dir)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.NoError(t, found[0].Stop(t.Context()))
		pid, err = p.PID()
		require.NoError(t, err)
		require.Zero(t, pid)
	})
	t.Run("SecondStartChangesNothing", func(t *testing.T) {
		p := sleeper(t, t.TempDir(), "exec sleep 60")
		require.NoError(t, p.Start())
		first, err := p.PID()
		require.NoError(t, err)
		require.NoError(t, p.Start())
		second, err := p.PID()
		require.NoError(t, err)
		require.Equal(t, first, second)
	})
	t.Run("EndedByItselfDoesNotRun", func(t *testing.T) {
		p := sleeper(t, t.TempDir(), "echo last words; exit 3")
		require.NoError(t, p.Start())
		require.Eventually(t, func() bool { pid, err := p.PID(); return err == nil && pid == 0 }, 5*time.Second, 10*time.Millisecond)
		require.Equal(t, "last words", p.LastLines(5))
	})
	t.Run("StoppedOnPurposeIsRemembered", func(t *testing.T) {
		p := sleeper(t, t.TempDir(), "exec sleep 60")
		require.NoError(t, p.Start())
		require.NoError(t, p.Kill(t.Context()))
		require.False(t, p.Stopped(), "it was killed")
		require.NoError(t, p.Start())
		require.NoError(t, p.Stop(t.Context()))
		require.True(t, p.Stopped())
		require.NoError(t, p.Start())
		require.False(t, p.Stopped())
	})
	t.Run("ForgottenIsNotFound", func(t *testing.T) {
		p := sleeper(t, t.TempDir(), "exec sleep 60")
		require.NoError(t, p.Start())
		require.NoError(t, p.Forget(t.Context()))
		found, err := Find(p.Dir)
		require.NoError(t, err)
		require.Empty(t, found)
		require.NoError(t, p.Forget(t.Context()), "again")
	})
	t.Run("NeverStartedDoesNotRun", func(t *testing.T) {
		p := Program{Name: "nobody", Dir: t.TempDir()}
		pid, err := p.PID()
		require.NoError(t, err)
		require.Zero(t, pid)
		require.NoError(t, p.Stop(t.Context()))
	})
	t.Run("MissingProgramIsAnError", func(t *testing.T) {
		p := Program{Name: "missing", Dir: t.TempDir(), Path: filepath.Join(t.TempDir(), "missing")}
		require.ErrorContains(t, p.Start(), "start missing")
	})
	t.Run("CancelledStopTellsSo", func(t *testing.T) {
		p := sleeper(t, t.TempDir(), "trap '' TERM; while :; do sleep 1; done")
		require.NoError(t, p.Start())
		time.Sleep(200 * time.Millisecond) // until the trap is set
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, p.Stop(ctx), context.Canceled)
	})
}
