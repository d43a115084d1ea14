package e2e

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/devca"
)

// network is where a scenario plays.
type network struct {
	real        *onehost.Network // nil: each gateway has an embedded one of its own
	environment []string         // of its gateways, besides this process's
}

// embedded has every gateway start a network of its own.
var embedded = &network{}

// onlyReal leaves out whatever plays on the embedded network, which is the same
// for every ordering service.
func onlyReal() bool { return os.Getenv("STEELYARD_NETWORK") == "real" }

// onEachNetwork plays a scenario on an embedded network, and on a real one if
// Fabric's programs are on PATH. STEELYARD_ORDERER=etcdraft chooses how the
// real one orders, STEELYARD_NETWORK=real leaves the embedded one out. The real
// one is shared by all scenarios: what is on its ledger stays.
func onEachNetwork(t *testing.T, scenario func(t *testing.T, n *network)) {
	t.Helper()
	if !onlyReal() {
		t.Run("Embedded", func(t *testing.T) { scenario(t, embedded) })
	}
	t.Run("Real", func(t *testing.T) {
		n, err := realNetwork()
		if errors.Is(err, onehost.ErrToolMissing) {
			t.Skip("real Fabric not tested:", err)
		}
		require.NoError(t, err)
		scenario(t, &network{real: n})
	})
}

// realStart is how long a real network may take to be up and deployed.
const realStart = 5 * time.Minute

// realNetwork brings up a network below the directory of this run, once, and
// deploys the contract, as fabric-up and fabric-deploy do.
var realNetwork = sync.OnceValues(func() (*onehost.Network, error) {
	ctx, cancel := context.WithTimeout(context.Background(), realStart)
	defer cancel()
	n, err := onehost.Up(ctx, fabricDirectory(), consortium.Plan{Port: onehost.FreePort(), Orderer: os.Getenv("STEELYARD_ORDERER")})
	if err != nil {
		return nil, err
	}
	contract := onehost.Contract{Name: consortium.Chaincode, Source: "../../chaincode", Policy: n.Plan.Majority()}
	if contract.Collections, err = consortium.Collections(); err != nil {
		return nil, err
	}
	_, err = n.Deploy(ctx, contract)
	return n, err
})

// fabricDirectory is where the real network of this run is, if there is one.
func fabricDirectory() string { return filepath.Join(filepath.Dir(program), "fabric") }

// stopReal ends every program of the real network, however far it got.
func stopReal() error {
	n, err := onehost.Open(fabricDirectory())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return n.Down(context.Background())
}

// args are the arguments of a gateway that keeps its things in data.
func (n *network) args(data string) []string {
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data", data, "--tokens", filepath.Join(data, "tokens.json")}
	if n.real == nil {
		return append(args, "--peer-listen", "127.0.0.1:0")
	}
	return append(args, "--config", n.real.Plan.Path("gateway.yaml"))
}

// start runs a gateway with the demonstration content and waits until it is
// ready. On the real network the first gateway makes that content.
func (n *network) start(t *testing.T, data string) *gateway {
	t.Helper()
	if n.real == nil {
		return n.startWith(t, data)
	}
	all := filepath.Dir(program)
	for _, name := range shared {
		n.share(t, filepath.Join(all, name), filepath.Join(data, name))
	}
	g := n.startWith(t, data, "--demo")
	for _, name := range shared {
		n.share(t, filepath.Join(data, name), filepath.Join(all, name))
	}
	trust, err := os.ReadFile(n.real.Plan.Path("trust.json"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(data, "trust.json"), trust, 0o600))
	return g
}

// shared is what a scenario's gateway has of the one that came before it: the
// institute's keys, and the secret that the escrow keys on the ledger follow
// from. Without them it could not sign, and not open what is sealed.
var shared = []string{"issuer-keys", "secret"}

// share copies a file or the files of a directory, unless they are there.
func (n *network) share(t *testing.T, from, to string) {
	t.Helper()
	if _, err := os.Stat(to); err == nil {
		return
	}
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, inside), 0o700)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, inside), content, 0o600)
	})
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
}

// startBare runs a gateway that makes no content.
func (n *network) startBare(t *testing.T, data string) *gateway {
	t.Helper()
	if n.real == nil {
		return n.startWith(t, data, "--no-demo")
	}
	return n.startWith(t, data)
}

func (n *network) startWith(t *testing.T, data string, further ...string) *gateway {
	t.Helper()
	g, err := n.launch(t, data, further...)
	require.NoError(t, err)
	return g
}

// configuration is the file with which a further gateway joins g's network.
func (g *gateway) configuration() string {
	if g.network.real == nil {
		return filepath.Join(g.data, "gateway.yaml")
	}
	return g.network.real.Plan.Path("gateway.yaml")
}

// mint has an organisation's own CA issue whatever attributes it likes.
func mint(t *testing.T, g *gateway, msp string, attributes map[string]string) devca.Pair {
	t.Helper()
	if g.network.real != nil {
		issued, err := g.network.real.Plan.Enroll(msp, attributes)
		require.NoError(t, err)
		return issued
	}
	raw, err := os.ReadFile(filepath.Join(g.data, "network", "keys", msp, "ca.pem"))
	require.NoError(t, err)
	var pair devca.Pair
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		encoded := pem.EncodeToMemory(block)
		if bytes.Contains(encoded, []byte("CERTIFICATE")) {
			pair.Certificate = encoded
		} else {
			pair.Key = encoded
		}
	}
	ca, err := devca.Load(pair)
	require.NoError(t, err)
	issued, err := ca.User(attributes)
	require.NoError(t, err)
	return issued
}
