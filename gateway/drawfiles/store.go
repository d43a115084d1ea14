// Package drawfiles keeps the files beside large draws: directories of objects
// and lists of drawn objects, addressed by the root over their leaves. A file
// gets in only if its root follows from its rows, whoever brought it.
package drawfiles

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// MaxFile bounds a file in bytes: ten million objects take some 300 MB.
const MaxFile = 4 << 30

// maxDrawn bounds the objects of a list of drawn ones.
const maxDrawn = 10_000_000

// Config names the parts of a store.
type Config struct {
	Dir     string       // where the files stand
	Sources []string     // addresses of other gateways, to fetch missing files from
	Client  *http.Client // nil: one without redirects
}

// Store is a directory of files.
type Store struct {
	dir     string
	sources []string
	client  *http.Client

	mu   sync.Mutex
	held map[string]*directory // opened, by root
}

// directory is what proofs from a file need.
type directory struct {
	summary metrology.DrawObjectsFile
	tiles   draw.Tiles
	offsets []int64 // where each tile begins
}

// Open makes the directory where it is missing.
func Open(c Config) (*Store, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory for files of draws: %w", err)
	}
	if c.Client == nil {
		c.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &Store{dir: c.Dir, sources: c.Sources, client: c.Client, held: map[string]*directory{}}, nil
}

// path is where a file stands; a root that is none has no file.
func (s *Store) path(root, extension string) (string, error) {
	if _, err := draw.ParseDigest(root); err != nil {
		return "", metrology.FieldErrorf(metrology.CodeInvalid, "root", "is not 64 lower-case hex digits")
	}
	return filepath.Join(s.dir, root+extension), nil
}

// The extensions of a file and of what is kept beside a directory.
const (
	extensionRows  = ".csv"
	extensionIndex = ".index.json"
)

// Has says whether a file is at hand.
func (s *Store) Has(root string) bool {
	path, err := s.path(root, extensionRows)
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

// Open opens a file by its root.
func (s *Store) Open(root string) (io.ReadSeekCloser, error) {
	path, err := s.path(root, extensionRows)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, metrology.Errorf(metrology.CodeNotFound, "this gateway does not have the file with root %s", root)
	}
	return file, err
}

// Directory is the directory with a root, to be walked.
func (s *Store) Directory(root string) draw.Directory {
	return draw.CSV{Open: func() (io.ReadCloser, error) { return s.Open(root) }}
}

// Summary tells what a directory holds.
func (s *Store) Summary(root string) (metrology.DrawObjectsFile, error) {
	d, err := s.directory(root)
	if err != nil {
		return metrology.DrawObjectsFile{}, err
	}
	return d.summary, nil
}

// indexFile is how an index is kept.
type indexFile struct {
	Summary metrology.DrawObjectsFile `json:"summary"`
	Tiles   []draw.Digest             `json:"tiles"`
	Offsets []int64                   `json:"offsets"`
}

// directory loads the index of a directory, once.
func (s *Store) directory(root string) (*directory, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.held[root]; d != nil {
		return d, nil
	}
	path, err := s.path(root, extensionIndex)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, metrology.Errorf(metrology.CodeNotFound, "this gateway does not have the directory with root %s", root)
	}
	if err != nil {
		return nil, fmt.Errorf("read index of a directory: %w", err)
	}
	var kept indexFile
	if err := json.Unmarshal(content, &kept); err != nil {
		return nil, fmt.Errorf("read index of a directory: %w", err)
	}
	d := &directory{
		summary: kept.Summary, offsets: kept.Offsets,
		tiles: draw.Tiles{Roots: kept.Tiles, Size: uint64(kept.Summary.Objects)},
	}
	s.held[root] = d
	return d, nil
}

// Drawn reads a list of drawn objects.
func (s *Store) Drawn(root string) (draw.DrawnList, error) {
	file, err := s.Open(root)
	if err != nil {
		return nil, err
	}
	list, err := draw.ReadDrawn(file, maxDrawn)
	return list, errors.Join(err, file.Close())
}
