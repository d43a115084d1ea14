package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// problem is the body of an error page.
type problem struct {
	Title, Detail string
	RequestID     string
	Retry         bool // whether trying again may help
}

// fault is a mistake that the pages themselves notice. It wraps nothing: the
// visitor's words are all there is to say.
type fault struct{ key string }

// Error names the message that says the fault to the visitor.
func (f fault) Error() string { return f.key }

// faultKeys names the messages of what a visitor may get wrong on a public
// page, by the field of the rule's error, whose own words are for programs.
var faultKeys = map[string]string{
	"cursor": "fault.cursor", "region": "fault.region", "from": "fault.date", "to": "fault.date",
	"digest.value": "fault.digest", "digest.algorithm": "fault.algorithm",
	"siteId": "fault.site", "signature": "fault.signature", "q": "fault.long", "serial": "fault.long",
}

// faultOf says a visitor's mistake in the visitor's language; mistaken is false
// for errors of other kinds.
func (s *Server) faultOf(l language, err error) (words string, mistaken bool) {
	var own fault
	if errors.As(err, &own) {
		return s.say(l, own.key), true
	}
	var rule *metrology.Error
	if !errors.As(err, &rule) || rule.Code != metrology.CodeInvalid && rule.Code != metrology.CodeSignature {
		return "", false
	}
	if key, known := faultKeys[rule.Field]; known {
		return s.say(l, key), true
	}
	return strings.TrimSpace(rule.Field + " " + rule.Message), true
}

// problemStatus tells which HTTP status an error has and which message names
// it. detail is fit for visitors; it is empty for errors of this program.
func problemStatus(err error) (status int, key, detail string) {
	var rule *metrology.Error
	var tooLarge *http.MaxBytesError
	var refused *echo.HTTPError
	var own fault
	switch {
	case errors.As(err, &own):
		return http.StatusBadRequest, "problem.invalid", ""
	case errors.Is(err, errNoPage):
		return http.StatusNotFound, "problem.not-found", ""
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, "problem.too-large", strconv.FormatInt(tooLarge.Limit>>20, 10) + " MiB"
	case errors.As(err, &rule) && rule.Code == metrology.CodeNotFound:
		return http.StatusNotFound, "problem.not-found", ""
	case errors.As(err, &rule) && rule.Code == metrology.CodeInvalid:
		return http.StatusBadRequest, "problem.invalid", strings.TrimSpace(rule.Field + " " + rule.Message)
	case errors.As(err, &rule) && rule.Code == metrology.CodeSignature:
		return http.StatusBadRequest, "problem.invalid", strings.TrimSpace(rule.Field + " " + rule.Message)
	case errors.As(err, &rule) && rule.Code == metrology.CodeState:
		return http.StatusConflict, "problem.invalid", rule.Message
	case errors.As(err, &refused):
		return frameworkStatus(refused.Code)
	}
	return http.StatusServiceUnavailable, "problem.unavailable", ""
}

func frameworkStatus(code int) (status int, key, detail string) {
	switch {
	case code == http.StatusNotFound || code == http.StatusMethodNotAllowed:
		return code, "problem.not-found", ""
	case code == http.StatusTooManyRequests:
		return code, "problem.too-many", ""
	case code < http.StatusInternalServerError:
		return code, "problem.invalid", ""
	}
	return http.StatusServiceUnavailable, "problem.unavailable", ""
}

// fail shows an error as a page. One that is not the visitor's goes to the log.
func (s *Server) fail(r request, err error) error {
	if ended(r.Request().Context(), err) {
		return err
	}
	status, key, detail := problemStatus(err)
	if status >= http.StatusInternalServerError && !errors.Is(err, echo.ErrServiceUnavailable) { // refused as overload: counted, not logged
		s.log.ErrorContext(r.Request().Context(), "page failed", "request", requestID(r), "error", err)
	}
	if to := withoutSlash(r.Request()); to != "" && status == http.StatusNotFound {
		return r.Redirect(http.StatusSeeOther, to)
	}
	if words, mistaken := s.faultOf(r.lang, err); mistaken {
		detail = words
	}
	return s.problem(r, status, s.say(r.lang, key), detail)
}

// withoutSlash is where a visitor meant to go who put a slash behind the address
// of a page; empty when there is none.
func withoutSlash(r *http.Request) string {
	asked := r.URL.EscapedPath() // with no backslash in it
	path := strings.TrimRight(asked, "/")
	if r.Method == http.MethodPost || path == "" || path == asked || strings.HasPrefix(path, "//") {
		return ""
	}
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return path
}

func requestID(r request) string { return r.Response().Header().Get(echo.HeaderXRequestID) }

func (s *Server) problem(r request, status int, title, detail string) error {
	return s.render(r, reply{view: "problem", title: title, status: status, body: problem{
		Title: title, Detail: detail, RequestID: requestID(r),
		Retry: status >= http.StatusInternalServerError || status == http.StatusTooManyRequests,
	}})
}

// Problem answers with an error page of the given status. Title and detail are
// shown as they come.
func (s *Server) Problem(c echo.Context, status int, title, detail string) error {
	return s.problem(s.request(c), status, title, detail)
}

// Errors answers errors of browsers with pages and leaves all others to next:
// those of the interface under /v1, and of clients that do not ask for HTML.
func (s *Server) Errors(next echo.HTTPErrorHandler) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		wantsPage := strings.Contains(c.Request().Header.Get(echo.HeaderAccept), echo.MIMETextHTML) &&
			!strings.HasPrefix(c.Request().URL.Path, "/v1/")
		if !wantsPage || c.Response().Committed || ended(c.Request().Context(), err) {
			next(err, c)
			return
		}
		if failed := s.fail(s.request(c), err); failed != nil {
			next(failed, c)
		}
	}
}
