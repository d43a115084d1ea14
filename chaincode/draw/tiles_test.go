package draw

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// tilesOf cuts a directory into tiles.
func tilesOf(list Objects) Tiles {
	t := Tiles{Size: uint64(len(list))}
	for begin := 0; begin < len(list); begin += TileSize {
		t.Roots = append(t.Roots, TileRoot(list[begin:min(begin+TileSize, len(list))]))
	}
	return t
}

// TestTiles: roots and proofs from tiles are those of the whole directory.
func TestTiles(t *testing.T) {
	for _, size := range []int{0, 1, 2, 255, 256, 257, 511, 512, 513, 700, 1024, 1025, 1300} {
		var list Objects
		for i := range size {
			list = append(list, Object{fmt.Sprintf("S%05d", i), "A", uint32(1 + i%3)})
		}
		tiles := tilesOf(list)
		require.Equal(t, ListRoot(list), tiles.Root(), "%d", size)
		for index := 0; index < size; index += 1 + size/37 {
			begin := index / TileSize * TileSize
			got, err := tiles.Prove(list[begin:min(begin+TileSize, size)], uint64(index))
			require.NoError(t, err)
			want, err := proveAt(list, uint64(size), uint64(index))
			require.NoError(t, err)
			require.Equal(t, want[0].Object, got.Object)
			require.Equal(t, want[0].Proof.Path, append([]Digest{}, got.Proof.Path...), "%d of %d", index, size)
			require.NoError(t, got.Verify(tiles.Root(), uint64(size)))
		}
		_, err := tiles.Prove(nil, uint64(size))
		require.Error(t, err)
	}
}

func TestTilesRefuseAnotherTile(t *testing.T) {
	var list Objects
	for i := range 600 {
		list = append(list, Object{fmt.Sprintf("S%05d", i), "A", 1})
	}
	_, err := tilesOf(list).Prove(list[:256], 300)
	requireKind(t, err, KindProof, "tile 1")
}

// TestRowsRoundTrip: what AppendRow writes is read as it was, from the start
// and from a tile's place.
func TestRowsRoundTrip(t *testing.T) {
	list := Objects{{"A", `a,"b"`, 1}, {"B", "line\nfeed", 4294967295}, {"C", "甲", 7}, {"D", " lead", 9}, {"E", `"`, 2}}
	file := []byte(CSVHeader)
	var begins []int
	for _, o := range list {
		begins = append(begins, len(file))
		file = AppendRow(file, o)
	}
	var got Objects
	collect := func(o Object) error { got = append(got, o); return nil }
	require.NoError(t, CSV{Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }}.Each(collect))
	require.Equal(t, list, got)
	for i, begin := range begins {
		tile, err := Tiles{Size: 1}.ReadTile(0, bytes.NewReader(file[begin:]))
		require.NoError(t, err)
		require.Equal(t, list[i:i+1], Objects(tile))
	}
}

// TestRowReaderAgreesWithEncodingCSV reads random records with both.
func TestRowReaderAgreesWithEncodingCSV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
			"a", "b,", `"q"`, `"x,y"`, `"x""y"`, ",", "\n", "\r\n", `"`, `"two` + "\n" + `lines"`, "1", " ",
		}), 0, 24).Draw(t, "text"), "")
		want := csv.NewReader(strings.NewReader(text))
		want.FieldsPerRecord = 3
		got := newRowReader(strings.NewReader(text), 3)
		for {
			row, err := want.Read()
			own, ownErr := got.next()
			if errors.Is(err, io.EOF) {
				require.Equal(t, io.EOF, ownErr)
				return
			}
			if err != nil {
				require.Error(t, ownErr, "%q", text)
				return
			}
			require.NoError(t, ownErr, "%q", text)
			for i := range row {
				require.Equal(t, row[i], string(own[i]), "%q", text)
			}
		}
	})
}
