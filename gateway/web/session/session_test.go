package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSessionEnds(t *testing.T) {
	start := time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		every time.Duration // between two requests
		after time.Duration
		open  bool
	}{
		"used":                 {10 * time.Minute, 2 * time.Hour, true},
		"idle":                 {40 * time.Minute, 40 * time.Minute, false},
		"just not idle":        {Idle, Idle, true},
		"used for a whole day": {10 * time.Minute, Longest + 10*time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			now := start
			s := NewStore(func() time.Time { return now })
			cookie := s.Begin(Person{Label: "regulator"})
			open := true
			for now.Before(start.Add(test.after)) {
				now = now.Add(test.every)
				_, open = s.Find(cookie)
			}
			require.Equal(t, test.open, open)
		})
	}
}

func TestSessionIsOnesOwn(t *testing.T) {
	s := NewStore(time.Now)
	a, b := s.Begin(Person{Label: "a"}), s.Begin(Person{Label: "b"})
	require.NotEqual(t, a, b)
	first, known := s.Find(a)
	require.True(t, known)
	require.Equal(t, "a", first.Person.Label)
	second, _ := s.Find(b)
	require.True(t, first.Permits(first.Token))
	require.False(t, first.Permits(second.Token))
	require.False(t, first.Permits(""))
	s.End(a)
	_, known = s.Find(a)
	require.False(t, known)
	_, known = s.Find(b)
	require.True(t, known)
	_, known = s.Find("")
	require.False(t, known)
}

func TestStoreIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	s := NewStore(func() time.Time { return now })
	first := s.Begin(Person{Label: "first"})
	for range most {
		now = now.Add(time.Millisecond)
		s.Begin(Person{})
	}
	require.Len(t, s.open, most)
	_, known := s.Find(first)
	require.False(t, known)
}

// What asks by itself learns of a session and keeps it from ending no longer.
func TestPeek(t *testing.T) {
	now := time.Unix(0, 0)
	s := NewStore(func() time.Time { return now })
	cookie := s.Begin(Person{Label: "a"})
	for range 3 {
		now = now.Add(Idle / 4)
		found, known := s.Peek(cookie)
		require.True(t, known)
		require.Equal(t, "a", found.Person.Label)
	}
	now = now.Add(Idle/4 + time.Second)
	_, known := s.Find(cookie)
	require.False(t, known)
}
