package load

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

// largeSize is the number of certificates when STEELYARD_LARGE is set.
const (
	defaultSize = 100_000
	largeSize   = 1_000_000
)

func size() int {
	if os.Getenv("STEELYARD_LARGE") != "" {
		return largeSize
	}
	return defaultSize
}

// databases are the read models to measure: SQLite, and PostgreSQL when
// STEELYARD_POSTGRES names an empty database of it.
func databases(b *testing.B) map[string]readmodel.Config {
	all := map[string]readmodel.Config{"SQLite": {Driver: "sqlite", DSN: filepath.Join(b.TempDir(), "readmodel.db")}}
	if dsn := os.Getenv("STEELYARD_POSTGRES"); dsn != "" {
		all["PostgreSQL"] = readmodel.Config{Driver: "pgx", DSN: dsn}
	}
	return all
}

// BenchmarkRebuild projects batches of 1,000 certificates, one batch a block,
// each certificate with two digests and one instrument of 10,000.
func BenchmarkRebuild(b *testing.B) {
	for name, config := range databases(b) {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				_, took := fill(b, config, size())
				took.tell(b, size(), "leaf")
			}
		})
	}
}

// BenchmarkVerify answers GET /v1/verify/sha256/… in process: for digests that
// are registered, each another one, and for others. Bare is a handler that
// returns the same bytes.
func BenchmarkVerify(b *testing.B) {
	for name, config := range databases(b) {
		b.Run(name, func(b *testing.B) {
			store, _ := fill(b, config, size())
			b.Run("Register/Hit", func(b *testing.B) { lookUp(b, store, "file %d", 1) })
			b.Run("Register/Miss", func(b *testing.B) { lookUp(b, store, "other %d", 0) })
			handler := handlerOf(store)
			b.Run("Handler/Hit", func(b *testing.B) { ask(b, handler, "file %d") })
			b.Run("Handler/Miss", func(b *testing.B) { ask(b, handler, "other %d") })
			b.Run("Bare", func(b *testing.B) { ask(b, bare(b, handler), "file %d") })
		})
	}
}

func lookUp(b *testing.B, store *readmodel.Store, format string, want int) {
	start := spent()
	for i := 0; b.Loop(); i++ {
		found, err := store.CertificatesByDigest(context.Background(), metrology.AlgorithmSHA256, digest(format, scatter(i)), "2026-03-15")
		require.NoError(b, err)
		require.Len(b, found, want)
	}
	spent().minus(start).tell(b, b.N, "read")
}

// scatter visits all certificates once, neighbours far apart.
func scatter(i int) int { return i * 7919 % size() }

func digest(format string, i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, format, i))
	return hex.EncodeToString(sum[:])
}

func handlerOf(store *readmodel.Store) http.Handler {
	limits := api.DefaultLimits()
	limits.ReadsPerSec = 1e9
	e := api.NewEcho(slog.New(slog.DiscardHandler), limits, api.NewTokens(nil))
	api.New(api.Config{Register: store, Clock: time.Now, Upload: limits.Upload, Ready: func() error { return nil }}).Mount(e)
	return e
}

func ask(b *testing.B, handler http.Handler, format string) {
	var next atomic.Int64
	next.Store(rand.Int64N(int64(size()))) // so that a repeated run asks for others
	start := spent()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := int(next.Add(1))
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/verify/sha256/"+digest(format, scatter(i)), nil))
			if answer.Code != http.StatusOK {
				b.Errorf("%d: %s", answer.Code, answer.Body)
				return
			}
		}
	})
	spent().minus(start).tell(b, b.N, "read")
}

func bare(b *testing.B, handler http.Handler) http.Handler {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/verify/sha256/"+digest("file %d", 1), nil))
	require.Equal(b, http.StatusOK, answer.Code)
	e := echo.New()
	e.GET("/v1/verify/:algorithm/:digest", func(c echo.Context) error { return c.JSONBlob(http.StatusOK, answer.Body.Bytes()) })
	return e
}

// fill projects count certificates into an empty read model and returns how
// long Apply took, apart from making the blocks.
func fill(b *testing.B, config readmodel.Config, count int) (*readmodel.Store, cost) {
	config.Channel, config.Chaincode, config.Genesis = "steelyard", "metrology", blockHash(0)
	store, err := readmodel.Open(context.Background(), config)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	require.NoError(b, store.Drop(context.Background()))
	var took cost
	var group []ledger.Block
	var previous ledger.Hash
	next := 0
	add := func(transactions ...ledger.Transaction) {
		group = append(group, ledger.Block{Number: uint64(next), Hash: blockHash(next), PreviousHash: previous, Transactions: transactions})
		previous, next = blockHash(next), next+1
	}
	apply := func() {
		start := spent()
		require.NoError(b, store.Apply(context.Background(), group...))
		took, group = took.plus(spent().minus(start)), group[:0]
	}
	add()
	add(register()...)
	apply()
	took = cost{}
	for from := 0; from < count; from += metrology.MaxBatchLeaves {
		add(batch(b, from, min(metrology.MaxBatchLeaves, count-from)))
		if len(group) == groupOf {
			apply()
		}
	}
	apply()
	return store, took
}

// groupOf is how many blocks of 1,000 certificates the gateway applies together
// when it has many to catch up with.
const groupOf = 16

func blockHash(number int) ledger.Hash {
	return sha256.Sum256([]byte("block " + strconv.Itoa(number)))
}

const instruments = 10_000

// register is the institution and the instruments.
func register() []ledger.Transaction {
	day := metrology.Date("2026-01-01")
	issuer := metrology.Issuer{ID: "lab", Region: "310115", State: metrology.IssuerActive, Grants: []metrology.Grant{{
		Authority: metrology.AuthorityAuthorized, From: day, Until: day.AddDays(365), Scope: []metrology.ScopeItem{{Category: "24-2", Regulation: "JJG 443-2023"}},
	}}}
	all := []ledger.Transaction{act("issuer.registered", "lab", put("issuer/lab", issuer))}
	for i := range instruments {
		id := "i" + strconv.Itoa(i)
		all = append(all, act("instrument.registered", id, put("instrument/"+id, metrology.Instrument{ID: id, State: metrology.InstrumentInUse})))
	}
	return all
}

func act(event metrology.EventType, id string, writes ...ledger.Write) ledger.Transaction {
	payload, _ := json.Marshal(metrology.NewEvent(event, id))
	return ledger.Transaction{
		ID: hashText(string(event) + id), Chaincode: "metrology", Function: "load:Act", Timestamp: time.Unix(1_770_000_000, 0),
		Event: &ledger.Event{Name: string(event), Payload: payload}, Writes: writes,
	}
}

func put(key string, value any) ledger.Write {
	raw, _ := json.Marshal(value)
	return ledger.Write{Namespace: "metrology", Key: key, Value: raw}
}

func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// batch is a transaction that anchors count certificates.
func batch(b *testing.B, from, count int) ledger.Transaction {
	root := hashText("root " + strconv.Itoa(from))
	request := metrology.AnchorBatch{Issuer: "lab", Root: root, Key: "k", Signature: make([]byte, 64)}
	t := act("certificate.anchored", metrology.BatchID("lab", root))
	for i := range count {
		n := from + i
		number := "JL-2026-" + strconv.Itoa(n)
		raw, err := metrology.Leaf{
			Issuer: "lab", Kind: metrology.KindVerification, Number: number, Regulation: "JJG 443-2023", Performed: "2026-01-10", Issued: "2026-01-11", ValidUntil: "2026-07-09",
			Digests: []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: digest("file %d", n)}, {Algorithm: metrology.AlgorithmSM3, Value: digest("sm3 %d", n)}},
			Instruments: []metrology.LeafInstrument{{
				Category: "24-2", ID: "i" + strconv.Itoa(n%instruments), Serial: "S" + strconv.Itoa(n), Conclusion: metrology.ConclusionPass,
			}},
		}.Bytes()
		require.NoError(b, err)
		sum := sha256.Sum256(append([]byte{0}, raw...))
		request.Leaves = append(request.Leaves, raw)
		t.Writes = append(t.Writes, put(metrology.CertificateKey("lab", number),
			metrology.Certificate{Batch: root, Index: i, LeafHash: hex.EncodeToString(sum[:]), State: metrology.CertificateAnchored}))
	}
	t.Writes = append(t.Writes, put(metrology.Key(metrology.KindBatch, "lab", root),
		metrology.Batch{Issuer: "lab", Root: root, Count: count, Key: "k", Signature: request.Signature}))
	argument, err := json.Marshal(request)
	require.NoError(b, err)
	t.Function, t.Args = "certificate:AnchorBatch", [][]byte{argument}
	return t
}
