package draw

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplacement(t *testing.T) {
	inspectors, err := NewInspectors([]Inspector{
		{ID: "BUSY", Cap: 9, Skills: []string{"lead"}}, {ID: "FULL", Cap: 1, Skills: []string{"lead"}}, {ID: "BARRED", Cap: 9, Skills: []string{"lead"}},
		{ID: "THERE", Cap: 9, Skills: []string{"lead"}}, {ID: "UNSKILLED", Cap: 9}, {ID: "FREE-1", Cap: 9, Skills: []string{"lead"}}, {ID: "FREE-2", Cap: 9, Skills: []string{"lead"}},
	})
	require.NoError(t, err)
	ineligible, err := NewIneligible([]Pair{{"BARRED", "S-1"}})
	require.NoError(t, err)
	r := Replacement{
		Seed: Digest{1}, Plan: Plan{Slots: [][]string{{"lead"}, {}}}, Inspectors: inspectors, Ineligible: ineligible,
		Loads: map[string]uint32{"BUSY": 3, "FULL": 1},
	}
	sA := assignSeed(r.Seed)
	first, second := "FREE-1", "FREE-2"
	if a, b := lot(sA, "S-1", first), lot(sA, "S-1", second); a.String() > b.String() {
		first, second = second, first
	}
	require.Equal(t, first, r.Next("S-1", 0, []string{"THERE"}), "the least loaded, by lot")
	require.Equal(t, second, r.Next("S-1", 0, []string{"THERE", first}))
	require.Equal(t, "BUSY", r.Next("S-1", 0, []string{"THERE", first, second}), "the busy before the full")
	require.Empty(t, r.Next("S-1", 0, []string{"THERE", first, second, "BUSY"}))
	r.CapPlus = 1
	require.Equal(t, "FULL", r.Next("S-1", 0, []string{"THERE", first, second, "BUSY"}), "the step of the ladder counts")
	require.Equal(t, "UNSKILLED", r.Next("S-1", 1, []string{"THERE", first, second}), "a slot for any skill")
	require.False(t, r.Eligible("BARRED", "S-1"))
	require.True(t, r.Eligible("BARRED", "S-2"))
}
