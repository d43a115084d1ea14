// Package postgrestest gives tests a PostgreSQL server: the one that
// STEELYARD_POSTGRES names (a URL of a database whose text is ordered by
// bytes), else one of their own from Debian's package, on a socket in a
// temporary directory. Only tests use it.
package postgrestest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"github.com/stretchr/testify/require"
)

// Server is started when it is first asked for. The zero value is ready; Stop
// ends what it started.
type Server struct {
	once      sync.Once
	dsn       string // URL
	own       *exec.Cmd
	directory string
	why       error // there is none
}

// DSN is the server's URL. Without a server the test is skipped.
func (s *Server) DSN(t testing.TB) string {
	s.once.Do(func() {
		if s.dsn = os.Getenv("STEELYARD_POSTGRES"); s.dsn == "" {
			s.why = s.start()
		}
	})
	if s.why != nil {
		t.Skipf("no PostgreSQL: %v; name one in STEELYARD_POSTGRES", s.why)
	}
	return s.dsn
}

// Schema makes an empty schema for one test and returns a DSN into it.
func (s *Server) Schema(t testing.TB) string {
	dsn := s.DSN(t)
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	name := "t" + strconv.FormatInt(time.Now().UnixNano(), 36)
	_, err = db.Exec("CREATE SCHEMA " + name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := db.ExecContext(context.Background(), "DROP SCHEMA "+name+" CASCADE")
		require.NoError(t, err)
		require.NoError(t, db.Close())
	})
	into, err := url.Parse(dsn)
	require.NoError(t, err)
	query := into.Query()
	query.Set("search_path", name)
	into.RawQuery = query.Encode()
	return into.String()
}

func (s *Server) start() error {
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(installed) == 0 {
		return errors.New("no server in /usr/lib/postgresql")
	}
	programs := installed[len(installed)-1]
	if s.directory, err = os.MkdirTemp("/tmp", "steelyard-pg-"); err != nil {
		return err
	}
	attributes, err := unprivileged(s.directory)
	if err != nil {
		return err
	}
	data := filepath.Join(s.directory, "data")
	initialise := exec.Command(filepath.Join(programs, "initdb"), "-D", data, "-U", "steelyard", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initialise.SysProcAttr, initialise.Dir = attributes, s.directory
	if out, err := initialise.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	server := exec.Command(filepath.Join(programs, "postgres"), "-D", data, "-k", s.directory, "-c", "listen_addresses=", "-c", "synchronous_commit=off")
	server.SysProcAttr, server.Dir = attributes, s.directory
	if err := server.Start(); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	s.own = server
	s.dsn = "postgres:///postgres?user=steelyard&host=" + url.QueryEscape(s.directory)
	return await(s.dsn)
}

// unprivileged gives the directory to a user whom the server may run as: it
// refuses root.
func unprivileged(directory string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(directory, uid, gid)
}

func await(dsn string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err = db.Ping(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// Stop ends the server if it is a test's own.
func (s *Server) Stop() {
	if s.own != nil {
		_ = s.own.Process.Signal(syscall.SIGINT) // fast shutdown
		_ = s.own.Wait()
	}
	if s.directory != "" {
		_ = os.RemoveAll(s.directory)
	}
}
