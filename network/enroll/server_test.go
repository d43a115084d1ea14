package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// caServer is a running Fabric CA server: the real one, built as a tool of
// this module.
type caServer struct {
	url      string
	tlsRoots string
	secret   string // of the holders that a new server knows
	stop     func()
}

var buildServer = sync.OnceValues(func() (string, error) {
	path, err := exec.Command("go", "tool", "-n", "fabric-ca-server").Output()
	return strings.TrimSpace(string(path)), err
})

// serverSettings are a CA of 127.0.0.1 with an admin who may do what README.md
// says a registrar must, and a clerk who may register the role alone and make no list; holder is registered already.
const serverSettings = `
address: 127.0.0.1
port: %[1]d
operations: {listenAddress: "127.0.0.1:0"}
metrics: {provider: disabled}
tls: {enabled: true}
ca: {name: ca-association, certfile: ca-cert.pem, keyfile: ca-key.pem}
db: {type: sqlite3, datasource: ca.db}
registry:
  maxenrollments: -1
  identities:
    - name: admin
      pass: %[2]s
      type: client
      affiliation: ""
      attrs: {hf.Registrar.Roles: client, hf.Registrar.Attributes: "role,subject", hf.Revoker: true, hf.GenCRL: true}
    - name: clerk
      pass: %[2]s
      type: client
      affiliation: ""
      attrs: {hf.Registrar.Roles: client, hf.Registrar.Attributes: role}
    - name: holder
      pass: %[2]s
      type: client
      affiliation: ""
      attrs: {role: merchant, subject: p-0123}
signing:
  default: {usage: [digital signature], expiry: %[3]s}
csr:
  cn: ca.association
  hosts: [127.0.0.1, localhost]
  ca: {expiry: 131400h, pathlength: 0}
`

// startCA starts a server with a CA of its own. It may be stopped early.
func startCA(t *testing.T) *caServer {
	t.Helper()
	return startCAIn(t, t.TempDir(), "8760h")
}

// startCAIn starts one in a home directory, which may hold the CA's certificate
// and key; expiry is how long from now the certificates last that it issues.
func startCAIn(t *testing.T, home, expiry string) *caServer {
	t.Helper()
	binary, err := buildServer()
	require.NoError(t, err, "build fabric-ca-server: it needs gcc")
	port := freePort(t)
	server := &caServer{
		url:      fmt.Sprintf("https://127.0.0.1:%d", port),
		tlsRoots: filepath.Join(home, "ca-cert.pem"), // it certifies its own TLS key
		secret:   rand.Text(),
	}
	settings := fmt.Sprintf(serverSettings, port, server.secret, expiry)
	require.NoError(t, os.WriteFile(filepath.Join(home, "fabric-ca-server-config.yaml"), []byte(settings), 0o600))
	var log bytes.Buffer
	command := exec.Command(binary, "start", "--home", home)
	command.Dir = home
	command.Env = append(os.Environ(), "FABRIC_CA_SERVER_HOME="+home)
	command.Stdout, command.Stderr = &log, &log
	require.NoError(t, command.Start())
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	var once sync.Once
	server.stop = func() {
		once.Do(func() {
			_ = command.Process.Kill()
			<-ended
		})
	}
	t.Cleanup(func() {
		server.stop()
		if t.Failed() {
			t.Log(string(log.Bytes()[max(0, log.Len()-2000):]))
		}
	})
	awaitPort(t, port, ended)
	return server
}

// freePort is a port that was free a moment ago; the server cannot tell which
// one it chose.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func awaitPort(t *testing.T, port int, ended <-chan struct{}) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case <-ended:
			require.FailNow(t, "the CA server ended by itself")
		default:
		}
		if connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			require.NoError(t, connection.Close())
			return
		}
	}
	require.FailNow(t, "the CA server does not listen")
}

// desk is a place where the program is used: a configuration with its files.
type desk struct {
	t   *testing.T
	dir string
}

func newDesk(t *testing.T, ca *caServer) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	d.configure(ca.url, ca.tlsRoots)
	return d
}

// configure writes enroll.yaml; more are further lines.
func (d *desk) configure(url, tlsRoots string, more ...string) {
	d.t.Helper()
	text := fmt.Sprintf("msp: AssociationMSP\nca: {url: %q, name: ca-association, tlsRoots: %q}\n", url, tlsRoots)
	text += strings.Join(more, "\n")
	require.NoError(d.t, os.WriteFile(d.path("enroll.yaml"), []byte(text), 0o600))
}

func (d *desk) path(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// try runs the program with a secret on its standard input.
func (d *desk) try(secret string, arguments ...string) (string, error) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	root := newRoot()
	root.SetArgs(append([]string{"--config", d.path("enroll.yaml")}, arguments...))
	root.SetIn(strings.NewReader(secret + "\n"))
	root.SetOut(&out)
	err := root.ExecuteContext(ctx)
	left, globErr := filepath.Glob(d.path("registrar", ".session-*"))
	require.NoError(d.t, globErr)
	require.Empty(d.t, left, "no keys are left behind")
	return out.String(), err
}

func (d *desk) run(secret string, arguments ...string) string {
	d.t.Helper()
	out, err := d.try(secret, arguments...)
	require.NoError(d.t, err)
	return out
}

// registrar enrolls the registrar.
func (d *desk) registrar(ca *caServer, name string) {
	d.t.Helper()
	d.run(ca.secret, "registrar", "--name", name, "--secret-file", "-")
}

// member registers somebody and enrolls at once, and returns the name at the CA.
func (d *desk) member(role, label string) string {
	d.t.Helper()
	name, secret := d.register(role)
	d.run(secret, "enroll", "--name", name, "--label", label, "--secret-file", "-")
	return name
}

func (d *desk) register(role string, flags ...string) (name, secret string) {
	d.t.Helper()
	file := d.path(rand.Text())
	out := d.run("", append([]string{"register", "--role", role, "--secret-out", file}, flags...)...)
	content, err := os.ReadFile(file)
	require.NoError(d.t, err)
	name = strings.Fields(out)[1]
	require.NotContains(d.t, out, strings.TrimSpace(string(content)))
	return name, strings.TrimSpace(string(content))
}
