package drawfiles

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Keep checks a directory file and keeps it. want is the root it must have;
// empty for any. The file kept is written anew, so that it is the same on every
// gateway.
func (s *Store) Keep(in io.Reader, want string) (metrology.DrawObjectsFile, error) {
	none := metrology.DrawObjectsFile{}
	file, err := os.CreateTemp(s.dir, "incoming-*")
	if err != nil {
		return none, fmt.Errorf("keep directory file: %w", err)
	}
	defer os.Remove(file.Name())
	k := keeping{out: bufio.NewWriterSize(file, 1<<20), survey: draw.NewSurvey()}
	err = errors.Join(k.read(in), k.out.Flush(), file.Sync(), file.Close())
	if err != nil {
		return none, asRule(err)
	}
	if want != "" && k.index.Summary.Root != want {
		return none, metrology.FieldErrorf(metrology.CodeInvalid, "root", "the file's root is %s, not %s", k.index.Summary.Root, want)
	}
	return k.index.Summary, s.settle(file.Name(), k.index)
}

// settle puts a checked file in its place, its index first.
func (s *Store) settle(written string, index indexFile) error {
	content, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("encode index: %w", err)
	}
	at, err := s.path(index.Summary.Root, extensionIndex)
	if err != nil {
		return err
	}
	if err := writeWhole(at, content); err != nil {
		return err
	}
	return os.Rename(written, strings.TrimSuffix(at, extensionIndex)+extensionRows)
}

// writeWhole writes a file so that it is there whole or not at all.
func writeWhole(path string, content []byte) error {
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// asRule tells a rule of DR-1 that a file breaks as one of the interface.
func asRule(err error) error {
	var rule *draw.Error
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &rule):
		return metrology.Errorf(metrology.CodeInvalid, "%s", rule.Error())
	case errors.As(err, &large):
		return large
	}
	return fmt.Errorf("keep directory file: %w", err)
}

// keeping is one file on its way in.
type keeping struct {
	out     *bufio.Writer
	survey  *draw.Survey
	index   indexFile
	tile    []draw.Object
	written int64
	row     []byte
}

func (k *keeping) read(in io.Reader) error {
	if err := k.write([]byte(draw.CSVHeader)); err != nil {
		return err
	}
	bounded := &io.LimitedReader{R: in, N: MaxFile + 1}
	source := draw.CSV{Open: func() (io.ReadCloser, error) { return io.NopCloser(bounded), nil }}
	if err := source.Each(k.add); err != nil {
		return err
	}
	if bounded.N == 0 {
		return &http.MaxBytesError{Limit: MaxFile}
	}
	k.endTile()
	k.index.Summary.Root, k.index.Summary.Objects = k.survey.Root().String(), int64(k.survey.Count())
	for _, sum := range k.survey.Sums() {
		k.index.Summary.Strata = append(k.index.Summary.Strata, metrology.DrawTotal{
			Stratum: sum.Stratum, Objects: int64(sum.Objects), Weight: int64(sum.Weight), Weighted: sum.Weighted,
		})
	}
	return nil
}

func (k *keeping) add(o draw.Object) error {
	if err := k.survey.Add(o); err != nil {
		return err
	}
	if len(k.tile) == 0 {
		k.index.Offsets = append(k.index.Offsets, k.written)
	}
	k.tile = append(k.tile, o)
	if len(k.tile) == draw.TileSize {
		k.endTile()
	}
	k.row = draw.AppendRow(k.row[:0], o)
	return k.write(k.row)
}

func (k *keeping) endTile() {
	if len(k.tile) > 0 {
		k.index.Tiles = append(k.index.Tiles, draw.TileRoot(k.tile))
		k.tile = k.tile[:0]
	}
}

func (k *keeping) write(row []byte) error {
	k.written += int64(len(row))
	_, err := k.out.Write(row)
	return err
}

// KeepDrawn keeps a list of drawn objects.
func (s *Store) KeepDrawn(list draw.DrawnList) error {
	path, err := s.path(list.AssignmentsRoot().String(), extensionRows)
	if err != nil {
		return err
	}
	var content bytes.Buffer
	if err := list.WriteCSV(&content); err != nil {
		return fmt.Errorf("encode list of drawn objects: %w", err)
	}
	return writeWhole(path, content.Bytes())
}

// FetchDirectory gets a missing directory from the other gateways and checks
// it. That nobody has it is a metrology.CodeNotFound error.
func (s *Store) FetchDirectory(ctx context.Context, root string) error {
	if s.Has(root) {
		return nil
	}
	return s.fromAny(ctx, root, func(body io.Reader) error {
		_, err := s.Keep(body, root)
		return err
	})
}

// FetchDrawn gets a missing list of drawn objects from the other gateways.
func (s *Store) FetchDrawn(ctx context.Context, root string) error {
	if s.Has(root) {
		return nil
	}
	return s.fromAny(ctx, root, func(body io.Reader) error { return s.TakeDrawn(body, root) })
}

// TakeDrawn checks a list of drawn objects against its root and keeps it.
func (s *Store) TakeDrawn(in io.Reader, root string) error {
	list, err := draw.ReadDrawn(io.LimitReader(in, MaxFile), maxDrawn)
	if err != nil {
		return asRule(err)
	}
	if got := list.AssignmentsRoot().String(); got != root {
		return metrology.FieldErrorf(metrology.CodeInvalid, "root", "the list's root is %s, not %s", got, root)
	}
	return s.KeepDrawn(list)
}

// fromAny tries the other gateways in their order.
func (s *Store) fromAny(ctx context.Context, root string, take func(io.Reader) error) error {
	if _, err := s.path(root, extensionRows); err != nil {
		return err
	}
	failed := metrology.Errorf(metrology.CodeNotFound, "no gateway that is configured has the file with root %s", root)
	var tried error
	for _, source := range s.sources {
		err := s.from(ctx, source, root, take)
		if err == nil {
			return nil
		}
		tried = errors.Join(tried, fmt.Errorf("fetch from %s: %w", source, err))
	}
	if tried != nil {
		return fmt.Errorf("%w: %w", failed, tried)
	}
	return failed
}

func (s *Store) from(ctx context.Context, source, root string, take func(io.Reader) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(source, "/")+"/v1/draw-files/"+root, nil)
	if err != nil {
		return err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", response.Status)
	}
	return take(response.Body)
}
