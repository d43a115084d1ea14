// Package session knows who is signed in at the desks. A session lives in
// memory alone: it ends with its time, by signing out, and with the program.
package session

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"sync"
	"time"
)

// Person is the post that somebody signed in for.
type Person struct {
	Label   string // in the gateway's wallet
	MSP     string
	Role    string
	Subject string
}

// Session is one signing in.
type Session struct {
	Person Person
	Token  string // of its forms, against requests from elsewhere
}

// Permits reports whether a form was made for this session.
func (s Session) Permits(token string) bool {
	return subtle.ConstantTimeCompare([]byte(s.Token), []byte(token)) == 1
}

// Bounds of sessions.
const (
	Idle    = 30 * time.Minute // without a request
	Longest = 12 * time.Hour   // a working day
	most    = 1000             // at one time; the one idle longest makes room
)

// Store holds the sessions. It is safe for concurrent use.
type Store struct {
	clock func() time.Time
	mu    sync.Mutex
	open  map[[sha256.Size]byte]*entry // by the hash of the cookie's value
}

type entry struct {
	Session
	began, used time.Time
}

func (e *entry) over(now time.Time) bool {
	return now.Sub(e.used) > Idle || now.Sub(e.began) > Longest
}

// NewStore makes an empty store.
func NewStore(clock func() time.Time) *Store {
	return &Store{clock: clock, open: make(map[[sha256.Size]byte]*entry)}
}

// Begin signs somebody in and returns the value of the cookie.
func (s *Store) Begin(who Person) (cookie string) {
	cookie = random()
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(now)
	s.open[sha256.Sum256([]byte(cookie))] = &entry{Session: Session{Person: who, Token: random()}, began: now, used: now}
	return cookie
}

// makeRoom drops what is over and, at the bound, the session idle longest.
func (s *Store) makeRoom(now time.Time) {
	var oldest [sha256.Size]byte
	for key, e := range s.open {
		if e.over(now) {
			delete(s.open, key)
			continue
		}
		if known, ok := s.open[oldest]; !ok || e.used.Before(known.used) {
			oldest = key
		}
	}
	if len(s.open) >= most {
		delete(s.open, oldest)
	}
}

// Find returns the session of a cookie, unless it is over, and counts as using
// it.
func (s *Store) Find(cookie string) (Session, bool) { return s.find(cookie, true) }

// Peek is Find for a page that asks by itself: it keeps no session open.
func (s *Store) Peek(cookie string) (Session, bool) { return s.find(cookie, false) }

func (s *Store) find(cookie string, use bool) (Session, bool) {
	key, now := sha256.Sum256([]byte(cookie)), s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	e, known := s.open[key]
	if !known {
		return Session{}, false
	}
	if e.over(now) {
		delete(s.open, key)
		return Session{}, false
	}
	if use {
		e.used = now
	}
	return e.Session, true
}

// End signs out.
func (s *Store) End(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sha256.Sum256([]byte(cookie)))
}

// random is 32 random bytes as text.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}
