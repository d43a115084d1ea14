package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
)

// LineOutcome says what became of one line of a file.
type LineOutcome string

// The outcomes. Sending the same file again is always safe: it adds only what
// is new, and finds out about what is unknown.
const (
	LineAnchored   LineOutcome = "anchored"   // the certificate is on the ledger now
	LineRegistered LineOutcome = "registered" // the merchant, site or instrument is on the ledger now
	LineAlready    LineOutcome = "already"    // it was there before, exactly so
	LineRejected   LineOutcome = "rejected"   // a rule is broken; code, field and message tell which
	LineUnknown    LineOutcome = "unknown"    // sent, but it is not known whether it took effect
	LineNotSent    LineOutcome = "not-sent"   // nothing was sent, for want of time or of the ledger
)

// FileLine is what became of one line of a file.
type FileLine struct {
	Line          int            `json:"line"`             // in the file, from 1
	Number        string         `json:"number,omitempty"` // of a certificate
	Source        string         `json:"source,omitempty"` // the source's own id of a merchant, site or instrument
	Outcome       LineOutcome    `json:"outcome"`
	ID            string         `json:"id,omitempty"`   // on the ledger
	Root          string         `json:"root,omitempty"` // of the certificate's batch
	TransactionID string         `json:"transactionId,omitempty"`
	Code          metrology.Code `json:"code,omitempty"`   // of the rule that is broken
	Field         string         `json:"field,omitempty"`  // member at fault
	Column        string         `json:"column,omitempty"` // the file's name for it
	Message       string         `json:"message,omitempty"`
}

// FileAnswer answers a file, line by line in the file's order.
type FileAnswer struct {
	Lines         []FileLine          `json:"lines"`
	Counts        map[LineOutcome]int `json:"counts"`
	UnusedColumns []string            `json:"unusedColumns,omitempty"` // of the file, of which nothing was read
}

// reject notes what is wrong with a line.
func (l *FileLine) reject(fault *intake.Fault) {
	l.Outcome, l.Code, l.Field, l.Column, l.Message = LineRejected, fault.Rule, fault.Field, fault.Column, fault.Reason
}

// answerFile sends the answer as one JSON object, or as NDJSON if the client
// asks for that: the lines, then an object with counts and unusedColumns.
func answerFile(c echo.Context, lines []FileLine, unused []string) error {
	answer := FileAnswer{Lines: lines, Counts: map[LineOutcome]int{}, UnusedColumns: unused}
	for _, line := range lines {
		answer.Counts[line.Outcome]++
	}
	if !strings.Contains(c.Request().Header.Get(echo.HeaderAccept), mediaNDJSON) {
		return c.JSON(http.StatusOK, answer)
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	for _, line := range lines {
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	if err := encoder.Encode(fileSummary{Counts: answer.Counts, UnusedColumns: unused}); err != nil {
		return err
	}
	return c.Blob(http.StatusOK, mediaNDJSON, body.Bytes())
}

// fileSummary ends an answer in NDJSON.
type fileSummary struct {
	Counts        map[LineOutcome]int `json:"counts"`
	UnusedColumns []string            `json:"unusedColumns,omitempty"`
}

// The media types of the files.
const (
	mediaNDJSON = "application/x-ndjson"
	mediaCSV    = "text/csv"
	mediaXLSX   = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// fileFormats finds the format of a media type. One that says nothing leaves
// it to the file's first bytes.
var fileFormats = map[string]intake.Format{
	mediaNDJSON: intake.NDJSON, "application/ndjson": intake.NDJSON, "application/jsonl": intake.NDJSON,
	mediaCSV: intake.CSV, mediaXLSX: intake.XLSX,
	echo.MIMEOctetStream: "",
}

// sourceFile is an uploaded file, still unread by meaning.
type sourceFile struct {
	content []byte
	format  intake.Format
	mapping []byte // a mapping that came with it; nil: none did
}

// readFile takes the file out of the request: its body, or the part "file" of
// a form, beside which a part "mapping" may bring a mapping of the client's own.
func readFile(r *http.Request) (sourceFile, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err == nil && media == echo.MIMEMultipartForm {
		return readForm(r)
	}
	format, known := fileFormats[media]
	if err != nil || !known {
		return sourceFile{}, echo.NewHTTPError(http.StatusUnsupportedMediaType, "send "+mediaNDJSON+", "+mediaCSV+" or "+mediaXLSX)
	}
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return sourceFile{}, formError(err)
	}
	return newSourceFile(content, format)
}

func newSourceFile(content []byte, format intake.Format) (sourceFile, error) {
	if len(content) == 0 {
		return sourceFile{}, metrology.FieldErrorf(metrology.CodeInvalid, "file", "is empty")
	}
	if format == "" {
		format = intake.Detect(content)
	}
	return sourceFile{content: content, format: format}, nil
}

func readForm(r *http.Request) (sourceFile, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return sourceFile{}, formError(err)
	}
	parts := map[string][]byte{}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return sourceFile{}, formError(err)
		}
		name := part.FormName()
		if name != "file" && name != "mapping" {
			return sourceFile{}, metrology.FieldErrorf(metrology.CodeInvalid, name, "is not a part of this form")
		}
		if parts[name] != nil {
			return sourceFile{}, metrology.FieldErrorf(metrology.CodeInvalid, name, "is given more than once")
		}
		if parts[name], err = io.ReadAll(part); err != nil {
			return sourceFile{}, formError(err)
		}
	}
	file, err := newSourceFile(parts["file"], "")
	file.mapping = parts["mapping"]
	return file, err
}

// records reads the file by the mapping that came with it, else by the one
// named, else by the one shipped for the kind. An NDJSON file without a named
// mapping holds the requests themselves.
func (s *Server) records(c echo.Context, kind string, resolve intake.Resolve) (records []intake.Record, unused []string, err error) {
	file, err := readFile(c.Request())
	if err != nil {
		return nil, nil, err
	}
	name := c.QueryParam("mapping")
	if file.mapping != nil && name != "" {
		return nil, nil, metrology.FieldErrorf(metrology.CodeInvalid, "mapping", "is both named and sent")
	}
	plain := file.format == intake.NDJSON && file.mapping == nil && name == ""
	var mapping intake.Mapping
	switch {
	case plain:
	case file.mapping != nil:
		mapping, err = intake.ParseMapping(file.mapping)
	case name != "":
		mapping, err = intake.Shipped(name)
	default:
		mapping, err = intake.Shipped(kind)
	}
	if err != nil {
		return nil, nil, err
	}
	if !plain && mapping.Kind != kind {
		return nil, nil, metrology.FieldErrorf(metrology.CodeInvalid, "mapping", "is for %s, not %s", mapping.Kind, kind)
	}
	sheet := c.QueryParam("sheet")
	if sheet == "" {
		sheet = mapping.Sheet
	}
	table, err := intake.Read(c.Request().Context(), bytes.NewReader(file.content), file.format, sheet, intake.DefaultLimits())
	if err != nil {
		return nil, nil, err
	}
	if !plain {
		return mapping.Apply(table, resolve)
	}
	member := "source"
	if kind == kindCertificates {
		member = ""
	}
	records, err = intake.Objects(table, member)
	return records, nil, err
}

// checkQuery refuses query parameters that a route does not know.
func checkQuery(c echo.Context, known ...string) error {
	for name, values := range c.QueryParams() {
		if !contains(known, name) {
			return metrology.FieldErrorf(metrology.CodeInvalid, name, "is not a parameter of this route")
		}
		if len(values) > 1 {
			return metrology.FieldErrorf(metrology.CodeInvalid, name, "is given more than once")
		}
	}
	return nil
}
