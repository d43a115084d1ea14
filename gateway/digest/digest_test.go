package digest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// synthetic holds certificates of our own; make.py beside them says how they came about.
const synthetic = "../../test/testdata/dcc"

func digestText(t testing.TB, text string) Result {
	result, err := File(context.Background(), strings.NewReader(text))
	require.NoError(t, err)
	return result
}

func TestFile(t *testing.T) {
	t.Run("standard vectors of SHA-256 and SM3", func(t *testing.T) {
		result := digestText(t, "abc")
		require.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", result.SHA256)
		require.Equal(t, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0", result.SM3) // GB/T 32905 example 1
		require.EqualValues(t, 3, result.Size)
		require.Len(t, result.Digests(), 2)
	})
	t.Run("not XML, or not a DCC, has no content digest", func(t *testing.T) {
		for _, text := range []string{"", " ", "%PDF-1.7\n<a", "\xef\xbb\xbf", "<html></html>", "<a:b xmlns:a='urn:a'/>"} {
			result := digestText(t, text)
			require.Nil(t, result.DCC, text)
			require.Nil(t, result.ContentError, text)
		}
	})
	t.Run("the bytes are digested to the end whatever the XML", func(t *testing.T) {
		text := "<!DOCTYPE a>" + strings.Repeat("x", 100_000)
		sum := sha256.Sum256([]byte(text))
		result := digestText(t, text)
		require.Equal(t, hex.EncodeToString(sum[:]), result.SHA256)
		require.Equal(t, ReasonForbidden, result.ContentError.Reason)
	})
	t.Run("an unreadable file is an error, not a digest", func(t *testing.T) {
		broken := io.MultiReader(strings.NewReader("<a>"), iotest.ErrReader(errors.New("disk")))
		_, err := File(context.Background(), broken)
		require.ErrorContains(t, err, "disk")
	})
	t.Run("ends with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := File(ctx, strings.NewReader("abc"))
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestSyntheticCertificates(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(synthetic, "expected.json"))
	require.NoError(t, err)
	var expected map[string]map[string]string
	require.NoError(t, json.Unmarshal(data, &expected))
	require.Len(t, expected, 8)
	for name, want := range expected {
		t.Run(name, func(t *testing.T) {
			result := digestFile(t, filepath.Join(synthetic, name))
			require.Nil(t, result.ContentError)
			require.Equal(t, want[metrology.AlgorithmSHA256], result.SHA256)
			require.Equal(t, want[metrology.AlgorithmC14NSHA256], result.DCC.ContentSHA256)
		})
	}
	t.Run("signing later keeps the content, changing a value does not", func(t *testing.T) {
		of := func(name string) string { return expected[name][metrology.AlgorithmC14NSHA256] }
		require.Equal(t, of("unsigned.xml"), of("signed.xml"))
		require.Equal(t, of("signed.xml"), of("signed-long-term.xml"))
		require.NotEqual(t, of("signed.xml"), of("manipulated.xml"))
		require.NotEqual(t, of("signed.xml"), of("reindented.xml"))
	})
	t.Run("facts", func(t *testing.T) {
		dcc := digestFile(t, filepath.Join(synthetic, "signed.xml")).DCC
		require.Equal(t, DCC{
			ContentSHA256: dcc.ContentSHA256, SchemaVersion: "3.2.1", UniqueIdentifier: "SYN-2026-0001",
			BeginPerformance: "2026-03-01", EndPerformance: "2026-03-02", IssueDate: "2026-03-03", Signatures: 1,
			Items: []Item{{Model: "F1-100", Identifications: []Identification{
				{Issuer: "manufacturer", Value: "W-20260001"}, {Issuer: "owner", Value: "柜台-3"},
			}}},
		}, *dcc)
		require.Equal(t, []string{"W-20260001"}, dcc.Serials())
	})
}
