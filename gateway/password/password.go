// Package password keeps the passwords of posts, as salted PBKDF2 hashes, in
// one small file that its owner alone reads. It is read anew for each check,
// so that a change counts at once.
package password

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// Rounds of PBKDF2 with HMAC-SHA-256 for a new password (OWASP Password
// Storage Cheat Sheet, 2023); a stored hash says its own.
const Rounds = 600_000

// Bounds of a password, in characters and bytes (NIST SP 800-63B, 5.1.1).
const (
	Shortest = 12
	Longest  = 512
)

// Bounds of what is accepted from the file.
const (
	maxRounds = 10_000_000
	saltBytes = 16
	hashBytes = sha256.Size
)

// record is a post's password.
type record struct {
	Scheme string `json:"scheme"` // "pbkdf2-sha256"
	Rounds int    `json:"rounds"`
	Salt   string `json:"salt"` // base64
	Hash   string `json:"hash"` // base64
}

const scheme = "pbkdf2-sha256"

// File is a file of passwords. At most two checks run at one time, so that
// guessing cannot take the processor from everybody else. It is safe for
// concurrent use.
type File struct {
	path  string
	turns chan struct{}
}

// At uses the file at path, which need not exist.
func At(path string) *File { return &File{path: path, turns: make(chan struct{}, 2)} }

// Set gives a post its password.
func (f *File) Set(post, password string) error {
	if n := utf8.RuneCountInString(password); n < Shortest || len(password) > Longest {
		return fmt.Errorf("set password of %s: it must have at least %d characters and at most %d bytes", post, Shortest, Longest)
	}
	all, err := f.read()
	if err != nil {
		return err
	}
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	hash, err := pbkdf2.Key(sha256.New, password, salt, Rounds, hashBytes)
	if err != nil {
		return fmt.Errorf("set password of %s: %w", post, err)
	}
	encode := base64.StdEncoding.EncodeToString
	all[post] = record{Scheme: scheme, Rounds: Rounds, Salt: encode(salt), Hash: encode(hash)}
	return f.write(all)
}

// Check reports whether this is the password of a post. A post without one
// takes as long as any other.
func (f *File) Check(post, password string) (bool, error) {
	f.turns <- struct{}{}
	defer func() { <-f.turns }()
	all, err := f.read()
	if err != nil {
		return false, err
	}
	stored, known := all[post]
	if !known {
		stored = record{Scheme: scheme, Rounds: Rounds, Salt: "AAAA", Hash: "AAAA"}
	}
	salt, saltErr := base64.StdEncoding.DecodeString(stored.Salt)
	want, hashErr := base64.StdEncoding.DecodeString(stored.Hash)
	if saltErr != nil || hashErr != nil || stored.Scheme != scheme || stored.Rounds < 1 || stored.Rounds > maxRounds {
		return false, fmt.Errorf("check password of %s: what %s has of it cannot be read", post, f.path)
	}
	hash, err := pbkdf2.Key(sha256.New, password, salt, stored.Rounds, hashBytes)
	if err != nil {
		return false, fmt.Errorf("check password of %s: %w", post, err)
	}
	return known && subtle.ConstantTimeCompare(hash, want) == 1, nil
}

func (f *File) read() (map[string]record, error) {
	all := map[string]record{}
	content, err := os.ReadFile(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read passwords: %w", err)
	}
	if err := json.Unmarshal(content, &all); err != nil {
		return nil, fmt.Errorf("read passwords %s: %w", f.path, err)
	}
	return all, nil
}

// write replaces the file whole, readable by its owner only.
func (f *File) write(all map[string]record) error {
	content, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("encode passwords: %w", err)
	}
	next, err := os.CreateTemp(filepath.Dir(f.path), ".passwords-*")
	if err != nil {
		return fmt.Errorf("write passwords: %w", err)
	}
	defer os.Remove(next.Name()) // gone already when all went well
	_, err = next.Write(append(content, '\n'))
	if err = errors.Join(err, next.Close()); err == nil {
		err = os.Rename(next.Name(), f.path)
	}
	if err != nil {
		return fmt.Errorf("write passwords: %w", err)
	}
	return nil
}
