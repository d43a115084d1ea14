package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const complete = `listen: 127.0.0.1:9000
data: ./d
beacon:
  relays: [https://api.drand.sh]
  chains: [consortium.json]
network:
  channel: steelyard
  chaincode: metrology
  wallet: ./wallet
  trust: ./trust.json
  peers:
    - mspId: RegulatorMSP
      endpoint: 127.0.0.1:7051
      serverName: peer0.regulator.steelyard
      tlsRoots: /abs/ca.pem
`

func write(t *testing.T, content string) string {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestLoad(t *testing.T) {
	c := Default()
	path := write(t, complete)
	require.NoError(t, c.Load(path))
	require.NoError(t, c.Complete())
	dir := filepath.Dir(path)
	require.Equal(t, filepath.Join(dir, "d"), c.Data)
	require.Equal(t, filepath.Join(dir, "d", "tokens.json"), c.Tokens)
	require.Equal(t, filepath.Join(dir, "wallet"), c.Network.Wallet)
	require.Equal(t, "/abs/ca.pem", c.Network.Peers[0].TLSRoots)
	require.Equal(t, Beacon{Relays: []string{"https://api.drand.sh"}, Chains: []string{filepath.Join(dir, "consortium.json")}}, c.Beacon)
}

func TestLoadRefuses(t *testing.T) {
	for name, test := range map[string]struct{ content, says string }{
		"UnknownKey":   {"listne: x\n", "listne"},
		"UnknownBelow": {"network:\n  chanel: x\n", "chanel"},
		"WrongType":    {"noDemo: [1]\n", "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			c := Default()
			require.ErrorContains(t, c.Load(write(t, test.content)), test.says)
		})
	}
}

func TestCompleteRefuses(t *testing.T) {
	network := func(change func(*Network)) func(*Config) {
		return func(c *Config) {
			c.Network = &Network{Channel: "c", Chaincode: "m", Wallet: "w", Trust: "t", Peers: []Peer{{MSPID: "M", Endpoint: "e:1", TLSRoots: "r"}}}
			change(c.Network)
		}
	}
	for name, test := range map[string]struct {
		change func(*Config)
		says   string
	}{
		"NoListen":      {func(c *Config) { c.Listen = "" }, "listen"},
		"NoData":        {func(c *Config) { c.Data = "" }, "data"},
		"NoPeerAddress": {func(c *Config) { c.PeerListen = "" }, "peerListen"},
		"LogFormat":     {func(c *Config) { c.LogFormat = "xml" }, "logFormat"},
		"Profiles":      {func(c *Config) { c.ProfileListen = "0.0.0.0:6060" }, "profileListen"},
		"Gateways":      {func(c *Config) { c.Gateways = []string{"https://a.example", "b.example"} }, "gateways[1]"},
		"NoPeers":       {network(func(n *Network) { n.Peers = nil }), "network.peers"},
		"NoEndpoint":    {network(func(n *Network) { n.Peers[0].Endpoint = "" }), "network.peers[0].endpoint"},
		"NoTrust":       {network(func(n *Network) { n.Trust = "" }), "network.trust"},
	} {
		t.Run(name, func(t *testing.T) {
			c := Default()
			test.change(&c)
			require.ErrorContains(t, c.Complete(), test.says)
		})
	}
}

func TestApplyEnvironment(t *testing.T) {
	c := Default()
	c.ApplyEnvironment(func(name string) (string, bool) { return "127.0.0.1:1", name == "STEELYARD_LISTEN" })
	require.Equal(t, "127.0.0.1:1", c.Listen)
	require.Equal(t, "data", c.Data)
	c.ApplyEnvironment(func(name string) (string, bool) {
		return map[string]string{"STEELYARD_READ_MODEL_DRIVER": DriverPostgres, "STEELYARD_READ_MODEL_DSN": "host=/run"}[name], strings.Contains(name, "READ_MODEL")
	})
	require.NoError(t, c.Complete())
	require.Equal(t, ReadModel{Driver: DriverPostgres, DSN: "host=/run"}, c.ReadModel)
}

func TestReadModel(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    ReadModel
		says    string
	}{
		"Default":     {"data: /d\n", ReadModel{DriverSQLite, "/d/readmodel.db"}, ""},
		"File":        {"readModel: {dsn: /x/own.db}\n", ReadModel{DriverSQLite, "/x/own.db"}, ""},
		"PostgreSQL":  {"readModel: {driver: pgx, dsn: 'postgres://u@h/d'}\n", ReadModel{DriverPostgres, "postgres://u@h/d"}, ""},
		"WithoutDSN":  {"readModel: {driver: pgx}\n", ReadModel{}, "readModel.dsn"},
		"OtherDriver": {"readModel: {driver: mysql, dsn: x}\n", ReadModel{}, "neither sqlite nor pgx"},
	} {
		t.Run(name, func(t *testing.T) {
			c := Default()
			require.NoError(t, c.Load(write(t, test.content)))
			err := c.Complete()
			if test.says != "" {
				require.ErrorContains(t, err, test.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, c.ReadModel)
		})
	}
	t.Run("RelativeToTheFile", func(t *testing.T) {
		c := Default()
		path := write(t, "readModel: {dsn: own.db}\n")
		require.NoError(t, c.Load(path))
		require.Equal(t, filepath.Join(filepath.Dir(path), "own.db"), c.ReadModel.DSN)
	})
}

// A gateway takes part in draws by itself where nobody else would, unless it is
// told otherwise.
func TestObserves(t *testing.T) {
	for content, want := range map[string]bool{
		"data: ./d\n": true, "data: ./d\nobserve: false\n": false, complete: false, complete + "observe: true\n": true,
		complete + "demo: true\n": true, complete + "demo: true\nobserve: false\n": false,
	} {
		c := Default()
		require.NoError(t, c.Load(write(t, content)))
		require.Equal(t, want, c.Observes(), content)
	}
}
