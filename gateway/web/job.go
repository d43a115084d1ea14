package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// job is one operation of the interface as a form at the desks of some roles.
// Its fields are those of the operation; nothing of them stands here but what
// a person at this desk does not need to see.
type job struct {
	Operation string // operationId
	Group     string // heading: "group." and this is its message
	Roles     []metrology.Role
	Leave     []string            // paths of members that are not shown, and so not sent
	Only      map[string][]string // path → the options that make sense here
	Command   string              // of the state machine of what it changes; empty: none is looked at
	Phases    []metrology.DrawPhase
	Sealed    bool                             // of sealed draws alone
	Ask       []form.Field                     // what is asked for, where the body is not asked for as it is
	Make      maker                            // makes the body of that
	Final     bool                             // nothing undoes it; the form has that confirmed
	View      string                           // template of the form; empty: the one made of its controls
	Trim      func(sent url.Values) url.Values // drops what was shown and left empty; nil: nothing
	Aid       aid                              // what that template shows besides; it may fill in what is not given
}

// aid prepares what a form of its own template shows besides its controls.
type aid func(s *Server, ctx context.Context, v visit, o form.Operation, filled url.Values) (any, error)

// maker makes a body of the members that a form asked for.
type maker func(s *Server, ctx context.Context, asked []byte) (body []byte, err error)

// For reports whether a role has this job.
func (j job) For(role string) bool { return slices.Contains(j.Roles, metrology.Role(role)) }

// Title is the message that names the job.
func (j job) Title() string { return "job." + j.Operation }

const jobPath = "/desk/do/"

// findJob finds a job of the visitor's role.
func (s *Server) findJob(v visit) (job, form.Operation, error) { return s.jobOf(v, v.Param("job")) }

// jobOf finds a job of the visitor's role by its name.
func (s *Server) jobOf(v visit, name string) (job, form.Operation, error) {
	i := slices.IndexFunc(jobs, func(j job) bool { return j.Operation == name && j.For(v.Person.Role) })
	if i < 0 {
		return job{}, form.Operation{}, errNoPage
	}
	o, known := s.desks.forms[name]
	if !known {
		return job{}, form.Operation{}, fmt.Errorf("the interface has no operation %q", name)
	}
	if jobs[i].Ask != nil {
		o.Fields = jobs[i].Ask
	}
	o.Fields = jobs[i].fields(o.Fields, "")
	return jobs[i], o, nil
}

// fields are those that are shown, with the options that make sense.
func (j job) fields(all []form.Field, prefix string) []form.Field {
	shown := make([]form.Field, 0, len(all))
	for _, f := range all {
		at := prefix + f.Name
		if slices.Contains(j.Leave, at) {
			continue
		}
		if only, narrowed := j.Only[at]; narrowed {
			f.Options = only
		}
		f.Fields = j.fields(f.Fields, at+".")
		shown = append(shown, f)
	}
	return shown
}

// showJob shows a form: empty, or with what the address or an earlier sending
// filled in. Its key stands in the address, so that going back and sending
// again asks for the same thing, which happens once.
func (s *Server) showJob(ctx context.Context, v visit) (reply, error) {
	j, o, err := s.findJob(v)
	if err != nil {
		return reply{}, err
	}
	filled, key := v.sent, v.sent.Get(formKey)
	if v.sent == nil {
		filled, key = prefilled(o, v.QueryParams()), v.text("key")
	}
	if !keyOf(j.Operation, key) {
		key = newKey(j.Operation)
		if v.sent == nil {
			query := v.QueryParams()
			query.Set("key", key)
			return reply{to: jobPath + url.PathEscape(j.Operation) + "?" + query.Encode()}, nil
		}
	}
	if v.sent == nil {
		if err := s.fillIn(ctx, v, j, o, filled); err != nil {
			return reply{}, fmt.Errorf("fill in the form: %w", err)
		}
	}
	page := jobPage{Job: j, Key: key, Stale: v.stale}
	earlier, found, err := s.desks.Journal.Find(ctx, v.Person.Label, key)
	if err != nil {
		return reply{}, fmt.Errorf("find what was sent: %w", err)
	}
	if found && !earlier.Nothing() {
		described := s.describe(ctx, earlier)
		page.Earlier = &described
	}
	return s.fillJob(ctx, v, o, page, filled, nil, http.StatusOK)
}

// fillIn fills in what the register knows, where the address says of what.
func (s *Server) fillIn(ctx context.Context, v visit, j job, o form.Operation, filled url.Values) error {
	switch {
	case j.Group == groupDraws:
		return s.fillDraw(ctx, v, o, filled)
	case o.ID == "correctInspection":
		return s.fillCorrection(ctx, v, o, filled)
	case o.ID == "reverifyInstrument":
		return s.fillReverification(ctx, v, filled)
	}
	return nil
}

// prefilled takes from an address what it fills in: path parameters and members.
func prefilled(o form.Operation, query url.Values) url.Values {
	filled := url.Values{}
	for name, values := range query {
		switch {
		case slices.Contains(o.Parameters, name):
			filled[parameterPath(name)] = values
		case name != "key" && name != "lang":
			filled[name] = values
		}
	}
	return filled
}

// parameterPath names the control of a path parameter apart from a member of
// the same name.
func parameterPath(name string) string { return "{" + name + "}" }

// allFields are the path parameters of an operation and the members of its body.
func allFields(o form.Operation) []form.Field {
	var all []form.Field
	for _, name := range o.Parameters {
		all = append(all, form.Field{Name: parameterPath(name), Type: familyOf(o.Path, name) + "-" + name, Kind: form.Text, Required: true})
	}
	return append(all, o.Fields...)
}

// familyOf is the last fixed part of an address before a parameter: what the
// parameter is the name of.
func familyOf(address, name string) string {
	before, _, _ := strings.Cut(address, "/"+parameterPath(name))
	family := ""
	for part := range strings.SplitSeq(before, "/") {
		if part != "" && part[0] != '{' {
			family = part
		}
	}
	return family
}

// fillJob shows the form as it was filled in, with what is wrong with it.
func (s *Server) fillJob(ctx context.Context, v visit, o form.Operation, page jobPage, filled url.Values, faults map[string]string, status int) (reply, error) {
	page.Token, page.Filled, page.Faults = v.Token, filled, faults
	if page.Job.Aid != nil {
		var err error
		if page.Aid, err = page.Job.Aid(s, ctx, v, o, filled); err != nil {
			return reply{}, fmt.Errorf("prepare the form of %s: %w", o.ID, err)
		}
	}
	page.Controls = form.Fill(allFields(o), filled, faults, filled.Get(formMore))
	return reply{view: cmp.Or(page.Job.View, "job"), title: s.say(v.lang, "job."+page.Job.Operation), status: status, body: page,
		self: jobPath + url.PathEscape(page.Job.Operation) + "?" + url.Values{"key": {page.Key}}.Encode()}, nil
}

// doJob sends a form: decode, one call, and the place where it is told what
// became of it.
func (s *Server) doJob(ctx context.Context, v visit) (reply, error) {
	j, o, err := s.findJob(v)
	if err != nil {
		return reply{}, err
	}
	if j.Trim != nil {
		v.sent = j.Trim(v.sent)
	}
	if v.sent.Get(formMore) != "" {
		return s.showJob(ctx, v)
	}
	page := jobPage{Job: j, Key: v.sent.Get(formKey)}
	if page.Key, err = s.usableKey(ctx, v, j, page.Key); err != nil {
		return reply{}, err
	}
	address, body, faults := s.read(v, o)
	if j.Final && v.sent.Get(formSure) == "" {
		faults[formSure] = s.say(v.lang, "form.not-sure")
	}
	if len(faults) > 0 {
		page.Fault = s.say(v.lang, "form.look-below")
		if fault, given := faults[formSure]; given {
			page.Fault = fault
		}
		return s.fillJob(ctx, v, o, page, v.sent, faults, http.StatusBadRequest)
	}
	if j.Make != nil {
		if _, made, err := s.desks.Journal.Find(ctx, v.Person.Label, page.Key); err != nil || made {
			return reply{to: sentPath + page.Key}, err // made again it might come out another
		}
		if body, err = j.Make(s, ctx, body); err != nil {
			return reply{}, fmt.Errorf("make the body of %s: %w", o.ID, err)
		}
	}
	answer, err := s.desks.Operations.Run(ctx, v.Person, Operation{Method: o.Method, Path: address, Key: page.Key, Media: "application/json", Body: body})
	if err != nil {
		return reply{}, fmt.Errorf("run %s: %w", o.ID, err)
	}
	if answer.Status < http.StatusMultipleChoices {
		return reply{to: sentPath + page.Key}, nil
	}
	return s.refused(ctx, v, o, page, answer)
}

// read makes address and body of what was sent, and says what is wrong with it.
func (s *Server) read(v visit, o form.Operation) (address string, body []byte, faults map[string]string) {
	faults = map[string]string{}
	address = o.Path
	for _, name := range o.Parameters {
		value := strings.TrimSpace(v.sent.Get(parameterPath(name)))
		if value == "" || value == "." || value == ".." {
			faults[parameterPath(name)] = s.say(v.lang, "form.missing")
		}
		address = strings.ReplaceAll(address, parameterPath(name), url.PathEscape(value))
	}
	if len(o.Fields) == 0 {
		return address, nil, faults
	}
	body, wrong := form.Decode(o.Fields, v.sent)
	for _, f := range wrong {
		faults[f.Path] = s.say(v.lang, f.Key)
	}
	return address, body, faults
}

// usableKey is the form's own key, or a new one when that was used for
// something of which nothing came: then the form may be mended and sent again.
func (s *Server) usableKey(ctx context.Context, v visit, j job, key string) (string, error) {
	if !keyOf(j.Operation, key) {
		return newKey(j.Operation), nil
	}
	earlier, found, err := s.desks.Journal.Find(ctx, v.Person.Label, key)
	if err != nil {
		return "", fmt.Errorf("find what was sent: %w", err)
	}
	if found && earlier.Nothing() {
		return newKey(j.Operation), nil
	}
	return key, nil
}

// problemDocument is an RFC 9457 problem as the interface answers it.
type problemDocument struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	Field     string `json:"field"`
	RequestID string `json:"requestId"`
	Retryable bool   `json:"retryable"`
}

// refused shows the form again, with the problem beside the field it names.
func (s *Server) refused(ctx context.Context, v visit, o form.Operation, page jobPage, answer Answer) (reply, error) {
	var problem problemDocument
	if err := json.Unmarshal(answer.Body, &problem); err != nil || problem.Code == "" {
		return reply{}, fmt.Errorf("the interface answered %d without a problem document", answer.Status)
	}
	page.Problem = &problem
	faults := map[string]string{}
	at := controlOf(allFields(o), v.sent, problem.Field)
	if at != "" {
		faults[at] = problem.Detail
	}
	if metrology.Code(problem.Code) == metrology.CodeOperationReused {
		earlier, found, err := s.desks.Journal.Find(ctx, v.Person.Label, page.Key)
		if err != nil {
			return reply{}, fmt.Errorf("find what was sent: %w", err)
		}
		if found {
			described := s.describe(ctx, earlier)
			page.Earlier = &described
		}
		page.Key = newKey(page.Job.Operation)
	}
	return s.fillJob(ctx, v, o, page, v.sent, faults, answer.Status)
}

// controlOf finds the control that shows a fault of a member: its own, that of
// a path parameter, or that of the nearest member around it.
func controlOf(fields []form.Field, sent url.Values, member string) string {
	if member == "" {
		return ""
	}
	paths := form.Paths(form.Fill(fields, sent, nil, ""))
	for _, own := range []string{parameterPath(member), member} {
		if slices.Contains(paths, own) {
			return own
		}
	}
	for around := member; around != ""; {
		cut := strings.LastIndexAny(around, ".[")
		around = around[:max(cut, 0)]
		if slices.Contains(paths, around) {
			return around
		}
	}
	return ""
}

// deskKeys begins the Idempotency-Key of everything sent from a desk. After it
// come the operation and 12 random bytes, so that a key tells what it is for.
const deskKeys = "desk-"

func newKey(operation string) string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return deskKeys + operation + "-" + hex.EncodeToString(b[:])
}

// keyOf reports whether a key was made for an operation.
func keyOf(operation, key string) bool {
	made, random, ok := splitKey(key)
	return ok && made == operation && len(random) == 24 && strings.Trim(random, "0123456789abcdef") == ""
}

func splitKey(key string) (operation, random string, ok bool) {
	rest, ok := strings.CutPrefix(key, deskKeys)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "-")
}
