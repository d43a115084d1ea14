package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fileReport is what tests look at in the answer to an uploaded file.
type fileReport struct {
	Digests  []struct{ Algorithm, Value string }
	Findings []struct {
		Verdict struct {
			Integrity struct{ Outcome, Tone string }
		}
	}
}

// dccCases are variants of one digital calibration certificate: which file is
// anchored, and what the others then are.
var dccCases = []struct {
	directory, anchored string
	answers             map[string]string // file → answer to the question of integrity
}{
	{"../testdata/dcc", "signed.xml", map[string]string{
		"signed.xml": "registered", "signed-long-term.xml": "registered-content", "manipulated.xml": "not-registered",
	}},
	// PTB's good-practice samples, where they are at hand.
	{"../../../shared/data/dcc", "dcc_gp_temperature_typical_v12_v3.2.0_signed.xml", map[string]string{
		"dcc_gp_temperature_typical_v12_v3.2.0_signed.xml":             "registered",
		"dcc_gp_temperature_typical_v12_v3.2.0_signed_lt.xml":          "registered-content",
		"dcc_gp_temperature_typical_v12_v3.2.0_signed_lt_revoked.xml":  "registered-content",
		"dcc_gp_temperature_typical_v12_v3.2.0_signed_manipulated.xml": "not-registered",
		"dcc_gp_humidity_v1.0.xml":                                     "not-registered",
	}},
}

// A DCC is known by its content: data added for long-term validation changes
// its bytes and not what it says.
func TestDigitalCalibrationCertificates(t *testing.T) {
	onEachNetwork(t, testDigitalCalibrationCertificates)
}

func testDigitalCalibrationCertificates(t *testing.T, n *network) {
	g := n.start(t, t.TempDir())
	for _, test := range dccCases {
		t.Run(filepath.Base(filepath.Dir(test.directory)), func(t *testing.T) {
			if _, err := os.Stat(test.directory); os.IsNotExist(err) {
				t.Skipf("%s is not here", test.directory)
			}
			upload := func(name string) fileReport {
				raw, err := os.ReadFile(filepath.Join(test.directory, name))
				require.NoError(t, err)
				a := g.request("", http.MethodPost, "/v1/verify", string(raw), "Content-Type", "application/octet-stream")
				require.Equal(t, http.StatusOK, a.status, "%s", a.body)
				var report fileReport
				a.decode(t, &report)
				return report
			}
			before := upload(test.anchored)
			require.Equal(t, "not-registered", before.Findings[0].Verdict.Integrity.Outcome)
			require.Len(t, before.Digests, 3, "sha256, sm3 and c14n-sha256")
			digests, err := json.Marshal(before.Digests)
			require.NoError(t, err)
			sum := sha256.Sum256([]byte(test.directory))
			g.must("institute", "POST", "/v1/certificates", `{"issuer":"N-INSTITUTE","number":"DCC-`+hex.EncodeToString(sum[:4])+`","kind":"dcc","regulation":"JJF 1101-2019",
				"performed":"`+g.today()+`","issued":"`+g.today()+`","digests":`+strings.ToLower(string(digests))+`,"instruments":[{"serial":"T-1","category":"thermometer","conclusion":"none"}]}`)
			for name, want := range test.answers {
				got := upload(name).Findings[0].Verdict.Integrity
				require.Equal(t, want, got.Outcome, name)
				require.Equal(t, want != "not-registered", got.Tone == "good", name)
			}
		})
	}
}
