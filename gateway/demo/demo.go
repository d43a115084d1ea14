// Package demo makes the demonstration content of a new embedded ledger. It
// does what its users would: every step is a request to the REST interface
// under the token of the post that has the right to it, with an
// Idempotency-Key, so that a start that was cut off is simply gone through
// again. All of it is synthetic.
package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"text/template"

	"github.com/emmansun/gmsm/sm3"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology/rules"
)

//go:embed files/* steps.json
var content embed.FS

// Stage is where the demonstration plays.
type Stage struct {
	Handler  http.Handler                                  // of the gateway
	Tokens   map[string]string                             // by post
	Subjects map[string]string                             // by post
	Today    metrology.Date                                // all dates are told from it
	IssueKey func(issuer string) (spki []byte, err error)  // makes and keeps a signing key
	Files    func(name string, content []byte) (err error) // keeps a sample file for the visitor
}

// step is one request.
type step struct {
	As   string          `json:"as"`
	Do   string          `json:"do"` // method and path
	Body json.RawMessage `json:"body,omitempty"`
	Keep string          `json:"keep,omitempty"` // name under which the answer's id can be used, as {name}, in a later path
}

// ErrPlayed says that somebody else has made this content on the ledger, with
// keys and on a day of their own.
var ErrPlayed = errors.New("the ledger has demonstration content of another gateway")

// Play goes through all steps in order and stops at the first that fails.
func (s *Stage) Play(ctx context.Context) error {
	if err := s.keepFiles(); err != nil {
		return err
	}
	if err := s.proposeRules(ctx); err != nil {
		return err
	}
	steps, err := s.steps()
	if err != nil {
		return err
	}
	kept := map[string]string{}
	for i, step := range steps {
		for name, id := range kept {
			step.Do = strings.ReplaceAll(step.Do, "{"+name+"}", id)
		}
		id, err := s.request(ctx, fmt.Sprintf("demo-%d", i), step)
		if err != nil {
			return fmt.Errorf("step %d, %s: %w", i, step.Do, err)
		}
		if step.Keep != "" {
			kept[step.Keep] = id
		}
	}
	return nil
}

func (s *Stage) keepFiles() error {
	entries, err := content.ReadDir("files")
	if err != nil {
		return fmt.Errorf("list sample files: %w", err)
	}
	for _, entry := range entries {
		raw, err := content.ReadFile("files/" + entry.Name())
		if err != nil {
			return fmt.Errorf("read sample file: %w", err)
		}
		if err := s.Files(entry.Name(), raw); err != nil {
			return err
		}
	}
	return nil
}

// proposeRules puts the shipped rule tables on the ledger: drafts are stored,
// firm ones proposed by the regulator and approved by the association.
func (s *Stage) proposeRules(ctx context.Context) error {
	documents, err := rules.All()
	if err != nil {
		return err
	}
	for _, document := range documents {
		body, err := json.Marshal(document)
		if err != nil {
			return fmt.Errorf("encode rule table %s: %w", document.ID, err)
		}
		name := fmt.Sprintf("%s/%d", document.ID, document.Version)
		if _, err := s.request(ctx, "demo-propose-"+name, step{As: "regulator", Do: "POST /v1/rulesets", Body: body}); err != nil {
			return fmt.Errorf("rule table %s: %w", name, err)
		}
		if document.Mark != metrology.MarkFirm {
			continue
		}
		if _, err := s.request(ctx, "demo-approve-"+name, step{As: "association", Do: "POST /v1/rulesets/" + name + "/approval"}); err != nil {
			return fmt.Errorf("approve rule table %s: %w", name, err)
		}
	}
	return nil
}

// steps fills in the dates, digests, subjects and keys that steps.json asks for.
func (s *Stage) steps() ([]step, error) {
	source, err := content.ReadFile("steps.json")
	if err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	filled, err := template.New("steps").Option("missingkey=error").Funcs(template.FuncMap{
		"day":     func(n int) string { return string(s.Today.AddDays(n)) },
		"subject": func(post string) string { return s.Subjects[post] },
		"sha256": func(name string) (string, error) {
			return digestOf(name, func(b []byte) []byte { d := sha256.Sum256(b); return d[:] })
		},
		"sm3": func(name string) (string, error) {
			return digestOf(name, func(b []byte) []byte { d := sm3.Sum(b); return d[:] })
		},
		"key": func(issuer string) (string, error) {
			spki, err := s.IssueKey(issuer)
			if err != nil {
				return "", err
			}
			encoded, err := json.Marshal(spki)
			return strings.Trim(string(encoded), `"`), err
		},
	}).Parse(string(source))
	if err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	var text bytes.Buffer
	if err := filled.Execute(&text, nil); err != nil {
		return nil, fmt.Errorf("fill in steps: %w", err)
	}
	var steps []step
	if err := json.Unmarshal(text.Bytes(), &steps); err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	return steps, nil
}

func digestOf(name string, sum func([]byte) []byte) (string, error) {
	raw, err := content.ReadFile("files/" + name)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sum(raw)), nil
}

// request makes one request in this process and returns the answer's id.
func (s *Stage) request(ctx context.Context, key string, step step) (id string, err error) {
	method, path, _ := strings.Cut(step.Do, " ")
	r := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(step.Body))
	r.Header.Set("Authorization", "Bearer "+s.Tokens[step.As])
	r.Header.Set("Idempotency-Key", key)
	if step.Body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.Handler.ServeHTTP(w, r)
	if w.Code == http.StatusConflict {
		return "", fmt.Errorf("%w: %s", ErrPlayed, w.Body)
	}
	if w.Code != http.StatusCreated {
		return "", fmt.Errorf("answered %d: %s", w.Code, w.Body)
	}
	var written struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &written); err != nil {
		return "", fmt.Errorf("read answer: %w", err)
	}
	return written.ID, nil
}
