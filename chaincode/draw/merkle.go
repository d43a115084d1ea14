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
	h := nodeHash(left, right)
	return h[:]
}

func nodeHash(left, right []byte) Digest {
	var b [1 + 2*sha256.Size]byte
	b[0] = rfc6962.RFC6962NodeHashPrefix
	copy(b[1:], left)
	copy(b[1+sha256.Size:], right)
	return sha256.Sum256(b[:])
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
	ranges *compact.RangeFactory
	nodes  *compact.Range
	keep   map[compact.NodeID][]byte
	// Leaves gather in a tile that begins at a multiple of its size and is
	// folded at once: a tree of millions then costs next to no allocations.
	tile   [tileSize]Digest
	inTile int
}

const tileSize = 256

func newMerkleTree() *merkleTree { return newMerkleShard(merkleRanges(), 0) }

// newMerkleShard begins a tree at a later leaf; shards of one factory merge.
func newMerkleShard(ranges *compact.RangeFactory, begin uint64) *merkleTree {
	return &merkleTree{ranges: ranges, nodes: ranges.NewEmptyRange(begin)}
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
	if t.keep == nil && (t.inTile > 0 || t.nodes.End()%tileSize == 0) {
		t.tile[t.inTile] = sha256.Sum256(prefixed)
		if t.inTile++; t.inTile == tileSize {
			return t.fold()
		}
		return nil
	}
	hash := sha256.Sum256(prefixed)
	return t.nodes.Append(hash[:], t.collect)
}

// collect keeps a node that a wanted proof needs.
func (t *merkleTree) collect(id compact.NodeID, hash []byte) {
	if _, wanted := t.keep[id]; wanted {
		t.keep[id] = hash
	}
}

// fold turns a full tile into its root and appends that.
func (t *merkleTree) fold() error {
	for n := tileSize; n > 1; n /= 2 {
		for i := range n / 2 {
			t.tile[i] = nodeHash(t.tile[2*i][:], t.tile[2*i+1][:])
		}
	}
	t.inTile = 0
	top := t.tile[0]
	begin := t.nodes.End()
	subtree, err := t.ranges.NewRange(begin, begin+tileSize, [][]byte{top[:]})
	if err != nil {
		return err
	}
	return t.nodes.AppendRange(subtree, nil)
}

// settle appends the leaves of a tile that is not full.
func (t *merkleTree) settle() {
	for _, hash := range t.tile[:t.inTile] {
		if err := t.nodes.Append(hash[:], nil); err != nil {
			panic("append to a merkle range: " + err.Error()) // only a corrupted range fails
		}
	}
	t.inTile = 0
}

// merge appends the shard that follows.
func (t *merkleTree) merge(next *merkleTree) error {
	t.settle()
	next.settle()
	return t.nodes.AppendRange(next.nodes, nil)
}

func (t *merkleTree) size() uint64 { return t.nodes.End() + uint64(t.inTile) }

// root is MTH over the leaves so far; of none it is H("").
func (t *merkleTree) root() Digest {
	t.settle()
	if t.nodes.End() == 0 {
		return sha256.Sum256(nil)
	}
	hash, err := t.nodes.GetRootHash(nil)
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
