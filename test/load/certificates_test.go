package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/test/load/arrivals"
	"github.com/steelyard-ledger/steelyard/test/load/wire"
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
// model of STEELYARD_LARGE size, each digest another one: the most that clients
// who each wait get, then arrivals at half of that, with latencies from when
// each was due; and beside it the most that they get from a bare handler which
// returns the same bytes. Clients and server share the process and its
// processors, with the gateway's setting of the collector. The certificates are
// projected first, from blocks of 1,000, in one go.
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
		server := httptest.NewServer(c.handler)
		r := newReads(strings.TrimPrefix(server.URL, "http://"), c.format)
		var most float64
		b.Run(c.name, func(b *testing.B) {
			start := spent()
			report := arrivals.Closed(b.Context(), readers, b.N, r.read)
			spent().minus(start).tell(b, b.N, "read")
			require.Empty(b, report.Failures)
			b.ReportMetric(float64(report.Quantile(0.99).Microseconds())/1000, "p99-ms")
			most = report.Rate()
		})
		b.Run(c.name+"/Half", func(b *testing.B) {
			if most == 0 {
				b.Skip("needs the most that can be read")
			}
			tell(b, arrivals.Open(b.Context(), most/2, b.N, r.read), "read")
		})
		r.close()
		server.Close()
	}
}

// readers ask at once; more only wait for the same processors.
const readers = 8

// reads asks a server for one certificate after the other.
type reads struct {
	host, format string
	next         atomic.Int64
	free         chan struct{} // of as many as may be under way
	mutex        sync.Mutex
	idle         []*wire.Conn // the last to be free is the first to be used again
}

// mostReads bounds the connections: when all of them wait for an answer, the
// next read is sent late, and its latency counts from when it was due.
const mostReads = 200

func newReads(host, format string) *reads {
	r := &reads{host: host, format: format, free: make(chan struct{}, mostReads)}
	r.next.Store(rand.Int64N(int64(size()))) // so that a repeated run asks for others
	return r
}

// take is a connection that is idle, or a new one.
func (r *reads) take() *wire.Conn {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	last := len(r.idle) - 1
	if last < 0 {
		return wire.New(r.host)
	}
	c := r.idle[last]
	r.idle = r.idle[:last]
	return c
}

func (r *reads) give(c *wire.Conn) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.idle = append(r.idle, c)
}

func (r *reads) read(ctx context.Context, _ int) (failure string) {
	r.free <- struct{}{}
	defer func() { <-r.free }()
	c := r.take()
	defer r.give(c)
	path := "/v1/verify/sha256/" + digest(r.format, scatter(int(r.next.Add(1))))
	if got := c.Send(ctx, wire.Request{Method: http.MethodGet, Path: path}.Encode(r.host)); got.Status != http.StatusOK {
		return strconv.Itoa(got.Status)
	}
	return ""
}

func (r *reads) close() {
	for _, c := range r.idle {
		c.Close()
	}
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
