package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
	"github.com/steelyard-ledger/steelyard/gateway/web/session"
)

//go:embed templates/*.html
var templateFiles embed.FS

// views are the pages' templates in one language.
type views struct {
	words catalogue
	pages map[string]*template.Template
}

// parseViews parses every page in every language. A file whose name begins with
// an underscore holds parts for the others.
func parseViews(a assets) (map[language]views, error) {
	names, err := templateFiles.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	all := make(map[language]views)
	for _, l := range []language{chinese, english} {
		words, err := readCatalogue(l)
		if err != nil {
			return nil, err
		}
		v := views{words: words, pages: make(map[string]*template.Template)}
		parts, err := template.New("").Funcs(functions(l, words, a)).Option("missingkey=error").ParseFS(templateFiles, "templates/_*.html")
		if err != nil {
			return nil, fmt.Errorf("parse templates: %w", err)
		}
		for _, file := range names {
			if strings.HasPrefix(file.Name(), "_") {
				continue
			}
			page, err := parts.Clone()
			if err == nil {
				page, err = page.ParseFS(templateFiles, "templates/"+file.Name())
			}
			if err != nil {
				return nil, fmt.Errorf("parse template %s: %w", file.Name(), err)
			}
			v.pages[strings.TrimSuffix(file.Name(), path.Ext(file.Name()))] = page
		}
		all[l] = v
	}
	return all, nil
}

// functions are what templates can call.
func functions(l language, words catalogue, a assets) template.FuncMap {
	return template.FuncMap{
		"t":               words.text,
		"term":            words.term,
		"pick":            l.pick,
		"moment":          moment,
		"asset":           a.address,
		"icon":            func(t verdict.Tone) string { return icons[t] },
		"short":           short,
		"escape":          url.PathEscape,
		"signed":          signed,
		"tone":            toneOf,
		"certificateTone": certificateTone,
		"standing":        pledgeStanding,
		"drawTone":        drawTone,
		"stampOf":         stampOf,
		"resultTone":      resultTone,
		"outcomeTone":     outcomeTone,
		"measuredTone":    measuredTone,
		"stamp":           func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"span":            words.span,
		"region":          words.region,
		"plus":            func(i int) int { return i + 1 },
		"label":           words.label,
		"hint":            words.hint,
		"option":          words.option,
	}
}

// icons go beside the words of an answer, so that colour never stands alone.
var icons = map[verdict.Tone]string{
	verdict.Good: "✓", verdict.Neutral: "–", verdict.Caution: "!", verdict.Bad: "✕", verdict.Unknown: "?",
}

// civil is the clock of Asia/Shanghai, which has no summer time.
var civil = time.FixedZone("UTC+8", 8*3600)

// moment shows an RFC 3339 stamp in Beijing time; a text that is none stays as
// it is.
func moment(stamp string) string {
	t, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return stamp
	}
	return t.In(civil).Format("2006-01-02 15:04:05") + " (UTC+8)"
}

// signed writes the plus that a positive error needs beside its number.
func signed(number string) string {
	if number == "" || number[0] == '-' || strings.Trim(number, "0.") == "" {
		return number
	}
	return "+" + number
}

// short shows the beginning of a digest or transaction id.
func short(text string) string {
	if len(text) <= 16 {
		return text
	}
	return text[:12] + "…"
}

// frame is what the layout shows around a page.
type frame struct {
	Lang, Other language
	Tag         string
	OtherTag    string
	Switch      string // address of this page in the other language
	Title       string
	Embedded    bool
	Notice      string
	Version     string
	Desks       bool             // there are some
	Desk        *session.Session // of whoever is signed in; nil on public pages
	Reminder    *reminder        // on pages of desks that take part in draws
	Observes    bool             // the gateway takes part in draws by itself
	Known       bool             // whether the register could be asked
	Status      public.Status
	Age         age
	Body        any
}

// render fills the template and sends the page.
func (s *Server) render(r request, answer reply) error {
	status := answer.status
	if status == 0 {
		status = http.StatusOK
	}
	f := frame{
		Lang: r.lang, Tag: r.lang.tag(), Other: r.lang.other(), OtherTag: r.lang.other().tag(), Switch: switchAddress(r, answer.self), Title: answer.title,
		Embedded: s.embedded, Notice: s.notice, Version: s.version, Body: answer.body,
		Desks: s.desks != nil, Desk: answer.desk, Age: s.age(),
		Reminder: answer.reminder, Observes: s.desks != nil && s.desks.Observes,
	}
	var err error
	f.Status, err = s.register.Status(r.Request().Context())
	f.Known = err == nil
	v := s.views[r.lang]
	page, known := v.pages[answer.view]
	if !known {
		return fmt.Errorf("there is no view %q", answer.view)
	}
	var out bytes.Buffer
	if err := page.ExecuteTemplate(&out, "layout", f); err != nil {
		return fmt.Errorf("fill view %s: %w", answer.view, err)
	}
	header := r.Response().Header()
	header.Set(echo.HeaderCacheControl, "no-cache")
	header.Set("Content-Language", r.lang.tag())
	return r.HTMLBlob(status, out.Bytes())
}

// switchAddress is this page in the other language. A page that answered an
// upload has no address of its own and leads back to the start; one that
// answered another form names its own.
func switchAddress(r request, self string) string {
	if own, err := url.Parse(self); err == nil && self != "" {
		query := own.Query()
		query.Set("lang", string(r.lang.other()))
		return own.EscapedPath() + "?" + query.Encode()
	}
	if r.Request().Method == http.MethodPost {
		return "/?lang=" + string(r.lang.other())
	}
	query := r.Request().URL.Query()
	query.Set("lang", string(r.lang.other()))
	return r.Request().URL.EscapedPath() + "?" + query.Encode()
}

// say is a message in the visitor's language; a key that is missing, which the
// tests rule out, shows itself.
func (s *Server) say(l language, key string, args ...any) string {
	words, err := s.views[l].words.text(key, args...)
	if err != nil {
		return key
	}
	return words
}

// ended reports whether the visitor went away.
func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, ctx.Err())
}
