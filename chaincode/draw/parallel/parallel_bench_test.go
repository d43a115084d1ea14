package parallel_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/parallel"
)

// register makes n objects in ten strata, ids in slabs so that the list costs
// 40 bytes and the id's own bytes for each object.
func register(n int, weighted bool) draw.Objects {
	const width = 12
	var slab strings.Builder
	slab.Grow(n * width)
	for i := range n {
		slab.WriteString("SITE")
		slab.WriteString(strconv.Itoa(100_000_000 + i)[1:])
	}
	ids := slab.String()
	strata := make([]string, 10)
	for i := range strata {
		strata[i] = "S" + strconv.Itoa(i)
	}
	list := make(draw.Objects, n)
	for i := range list {
		list[i] = draw.Object{ID: ids[i*width : (i+1)*width], Stratum: strata[i%10], Weight: 1}
		if weighted {
			list[i].Weight = uint32(1 + i*7919%100)
		}
	}
	return list
}

// size is the directory's size: ten million with STEELYARD_LARGE set.
func size() int {
	if os.Getenv("STEELYARD_LARGE") != "" {
		return 10_000_000
	}
	return 1_000_000
}

// BenchmarkDraw walks a directory in memory twice: root and totals, then
// tickets, thresholds and as many standby ranks as selected objects.
func BenchmarkDraw(b *testing.B) {
	for _, c := range []struct {
		name     string
		weighted bool
		quota    uint64
		shards   int
	}{
		{"Equal1Shard", false, 1_000, 1},
		{"Equal2Shards", false, 1_000, 2},
		{"Equal5Percent2Shards", false, uint64(size() / 200), 2},
		{"Weighted2Shards", true, 1_000, 2},
	} {
		b.Run(c.name, func(b *testing.B) {
			list := register(size(), c.weighted)
			var quotas []draw.Quota
			for i := range 10 {
				quotas = append(quotas, draw.Quota{Stratum: "S" + strconv.Itoa(i), Count: c.quota})
			}
			runtime.GC()
			b.ResetTimer()
			for range b.N {
				passes := parallel.New(list, c.shards)
				survey, err := passes.Survey()
				require.NoError(b, err)
				_ = survey.Root()
				selector, err := draw.NewSelector(draw.Digest{1}, survey, quotas, int(c.quota))
				require.NoError(b, err)
				require.NoError(b, passes.Select(selector))
				_, err = selector.Strata()
				require.NoError(b, err)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/(1<<20), "MB-sys")
		})
	}
}
