package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/test/load/arrivals"
)

// dayFile is a day's certificates as an institute's system exports them, in
// CSV: rows of them, numbered on from first.
func dayFile(first, rows int) []byte {
	var file bytes.Buffer
	file.WriteString("证书编号,证书类型,出厂编号,目录编号,结论,检定规程,检定日期,有效期至,SHA256\n")
	today := time.Now().In(time.FixedZone("UTC+8", 8*3600)).Format(time.DateOnly)
	for i := range rows {
		n := first + i
		fmt.Fprintf(&file, "LOAD-%08d,检定证书,S-%08d,non-automatic-scale,合格,JJG 539-2016,%s,2099-12-31,%s\n", n, n, today, digest("load %d", n))
	}
	return file.Bytes()
}

// answered is what the gateway says to a file of rows.
type answered struct {
	Lines  []struct{ Outcome, Number, ID string }
	Counts map[string]int
}

// anchor sends one file and wants all of its rows anchored.
func (s *served) anchor(b testing.TB, file []byte, rows int) answered {
	b.Helper()
	status, content, err := s.ask(b.Context(), http.MethodPost, "/v1/certificate-batches?issuer=N-INSTITUTE", "institute", "text/csv", file)
	require.NoError(b, err)
	require.Equal(b, http.StatusOK, status, "%.500s", content)
	var answer answered
	require.NoError(b, json.Unmarshal(content, &answer))
	require.Equal(b, map[string]int{"anchored": rows}, answer.Counts)
	return answer
}

// rowsOfFile is how many certificates one file holds.
const rowsOfFile = 5000

// BenchmarkBatches is from sending a day's file of certificates, through
// parsing, the institute's signature, endorsement, ordering, commit and
// projection, until its last certificate's offline evidence is answered.
//
//	go test ./test/load -run xxx -bench Batches -benchtime 5x
func BenchmarkBatches(b *testing.B) {
	s := serve(b, filepath.Join(b.TempDir(), "data"))
	next := 0
	s.anchor(b, dayFile(next, rowsOfFile), rowsOfFile) // warm up
	var took, proof time.Duration
	for range b.N {
		next += rowsOfFile
		file := dayFile(next, rowsOfFile)
		began := time.Now()
		answer := s.anchor(b, file, rowsOfFile)
		anchored := time.Now()
		last := answer.Lines[len(answer.Lines)-1]
		status, content, err := s.ask(b.Context(), http.MethodGet, "/v1/certificates/"+last.ID+"/proof", "", "", nil)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, status, "%.500s", content)
		took, proof = took+time.Since(began), proof+time.Since(anchored)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(b.N*rowsOfFile)/took.Seconds(), "certificates/s")
	b.ReportMetric(float64(proof.Milliseconds())/float64(b.N), "proof-ms")
}

// BenchmarkVerifyHTTP answers GET /v1/verify/sha256/… over HTTP from a read
// model of STEELYARD_LARGE size, each digest another one: the most that
// keep-alive clients in this process get, and beside it the most they get from
// a bare handler that returns the same bytes. Clients and server share the
// process and its processors, with the gateway's setting of the collector. The
// certificates are projected first, from blocks of 1,000, in one go.
//
//	STEELYARD_LARGE=1 go test ./test/load -run xxx -bench VerifyHTTP -benchtime 100000x
func BenchmarkVerifyHTTP(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	config := databases(b)["SQLite"]
	store, _ := fill(b, config, size())
	handler := handlerOf(store)
	for _, c := range []struct {
		name, format string
		handler      http.Handler
	}{{"Hit", "file %d", handler}, {"Miss", "other %d", handler}, {"Bare", "file %d", bare(b, handler)}} {
		b.Run(c.name, func(b *testing.B) {
			server := httptest.NewServer(c.handler)
			defer server.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: readers}}
			start := spent()
			report := arrivals.Closed(b.Context(), readers, b.N, func(ctx context.Context, number int) string {
				return get(ctx, client, server.URL+"/v1/verify/sha256/"+digest(c.format, scatter(number)))
			})
			spent().minus(start).tell(b, b.N, "read")
			require.Empty(b, report.Failures)
			b.ReportMetric(float64(report.Quantile(0.99).Microseconds())/1000, "p99-ms")
		})
	}
}

// readers ask at once; more only wait for the same processors.
const readers = 8

func get(ctx context.Context, client *http.Client, address string) (failure string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err.Error()
	}
	answer, err := client.Do(request)
	if err != nil {
		return "no answer"
	}
	defer answer.Body.Close()
	var sink bytes.Buffer
	if _, err := sink.ReadFrom(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		return strconv.Itoa(answer.StatusCode)
	}
	return ""
}

// BenchmarkStartLarge is a start on a ledger and read model that hold many
// certificates: 100,000, or 1,000,000 with STEELYARD_LARGE. They are anchored
// first, through the gateway as an institute does it, 5,000 in a file, one file
// after the other: some minutes for a million. STEELYARD_LARGE_DATA names a
// directory that keeps them for the next run, which goes on where one ended.
//
//	STEELYARD_LARGE=1 go test ./test/load -run xxx -bench StartLarge -benchtime 5x -timeout 60m
func BenchmarkStartLarge(b *testing.B) {
	data := os.Getenv("STEELYARD_LARGE_DATA")
	if data == "" {
		data = filepath.Join(b.TempDir(), "data")
	}
	s := serve(b, data)
	for first := 0; first < size(); first += rowsOfFile {
		s.keep(b, first)
	}
	s.stop()
	b.ResetTimer()
	var ready, slowest time.Duration
	for range b.N {
		s := serve(b, data)
		ready, slowest = ready+s.ready, max(slowest, s.ready)
		require.True(b, s.anchored(b, size()-1), "ready means that all can be read")
		s.stop()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(ready.Milliseconds())/float64(b.N), "ready-ms")
	b.ReportMetric(float64(slowest.Milliseconds()), "slowest-ms")
}

// keep makes sure that the file that begins at row first is anchored. A gateway
// that is late with a file says what it did not send; sent again, that alone is new.
func (s *served) keep(b testing.TB, first int) {
	b.Helper()
	for !s.anchored(b, first+rowsOfFile-1) {
		status, content, err := s.ask(b.Context(), http.MethodPost, "/v1/certificate-batches?issuer=N-INSTITUTE", "institute", "text/csv", dayFile(first, rowsOfFile))
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, status, "%.500s", content)
		require.NotContains(b, string(content), `"rejected"`)
	}
}

// anchored asks for the certificate of row n.
func (s *served) anchored(b testing.TB, n int) bool {
	b.Helper()
	status, content, err := s.ask(b.Context(), http.MethodGet, "/v1/verify/sha256/"+digest("load %d", n), "", "", nil)
	require.NoError(b, err)
	require.Equal(b, http.StatusOK, status, "%.500s", content)
	return bytes.Contains(content, []byte(`"registered"`))
}
