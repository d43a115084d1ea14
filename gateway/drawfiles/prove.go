package drawfiles

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// Prove proves that an id stands in a directory, or that it does not; exactly
// one of the results is not nil. It reads some twenty tiles' first rows and at
// most two tiles.
func (s *Store) Prove(root, id string) (*draw.ObjectProof, *draw.Absence, error) {
	d, err := s.directory(root)
	if err != nil {
		return nil, nil, err
	}
	if d.tiles.Size == 0 {
		return nil, &draw.Absence{ID: id}, nil
	}
	file, err := s.Open(root)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	p := proving{directory: d, rows: file}
	at, err := p.tileOf(id)
	if err != nil {
		return nil, nil, err
	}
	tile, err := p.read(at)
	if err != nil {
		return nil, nil, err
	}
	within := sort.Search(len(tile), func(i int) bool { return tile[i].ID >= id })
	if within < len(tile) && tile[within].ID == id {
		proof, err := d.tiles.Prove(tile, uint64(at*draw.TileSize+within))
		return &proof, nil, err
	}
	absence, err := p.absent(id, at*draw.TileSize+within)
	return nil, absence, err
}

// proving is one look into a directory file.
type proving struct {
	*directory
	rows io.ReadSeeker
}

// tileOf finds the last tile that does not begin beyond an id.
func (p proving) tileOf(id string) (int, error) {
	var failed error
	beyond := sort.Search(len(p.offsets), func(i int) bool {
		first, err := p.first(i)
		if err != nil {
			failed = err
		}
		return strings.Compare(first.ID, id) > 0
	})
	return max(beyond-1, 0), failed
}

func (p proving) first(tile int) (draw.Object, error) {
	list, err := p.readSome(tile, 1)
	if err != nil {
		return draw.Object{}, err
	}
	return list[0], nil
}

func (p proving) read(tile int) ([]draw.Object, error) { return p.readSome(tile, draw.TileSize) }

// readSome reads up to n objects from where a tile begins.
func (p proving) readSome(tile, n int) ([]draw.Object, error) {
	if _, err := p.rows.Seek(p.offsets[tile], io.SeekStart); err != nil {
		return nil, fmt.Errorf("read tile %d: %w", tile, err)
	}
	some := draw.Tiles{Size: min(uint64(n), p.tiles.Size-uint64(tile)*draw.TileSize)}
	return some.ReadTile(0, p.rows)
}

// absent shows the two neighbours of the place that an id would have.
func (p proving) absent(id string, place int) (*draw.Absence, error) {
	absence := &draw.Absence{ID: id}
	for _, neighbour := range []struct {
		index int
		proof **draw.ObjectProof
	}{{place - 1, &absence.Before}, {place, &absence.After}} {
		if neighbour.index < 0 || uint64(neighbour.index) >= p.tiles.Size {
			continue
		}
		tile, err := p.read(neighbour.index / draw.TileSize)
		if err != nil {
			return nil, err
		}
		proof, err := p.tiles.Prove(tile, uint64(neighbour.index))
		if err != nil {
			return nil, err
		}
		*neighbour.proof = &proof
	}
	return absence, nil
}
