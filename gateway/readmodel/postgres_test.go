package readmodel_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// postgres is the server of the tests: the one that STEELYARD_POSTGRES names
// (a URL of a database whose text is ordered by bytes), else one of our own
// from Debian's package, on a socket in a temporary directory.
var postgres struct {
	once      sync.Once
	dsn       string // URL; empty: there is none
	own       *exec.Cmd
	directory string
	why       error // there is none
}

func TestMain(m *testing.M) {
	code := m.Run()
	stopPostgres()
	os.Exit(code)
}

// postgresDSN is the server's, which is started when it is first asked for.
func postgresDSN(t testing.TB) string {
	postgres.once.Do(func() {
		if postgres.dsn = os.Getenv("STEELYARD_POSTGRES"); postgres.dsn == "" {
			postgres.dsn, postgres.why = startPostgres()
		}
	})
	if postgres.dsn == "" {
		t.Skipf("no PostgreSQL: %v; name one in STEELYARD_POSTGRES", postgres.why)
	}
	return postgres.dsn
}

func startPostgres() (string, error) {
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(installed) == 0 {
		return "", fmt.Errorf("no server in /usr/lib/postgresql")
	}
	programs := installed[len(installed)-1]
	if postgres.directory, err = os.MkdirTemp("/tmp", "steelyard-pg-"); err != nil {
		return "", err
	}
	attributes, err := unprivileged(postgres.directory)
	if err != nil {
		return "", err
	}
	data := filepath.Join(postgres.directory, "data")
	initialise := exec.Command(filepath.Join(programs, "initdb"), "-D", data, "-U", "steelyard", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initialise.SysProcAttr, initialise.Dir = attributes, postgres.directory
	if out, err := initialise.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	server := exec.Command(filepath.Join(programs, "postgres"), "-D", data, "-k", postgres.directory, "-c", "listen_addresses=", "-c", "synchronous_commit=off")
	server.SysProcAttr, server.Dir = attributes, postgres.directory
	if err := server.Start(); err != nil {
		return "", fmt.Errorf("start postgres: %w", err)
	}
	postgres.own = server
	dsn := "postgres:///postgres?user=steelyard&host=" + url.QueryEscape(postgres.directory)
	return dsn, awaitPostgres(dsn)
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

func awaitPostgres(dsn string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err = db.Ping(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func stopPostgres() {
	if postgres.own != nil {
		_ = postgres.own.Process.Signal(syscall.SIGINT) // fast shutdown
		_ = postgres.own.Wait()
	}
	if postgres.directory != "" {
		_ = os.RemoveAll(postgres.directory)
	}
}

// postgresSchema makes an empty schema for one test and returns a DSN into it.
func postgresSchema(t testing.TB) string {
	dsn := postgresDSN(t)
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	name := "t" + strings.ReplaceAll(strconv.FormatInt(time.Now().UnixNano(), 36), "-", "")
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
