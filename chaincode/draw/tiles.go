package draw

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// TileSize is how many leaves of a directory are proved from at a time.
const TileSize = tileSize

// Tiles are the roots over each TileSize leaves of a directory; the last tile
// may have fewer. With them a proof takes the objects of one tile instead of a
// walk through the whole directory.
type Tiles struct {
	Roots []Digest
	Size  uint64 // leaves
}

// TileRoot is the root over the objects of one tile, in id order.
func TileRoot(objects []Object) Digest { return rootOf(objects, Object.appendLeaf) }

// Root is the directory's root.
func (t Tiles) Root() Digest {
	if len(t.Roots) == 0 {
		return newMerkleTree().root()
	}
	return rootOver(t.Roots)
}

// rootOver joins the roots of subtrees as RFC 6962 does: all but the last are
// of one size, a power of two.
func rootOver(roots []Digest) Digest {
	if len(roots) == 1 {
		return roots[0]
	}
	split := splitOf(len(roots))
	left, right := rootOver(roots[:split]), rootOver(roots[split:])
	return nodeHash(left[:], right[:])
}

// splitOf is the largest power of two below n, which is above 1.
func splitOf(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }

// pathTo lists the siblings from roots[i] upwards.
func pathTo(roots []Digest, i int) []Digest {
	if len(roots) == 1 {
		return nil
	}
	split := splitOf(len(roots))
	if i < split {
		return append(pathTo(roots[:split], i), rootOver(roots[split:]))
	}
	return append(pathTo(roots[split:], i-split), rootOver(roots[:split]))
}

// Prove proves the object at index; tile are the objects of its tile.
func (t Tiles) Prove(tile []Object, index uint64) (ObjectProof, error) {
	if index >= t.Size {
		return ObjectProof{}, refuse(KindProof, "", "no leaf %d in a directory of %d", index, t.Size)
	}
	at, within := int(index/TileSize), int(index%TileSize)
	if within >= len(tile) || TileRoot(tile) != t.Roots[at] {
		return ObjectProof{}, refuse(KindProof, "", "tile %d is not the directory's", at)
	}
	leaves := make([]Digest, len(tile))
	for i, o := range tile {
		leaves[i] = TileRoot([]Object{o})
	}
	path := slices.Concat(pathTo(leaves, within), pathTo(t.Roots, at))
	return ObjectProof{Object: tile[within], Proof: MerkleProof{Index: index, Size: t.Size, Path: path}}, nil
}

// ReadTile reads the objects of a tile from its rows in a directory file.
func (t Tiles) ReadTile(at int, rows io.Reader) ([]Object, error) {
	want := int(min(TileSize, t.Size-uint64(at)*TileSize))
	tile := make([]Object, 0, want)
	err := ReadObjects(rows, func(o Object) error {
		tile = append(tile, o)
		if len(tile) == want {
			return errEnough
		}
		return nil
	})
	if err != nil && err != errEnough {
		return nil, fmt.Errorf("read tile %d: %w", at, err)
	}
	return tile, nil
}

// errEnough ends a walk; it is no failure.
var errEnough = errors.New("enough")
