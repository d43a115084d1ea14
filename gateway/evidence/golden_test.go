package evidence

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/digest"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

var update = flag.Bool("update", false, "write the kept evidence anew")

// kept is evidence that stays in the repository, so that files handed out once
// go on holding, and for the tests of the command line.
const kept = "../../test/testdata/evidence"

func TestKeptEvidence(t *testing.T) {
	if *update {
		writeKept(t)
	}
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(kept, name))
		require.NoError(t, err)
		return content
	}
	trust, err := ledger.ParseTrust(read("trust.json"))
	require.NoError(t, err)
	bundle, err := Parse(read("bundle.json"))
	require.NoError(t, err)
	file, err := digest.File(context.Background(), bytes.NewReader(read("certificate.txt")))
	require.NoError(t, err)
	result, err := Verify(bundle, trust, file.Digests())
	require.NoError(t, err)
	require.Len(t, result.Matched, 2)
	require.Equal(t, []string{"AssociationMSP", "RegulatorMSP"}, result.Readers)
}

func writeKept(t *testing.T) {
	content := []byte("Invented for tests. Not a certificate.\n检定证书 JL2026-0002（虚构）\n")
	file, err := digest.File(context.Background(), bytes.NewReader(content))
	require.NoError(t, err)
	s := newScene(t, "BFT", func(c *consortium, a *anchoring) {
		second := leaf(2)
		second.Digests = file.Digests()
		*a = c.anchoring(leaf(1), second, leaf(3))
	})
	s.from.Reading = s.reading(3, 1, s.peers["RegulatorMSP"], s.peers["AssociationMSP"])
	bundle, err := Build(s.trust(), s.from, "JL2026-0002")
	require.NoError(t, err)
	encoded, err := bundle.Encode()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(kept, 0o755))
	for name, data := range map[string][]byte{"certificate.txt": content, "bundle.json": encoded, "trust.json": append(s.trustFile(), '\n')} {
		require.NoError(t, os.WriteFile(filepath.Join(kept, name), data, 0o644))
	}
}
