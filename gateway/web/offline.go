package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

//go:embed offline/checker.html
var checkerTemplate string

// checkerScripts are the parts of the offline checker's program, each after
// those that it needs.
var checkerScripts = []string{"digest.js", "c14n.js", "ecdsa.js", "x509.js", "leaf.js", "protobuf.js", "evidence.js", "checker.js"}

// checker is the offline checker in one language: a whole HTML file with the
// trust file inside.
type checker struct {
	content []byte
	digest  string // SHA-256 of the content in hexadecimal
}

// offlineTrust is what the page on checking offline says of the trust file.
type offlineTrust struct {
	Channel       string                     `json:"channel"`
	Genesis       string                     `json:"genesisHash"`
	Organizations map[string]json.RawMessage `json:"organizations"`
}

// makeCheckers makes the checker in every language around a trust file.
func makeCheckers(a assets, all map[language]views, trust []byte, embedded bool, release string) (map[language]checker, error) {
	page, err := template.New("checker").Parse(checkerTemplate)
	if err != nil {
		return nil, fmt.Errorf("parse template of the offline checker: %w", err)
	}
	var script strings.Builder
	for _, name := range checkerScripts {
		part, known := a[name]
		if !known {
			return nil, fmt.Errorf("the offline checker lacks %s", name)
		}
		script.Write(part.content)
	}
	style := string(a["style.css"].content)
	made := make(map[language]checker, len(all))
	for l, v := range all {
		var out bytes.Buffer
		err := page.Execute(&out, map[string]any{
			"Tag": l.tag(), "Words": v.words.group("checker."), "Version": release, "Trust": string(trust), "Data": checkerWords(l, v.words, embedded),
			"Script": template.JS(script.String()), "Style": template.CSS(style), //nolint:gosec // both are our own assets
			"ScriptHash": sourceHash(script.String()), "StyleHash": sourceHash(style),
		})
		if err != nil {
			return nil, fmt.Errorf("fill the offline checker: %w", err)
		}
		sum := sha256.Sum256(out.Bytes())
		made[l] = checker{out.Bytes(), hex.EncodeToString(sum[:])}
	}
	return made, nil
}

// sourceHash is what a content security policy calls an inline source by.
func sourceHash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// group is all words whose keys begin with prefix, by the rest of the key.
func (c catalogue) group(prefix string) map[string]string {
	found := make(map[string]string)
	for key, words := range c {
		if rest, within := strings.CutPrefix(key, prefix); within {
			found[rest] = words
		}
	}
	return found
}

// checkerWords are the words of the checker's answers: the verdict's own.
func checkerWords(l language, words catalogue, embedded bool) map[string]any {
	type shown struct {
		Tone string `json:"tone"`
		Text string `json:"text"`
	}
	answers := make(map[verdict.Outcome]shown)
	for _, outcome := range []verdict.Outcome{
		verdict.CouldNotCheck, verdict.Registered, verdict.RegisteredContent, verdict.NotRegistered, verdict.FileNotShown,
		verdict.IssuerNotChecked, verdict.MatchUnknown, verdict.Match, verdict.Mismatch, verdict.NoSerial,
	} {
		answer := verdict.AnswerOf(outcome)
		answers[outcome] = shown{string(answer.Tone), l.pick(answer.Text)}
	}
	statements := make(map[string]string)
	for code, text := range verdict.Statements() {
		statements[code] = l.pick(text)
	}
	signs := make(map[string][2]string)
	for tone, icon := range icons {
		signs[string(tone)] = [2]string{icon, words.term("tone", tone)}
	}
	return map[string]any{
		"answers": answers, "statements": statements, "icons": signs, "embedded": embedded, "words": words.group("checker."),
		"kinds": words.group("kind."), "questions": words.group("question."),
	}
}

// offlinePage is the body of the page that offers the checker.
type offlinePage struct {
	Trust         offlineTrust
	Organizations []string
	Digest        string
	KiB           int
}

// offline answers GET /offline: how to check without this service.
func (s *Server) offline(_ context.Context, r request) (reply, error) {
	made, offered := s.checkers[r.lang]
	if !offered {
		return reply{}, errNoPage
	}
	body := offlinePage{Digest: made.digest, KiB: (len(made.content) + 1023) >> 10}
	if err := json.Unmarshal(s.trust, &body.Trust); err != nil {
		return reply{}, fmt.Errorf("read trust file: %w", err)
	}
	body.Organizations = slices.Sorted(maps.Keys(body.Trust.Organizations))
	return reply{view: "offline", title: s.say(r.lang, "offline.title"), body: body}, nil
}

// checkerFile answers GET /offline/checker.html: the one file to keep. It is
// handed out as a download, since its place is the visitor's own disk.
func (s *Server) checkerFile(c echo.Context) error {
	r := s.request(c)
	made, offered := s.checkers[r.lang]
	if !offered {
		return s.fail(r, errNoPage)
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentDisposition, `attachment; filename="steelyard-checker-`+string(r.lang)+`.html"`)
	header.Set(echo.HeaderCacheControl, "no-cache")
	return c.Blob(http.StatusOK, echo.MIMETextHTMLCharsetUTF8, made.content)
}

// trustFile answers GET /offline/trust.json for the verify program. What comes
// from the party to be checked is worth a comparison with a copy from elsewhere.
func (s *Server) trustFile(c echo.Context) error {
	if len(s.trust) == 0 {
		return s.fail(s.request(c), errNoPage)
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="trust.json"`)
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, s.trust)
}
