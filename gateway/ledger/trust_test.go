package ledger_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/ledger/ledgertest"
)

func TestParseTrust(t *testing.T) {
	chain := ledgertest.New(t, "BFT", 4)
	genesis := parsed(t, chain.ConfigBlock())
	file := string(chain.TrustFile(genesis.Raw))

	trust, err := ledger.ParseTrust([]byte(file))
	require.NoError(t, err)
	require.Equal(t, ledgertest.Channel, trust.Channel)
	require.Equal(t, genesis.Hash, trust.Genesis)
	require.Len(t, trust.Organizations["RegulatorMSP"].Roots, 1)
	require.Len(t, trust.Orderers["RegulatorMSP"].Roots, 1)

	leaf, err := chain.CA.Node("peer0", "peer")
	require.NoError(t, err)
	authority, notAuthority := quote(t, chain.CA.CertificatePEM()), quote(t, leaf.Certificate)
	for _, c := range []struct{ name, file, want string }{
		{"empty", ``, "not a JSON object"},
		{"list", `[]`, "not a JSON object"},
		{"unknown member", strings.Replace(file, `{`, `{"extra":1,`, 1), "unknown members"},
		{"duplicate member", strings.Replace(file, `{`, `{"channel":"other",`, 1), `"channel" appears twice`},
		{"duplicate organization", strings.Replace(file, `"organizations":{`, `"organizations":{"RegulatorMSP":{"roots":[]},`, 1), "appears twice"},
		{"case", strings.Replace(file, `"channel"`, `"Channel"`, 1), `"channel" is missing`},
		{"null", strings.Replace(file, `"channel":"steelyard"`, `"channel":null`, 1), `"channel" is missing`},
		{"empty channel", strings.Replace(file, `"channel":"steelyard"`, `"channel":""`, 1), "channel is empty"},
		{"version", strings.Replace(file, `"version":1`, `"version":2`, 1), "version 2"},
		{"short hash", strings.Replace(file, genesis.Hash.String(), "abcd", 1), "not a SHA-256 digest"},
		{"no organization", strings.Replace(file, `"organizations":{"RegulatorMSP"`, `"organizations":{},"x":{"RegulatorMSP"`, 1), "unknown members"},
		{"not a certificate", strings.Replace(file, "BEGIN CERTIFICATE", "BEGIN NOTHING", 1), "certificate"},
		{"not an authority", strings.Replace(file, authority, notAuthority, 1), "not a certificate authority's"},
		{"trailing text", file + `x`, "text after the object"},
		{"truncated", file[:len(file)-1], "end of object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ledger.ParseTrust([]byte(c.file))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func quote(t *testing.T, text []byte) string {
	data, err := json.Marshal(string(text))
	require.NoError(t, err)
	return string(data)
}

func FuzzParseTrust(f *testing.F) {
	chain := ledgertest.New(f, "BFT", 1)
	f.Add(chain.TrustFile(chain.ConfigBlock()))
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		trust, err := ledger.ParseTrust(data)
		if err != nil {
			return
		}
		require.NotEmpty(t, trust.Channel)
		require.NotEmpty(t, trust.Organizations)
		require.NotEmpty(t, trust.Orderers)
	})
}
