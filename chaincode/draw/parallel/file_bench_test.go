package parallel_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/parallel"
)

// quicknetSignature is that of quicknet's round 1000.
const quicknetSignature = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"

// writeRegister writes a directory file and says where.
func writeRegister(b *testing.B, list draw.Objects) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "objects.csv")
	file, err := os.Create(path)
	require.NoError(b, err)
	out := bufio.NewWriterSize(file, 1<<20)
	_, err = out.WriteString(draw.CSVHeader)
	require.NoError(b, err)
	var row []byte
	for _, o := range list {
		row = draw.AppendRow(row[:0], o)
		_, err = out.Write(row)
		require.NoError(b, err)
	}
	require.NoError(b, out.Flush())
	require.NoError(b, file.Close())
	return path
}

// BenchmarkDrawFromCSV walks a directory file twice without holding it.
func BenchmarkDrawFromCSV(b *testing.B) {
	path := writeRegister(b, register(size(), false))
	runtime.GC()
	file := draw.CSV{Open: func() (io.ReadCloser, error) { return os.Open(path) }}
	var quotas []draw.Quota
	for i := range 10 {
		quotas = append(quotas, draw.Quota{Stratum: "S" + strconv.Itoa(i), Count: 1000})
	}
	b.ResetTimer()
	for range b.N {
		_, err := draw.Select(draw.Digest{1}, file, quotas, 1000)
		require.NoError(b, err)
	}
}

// BenchmarkVerifyMillion checks the transcript of a draw over a million objects
// in a file, as `draw verify` does.
func BenchmarkVerifyMillion(b *testing.B) {
	list := register(1_000_000, false)
	path := writeRegister(b, list)
	transcript := millionTranscript(b, list)
	list = nil
	runtime.GC()
	b.ResetTimer()
	for range b.N {
		steps := draw.Verifier{
			Open:   func(string) (io.ReadCloser, error) { return os.Open(path) },
			Passes: func(objects draw.Objects) draw.Passes { return parallel.New(objects, runtime.GOMAXPROCS(0)) },
		}.Verify(transcript)
		require.False(b, draw.Failed(steps), "%v", steps)
	}
}

// millionTranscript is a draw of a hundredth, two inspectors to an object.
func millionTranscript(b *testing.B, list draw.Objects) draw.Transcript {
	b.Helper()
	rates := map[string][]int{}
	for i := range 10 {
		rates["S"+strconv.Itoa(i)] = []int{1, 1000}
	}
	plan, err := json.Marshal(map[string]any{"rates": rates, "assign": [][]string{{}, {}}})
	require.NoError(b, err)
	signature, err := hex.DecodeString(quicknetSignature)
	require.NoError(b, err)
	secret := draw.Digest{7}
	share := draw.Share{Org: "NotaryMSP", Commitment: draw.Commitment("D", "NotaryMSP", secret), Secret: &secret}
	in := draw.Input{Draw: "D", Plan: plan, Contributions: []draw.Share{share}, Beacon: draw.Beacon{Chain: draw.Quicknet(), Round: 1000, Signature: signature}}
	for i := range 100 {
		in.Inspectors = append(in.Inspectors, draw.Inspector{ID: "I" + strconv.Itoa(i), Cap: 40})
	}
	own, err := draw.Post(in, parallel.New(list, runtime.GOMAXPROCS(0)))
	require.NoError(b, err)
	posting, err := json.Marshal(own.Posting)
	require.NoError(b, err)
	return draw.Transcript{
		Draw: "D", Plan: plan, Posting: posting, Beacon: &in.Beacon,
		Directories: &draw.ShownDirectories{Files: []string{"objects.csv"}, Inspectors: in.Inspectors},
		Freeze:      &draw.FreezeRecord{PlanHash: own.Result.PlanHash, Directories: own.Result.Directories, Freeze: own.Result.Freeze, Round: 1000},
		Commitments: []draw.Commit{{Org: share.Org, Commitment: share.Commitment}},
		Reveals:     []draw.Reveal{{Org: share.Org, Secret: secret}},
	}
}
