// Package vectors compares the Go code with what second programs in another
// language say; see leaf.py and c14n.py.
package vectors

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/gateway/evidence"
)

type file struct {
	Leaves []struct {
		Bytes    string `json:"bytes"`
		LeafHash string `json:"leafHash"`
	} `json:"leaves"`
	Batches []struct {
		Count      int        `json:"count"`
		Root       string     `json:"root"`
		Message    string     `json:"message"`
		Proofs     [][]string `json:"proofs"`
		Signatures []struct {
			Scheme    string `json:"scheme"`
			SPKI      []byte `json:"spki"`
			Key       string `json:"key"`
			Signature []byte `json:"signature"`
		} `json:"signatures"`
	} `json:"batches"`
}

func load(t *testing.T) file {
	data, err := os.ReadFile("leaf.json")
	require.NoError(t, err)
	var vectors file
	require.NoError(t, json.Unmarshal(data, &vectors))
	require.Len(t, vectors.Leaves, 11)
	require.Len(t, vectors.Batches, 11)
	return vectors
}

func TestLeaves(t *testing.T) {
	for _, vector := range load(t).Leaves {
		leaf, err := metrology.ParseLeaf([]byte(vector.Bytes))
		require.NoError(t, err, vector.Bytes)
		again, err := leaf.Bytes()
		require.NoError(t, err)
		require.Equal(t, vector.Bytes, string(again))
		require.Equal(t, vector.LeafHash, hex.EncodeToString(rfc6962.DefaultHasher.HashLeaf(again)))
	}
}

// The document shows the first vector; it must be the one.
func TestDocument(t *testing.T) {
	document, err := os.ReadFile("../../chaincode/metrology/CERTIFICATE-LEAF.md")
	require.NoError(t, err)
	first := load(t).Leaves[0]
	require.Contains(t, string(document), "    "+first.Bytes+"\n")
	require.Contains(t, string(document), "`"+first.LeafHash+"`")
}

func TestBatches(t *testing.T) {
	vectors := load(t)
	var leaves [][]byte
	for i, batch := range vectors.Batches {
		leaves = append(leaves, []byte(vectors.Leaves[i].Bytes))
		root, proofs, err := evidence.Tree(leaves)
		require.NoError(t, err)
		require.Equal(t, batch.Root, hex.EncodeToString(root[:]))
		require.Equal(t, batch.Message, string(metrology.BatchMessage("INST-001", root, uint64(batch.Count))))
		for index, want := range batch.Proofs {
			hashes := decode(t, want)
			got, err := proofs(index)
			require.NoError(t, err)
			require.Equal(t, hashes, got)
			require.NoError(t, proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(batch.Count),
				rfc6962.DefaultHasher.HashLeaf(leaves[index]), hashes, root[:]))
		}
		for _, signed := range batch.Signatures {
			key, err := signature.ParseKey(signed.SPKI)
			require.NoError(t, err)
			require.Equal(t, signed.Scheme, key.Scheme())
			require.Equal(t, signed.Key, key.ID())
			require.NoError(t, key.Verify([]byte(batch.Message), signed.Signature))
		}
	}
}

func TestSecondProgramStillMakesTheFile(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not on PATH")
	}
	want, err := os.ReadFile("leaf.json")
	require.NoError(t, err)
	got, err := exec.Command(python, "leaf.py").Output()
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func decode(t *testing.T, texts []string) [][]byte {
	hashes := make([][]byte, len(texts))
	for i, text := range texts {
		hash, err := hex.DecodeString(text)
		require.NoError(t, err)
		hashes[i] = hash
	}
	return hashes
}
