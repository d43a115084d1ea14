package draw

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// SealedLeaf is one line of a sealed draw's result: an object and who inspects
// it. The result commits to the root over all of them while the draw is still
// sealed; on arrival an inspector shows the leaf with its proof, which tells
// nothing about the others. The salt follows from the draw's secret, so that
// the regulator and the notary, who both hold it, come to the same root.
type SealedLeaf struct {
	Object     string   `json:"object"`
	Inspectors []string `json:"inspectors"` // in the order of the slots
	Salt       Digest   `json:"salt"`
}

// SealedLeafProof shows a leaf under the root that the result committed to.
type SealedLeafProof struct {
	Leaf  SealedLeaf  `json:"leaf"`
	Proof MerkleProof `json:"proof"`
}

// sealedSalt is H(LP("DR1/salt") ‖ secret ‖ LP(object)).
func sealedSalt(secret Digest, object string) Digest {
	b := append(tagged("DR1/salt"), secret[:]...)
	return sha256.Sum256(appendLP(b, object))
}

// appendLeaf is salt ‖ LP(object) ‖ u32(n) ‖ LP(inspector)….
func (l SealedLeaf) appendLeaf(out []byte) []byte {
	out = append(out, l.Salt[:]...)
	out = appendLP(out, l.Object)
	out = binary.BigEndian.AppendUint32(out, uint32(len(l.Inspectors)))
	for _, inspector := range l.Inspectors {
		out = appendLP(out, inspector)
	}
	return out
}

// SealedLeaves lists a sealed draw's assignment in the order of the salts, so
// that an index says nothing about an object.
func SealedLeaves(secret Digest, assignment Assignment) []SealedLeaf {
	out := make([]SealedLeaf, len(assignment.Order))
	for i, object := range assignment.Order {
		out[i] = SealedLeaf{object, assignment.Inspectors[object], sealedSalt(secret, object)}
	}
	slices.SortFunc(out, func(a, b SealedLeaf) int { return bytes.Compare(a.Salt[:], b.Salt[:]) })
	return out
}

// SealedRoot is the root over the leaves as SealedLeaves lists them.
func SealedRoot(leaves []SealedLeaf) Digest {
	return rootOf(leaves, SealedLeaf.appendLeaf)
}

// ProveSealed proves the leaf of one object.
func ProveSealed(leaves []SealedLeaf, object string) (SealedLeafProof, error) {
	at := slices.IndexFunc(leaves, func(l SealedLeaf) bool { return l.Object == object })
	if at < 0 {
		return SealedLeafProof{}, refuse(KindProof, object, "is not selected")
	}
	tree := newMerkleTree()
	if err := tree.wanting(uint64(len(leaves)), uint64(at)); err != nil {
		return SealedLeafProof{}, err
	}
	var buf []byte
	for _, l := range leaves {
		buf = l.appendLeaf(leafBuffer(buf))
		if err := tree.add(buf); err != nil {
			return SealedLeafProof{}, err
		}
	}
	proof, err := tree.proof(uint64(at))
	return SealedLeafProof{leaves[at], proof}, err
}

// Verify checks the leaf against the committed root and number of leaves.
func (p SealedLeafProof) Verify(root Digest, size uint64) error {
	if p.Proof.Size != size {
		return refuse(KindProof, p.Leaf.Object, "proof is for %d leaves, the result has %d", p.Proof.Size, size)
	}
	return inEntry(p.Proof.verify(p.Leaf.appendLeaf(nil), root), p.Leaf.Object)
}
