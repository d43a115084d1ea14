package draw

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSealedLeaf(t *testing.T) {
	in := sealedInput(t)
	r, err := Compute(in)
	require.NoError(t, err)
	leaves := SealedLeaves(*in.SealedSecret, r.Assignment)
	require.Len(t, leaves, len(r.Assignment.Order))
	root, size := SealedRoot(leaves), uint64(len(leaves))
	for _, object := range r.Assignment.Order {
		p, err := ProveSealed(leaves, object)
		require.NoError(t, err)
		require.NoError(t, p.Verify(root, size))
		require.Equal(t, r.Assignment.Inspectors[object], p.Leaf.Inspectors)
		require.Error(t, p.Verify(root, size+1))
		p.Leaf.Inspectors = []string{"I-9", "I-8"}
		require.Error(t, p.Verify(root, size))
	}
	_, err = ProveSealed(leaves, "C-00")
	requireKind(t, err, KindProof, "not selected")
	other := SealedLeaves(digestOf("another secret"), r.Assignment)
	require.NotEqual(t, root, SealedRoot(other))
}
