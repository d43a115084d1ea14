package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// lockWait is how long a start waits for a gateway that is just stopping.
const lockWait = 500 * time.Millisecond

// lockData makes the data directory and takes it for this process: two
// gateways with one outbox would send each other's envelopes. The lock is the
// kernel's, on an empty bbolt file, and gone with the process.
func lockData(directory string) (io.Closer, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	lock, err := bbolt.Open(filepath.Join(directory, "lock"), 0o600, &bbolt.Options{Timeout: lockWait})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("the data directory %s is in use by another gateway (choose another one with --data)", directory)
	}
	if err != nil {
		return nil, fmt.Errorf("lock data directory %s: %w", directory, err)
	}
	return lock, nil
}
