// Package work remembers long work that was begun at a desk, so that whoever
// began it can leave and find it again: its progress while it runs, in memory,
// and its beginning and end in one small file each.
package work

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Item is one piece of work.
type Item struct {
	ID      string          `json:"id"`
	Label   string          `json:"label"` // of the post that began it
	Job     string          `json:"job"`
	Name    string          `json:"name"` // of the file it works on
	Began   time.Time       `json:"began"`
	Ended   time.Time       `json:"ended,omitzero"`
	Status  int             `json:"status,omitempty"` // HTTP status of the answer
	Answer  json.RawMessage `json:"answer,omitempty"`
	Running bool            `json:"-"`
	Done    int             `json:"-"` // of Total, while it runs
	Total   int             `json:"-"`
}

// Interrupted reports whether the program ended while this was running.
func (i Item) Interrupted() bool { return i.Ended.IsZero() && !i.Running }

// Retention is how long work can be found again.
const Retention = 30 * 24 * time.Hour

// maxListed bounds a list.
const maxListed = 100

// ErrKnown says that work with this id was begun already.
var ErrKnown = errors.New("this work was begun already")

// Store keeps work in a directory. It is safe for concurrent use.
type Store struct {
	directory string
	clock     func() time.Time
	mu        sync.Mutex
	running   map[string]*Item
}

// NewStore uses a directory, which is made when something is kept.
func NewStore(directory string, clock func() time.Time) *Store {
	return &Store{directory: directory, clock: clock, running: make(map[string]*Item)}
}

// Begin records that work has begun. It also forgets what is old.
func (s *Store) Begin(item Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, err := s.path(item.ID)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil || s.running[item.ID] != nil {
		return ErrKnown
	}
	item.Began = s.clock().UTC()
	if err := s.write(item); err != nil {
		return err
	}
	item.Running = true
	s.running[item.ID] = &item
	return s.forget()
}

// Progress notes how far work is.
func (s *Store) Progress(id string, done, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if item, known := s.running[id]; known {
		item.Done, item.Total = done, total
	}
}

// End records the answer.
func (s *Store) End(id string, status int, answer []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, known := s.running[id]
	if !known {
		return fmt.Errorf("end work %s: it is not running", id)
	}
	delete(s.running, id)
	item.Ended, item.Status, item.Answer = s.clock().UTC(), status, answer
	return s.write(*item)
}

// Find returns a post's work.
func (s *Store) Find(label, id string) (Item, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, found, err := s.read(id)
	return item, found && item.Label == label, err
}

// List returns a post's work, the newest first, without answers.
func (s *Store) List(label string) ([]Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	files, err := os.ReadDir(s.directory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list work: %w", err)
	}
	var all []Item
	for _, file := range files {
		item, found, err := s.read(strings.TrimSuffix(file.Name(), suffix))
		if err == nil && found && item.Label == label {
			item.Answer = nil
			all = append(all, item)
		}
	}
	slices.SortFunc(all, func(a, b Item) int { return b.Began.Compare(a.Began) })
	return all[:min(len(all), maxListed)], nil
}

const suffix = ".json"

func (s *Store) path(id string) (string, error) {
	if id == "" || strings.Trim(id, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is not an id of work", id)
	}
	return filepath.Join(s.directory, id+suffix), nil
}

func (s *Store) read(id string) (Item, bool, error) {
	if item, known := s.running[id]; known {
		return *item, true, nil
	}
	var item Item
	path, err := s.path(id)
	if err != nil {
		return item, false, nil // no such id is ever given
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return item, false, nil
	}
	if err != nil {
		return item, false, fmt.Errorf("read work: %w", err)
	}
	if err := json.Unmarshal(content, &item); err != nil {
		return item, false, fmt.Errorf("read work %s: %w", id, err)
	}
	return item, true, nil
}

// write replaces an item's file whole; its owner alone reads it.
func (s *Store) write(item Item) error {
	path, err := s.path(item.ID)
	if err != nil {
		return err
	}
	content, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("encode work: %w", err)
	}
	if err := os.MkdirAll(s.directory, 0o700); err != nil {
		return fmt.Errorf("keep work: %w", err)
	}
	next := path + ".new"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return fmt.Errorf("keep work: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("keep work: %w", err)
	}
	return nil
}

// forget removes what is older than Retention.
func (s *Store) forget() error {
	files, err := os.ReadDir(s.directory)
	if err != nil {
		return fmt.Errorf("list work: %w", err)
	}
	for _, file := range files {
		about, err := file.Info()
		if err == nil && s.clock().Sub(about.ModTime()) > Retention {
			err = os.Remove(filepath.Join(s.directory, file.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget work: %w", err)
		}
	}
	return nil
}
