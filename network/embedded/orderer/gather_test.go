package orderer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGather(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		within time.Duration
		come   []time.Duration // after the first transaction
		want   int             // transactions in the block
		at     time.Duration   // when it is cut
	}{
		"LoneWaitsForNobody":     {0, []time.Duration{ms}, 1, 0},
		"TakesWhatIsThere":       {0, []time.Duration{0, 0}, 3, 0},
		"WaitsForOthers":         {20 * ms, []time.Duration{4 * ms, 8 * ms}, 3, 13 * ms},
		"EndsWithSilence":        {20 * ms, []time.Duration{4 * ms, 12 * ms}, 2, 9 * ms},
		"NobodyElse":             {20 * ms, nil, 1, 5 * ms},
		"EndsWithTheTime":        {10 * ms, []time.Duration{4 * ms, 8 * ms, 11 * ms}, 3, 10 * ms},
		"EndsWithTheMostInBlock": {20 * ms, []time.Duration{1 * ms, 2 * ms, 3 * ms, 4 * ms}, 4, 3 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &Orderer{cfg: Config{MaxCount: 4, MaxBytes: 1 << 20}, queue: make(chan []byte, 8)}
				begun := time.Now()
				for _, after := range c.come {
					if after == 0 {
						o.queue <- []byte("x")
						continue
					}
					time.AfterFunc(after, func() { o.queue <- []byte("x") })
				}
				batch, carried := o.gather([]byte("first"), c.within)
				require.Len(t, batch, c.want)
				require.Nil(t, carried)
				require.Equal(t, c.at, time.Since(begun))
				time.Sleep(time.Second) // the rest comes
			})
		})
	}
}

func TestGatherCarriesOver(t *testing.T) {
	o := &Orderer{cfg: Config{MaxCount: 4, MaxBytes: 6}, queue: make(chan []byte, 8)}
	o.queue <- []byte("yy")
	o.queue <- []byte("zzz")
	batch, carried := o.gather([]byte("xx"), 0)
	require.Equal(t, [][]byte{[]byte("xx"), []byte("yy")}, batch)
	require.Equal(t, []byte("zzz"), carried)
}
