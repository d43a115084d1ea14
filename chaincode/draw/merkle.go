package draw

import (
	"crypto/sha256"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// merkleRanges hashes nodes on the stack: ten million of them are an ordinary
// directory, and the library's own hasher allocates several times for each.
func merkleRanges() *compact.RangeFactory {
	return &compact.RangeFactory{Hash: hashNode}
}

func hashNode(left, right []byte) []byte {
	var b [1 + 2*sha256.Size]byte
	b[0] = rfc6962.RFC6962NodeHashPrefix
	copy(b[1:], left)
	copy(b[1+sha256.Size:], right)
	h := sha256.Sum256(b[:])
	return h[:]
}

// hashLeaf hashes a leaf whose first byte is already the leaf prefix.
func hashLeaf(prefixed []byte) []byte {
	h := sha256.Sum256(prefixed)
	return h[:]
}

// leafBuffer starts the bytes of a leaf, prefix included.
func leafBuffer(out []byte) []byte {
	return append(out[:0], rfc6962.RFC6962LeafHashPrefix)
}

// MerkleProof shows that a leaf stands at Index of a tree of Size leaves.
type MerkleProof struct {
	Index uint64   `json:"index"`
	Size  uint64   `json:"size"`
	Path  []Digest `json:"path"` // from the leaf's sibling upwards
}

// verify checks the path from a leaf (without prefix) to root.
func (p MerkleProof) verify(leaf []byte, root Digest) error {
	path := make([][]byte, len(p.Path))
	for i := range p.Path {
		path[i] = p.Path[i][:]
	}
	h := rfc6962.DefaultHasher
	if err := proof.VerifyInclusion(h, p.Index, p.Size, h.HashLeaf(leaf), path, root[:]); err != nil {
		return refuse(KindProof, "", "leaf %d of %d is not under root %s", p.Index, p.Size, root)
	}
	return nil
}

// merkleTree folds a stream of leaves into their root, and on the way keeps
// the nodes that the wanted inclusion proofs need. Its memory is the height of
// the tree plus those nodes.
type merkleTree struct {
	tiles *compact.Range
	keep  map[compact.NodeID][]byte
}

func newMerkleTree() *merkleTree {
	return &merkleTree{tiles: merkleRanges().NewEmptyRange(0)}
}

// wanting makes the tree collect the proofs for the given indices of a
// directory whose size is known beforehand.
func (t *merkleTree) wanting(size uint64, indices ...uint64) error {
	t.keep = make(map[compact.NodeID][]byte)
	for _, i := range indices {
		nodes, err := proof.Inclusion(i, size)
		if err != nil {
			return refuse(KindProof, "", "no leaf %d in a directory of %d", i, size)
		}
		for _, id := range nodes.IDs {
			t.keep[id] = nil
		}
	}
	return nil
}

// add appends a leaf that carries its prefix.
func (t *merkleTree) add(prefixed []byte) error {
	var visit compact.VisitFn
	if t.keep != nil {
		visit = func(id compact.NodeID, hash []byte) {
			if _, wanted := t.keep[id]; wanted {
				t.keep[id] = hash
			}
		}
	}
	return t.tiles.Append(hashLeaf(prefixed), visit)
}

func (t *merkleTree) size() uint64 { return t.tiles.End() }

// root is MTH over the leaves so far; of none it is H("").
func (t *merkleTree) root() Digest {
	if t.tiles.End() == 0 {
		return sha256.Sum256(nil)
	}
	hash, err := t.tiles.GetRootHash(nil)
	if err != nil {
		panic("merkle range does not begin at 0") // newMerkleTree begins at 0
	}
	return Digest(hash)
}

// proof gives the inclusion proof that wanting asked for.
func (t *merkleTree) proof(index uint64) (MerkleProof, error) {
	nodes, err := proof.Inclusion(index, t.size())
	if err != nil {
		return MerkleProof{}, refuse(KindProof, "", "no leaf %d in a directory of %d", index, t.size())
	}
	hashes := make([][]byte, len(nodes.IDs))
	for i, id := range nodes.IDs {
		hash, found := t.keep[id]
		if !found || hash == nil {
			return MerkleProof{}, refuse(KindProof, "", "proof of leaf %d was not collected", index)
		}
		hashes[i] = hash
	}
	path, err := nodes.Rehash(hashes, hashNode)
	if err != nil {
		return MerkleProof{}, refuse(KindProof, "", "fold proof of leaf %d: %v", index, err)
	}
	out := MerkleProof{Index: index, Size: t.size(), Path: make([]Digest, len(path))}
	for i := range path {
		out.Path[i] = Digest(path[i])
	}
	return out, nil
}
