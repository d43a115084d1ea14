package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/digest"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

func (s *Server) mountVerify(e *echo.Echo) {
	e.GET("/v1/verify/:algorithm/:digest", serveRead(readRoute{"/v1/verify/:algorithm/:digest", []string{"serial"}, s.verifyDigest}))
	e.POST("/v1/verify", s.verifyUpload)
}

// FileReport is the answer to an uploaded file: the report on its digests and
// what the file says of itself. Nothing of the file is stored.
type FileReport struct {
	verdict.Report
	Size         int64     `json:"size"`                   // bytes
	DCC          *DCCFacts `json:"dcc,omitempty"`          // of a digital calibration certificate
	ContentError string    `json:"contentError,omitempty"` // why the content of XML could not be digested
}

// DCCFacts are what a digital calibration certificate says of itself. Its
// signatures are counted, not verified.
type DCCFacts struct {
	SchemaVersion    string   `json:"schemaVersion"`
	UniqueIdentifier string   `json:"uniqueIdentifier"`
	BeginPerformance string   `json:"beginPerformance,omitempty"` // xs:date
	EndPerformance   string   `json:"endPerformance,omitempty"`   // xs:date
	IssueDate        string   `json:"issueDate,omitempty"`        // xs:date
	Serials          []string `json:"serials,omitempty"`          // given by the manufacturers
	Signatures       int      `json:"signatures"`
}

func dccFacts(d *digest.DCC) *DCCFacts {
	if d == nil {
		return nil
	}
	return &DCCFacts{
		SchemaVersion: d.SchemaVersion, UniqueIdentifier: d.UniqueIdentifier, BeginPerformance: d.BeginPerformance,
		EndPerformance: d.EndPerformance, IssueDate: d.IssueDate, Serials: d.Serials(), Signatures: d.Signatures,
	}
}

// maxSerial bounds the serial number somebody read on a nameplate, in bytes.
const maxSerial = 256

// verifyDigest answers GET /v1/verify/{algorithm}/{digest}.
func (s *Server) verifyDigest(ctx context.Context, p params) (any, error) {
	asked := metrology.Digest{Algorithm: p.path("algorithm"), Value: strings.ToLower(p.path("digest"))}
	if err := checkDigest(asked); err != nil {
		return nil, err
	}
	return s.VerifyDigests(ctx, []metrology.Digest{asked}, p.text("serial"))
}

// checkDigest names the part of the path that is at fault.
func checkDigest(asked metrology.Digest) error {
	err := asked.Validate()
	var rule *metrology.Error
	if !errors.As(err, &rule) {
		return err
	}
	field := "digest"
	if strings.HasSuffix(rule.Field, ".algorithm") {
		field = "algorithm"
	}
	return &metrology.Error{Code: rule.Code, Field: field, Message: rule.Message}
}

// VerifyDigests answers the four questions for every certificate that one of
// the digests of a file names. serial is what the asker read on the nameplate,
// empty if nothing was.
func (s *Server) VerifyDigests(ctx context.Context, digests []metrology.Digest, serial string) (verdict.Report, error) {
	if len(serial) > maxSerial {
		return verdict.Report{}, metrology.FieldErrorf(metrology.CodeInvalid, "serial", "is longer than %d bytes", maxSerial)
	}
	state, err := s.register.Status(ctx)
	if err != nil {
		return verdict.Report{}, err
	}
	today := s.today()
	report := verdict.Report{
		Day: today, Digests: digests, Findings: []verdict.Finding{},
		Ledger: verdict.Ledger{Height: state.Height, LastTime: state.LastTime},
	}
	if s.embedded {
		report.Ledger.Notice = EmbeddedNotice
	}
	known := newKnown(s.register)
	seen := make(map[string]bool)
	for _, asked := range digests {
		certificates, err := s.register.CertificatesByDigest(ctx, asked.Algorithm, asked.Value, today)
		if err != nil {
			return verdict.Report{}, err
		}
		for _, certificate := range certificates {
			if seen[certificate.ID] {
				continue
			}
			seen[certificate.ID] = true
			facts := verdict.Facts{Today: today, Digest: asked, Serial: serial, Embedded: s.embedded}
			finding, err := known.judge(ctx, certificate, facts)
			if err != nil {
				return verdict.Report{}, err
			}
			report.Findings = append(report.Findings, finding)
		}
	}
	if len(report.Findings) == 0 {
		nothing := verdict.Facts{Today: today, Serial: serial, Embedded: s.embedded}
		report.Findings = append(report.Findings, verdict.Finding{Verdict: verdict.Judge(nothing)})
	}
	return report, nil
}

// VerifyCertificate answers the questions for a certificate that was asked for
// by its id; no file was shown.
func (s *Server) VerifyCertificate(ctx context.Context, id, serial string) (verdict.Finding, error) {
	if len(serial) > maxSerial {
		return verdict.Finding{}, metrology.FieldErrorf(metrology.CodeInvalid, "serial", "is longer than %d bytes", maxSerial)
	}
	today := s.today()
	certificate, err := s.register.Certificate(ctx, id, today)
	if err != nil {
		return verdict.Finding{}, err
	}
	facts := verdict.Facts{Today: today, Serial: serial, Embedded: s.embedded}
	return newKnown(s.register).judge(ctx, certificate, facts)
}

// known keeps the institutions that one question has looked up, since
// certificates of one file share their issuer.
type known struct {
	register Register
	issuers  map[string]*metrology.Issuer
}

func newKnown(register Register) *known {
	return &known{register: register, issuers: make(map[string]*metrology.Issuer)}
}

// judge completes the facts from the register and answers.
func (k *known) judge(ctx context.Context, certificate public.Certificate, facts verdict.Facts) (verdict.Finding, error) {
	leaf := certificate.Leaf
	facts.Certificate = &verdict.Certificate{
		Leaf: leaf, Renditions: certificate.Renditions, State: certificate.State,
		Key: certificate.Batch.Key, FailedLater: certificate.FailedLater != "",
	}
	facts.Instruments = certificate.Instruments
	var err error
	if facts.Issuer, err = k.issuer(ctx, leaf.Issuer); err != nil {
		return verdict.Finding{}, err
	}
	return verdict.Finding{
		Certificate: &verdict.Reference{
			ID: certificate.ID, Issuer: leaf.Issuer, Number: leaf.Number, Kind: leaf.Kind, Block: certificate.Anchored.Block,
			TransactionID: certificate.Anchored.TransactionID, Time: certificate.Anchored.Time,
		},
		Verdict: verdict.Judge(facts),
	}, nil
}

// issuer returns nil for an institution that is not registered.
func (k *known) issuer(ctx context.Context, id string) (*metrology.Issuer, error) {
	if issuer, asked := k.issuers[id]; asked {
		return issuer, nil
	}
	view, err := k.register.Issuer(ctx, id)
	switch {
	case err == nil:
		k.issuers[id] = &view.Issuer
	case metrology.ErrorCode(err) == metrology.CodeNotFound:
		k.issuers[id] = nil
	default:
		return nil, err
	}
	return k.issuers[id], nil
}

// verifyUpload answers POST /v1/verify.
func (s *Server) verifyUpload(c echo.Context) error {
	for name := range c.QueryParams() {
		if name != "serial" {
			return metrology.FieldErrorf(metrology.CodeInvalid, name, "is not a parameter of this route")
		}
	}
	file, serial, err := digestUpload(c.Request())
	if err != nil {
		return err
	}
	if serial == "" {
		serial = c.QueryParam("serial")
	}
	report, err := s.reportFile(c.Request().Context(), file, serial)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, report)
}

// VerifyFile digests a file as it streams by and answers for its digests.
func (s *Server) VerifyFile(ctx context.Context, file io.Reader, serial string) (FileReport, error) {
	result, err := digest.File(ctx, file)
	if err != nil {
		return FileReport{}, err
	}
	return s.reportFile(ctx, result, serial)
}

func (s *Server) reportFile(ctx context.Context, file digest.Result, serial string) (FileReport, error) {
	report, err := s.VerifyDigests(ctx, file.Digests(), serial)
	if err != nil {
		return FileReport{}, err
	}
	answer := FileReport{Report: report, Size: file.Size, DCC: dccFacts(file.DCC)}
	if file.ContentError != nil {
		answer.ContentError = file.ContentError.Error()
	}
	return answer, nil
}

// maxUploadParts bounds the parts of a form.
const maxUploadParts = 8

// digestUpload digests the body, or the part "file" of a form, whose part
// "serial" may name the serial number.
func digestUpload(r *http.Request) (file digest.Result, serial string, err error) {
	media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEMultipartForm {
		file, err = digest.File(r.Context(), r.Body)
		return file, "", err
	}
	form, err := r.MultipartReader()
	if err != nil {
		return file, "", metrology.Errorf(metrology.CodeInvalid, "the form cannot be read: %v", err)
	}
	found := false
	for count := 0; ; count++ {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return file, "", formError(err)
		}
		if count == maxUploadParts {
			return file, "", metrology.Errorf(metrology.CodeInvalid, "the form has more than %d parts", maxUploadParts)
		}
		switch name := part.FormName(); {
		case name == "file" && found:
			return file, "", metrology.FieldErrorf(metrology.CodeInvalid, "file", "is given more than once")
		case name == "file":
			found = true
			if file, err = digest.File(r.Context(), part); err != nil {
				return file, "", formError(err)
			}
		case name == "serial":
			text, err := io.ReadAll(io.LimitReader(part, maxSerial+1))
			if err != nil {
				return file, "", formError(err)
			}
			serial = string(text)
		default:
			return file, "", metrology.FieldErrorf(metrology.CodeInvalid, name, "is not a part of this form")
		}
	}
	if !found {
		return file, "", metrology.FieldErrorf(metrology.CodeInvalid, "file", "is required")
	}
	return file, serial, nil
}

// formError keeps the error of a body that is too large and takes any other
// for a broken form.
func formError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return metrology.Errorf(metrology.CodeInvalid, "the form cannot be read: %v", err)
}
