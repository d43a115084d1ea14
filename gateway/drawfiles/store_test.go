package drawfiles

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

func objects(n int) draw.Objects {
	list := make(draw.Objects, n)
	for i := range list {
		list[i] = draw.Object{ID: fmt.Sprintf("S-%06d", 2*i), Stratum: string(rune('A' + i%2)), Weight: uint32(1 + i%2*(i%5))}
	}
	return list
}

func file(list draw.Objects) []byte {
	out := []byte(draw.CSVHeader)
	for _, o := range list {
		out = draw.AppendRow(out, o)
	}
	return out
}

func open(t *testing.T, sources ...string) *Store {
	t.Helper()
	s, err := Open(Config{Dir: t.TempDir(), Sources: sources})
	require.NoError(t, err)
	return s
}

// TestKeep: what is kept is the directory that was put, and every proof from
// its tiles is that of a walk.
func TestKeep(t *testing.T) {
	for _, size := range []int{1, 255, 256, 257, 1000} {
		s, list := open(t), objects(size)
		kept, err := s.Keep(bytes.NewReader(file(list)), "")
		require.NoError(t, err)
		survey := draw.NewSurvey()
		require.NoError(t, survey.AddAll(list))
		require.Equal(t, survey.Root().String(), kept.Root)
		require.EqualValues(t, size, kept.Objects)
		require.Len(t, kept.Strata, min(size, 2))
		var walked draw.Objects
		require.NoError(t, s.Directory(kept.Root).Each(func(o draw.Object) error { walked = append(walked, o); return nil }))
		require.Equal(t, list, walked)

		again := Store{dir: s.dir, held: map[string]*directory{}} // as after a restart
		summary, err := again.Summary(kept.Root)
		require.NoError(t, err)
		require.Equal(t, kept, summary)
		for _, id := range []string{"A", "S-000000", "S-000001", "S-000510", "S-000511", "S-000512", "S-000513", list[size-1].ID, "Z"} {
			proof, absence, err := again.Prove(kept.Root, id)
			require.NoError(t, err)
			wantProof, wantAbsence, err := draw.Prove(list, id)
			require.NoError(t, err)
			require.Equal(t, wantProof == nil, proof == nil, id)
			require.Equal(t, wantAbsence == nil, absence == nil, id)
			if proof != nil {
				require.NoError(t, proof.Verify(survey.Root(), uint64(size)), id)
				require.Equal(t, wantProof.Object, proof.Object)
			} else {
				require.NoError(t, absence.Verify(survey.Root(), uint64(size)), id)
			}
		}
	}
}

func TestKeepRefuses(t *testing.T) {
	list := objects(4)
	turned := draw.Objects{list[1], list[0]}
	for name, c := range map[string]struct {
		content []byte
		want    string
		part    string
	}{
		"OtherRoot":  {file(list), strings.Repeat("0", 64), "root"},
		"Unsorted":   {file(turned), "", "order"},
		"Twice":      {file(draw.Objects{list[0], list[0]}), "", "duplicate"},
		"LowerCase":  {[]byte(draw.CSVHeader + "s-1,A,1\n"), "", "characters"},
		"WeightZero": {[]byte(draw.CSVHeader + "S-1,A,0\n"), "", "weight"},
		"NoHeader":   {[]byte("S-1,A,1\n"), "", "first row"},
		"Empty":      {nil, "", "empty"},
		"JSON":       {[]byte(`{"objects":[]}`), "", "quote"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			_, err := s.Keep(bytes.NewReader(c.content), c.want)
			require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "%v", err)
			require.ErrorContains(t, err, c.part)
			left, err := os.ReadDir(s.dir)
			require.NoError(t, err)
			require.Empty(t, left, "nothing stays")
		})
	}
}

func TestRootsAreNoPaths(t *testing.T) {
	s := open(t)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(s.dir), "x.csv"), nil, 0o600))
	for _, root := range []string{"../x", "", strings.Repeat("A", 64)} {
		_, err := s.Open(root)
		require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), root)
		require.False(t, s.Has(root))
	}
	_, err := s.Open(strings.Repeat("a", 64))
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
}

// serve answers with what a store has, changed on the way.
func serve(t *testing.T, s *Store, change func([]byte) []byte) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, err := s.Open(strings.TrimPrefix(r.URL.Path, "/v1/draw-files/"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer in.Close()
		content, _ := io.ReadAll(in)
		_, _ = w.Write(change(content))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestFetch: a missing file comes from the first gateway that has the right
// one; what another gives out in its name is not kept.
func TestFetch(t *testing.T) {
	source := open(t)
	kept, err := source.Keep(bytes.NewReader(file(objects(600))), "")
	require.NoError(t, err)
	list := draw.DrawnList{{Object: objects(1)[0], Inspectors: []string{"I-1", "I-2"}}}
	require.NoError(t, source.KeepDrawn(list))
	lying := serve(t, source, func(content []byte) []byte { return bytes.Replace(content, []byte("S-0000"), []byte("T-0000"), -1) })
	honest := serve(t, source, func(content []byte) []byte { return content })

	s := open(t, lying)
	require.ErrorContains(t, s.FetchDirectory(t.Context(), kept.Root), "root")
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(s.FetchDrawn(t.Context(), list.AssignmentsRoot().String())))
	require.False(t, s.Has(kept.Root))

	s = open(t, lying, "http://127.0.0.1:1", honest)
	require.NoError(t, s.FetchDirectory(t.Context(), kept.Root))
	summary, err := s.Summary(kept.Root)
	require.NoError(t, err)
	require.Equal(t, kept, summary)
	require.NoError(t, s.FetchDrawn(t.Context(), list.AssignmentsRoot().String()))
	got, err := s.Drawn(list.AssignmentsRoot().String())
	require.NoError(t, err)
	require.Equal(t, list, got)
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(open(t).FetchDirectory(t.Context(), kept.Root)))
}

// draws is a register of one large draw and one that is none.
type draws struct{ record public.DrawRecord }

func (d draws) Draws(context.Context, public.DrawFilter) (public.Page[public.Draw], error) {
	return public.Page[public.Draw]{Items: []public.Draw{{}, d.record.Draw}}, nil
}

func (d draws) Draw(context.Context, string) (public.DrawRecord, error) { return d.record, nil }

// TestCollect fetches the directory and the lists of every posting.
func TestCollect(t *testing.T) {
	source := open(t)
	kept, err := source.Keep(bytes.NewReader(file(objects(3))), "")
	require.NoError(t, err)
	var roots []string
	var results []metrology.DrawResult
	for _, o := range objects(2) {
		list := draw.DrawnList{{Object: o}}
		require.NoError(t, source.KeepDrawn(list))
		roots = append(roots, list.AssignmentsRoot().String())
		results = append(results, metrology.DrawResult{Posting: []byte(`{"strata":[],"assignmentsRoot":"` + roots[len(roots)-1] + `","capPlus":0,"loads":{}}`)})
	}
	record := public.DrawRecord{
		Draw: public.Draw{Draw: metrology.Draw{ID: "440300-000001", ByFile: true}}, Frozen: &metrology.DrawFreeze{ObjectsRoot: kept.Root},
		Result: &results[0], Voided: results[1:],
	}
	s := open(t, serve(t, source, func(content []byte) []byte { return content }))
	require.NoError(t, Collector{Register: draws{record}, Store: s, Logger: slog.New(slog.DiscardHandler)}.Collect(t.Context()))
	for _, root := range append(roots, kept.Root) {
		require.True(t, s.Has(root), root)
	}
}
