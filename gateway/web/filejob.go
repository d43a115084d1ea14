package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/web/form"
	"github.com/steelyard-ledger/steelyard/gateway/web/session"
	"github.com/steelyard-ledger/steelyard/gateway/web/work"
)

// fileJob is an operation of the interface that takes a file and answers line
// by line. It runs in the background and is found again under /desk/work.
type fileJob struct {
	Operation string
	Group     string
	Roles     roles
	Fixed     map[string]string // path parameters that the job settles
	Leave     []string          // query parameters that are not asked for
	Parts     []string          // names of the form's files; none: one file, which is the body
}

// Files are the names of the controls that choose a file.
func (j fileJob) Files() []string {
	if len(j.Parts) == 0 {
		return []string{"file"}
	}
	return j.Parts
}

// Name tells jobs of one operation apart.
func (j fileJob) Name() string {
	name := j.Operation
	for _, key := range []string{"kind"} {
		if value := j.Fixed[key]; value != "" {
			name += "-" + value
		}
	}
	return name
}

// Title is the message that names the job.
func (j fileJob) Title() string { return "job." + j.Name() }

// Operations that pages ask for.
const (
	operationImport      = "importCertificates"
	operationDirectories = "importDrawDirectories"
)

// fileJobs is the table of what is done with a file.
var fileJobs = []fileJob{
	{Operation: operationImport, Group: "certificates", Roles: roles{metrology.RoleInstitute}, Leave: []string{"mapping"}},
	{Operation: operationDirectories, Group: groupDraws, Roles: roles{metrology.RoleRegulator}, Parts: []string{"objects", "exclusions", "inspectors", "ineligible", "leave"}},
	{Operation: "importRows", Fixed: map[string]string{"kind": "merchants"}, Group: "register", Roles: roles{metrology.RoleAssociation, metrology.RoleRegulator}, Leave: []string{"mapping"}},
	{Operation: "importRows", Fixed: map[string]string{"kind": "sites"}, Group: "register", Roles: roles{metrology.RoleAssociation, metrology.RoleRegulator}, Leave: []string{"mapping"}},
	{Operation: "importRows", Fixed: map[string]string{"kind": "instruments"}, Group: "register", Roles: roles{metrology.RoleAssociation, metrology.RoleRegulator}, Leave: []string{"mapping"}},
}

// fileJobsOf lists the jobs with files of a role under a heading.
func fileJobsOf(role, group string) []fileJob {
	var list []fileJob
	for _, j := range fileJobs {
		if j.Group == group && slices.Contains(j.Roles, metrology.Role(role)) {
			list = append(list, j)
		}
	}
	return list
}

// fields are the parameters that are asked for.
func (j fileJob) fields(o form.Operation) []form.Field {
	var fields []form.Field
	for _, f := range allFields(form.Operation{Path: o.Path, Parameters: o.Parameters}) {
		if _, fixed := j.Fixed[strings.Trim(f.Name, "{}")]; !fixed {
			fields = append(fields, f)
		}
	}
	for _, f := range o.Query {
		if !slices.Contains(j.Leave, f.Name) {
			fields = append(fields, f)
		}
	}
	return fields
}

// address is the path and query of the operation.
func (j fileJob) address(o form.Operation, sent url.Values) string {
	address := o.Path
	for _, name := range o.Parameters {
		value, fixed := j.Fixed[name]
		if !fixed {
			value = strings.TrimSpace(sent.Get(parameterPath(name)))
		}
		address = strings.ReplaceAll(address, parameterPath(name), url.PathEscape(value))
	}
	query := url.Values{}
	for _, f := range o.Query {
		if value := strings.TrimSpace(sent.Get(f.Name)); value != "" && !slices.Contains(j.Leave, f.Name) {
			query.Set(f.Name, value)
		}
	}
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// fileJobPage is the body of a form with a file.
type fileJobPage struct {
	Job       fileJob
	Token     string
	Work      string // id of the work to be begun
	Controls  []form.Control
	Fault     string
	UploadMiB int64
	Stale     bool
}

func (s *Server) findFileJob(v visit) (fileJob, form.Operation, error) {
	i := slices.IndexFunc(fileJobs, func(j fileJob) bool {
		return j.Name() == v.Param("job") && slices.Contains(j.Roles, metrology.Role(v.Person.Role))
	})
	if i < 0 {
		return fileJob{}, form.Operation{}, errNoPage
	}
	return fileJobs[i], s.desks.forms[fileJobs[i].Operation], nil
}

func (s *Server) showFileJob(_ context.Context, v visit) (reply, error) {
	j, o, err := s.findFileJob(v)
	if err != nil {
		return reply{}, err
	}
	filled, id := v.sent, v.sent.Get(formKey)
	if v.sent == nil {
		filled, id = prefilled(o, v.QueryParams()), v.text("key")
	}
	if !isWork(id) {
		id = newWork()
		if v.sent == nil { // in the address, so that going back does not begin it twice
			query := v.QueryParams()
			query.Set("key", id)
			return reply{to: "/desk/file/" + j.Name() + "?" + query.Encode()}, nil
		}
	}
	return s.fillFileJob(v, j, o, fileJobPage{Work: id, Stale: v.stale}, filled, http.StatusOK), nil
}

func (s *Server) fillFileJob(v visit, j fileJob, o form.Operation, page fileJobPage, filled url.Values, status int) reply {
	page.Job, page.Token, page.UploadMiB = j, v.Token, s.upload>>20
	page.Controls = form.Fill(j.fields(o), filled, nil, "")
	return reply{view: "file-job", title: s.say(v.lang, j.Title()), status: status, body: page, self: "/desk/file/" + j.Name() + "?key=" + page.Work}
}

// doFileJob begins the work and leads to where it is followed.
func (s *Server) doFileJob(_ context.Context, v visit) (reply, error) {
	j, o, err := s.findFileJob(v)
	if err != nil {
		return reply{}, err
	}
	page := fileJobPage{Work: v.sent.Get(formKey)}
	if !isWork(page.Work) {
		page.Work = newWork()
	}
	name, media, content, err := chosenFiles(v.request, j)
	if err != nil {
		return reply{}, err
	}
	if len(content) == 0 {
		page.Fault = s.say(v.lang, "file-job.none")
		return s.fillFileJob(v, j, o, page, v.sent, http.StatusBadRequest), nil
	}
	return s.begin(v, page.Work, j.Title(), name, Operation{Method: o.Method, Path: j.address(o, v.sent), Media: media, Body: content})
}

// chosenFiles are the files of a form as the interface takes them: one as the
// body, several as parts. content is empty when none was chosen.
func chosenFiles(r request, j fileJob) (name, media string, content []byte, err error) {
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	var names []string
	for _, part := range j.Files() {
		own, raw, err := chosenFile(r, part)
		if err != nil {
			return "", "", nil, err
		}
		if len(raw) == 0 {
			continue
		}
		names = append(names, own)
		if len(j.Parts) == 0 {
			return own, echo.MIMEOctetStream, raw, nil
		}
		w, err := parts.CreateFormFile(part, own)
		if err == nil {
			_, err = w.Write(raw)
		}
		if err != nil {
			return "", "", nil, fmt.Errorf("pack files: %w", err)
		}
	}
	if len(names) == 0 {
		return "", "", nil, nil
	}
	if err := parts.Close(); err != nil {
		return "", "", nil, fmt.Errorf("pack files: %w", err)
	}
	return strings.Join(names, ", "), parts.FormDataContentType(), body.Bytes(), nil
}

// chosenFile is one file of a form; empty when none was chosen.
func chosenFile(r request, part string) (name string, content []byte, err error) {
	file, header, err := r.Request().FormFile(part)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, brokenForm(err)
	}
	defer file.Close()
	if content, err = io.ReadAll(file); err != nil {
		return "", nil, brokenForm(err)
	}
	return path.Base(header.Filename), content, nil
}

// longestWork bounds one piece of work.
const longestWork = 30 * time.Minute

// begin runs an operation in the background. Work that was begun already is
// followed, not begun again.
func (s *Server) begin(v visit, id, title, name string, o Operation) (reply, error) {
	follow := reply{to: workPath + id}
	err := s.desks.work.Begin(work.Item{ID: id, Label: v.Person.Label, Job: title, Name: name})
	if errors.Is(err, work.ErrKnown) {
		return follow, nil
	}
	if err != nil {
		return reply{}, err
	}
	o.Progress = func(done, total int) { s.desks.work.Progress(id, done, total) }
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Request().Context()), longestWork)
	go func() {
		defer cancel()
		s.run(ctx, v.Person, id, o)
	}()
	return follow, nil
}

// run does the work and keeps its answer.
func (s *Server) run(ctx context.Context, who session.Person, id string, o Operation) {
	answer, err := s.desks.Operations.Run(ctx, who, o)
	if err == nil && !json.Valid(answer.Body) {
		err = fmt.Errorf("the interface answered %d without JSON", answer.Status)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "work at a desk", "work", id, "error", err)
		answer = Answer{Status: http.StatusInternalServerError, Body: []byte(`{"code":"INTERNAL"}`)}
	}
	if err := s.desks.work.End(id, answer.Status, answer.Body); err != nil {
		s.log.ErrorContext(ctx, "keep the answer of work at a desk", "work", id, "error", err)
	}
}

func newWork() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

func isWork(id string) bool {
	return len(id) == 24 && strings.Trim(id, "0123456789abcdef") == ""
}
