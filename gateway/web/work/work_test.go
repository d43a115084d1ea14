package work

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWorkIsFoundAgain(t *testing.T) {
	now := time.Now()
	directory := filepath.Join(t.TempDir(), "work")
	s := NewStore(directory, func() time.Time { return now })
	none, err := s.List("institute")
	require.NoError(t, err)
	require.Empty(t, none)

	require.NoError(t, s.Begin(Item{ID: "a1", Label: "institute", Job: "importCertificates", Name: "day.csv"}))
	require.ErrorIs(t, s.Begin(Item{ID: "a1", Label: "institute"}), ErrKnown)
	s.Progress("a1", 3, 10)
	s.Progress("unknown", 1, 1)
	item, found, err := s.Find("institute", "a1")
	require.NoError(t, err)
	require.True(t, found && item.Running)
	require.Equal(t, []int{3, 10}, []int{item.Done, item.Total})
	_, found, err = s.Find("regulator", "a1")
	require.NoError(t, err)
	require.False(t, found, "work is one's own")

	crashed, found, err := NewStore(directory, time.Now).Find("institute", "a1")
	require.NoError(t, err)
	require.True(t, found && crashed.Interrupted(), "another process finds that it never ended")

	require.NoError(t, s.End("a1", 200, []byte(`{"counts":{}}`)))
	require.Error(t, s.End("a1", 200, nil))
	again := NewStore(directory, func() time.Time { return now })
	item, found, err = again.Find("institute", "a1")
	require.NoError(t, err)
	require.True(t, found && !item.Running && !item.Interrupted())
	require.JSONEq(t, `{"counts":{}}`, string(item.Answer))

	now = now.Add(time.Hour)
	require.NoError(t, again.Begin(Item{ID: "b2", Label: "institute"}))
	list, err := again.List("institute")
	require.NoError(t, err)
	require.Equal(t, []string{"b2", "a1"}, []string{list[0].ID, list[1].ID})

	now = now.Add(Retention + time.Hour)
	require.NoError(t, again.Begin(Item{ID: "c3", Label: "institute"}))
	_, found, _ = again.Find("institute", "a1")
	require.False(t, found, "old work is forgotten")
}

func TestIdsAreNoPaths(t *testing.T) {
	s := NewStore(t.TempDir(), time.Now)
	for _, id := range []string{"", "../x", "a/b", "A", "a.json"} {
		require.Error(t, s.Begin(Item{ID: id}))
		_, found, err := s.Find("", id)
		require.NoError(t, err)
		require.False(t, found)
	}
	require.NoError(t, os.WriteFile(filepath.Join(s.directory, "ab.json"), []byte("{"), 0o600))
	_, _, err := s.Find("", "ab")
	require.Error(t, err)
}
