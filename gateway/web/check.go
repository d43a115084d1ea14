package web

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/digest"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// Bounds of what a visitor may put into the box, in bytes.
const (
	maxQuestion = 512
	maxSerial   = 256
)

// maxFound bounds the matches of one kind that a search shows.
const maxFound = 20

// box is the form that asks, as it is shown again beside an answer.
type box struct {
	Question  string
	UploadMiB int64
	Fault     string // key of what was wrong with what came; empty: nothing
}

// homePage is the body of the start.
type homePage struct {
	Box    box
	Origin string // how the visitor reaches this gateway
}

// start is the first page, with the box as it was filled in.
func (s *Server) start(r request, b box) reply {
	return reply{view: "home", title: s.say(r.lang, "home.title"), body: homePage{b, origin(r)}}
}

func (s *Server) box(question string) box {
	return box{Question: question, UploadMiB: s.upload >> 20}
}

func (s *Server) home(_ context.Context, r request) (reply, error) {
	return s.start(r, s.box("")), nil
}

// check answers GET /check: what stands in the box, or the digests a browser
// made of a file that it did not send. A picture comes as both, its digests and
// the text of the code in it: it is answered as a file if it is one that is
// registered, and otherwise as what the code says.
func (s *Server) check(ctx context.Context, r request) (reply, error) {
	serial := strings.TrimSpace(r.text("serial"))
	if err := checkSerial(serial); err != nil {
		return reply{}, err
	}
	local, err := browserDigests(r)
	if err != nil {
		return reply{}, err
	}
	text := r.text("q")
	if local != nil {
		answer, registered := s.answerDigests(ctx, r, local, serial, answered{Local: r.text("local") != "", XML: r.text("xml") != "", Picture: r.text("picture") != ""})
		if registered || strings.TrimSpace(text) == "" {
			return answer, nil
		}
	}
	if len(text) > maxQuestion {
		return reply{}, metrology.FieldErrorf(metrology.CodeInvalid, "q", "is longer than %d bytes", maxQuestion)
	}
	asked := recognise(text)
	switch {
	case asked.Digests != nil:
		return s.checkDigests(ctx, r, asked.Digests, serial)
	case asked.Path != "":
		return reply{to: withSerial(asked.Path, serial)}, nil
	case asked.Text == "":
		return reply{to: "/"}, nil
	}
	return s.search(ctx, r, asked.Text, serial)
}

func checkSerial(serial string) error {
	if len(serial) > maxSerial {
		return metrology.FieldErrorf(metrology.CodeInvalid, "serial", "is longer than %d bytes", maxSerial)
	}
	return nil
}

// browserDigests are the digests of one file that our script computed; nil if
// it did not.
func browserDigests(r request) ([]metrology.Digest, error) {
	var digests []metrology.Digest
	for _, algorithm := range algorithms {
		value := r.text(algorithm)
		if value == "" {
			continue
		}
		d := metrology.Digest{Algorithm: algorithm, Value: strings.ToLower(value)}
		if err := d.Validate(); err != nil {
			return nil, err
		}
		digests = append(digests, d)
	}
	return digests, nil
}

// checkDigests answers a digest from the box. 64 digits may also be the id of a
// certificate or of a transaction.
func (s *Server) checkDigests(ctx context.Context, r request, digests []metrology.Digest, serial string) (reply, error) {
	_, err := s.register.Certificate(ctx, digests[0].Value, r.today)
	if err == nil {
		return reply{to: withSerial("/c/"+digests[0].Value, serial)}, nil
	}
	if _, err := s.register.Transaction(ctx, digests[0].Value); err == nil {
		return reply{to: "/t/" + digests[0].Value}, nil
	}
	answer, _ := s.answerDigests(ctx, r, digests, serial, answered{Question: digests[0].Value})
	return answer, nil
}

func withSerial(path, serial string) string {
	if serial == "" {
		return path
	}
	return path + "?serial=" + url.QueryEscape(serial)
}

// digest answers GET /d/{algorithm}/{digest}.
func (s *Server) digest(ctx context.Context, r request) (reply, error) {
	d := metrology.Digest{Algorithm: r.Param("algorithm"), Value: strings.ToLower(r.Param("digest"))}
	if err := d.Validate(); err != nil {
		return reply{}, err
	}
	serial := strings.TrimSpace(r.text("serial"))
	if err := checkSerial(serial); err != nil {
		return reply{}, err
	}
	answer, _ := s.answerDigests(ctx, r, []metrology.Digest{d}, serial, answered{Question: d.Algorithm + ":" + d.Value})
	return answer, nil
}

// answered says how a question came to its answer.
type answered struct {
	Question string // as it stood in the box
	Local    bool   // the browser hashed the file, which never left it
	Uploaded bool   // the file was sent here, hashed and dropped
	Picture  bool   // it is a picture in which the browser found no code
	XML      bool   // it begins like XML whose content could not be read, so that only its bytes were compared
	File     *digest.Result
}

// report is the body of the page that answers for a file.
type report struct {
	Box       box
	Serial    string // as it was compared; empty: not yet
	How       answered
	Report    verdict.Report
	Findings  []finding
	Unchecked bool
	Checked   string // RFC 3339: when, by this gateway's clock
	Data      age
}

// finding is one certificate with its verdict, as a page shows it.
type finding struct {
	verdict.Finding
	Tone     verdict.Tone
	Headline string // key of the message that sums up
	Issuer   string // name, else id
	Questions
}

// Questions are the four answers under the keys of their questions.
type Questions []struct {
	Key    string
	Answer verdict.Answer
}

// questions lists a verdict's answers in their order.
func questions(v verdict.Verdict) Questions {
	answers := v.Answers()
	listed := make(Questions, len(answers))
	for i, key := range []string{"question.integrity", "question.status", "question.issuer", "question.match"} {
		listed[i].Key, listed[i].Answer = key, answers[i]
	}
	return listed
}

// finding prepares one for a page.
func (s *Server) finding(ctx context.Context, f verdict.Finding) finding {
	shown := finding{Finding: f, Tone: f.Verdict.Tone(), Questions: questions(f.Verdict)}
	shown.Headline = "headline." + string(shown.Tone)
	if f.Verdict.Integrity.Outcome == verdict.NotRegistered {
		shown.Headline = "headline.not-registered"
	}
	if v := f.Verdict; v.Integrity.Outcome == verdict.FileNotShown && v.Status.Tone == verdict.Good && v.Issuer.Tone == verdict.Good && shown.Tone == verdict.Neutral {
		shown.Headline = "headline.by-number"
	}
	if f.Certificate != nil {
		shown.Issuer = s.issuerName(ctx, f.Certificate.Issuer)
	}
	return shown
}

// issuerName is an issuer's public name, or its id when it has none or cannot
// be asked for: a name is a courtesy, not part of the answer.
func (s *Server) issuerName(ctx context.Context, id string) string {
	issuer, err := s.register.Issuer(ctx, id)
	if err != nil || issuer.Details == nil {
		return id
	}
	return issuer.Details.Name
}

// answerDigests shows the report on a file's digests, and says whether they are
// registered. When the register cannot be asked the answer is that nothing could
// be checked, which is no verdict.
func (s *Server) answerDigests(ctx context.Context, r request, digests []metrology.Digest, serial string, how answered) (answer reply, registered bool) {
	body := report{Box: s.box(how.Question), Serial: serial, How: how, Checked: s.clock().UTC().Format(time.RFC3339), Data: s.age()}
	answer = reply{view: "report", title: s.say(r.lang, "report.title"), body: &body}
	found, err := s.reports.VerifyDigests(ctx, digests, serial)
	if err != nil {
		s.log.ErrorContext(ctx, "verify digests", "request", requestID(r), "error", err)
		answer.status, body.Unchecked = http.StatusServiceUnavailable, true
		found = verdict.Report{Day: r.today, Digests: digests, Findings: []verdict.Finding{{Verdict: verdict.Unchecked()}}}
	}
	body.Report = found
	for _, f := range found.Findings {
		body.Findings = append(body.Findings, s.finding(ctx, f))
		registered = registered || f.Certificate != nil
	}
	return answer, registered
}

// upload is the box as a browser without our script sends it.
type upload struct {
	File         *digest.Result // nil: none was chosen
	Text, Serial string
}

// checkUpload answers POST /. A file is hashed as it streams by; nothing of it
// is kept. Text has an address, to which the visitor is sent.
func (s *Server) checkUpload(ctx context.Context, r request) (reply, error) {
	form, err := r.Request().MultipartReader()
	if err != nil {
		return reply{}, metrology.Errorf(metrology.CodeInvalid, "the form cannot be read")
	}
	sent, err := readForm(ctx, form)
	if err != nil {
		return reply{}, err
	}
	switch file := sent.File; {
	case file != nil && file.Size > 0:
		answer, _ := s.answerDigests(ctx, r, file.Digests(), sent.Serial, answered{Question: sent.Text, Uploaded: true, XML: file.ContentError != nil, File: file})
		return answer, nil
	case file == nil && sent.Text != "":
		return reply{to: "/check?" + url.Values{"q": {sent.Text}, "serial": {sent.Serial}}.Encode()}, nil
	}
	again := s.box(sent.Text)
	if again.Fault = "box.none"; sent.File != nil {
		again.Fault = "file.empty"
	}
	answer := s.start(r, again)
	answer.status = http.StatusBadRequest
	return answer, nil
}

// maxParts bounds the parts of the form.
const maxParts = 8

// readForm reads the form.
func readForm(ctx context.Context, form *multipart.Reader) (sent upload, err error) {
	for range maxParts {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return sent, checkSerial(sent.Serial)
		}
		if err != nil {
			return upload{}, brokenForm(err)
		}
		switch part.FormName() {
		case "file":
			if part.FileName() == "" || sent.File != nil {
				continue // no file was chosen; or one more than the form offers
			}
			result, err := digest.File(ctx, part)
			if err != nil {
				return upload{}, brokenForm(err)
			}
			sent.File = &result
		case "q":
			if sent.Text, err = readText(part, maxQuestion); err != nil {
				return upload{}, err
			}
		case "serial":
			if sent.Serial, err = readText(part, maxSerial); err != nil {
				return upload{}, err
			}
		}
	}
	return upload{}, metrology.Errorf(metrology.CodeInvalid, "the form has more than %d parts", maxParts)
}

// readText reads a part of a form and no more than a byte beyond its bound.
func readText(part io.Reader, bound int64) (string, error) {
	text, err := io.ReadAll(io.LimitReader(part, bound+1))
	if err != nil {
		return "", brokenForm(err)
	}
	return strings.TrimSpace(string(text)), nil
}

// brokenForm keeps the error of a body that is too large.
func brokenForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return metrology.Errorf(metrology.CodeInvalid, "the form could not be read to its end")
}

// found is the body of the page that lists what a text may mean.
type found struct {
	Box          box
	Certificates []public.Certificate
	Instruments  []public.Instrument
	Merchants    []public.Merchant
	More         bool // there are more than are shown
}
