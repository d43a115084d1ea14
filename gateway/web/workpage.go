package web

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/gateway/verdict"
	"github.com/steelyard-ledger/steelyard/gateway/web/work"
)

const workPath = "/desk/work/"

// fileAnswer is the interface's answer to a file.
type fileAnswer struct {
	Lines         []fileLine     `json:"lines"`
	Counts        map[string]int `json:"counts"`
	UnusedColumns []string       `json:"unusedColumns"`
}

// directoryAnswer is the interface's answer to the files of a draw's
// directories: for each source read = taken + excluded + rejected.
type directoryAnswer struct {
	Draw     string           `json:"draw"`
	Filed    bool             `json:"filed"` // the lists are on the ledger
	Accounts []sourceAccount  `json:"accounts"`
	Chunks   map[string]int64 `json:"chunks"`
}

// sourceAccount says what became of the rows of one source.
type sourceAccount struct {
	Source   string         `json:"source"`
	Read     int            `json:"read"`
	Taken    int            `json:"taken"`
	Excluded map[string]int `json:"excluded"`
	Rejected int            `json:"rejected"`
	Rows     []fileLine     `json:"rows"` // those not taken
}

// fileLine is what became of one line.
type fileLine struct {
	Line          int    `json:"line"`
	Number        string `json:"number"`
	Source        string `json:"source"`
	Outcome       string `json:"outcome"`
	ID            string `json:"id"`
	Root          string `json:"root"`
	TransactionID string `json:"transactionId"`
	Code          string `json:"code"`
	Field         string `json:"field"`
	Column        string `json:"column"`
	Message       string `json:"message"`
}

// Done reports whether the line is on the ledger.
func (l fileLine) Done() bool {
	return l.Outcome == "anchored" || l.Outcome == "registered" || l.Outcome == "already"
}

// workPage is the body of the page of one piece of work.
type workPage struct {
	work.Item
	Tone     verdict.Tone
	State    string // message
	Percent  int
	Problem  *problemDocument
	Answer   fileAnswer
	Wrong    []fileLine       // at most maxWrong
	More     int              // how many more lines are wrong
	Lists    *directoryAnswer // of a draw's directories
	Evidence bool             // lines have offline evidence
}

// maxWrong bounds the lines that a page shows; the result file has all.
const maxWrong = 200

func (s *Server) readWork(v visit) (workPage, error) {
	item, found, err := s.desks.work.Find(v.Person.Label, v.Param("id"))
	if err != nil {
		return workPage{}, err
	}
	if !found {
		return workPage{}, errNoPage
	}
	page := workPage{Item: item, State: "work.ended", Tone: verdict.Good, Evidence: item.Job == "job."+operationImport}
	switch {
	case item.Running:
		page.State, page.Tone = "work.running", verdict.Unknown
		if item.Total > 0 {
			page.Percent = 100 * item.Done / item.Total
		}
	case item.Interrupted():
		page.State, page.Tone = "work.interrupted", verdict.Unknown
	case item.Status != http.StatusOK:
		page.State, page.Tone, page.Problem = "work.refused", verdict.Bad, &problemDocument{}
		return page, json.Unmarshal(item.Answer, page.Problem)
	default:
		return page, page.read(item.Answer)
	}
	return page, nil
}

// read takes the answer apart. Work with a line that is not on the ledger is
// not shown as done.
func (p *workPage) read(raw json.RawMessage) error {
	if p.Job == "job."+operationDirectories {
		p.Lists = &directoryAnswer{}
		if err := json.Unmarshal(raw, p.Lists); err != nil {
			return fmt.Errorf("read answer of work %s: %w", p.ID, err)
		}
		for i, account := range p.Lists.Accounts {
			p.Lists.Accounts[i].Source = strings.TrimPrefix(account.Source, "draw-") // as the form's files are named
		}
		if !p.Lists.Filed {
			p.State, p.Tone = "work.not-filed", verdict.Caution
		}
		return nil
	}
	if err := json.Unmarshal(raw, &p.Answer); err != nil {
		return fmt.Errorf("read answer of work %s: %w", p.ID, err)
	}
	for _, line := range p.Answer.Lines {
		if line.Done() {
			continue
		}
		p.State, p.Tone = "work.partly", verdict.Caution
		if len(p.Wrong) == maxWrong {
			p.More++
			continue
		}
		p.Wrong = append(p.Wrong, line)
	}
	return nil
}

func (s *Server) showWork(_ context.Context, v visit) (reply, error) {
	page, err := s.readWork(v)
	return reply{view: "desk-work", title: s.say(v.lang, page.Job), body: page}, err
}

func (s *Server) listWork(_ context.Context, v visit) (reply, error) {
	items, err := s.desks.work.List(v.Person.Label)
	return reply{view: "desk-works", title: s.say(v.lang, "works.title"), body: items}, err
}

// deskDownload makes a route of a file that only its own post may have.
func (s *Server) deskDownload(send func(ctx context.Context, v visit, page workPage) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := s.request(c)
		found, signedIn := s.sessionOf(r)
		if !signedIn {
			return c.Redirect(http.StatusSeeOther, deskPath)
		}
		v := visit{request: r, Session: found}
		page, err := s.readWork(v)
		if err == nil && (page.Running || page.Interrupted() || page.Problem != nil || page.Lists != nil) {
			err = errNoPage
		}
		if err == nil {
			c.Response().Header().Set(echo.HeaderCacheControl, "private, no-store")
			err = send(c.Request().Context(), v, page)
		}
		if err != nil && !c.Response().Committed {
			return s.fail(r, err)
		}
		return err
	}
}

// workTable sends what became of each line, as CSV in UTF-8 with a mark by
// which spreadsheets know it.
func (s *Server) workTable(_ context.Context, v visit, page workPage) error {
	header := v.Response().Header()
	header.Set(echo.HeaderContentType, "text/csv; charset=utf-8")
	header.Set(echo.HeaderContentDisposition, `attachment; filename="result-`+page.ID+`.csv"`)
	v.Response().WriteHeader(http.StatusOK)
	return writeResult(v.Response(), page)
}

func writeResult(w io.Writer, page workPage) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	table := csv.NewWriter(w)
	table.UseCRLF = true
	rows := [][]string{{"line", "number", "outcome", "id", "root", "transaction", "code", "column", "message"}}
	for _, l := range page.Answer.Lines {
		rows = append(rows, []string{strconv.Itoa(l.Line), plainCell(l.Name()), l.Outcome, l.ID, l.Root, l.TransactionID, l.Code, plainCell(l.Column), plainCell(l.Message)})
	}
	return table.WriteAll(rows)
}

// maxEvidence bounds the certificates of one archive.
const maxEvidence = 10_000

// workEvidence sends the result with the offline evidence of every certificate
// that is on the ledger, as one archive.
func (s *Server) workEvidence(ctx context.Context, v visit, page workPage) error {
	if !page.Evidence {
		return errNoPage
	}
	header := v.Response().Header()
	header.Set(echo.HeaderContentType, "application/zip")
	header.Set(echo.HeaderContentDisposition, `attachment; filename="evidence-`+page.ID+`.zip"`)
	v.Response().WriteHeader(http.StatusOK)
	archive := zip.NewWriter(v.Response())
	result, err := archive.Create("result.csv")
	if err != nil {
		return err
	}
	if err := writeResult(result, page); err != nil {
		return err
	}
	taken := 0
	for _, line := range page.Answer.Lines {
		if !line.Done() || line.ID == "" || taken == maxEvidence {
			continue
		}
		taken++
		answer, err := s.desks.Operations.Run(ctx, v.Person, Operation{Method: http.MethodGet, Path: "/v1/certificates/" + url.PathEscape(line.ID) + "/proof"})
		if err == nil && answer.Status != http.StatusOK {
			err = fmt.Errorf("evidence of certificate %s: the interface answered %d", line.ID, answer.Status)
		}
		if err != nil {
			return err // the archive is cut short, which every program notices
		}
		file, err := archive.Create("evidence/" + line.ID + ".steelyard.json")
		if err != nil {
			return err
		}
		if _, err := file.Write(answer.Body); err != nil {
			return err
		}
	}
	return archive.Close()
}

// outcomeTone is how an outcome of a line may be shown.
func outcomeTone(outcome string) verdict.Tone {
	switch {
	case (fileLine{Outcome: outcome}).Done():
		return verdict.Good
	case outcome == "rejected":
		return verdict.Bad
	}
	return verdict.Unknown
}

// Name is the file's own name for a line.
func (l fileLine) Name() string { return strings.TrimSpace(l.Number + l.Source) }
