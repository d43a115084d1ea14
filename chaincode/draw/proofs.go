package draw

import (
	"fmt"
	"slices"
	"strings"
)

// ObjectProof shows that an object stands in a directory or published list.
type ObjectProof struct {
	Object Object      `json:"object"`
	Proof  MerkleProof `json:"proof"`
}

// Verify checks the proof against the root and size that were frozen.
func (p ObjectProof) Verify(root Digest, size uint64) error {
	if p.Proof.Size != size {
		return refuse(KindProof, p.Object.ID, "proof is for %d leaves, the directory has %d", p.Proof.Size, size)
	}
	if err := p.Object.Check(); err != nil {
		return inEntry(err, fmt.Sprintf("object %q", p.Object.ID))
	}
	return inEntry(p.Proof.verify(p.Object.Leaf(), root), p.Object.ID)
}

// Absence shows that an id does not stand in a directory: the leaves before
// and after it are neighbours. Before is nil if the id would be the first,
// After if it would be the last; both if the directory is empty.
type Absence struct {
	ID     string       `json:"id"`
	Before *ObjectProof `json:"before"`
	After  *ObjectProof `json:"after"`
}

// Verify checks the absence against the root and size that were frozen.
func (a Absence) Verify(root Digest, size uint64) error {
	if err := checkID(a.ID); err != nil {
		return err
	}
	next := uint64(0) // the index the id would have
	if a.Before != nil {
		if err := a.Before.Verify(root, size); err != nil {
			return err
		}
		if a.Before.Object.ID >= a.ID {
			return refuse(KindProof, a.ID, "%q does not stand before it", a.Before.Object.ID)
		}
		next = a.Before.Proof.Index + 1
	}
	if a.After == nil {
		return a.verifyEnd(next, root, size)
	}
	if err := a.After.Verify(root, size); err != nil {
		return err
	}
	if a.After.Object.ID <= a.ID {
		return refuse(KindProof, a.ID, "%q does not stand after it", a.After.Object.ID)
	}
	if a.After.Proof.Index != next {
		return refuse(KindProof, a.ID, "leaves %d and %d are not neighbours", next, a.After.Proof.Index)
	}
	return nil
}

// verifyEnd checks that nothing follows index next.
func (a Absence) verifyEnd(next uint64, root Digest, size uint64) error {
	if next != size {
		return refuse(KindProof, a.ID, "leaf %d follows but is not shown", next)
	}
	if size == 0 && root != newMerkleTree().root() {
		return refuse(KindProof, a.ID, "root is not that of an empty directory")
	}
	return nil
}

// Prove walks a directory and proves that the id stands in it, or that it does
// not; exactly one of the results is not nil.
func Prove(dir Directory, id string) (*ObjectProof, *Absence, error) {
	if err := checkID(id); err != nil {
		return nil, nil, err
	}
	var size, place uint64
	var found bool
	err := dir.Each(func(o Object) error {
		if o.ID < id {
			place++
		}
		found = found || o.ID == id
		size++
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("look up %s: %w", id, err)
	}
	if found {
		proofs, err := proveAt(dir, size, place)
		if err != nil {
			return nil, nil, err
		}
		return &proofs[0], nil, nil
	}
	absence, err := proveAbsence(dir, size, place, id)
	return nil, absence, err
}

func proveAbsence(dir Directory, size, place uint64, id string) (*Absence, error) {
	var wanted []uint64
	if place > 0 {
		wanted = append(wanted, place-1)
	}
	if place < size {
		wanted = append(wanted, place)
	}
	proofs, err := proveAt(dir, size, wanted...)
	if err != nil {
		return nil, err
	}
	out := &Absence{ID: id}
	if place > 0 {
		out.Before = &proofs[0]
		proofs = proofs[1:]
	}
	if place < size {
		out.After = &proofs[0]
	}
	return out, nil
}

// proveAt collects the proofs of the given leaves in one walk.
func proveAt(dir Directory, size uint64, indices ...uint64) ([]ObjectProof, error) {
	tree := newMerkleTree()
	if err := tree.wanting(size, indices...); err != nil {
		return nil, err
	}
	out := make([]ObjectProof, len(indices))
	var buf []byte
	err := dir.Each(func(o Object) error {
		if i := slices.Index(indices, tree.size()); i >= 0 {
			out[i].Object = o
		}
		buf = o.appendLeaf(leafBuffer(buf))
		return tree.add(buf)
	})
	if err != nil {
		return nil, fmt.Errorf("walk the directory for proofs: %w", err)
	}
	for i, index := range indices {
		if out[i].Proof, err = tree.proof(index); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ListRoot is the root over a published list: the objects' directory leaves,
// sorted by id, so that proofs about lists and directories are alike.
func ListRoot(list []Object) Digest {
	byID := slices.SortedFunc(slices.Values(list), func(a, b Object) int { return strings.Compare(a.ID, b.ID) })
	return rootOf(byID, Object.appendLeaf)
}
