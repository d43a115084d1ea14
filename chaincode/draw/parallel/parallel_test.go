package parallel_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/parallel"
)

func outcome(t require.TestingT, list draw.Objects, shards int) (draw.Digest, []draw.Total, []draw.Stratum) {
	passes := parallel.New(list, shards)
	survey, err := passes.Survey()
	require.NoError(t, err)
	quotas := []draw.Quota{{Stratum: "A", Numerator: 1, Denominator: 3}, {Stratum: "B", Numerator: 1, Denominator: 9}}
	selector, err := draw.NewSelector(draw.Digest{3}, survey, quotas, 7)
	require.NoError(t, err)
	require.NoError(t, passes.Select(selector))
	strata, err := selector.Strata()
	require.NoError(t, err)
	return survey.Root(), survey.Strata(), strata
}

func TestShardsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 2000).Draw(t, "objects")
		heaviest := rapid.IntRange(1, 9).Draw(t, "heaviest")
		list := make(draw.Objects, n)
		for i := range list {
			list[i] = draw.Object{ID: fmt.Sprintf("S%06d", i), Stratum: string("AB"[i*7%5%2]), Weight: uint32(1 + i%heaviest)}
		}
		root, totals, strata := outcome(t, list, 1)
		serial := draw.NewSurvey()
		require.NoError(t, serial.AddAll(list))
		require.Equal(t, serial.Root(), root)
		gotRoot, gotTotals, gotStrata := outcome(t, list, rapid.IntRange(2, 9).Draw(t, "shards"))
		require.Equal(t, root, gotRoot)
		require.Equal(t, totals, gotTotals)
		require.Equal(t, fmt.Sprint(show(strata)), fmt.Sprint(show(gotStrata)))
	})
}

// show follows the thresholds' pointers.
func show(strata []draw.Stratum) []any {
	var out []any
	for _, s := range strata {
		out = append(out, s.Name, s.Quota, s.Outright, s.Selected, s.Standby)
		if s.Threshold != nil {
			out = append(out, *s.Threshold)
		}
	}
	return out
}

func TestErrAcrossShards(t *testing.T) {
	list := make(draw.Objects, 1024)
	for i := range list {
		list[i] = draw.Object{ID: fmt.Sprintf("S%06d", i), Stratum: "A", Weight: 1}
	}
	t.Run("Twice", func(t *testing.T) {
		twice := append(draw.Objects{}, list...)
		twice[512] = twice[511]
		_, err := parallel.New(twice, 2).Survey()
		require.ErrorContains(t, err, "duplicate")
	})
	t.Run("Unsorted", func(t *testing.T) {
		turned := append(draw.Objects{}, list[512:]...)
		_, err := parallel.New(append(turned, list[:512]...), 2).Survey()
		require.ErrorContains(t, err, "order")
	})
}
