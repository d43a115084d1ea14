package evidence

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"pgregory.net/rapid"
)

func leavesOf(count int) [][]byte {
	leaves := make([][]byte, count)
	for i := range leaves {
		leaves[i] = fmt.Appendf(nil, "leaf %d", i)
	}
	return leaves
}

func TestTree(t *testing.T) {
	_, _, err := Tree(nil)
	require.Error(t, err, "a batch of nothing has no root")
	hasher := rfc6962.DefaultHasher
	rapid.Check(t, func(t *rapid.T) {
		leaves := leavesOf(rapid.IntRange(1, 1000).Draw(t, "leaves"))
		index := rapid.IntRange(0, len(leaves)-1).Draw(t, "index")
		root, inclusion, err := Tree(leaves)
		require.NoError(t, err)
		hashes, err := inclusion(index)
		require.NoError(t, err)
		verify := func(index int, leaf []byte) error {
			return proof.VerifyInclusion(hasher, uint64(index), uint64(len(leaves)), hasher.HashLeaf(leaf), hashes, root[:])
		}
		require.NoError(t, verify(index, leaves[index]))
		require.Error(t, verify(index, []byte("another leaf")))
		if len(leaves) > 1 {
			require.Error(t, verify((index+1)%len(leaves), leaves[index]), "another place")
		}
		_, err = inclusion(len(leaves))
		require.Error(t, err)
	})
}

func BenchmarkVerify(b *testing.B) {
	s := newScene(b, "BFT", nil)
	s.from.Reading = s.reading(3, 1, s.peers["RegulatorMSP"], s.peers["AssociationMSP"])
	bundle, err := Build(s.trust(), s.from, "JL2026-0002")
	require.NoError(b, err)
	verifier := NewVerifier(s.trust())
	for b.Loop() {
		if _, err := verifier.Verify(bundle, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTree(b *testing.B) {
	leaves := leavesOf(1000)
	for b.Loop() {
		if _, _, err := Tree(leaves); err != nil {
			b.Fatal(err)
		}
	}
}
