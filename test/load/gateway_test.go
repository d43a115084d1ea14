package load

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/test/load/arrivals"
)

// clients write at once when the most is wanted.
const clients = 200

// BenchmarkWrite is confirmed writes over REST to the embedded network, fsync
// on: one client that waits for each; clients that each wait, also when they are
// refused; and arrivals at half of what those reached. Beside it stands the limit of the machine, the
// writes a second that it could sign and check if it did nothing else.
//
//	go test ./test/load -run xxx -bench Write -benchtime 5000x -count 5
func BenchmarkWrite(b *testing.B) {
	s := serve(b, filepath.Join(b.TempDir(), "data"))
	s.merchant(b)
	var next atomic.Int64
	write := func(ctx context.Context, _ int) string {
		failure, _ := s.write(ctx, fmt.Sprintf("I-LOAD-%d", next.Add(1)))
		return failure
	}
	// As many clients as there are meet the gateway's limit: they wait as it
	// tells them, then ask again.
	patient := func(ctx context.Context, _ int) string {
		failure, wait := s.write(ctx, fmt.Sprintf("I-LOAD-%d", next.Add(1)))
		time.Sleep(wait)
		return failure
	}
	arrivals.Closed(b.Context(), clients, 2000, patient) // warm up
	var most float64
	b.Run("Lone", func(b *testing.B) {
		report := arrivals.Closed(b.Context(), 1, min(b.N, 500), write)
		tell(b, report, "write")
	})
	b.Run("Most", func(b *testing.B) {
		ceiling := signatureCeiling(time.Second)
		before := s.processor(b)
		report := arrivals.Closed(b.Context(), clients, b.N, patient)
		if report.Done() > 0 {
			b.ReportMetric(float64((s.processor(b)-before).Microseconds())/float64(report.Done()), "cpu-us/write")
		}
		tell(b, report, "write")
		most = report.Rate()
		b.ReportMetric(ceiling, "ceiling/s")
		b.ReportMetric(report.Rate()/ceiling, "of-ceiling")
	})
	b.Run("Half", func(b *testing.B) {
		if most == 0 {
			b.Skip("needs what Most found")
		}
		tell(b, arrivals.Open(b.Context(), most/2, b.N, write), "write")
	})
}

// tell reports how so many of a thing were answered.
func tell(b *testing.B, report arrivals.Report, thing string) {
	b.Helper()
	b.ReportMetric(float64(report.Failures["503"]), "refused") // at its limit, to be asked again
	delete(report.Failures, "503")
	require.Empty(b, report.Failures)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(report.Rate(), thing+"/s")
	b.ReportMetric(float64(report.Quantile(0.5).Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(report.Quantile(0.99).Microseconds())/1000, "p99-ms")
}

// What one write takes in signatures with three endorsing organisations: the
// client signs proposal and envelope, each organisation its endorsement; the
// proposal is checked where it arrives, creator and endorsements at the commit.
const (
	signaturesMade    = 2 + 3
	signaturesChecked = 1 + 1 + 3
)

// signatureCeiling is how many writes a second all cores could sign and check
// with ECDSA P-256, doing nothing else.
func signatureCeiling(during time.Duration) float64 {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the system gives no random numbers
	}
	digest := sha256.Sum256([]byte("proposal"))
	var done atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for time.Since(start) < during {
				var signature []byte
				for range signaturesMade {
					signature, _ = ecdsa.SignASN1(rand.Reader, key, digest[:])
				}
				for range signaturesChecked {
					ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature)
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(start).Seconds()
}

// BenchmarkStart is from the start of the process until /readyz says so: on an
// empty directory, demonstration content included, and again on what is there.
//
//	go test ./test/load -run xxx -bench Start -benchtime 5x
func BenchmarkStart(b *testing.B) {
	for range b.N {
		data := filepath.Join(b.TempDir(), "data")
		for _, when := range []string{"fresh-ms", "again-ms"} {
			s := serve(b, data)
			b.ReportMetric(float64(s.ready.Milliseconds()), when)
			s.stop()
		}
	}
	b.ReportMetric(0, "ns/op")
}
