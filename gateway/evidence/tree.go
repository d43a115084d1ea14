package evidence

import (
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Tree builds the RFC 6962 tree over leaves and returns its root and a
// function that gives the inclusion proof of one leaf.
func Tree(leaves [][]byte) (root [32]byte, inclusion func(index int) ([][]byte, error), err error) {
	if len(leaves) == 0 {
		return root, nil, errors.New("build tree: no leaves")
	}
	hasher := rfc6962.DefaultHasher
	factory := compact.RangeFactory{Hash: hasher.HashChildren}
	whole := factory.NewEmptyRange(0)
	nodes := map[compact.NodeID][]byte{}
	keep := func(id compact.NodeID, hash []byte) { nodes[id] = hash }
	for _, leaf := range leaves {
		if err := whole.Append(hasher.HashLeaf(leaf), keep); err != nil {
			return root, nil, fmt.Errorf("build tree: %w", err)
		}
	}
	top, err := whole.GetRootHash(nil)
	if err != nil {
		return root, nil, fmt.Errorf("build tree: %w", err)
	}
	size := uint64(len(leaves))
	return [32]byte(top), func(index int) ([][]byte, error) {
		needed, err := proof.Inclusion(uint64(index), size)
		if err != nil {
			return nil, fmt.Errorf("prove leaf %d of %d: %w", index, size, err)
		}
		hashes := make([][]byte, 0, len(needed.IDs))
		for _, id := range needed.IDs {
			hashes = append(hashes, nodes[id])
		}
		return needed.Rehash(hashes, hasher.HashChildren)
	}, nil
}
