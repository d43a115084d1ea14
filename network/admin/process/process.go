// Package process runs the programs of a one-machine network in the
// background and finds them again from another command.
//
// A running program holds a lock on <Dir>/lock through a file it inherits, so
// that no number left behind by a crash can make a stranger's process look
// like ours: the process id is believed only while the lock is held.
package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Program is one program with a directory of its own for its lock, process id
// and log.
type Program struct {
	Name string
	Dir  string
	Path string
	Args []string
	Env  []string // added to the caller's environment
}

// Find returns the programs that were ever started in the directory, with
// what is needed to stop them.
func Find(dir string) ([]Program, error) {
	locks, err := filepath.Glob(filepath.Join(dir, "*.lock"))
	if err != nil {
		return nil, fmt.Errorf("look for programs in %s: %w", dir, err)
	}
	var programs []Program
	for _, lock := range locks {
		programs = append(programs, Program{Dir: dir, Name: strings.TrimSuffix(filepath.Base(lock), ".lock")})
	}
	return programs, nil
}

// LogFile is where the program's output goes, appended over restarts.
func (p Program) LogFile() string { return filepath.Join(p.Dir, p.Name+".log") }

func (p Program) lockFile() string { return filepath.Join(p.Dir, p.Name+".lock") }

func (p Program) stopFile() string { return filepath.Join(p.Dir, p.Name+".stopped") }

// Stopped tells whether the program was stopped on purpose and not started since.
func (p Program) Stopped() bool {
	_, err := os.Stat(p.stopFile())
	return err == nil
}

// Start starts the program in a session of its own, so that it outlives the
// caller. One that runs already is left alone.
func (p Program) Start() error {
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return fmt.Errorf("make directory of %s: %w", p.Name, err)
	}
	lock, err := os.OpenFile(p.lockFile(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open lock of %s: %w", p.Name, err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil
		}
		return fmt.Errorf("lock %s: %w", p.Name, err)
	}
	if err := remove(p.stopFile()); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	log, err := os.OpenFile(p.LogFile(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open log of %s: %w", p.Name, err)
	}
	defer log.Close()
	command := exec.Command(p.Path, p.Args...)
	command.Dir = p.Dir
	command.Env = append(os.Environ(), p.Env...)
	command.Stdout, command.Stderr = log, log
	command.ExtraFiles = []*os.File{lock}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	pid := command.Process.Pid
	go func() { _ = command.Wait() }() // reaps it if it ends before the caller does
	if err := lock.Truncate(0); err != nil {
		return fmt.Errorf("record process id of %s: %w", p.Name, err)
	}
	if _, err := lock.WriteAt([]byte(strconv.Itoa(pid)), 0); err != nil {
		return fmt.Errorf("record process id of %s: %w", p.Name, err)
	}
	return nil
}

// PID returns the process id, or 0 if the program does not run.
func (p Program) PID() (int, error) {
	lock, err := os.Open(p.lockFile())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("open lock of %s: %w", p.Name, err)
	}
	defer lock.Close()
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err == nil {
		return 0, nil
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return 0, fmt.Errorf("probe lock of %s: %w", p.Name, err)
	}
	data, err := os.ReadFile(p.lockFile())
	if err != nil {
		return 0, fmt.Errorf("read process id of %s: %w", p.Name, err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0, fmt.Errorf("read process id of %s: %w", p.Name, err)
	}
	return pid, nil
}

// Stop asks the program to end and waits; after ten seconds it is killed. That
// it was stopped on purpose is kept, for whoever starts again what has ended.
func (p Program) Stop(ctx context.Context) error {
	if err := os.WriteFile(p.stopFile(), nil, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) { // no directory: never started
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	return p.end(ctx, syscall.SIGTERM, 10*time.Second)
}

// Kill ends the program at once, as a power cut would.
func (p Program) Kill(ctx context.Context) error {
	return p.end(ctx, syscall.SIGKILL, 10*time.Second)
}

func (p Program) end(ctx context.Context, signal syscall.Signal, patience time.Duration) error {
	pid, err := p.PID()
	if err != nil || pid == 0 {
		return err
	}
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %s: %w", p.Name, err)
	}
	deadline := time.Now().Add(patience)
	for {
		if pid, err := p.PID(); err != nil || pid == 0 {
			return err
		}
		if time.Now().After(deadline) {
			if signal == syscall.SIGKILL {
				return fmt.Errorf("stop %s: process %d is still there", p.Name, pid)
			}
			return p.end(ctx, syscall.SIGKILL, patience)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stop %s: %w", p.Name, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Forget stops the program for good: Find no longer knows it.
func (p Program) Forget(ctx context.Context) error {
	if err := p.Stop(ctx); err != nil {
		return err
	}
	if err := errors.Join(remove(p.lockFile()), remove(p.stopFile())); err != nil {
		return fmt.Errorf("forget %s: %w", p.Name, err)
	}
	return nil
}

// remove removes a file that may not be there.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// LastLines returns the end of the program's log, for error messages.
func (p Program) LastLines(count int) string {
	data, err := os.ReadFile(p.LogFile())
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
