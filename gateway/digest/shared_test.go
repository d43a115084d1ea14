package digest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// sharedDCC is where PTB's good-practice samples lie on a developing machine,
// relative to this package. They are not part of the repository.
const sharedDCC = "../../../shared/data/dcc"

func digestFile(t *testing.T, path string) Result {
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	result, err := File(context.Background(), file)
	require.NoError(t, err)
	return result
}

func TestPTBSamples(t *testing.T) {
	if _, err := os.Stat(sharedDCC); err != nil {
		t.Skip("PTB's samples are not on this machine")
	}
	const stem = "dcc_gp_temperature_typical_v12_v3.2.0_signed"
	content := func(name string) string {
		result := digestFile(t, filepath.Join(sharedDCC, name))
		require.Nil(t, result.ContentError)
		require.NotNil(t, result.DCC)
		return result.DCC.ContentSHA256
	}
	signed := content(stem + ".xml")

	t.Run("the content digest is the DigestValue inside the signature", func(t *testing.T) {
		file, err := os.ReadFile(filepath.Join(sharedDCC, stem+".xml"))
		require.NoError(t, err)
		inside := regexp.MustCompile(`<ds:DigestValue>([^<]*)<`).FindSubmatch(file)[1]
		want, err := base64.StdEncoding.DecodeString(string(inside))
		require.NoError(t, err)
		require.Equal(t, hex.EncodeToString(want), signed)
	})
	t.Run("long-term variants share it, their bytes differ", func(t *testing.T) {
		bytes := map[string]bool{}
		for _, name := range []string{stem, stem + "_lt", stem + "_lt_revoked"} {
			require.Equal(t, signed, content(name+".xml"))
			bytes[digestFile(t, filepath.Join(sharedDCC, name+".xml")).SHA256] = true
		}
		require.Len(t, bytes, 3)
	})
	t.Run("the manipulated one differs", func(t *testing.T) {
		require.NotEqual(t, signed, content(stem+"_manipulated.xml"))
	})
	t.Run("facts", func(t *testing.T) {
		dcc := digestFile(t, filepath.Join(sharedDCC, stem+".xml")).DCC
		require.Equal(t, "3.2.0", dcc.SchemaVersion)
		require.Equal(t, "GP_DCC_temperature_typical_1.2", dcc.UniqueIdentifier)
		require.Equal(t, "1957-08-13", dcc.BeginPerformance)
		require.Equal(t, []string{"string-manufacturer-item"}, dcc.Serials())
		require.Equal(t, 1, dcc.Signatures)
		require.NotNil(t, digestFile(t, filepath.Join(sharedDCC, "dcc_gp_humidity_v1.0.xml")).DCC)
	})
}
